package annotate

import (
	"context"
	"fmt"
	"sync"

	"github.com/nextslice/nextslice/metrics"

	"github.com/nextslice/nextslice/annotate/store"
)

// jury compares all models on the same labels: the validation labels as they are now. The Dice that is stored with a model is that
// of the labels of its time, and tells nothing beside that of another model.
type jury struct {
	config Config
	store  *store.Store
	cases  *Cases
	files  modelFiles

	mu       sync.Mutex
	overlaps map[heard][]metrics.Overlap // so that a model predicts a label once
	verdict  Verdict
}

// heard is a model's answer to a label.
type heard struct {
	model   int
	item    Item
	version int
}

// Verdict is how models do on the same validation labels.
type Verdict struct {
	Labels     int // slices
	Foreground int // of them with foreground
	Cases      int
	Dice       map[int]float64 // by the version of the model; those that are not a number are left out
}

// now returns the last verdict; before there was one, the zero value.
func (j *jury) now() Verdict {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.verdict
}

// dice returns what a model's Dice is taken to be: that of the last verdict, else the one that was stored with it. nil where there
// are no validation labels.
func (j *jury) dice(m store.Model) *float64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if d, ok := j.verdict.Dice[m.Version]; ok {
		return &d
	}
	if len(j.verdict.Dice) > 0 { // not comparable with the others
		return nil
	}
	return m.Dice
}

// models returns all models with the Dice by which they can be compared.
func (j *jury) models(ctx context.Context) ([]store.Model, error) {
	models, err := j.store.Models(ctx)
	for i := range models {
		models[i].Dice = j.dice(models[i])
	}
	return models, err
}

// hear judges all models that are stored, and further ones. Those whose file cannot be read are left out, and reported.
func (j *jury) hear(ctx context.Context, learner Learner, validation []store.Labelled, problem func(error), further ...store.Model) error {
	v := Verdict{Labels: len(validation), Dice: map[int]float64{}}
	refs, cases := map[Item][]uint8{}, map[string]bool{}
	for _, l := range validation {
		mask, err := l.Mask()
		if err != nil {
			return fmt.Errorf("%s: %w", l.Item, err)
		}
		refs[l.Item] = mask
		cases[l.Item.Case] = true
		if j.hasForeground(mask) {
			v.Foreground++
		}
	}
	v.Cases = len(cases)
	models, err := j.store.Models(ctx)
	if err != nil {
		return err
	}
	known := map[heard][]metrics.Overlap{}
	for _, m := range append(models, further...) {
		var missing []Item
		for _, l := range validation {
			key := heard{m.Version, l.Item, l.Version.Version}
			if o := j.overlap(key); o != nil {
				known[key] = o
			} else {
				missing = append(missing, l.Item)
			}
		}
		answers := map[Item][]metrics.Overlap{}
		if len(missing) > 0 {
			n, err := j.files.load(ctx, learner, m)
			if err != nil {
				problem(fmt.Errorf("compare models: %w", err))
				continue
			}
			err = j.cases.segment(ctx, n, missing, func(item Item, _ []float32, pred []uint8) error {
				answers[item] = metrics.Overlaps(pred, refs[item], len(j.config.Classes))
				return nil
			})
			if err != nil {
				return err
			}
		}
		dice := metrics.NewPartialDice(len(j.config.Classes))
		for _, l := range validation { // by case
			key := heard{m.Version, l.Item, l.Version.Version}
			if o := answers[l.Item]; o != nil {
				known[key] = o
			}
			if known[key] != nil {
				dice.AddOverlaps(l.Item.Case, known[key])
			}
		}
		if d := dice.Mean(); d == d {
			v.Dice[m.Version] = d
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.overlaps, j.verdict = known, v
	return nil
}

func (j *jury) overlap(key heard) []metrics.Overlap {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.overlaps[key]
}

func (j *jury) hasForeground(mask []uint8) bool {
	for _, v := range mask {
		if j.config.isForeground(v) {
			return true
		}
	}
	return false
}

// What a model must have shown before its masks are drawn for people, and before it is used at all.
const (
	drawsFrom = 0.5 // Dice from which on a proposal lies in the drawing; below, it is an outline
	usesFrom  = 0.1 // Dice below which a model finds next to nothing and is not put into use
	fewLabels = 3   // slices on which it must have done so: with foreground for validation, or corrected proposals
)

// quality returns the Dice of a model on the validation labels, or else the mean over the labels that began with its proposals; nil
// where neither are enough to tell.
func (j *jury) quality(ctx context.Context, m store.Model) (*float64, error) {
	if d := j.dice(m); d != nil && j.now().Foreground >= fewLabels {
		return d, nil
	}
	history, err := j.store.History(ctx)
	if err != nil {
		return nil, err
	}
	sum, n := 0.0, 0
	for _, v := range history {
		if v.Proposal != nil && *v.Proposal == m.Version && v.Dice != nil {
			sum, n = sum+*v.Dice, n+1
		}
	}
	if n < fewLabels {
		return nil, nil
	}
	mean := sum / float64(n)
	return &mean, nil
}
