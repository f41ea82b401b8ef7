package annotate

import (
	"context"
	"fmt"
	"math"

	"github.com/nextslice/nextslice/preprocess"

	"github.com/nextslice/nextslice/annotate/store"
)

// judge validates a new model and the one in use on the same labels and decides which one proposes from now on: the new
// one, unless it is worse.
func (p *Project) judge(ctx context.Context, learner Learner, model Model, m *store.Model, validation []store.Labelled) error {
	models, err := p.store.Models(ctx)
	if err != nil {
		return err
	}
	old := inUse(models)
	m.Adopted = true
	if len(validation) == 0 {
		m.Reason = "taken into use; there are no validation labels to compare models on"
		return nil
	}
	dice, err := p.validate(ctx, model, validation)
	if err != nil {
		return err
	}
	if !math.IsNaN(dice) {
		m.Dice = &dice
	}
	if old == nil {
		m.Reason = "taken into use; it is the first"
		return nil
	}
	c := p.Config.Preprocess
	before, err := learner.Load(p.modelFile(old.Version), c.Height, c.Width)
	if err != nil {
		p.report("compare models", err)
		m.Reason = "taken into use; the model before cannot be read"
		return nil
	}
	previous, err := p.validate(ctx, before, validation)
	if err != nil {
		return err
	}
	if math.IsNaN(dice) || math.IsNaN(previous) {
		m.Reason = "taken into use; the validation labels are empty"
		return nil
	}
	m.Previous = &previous
	m.Adopted = dice >= previous
	m.Reason = fmt.Sprintf("taken into use: validation Dice %.3f, the model before %.3f", dice, previous)
	if !m.Adopted {
		m.Reason = fmt.Sprintf("not taken into use: validation Dice %.3f, model %d has %.3f", dice, old.Version, previous)
	}
	return nil
}

// validate returns a model's mean Dice over classes and cases, on each case's own grid over its labelled slices
// together: of cases that are labelled throughout it is the 3D Dice of a simulation. NaN if no label and no prediction has
// foreground.
func (p *Project) validate(ctx context.Context, model Model, labels []store.Labelled) (float64, error) {
	c, classes := p.Config.Preprocess, len(p.Config.Classes)
	images := make([][]float32, len(labels))
	for i, l := range labels {
		images[i] = p.canvas(l.Item)
	}
	var cases [][]overlap // in the order of the labels, which are sorted by case
	last := ""
	err := model.Predict(ctx, images, func(i int, canvas []float32) error {
		l := labels[i]
		mask, err := l.Mask()
		if err != nil {
			return fmt.Errorf("%s: %w", l.Item, err)
		}
		g := p.grid(l.Item)
		probs, pred := make([]float32, len(mask)*classes), make([]uint8, len(mask))
		c.Back(canvas, classes, g, l.Item.Slice, probs)
		preprocess.Argmax(pred, probs, classes)
		if l.Item.Case != last {
			cases, last = append(cases, make([]overlap, classes)), l.Item.Case
		}
		o := cases[len(cases)-1]
		for x, ref := range mask {
			o[ref].ref++
			o[pred[x]].pred++
			if ref == pred[x] {
				o[ref].both++
			}
		}
		return nil
	})
	return meanOfCases(cases, classes), err
}

// overlap counts the pixels of one class.
type overlap struct{ pred, ref, both int }

// meanOfCases returns the mean over foreground classes of the mean over cases, leaving out what is empty on both sides:
// the rule of metrics.Summary.
func meanOfCases(overlaps [][]overlap, classes int) float64 {
	sum, n := 0.0, 0
	for class := 1; class < classes; class++ {
		classSum, cases := 0.0, 0
		for _, o := range overlaps {
			if total := o[class].pred + o[class].ref; total > 0 {
				classSum += 2 * float64(o[class].both) / float64(total)
				cases++
			}
		}
		if cases > 0 {
			sum += classSum / float64(cases)
			n++
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / float64(n)
}
