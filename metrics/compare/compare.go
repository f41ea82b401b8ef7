// Package compare compares masks on disk with reference masks: which belongs to which, on which grid they are compared, and which label
// value is which class. The measures are those of package metrics.
package compare

import (
	"cmp"
	"context"
	"strings"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/volume"
)

// Options say how masks are compared.
type Options struct {
	Axis    int    // index axis of the slices of Dice2D
	Ignore  uint8  // label value of the references that counts in no measure; 0 is the label ignore of the references' dataset.json
	ByIndex bool   // voxel by voxel, wherever the headers say that they lie
	Image   string // that the masks were drawn on: a file, a series or a folder of cases; "" where they find one themselves
	Rules   metrics.Rules

	Note func(text string) // gets what a person should know of the files
	Warn func(text string) // gets what is doubtful
}

// Evaluation is what a comparison has found.
type Evaluation struct {
	metrics.Summary
	Empty   string            `json:"empty"`              // what Dice counts where both masks are empty; see metrics.Rules
	LeftOut []dataset.Problem `json:"left_out,omitempty"` // cases that could not be compared

	Compared int `json:"-"` // cases; where it is 0 there is no summary
}

// Masks compares a predicted mask, or a folder of them, with a reference mask or a folder of references. No more than one pair is in
// memory. Of a single pair what cannot be compared is an error, of several it is left out.
func Masks(ctx context.Context, predPath, refPath string, o Options) (Evaluation, error) {
	pairs, left, err := maskPairs(predPath, refPath, o.Note)
	if err != nil {
		return Evaluation{}, err
	}
	names, notes, err := namesOf(predPath, refPath, pairs)
	if err != nil {
		return Evaluation{}, err
	}
	o.warn(notes)
	r := reader{naming: names, byIndex: o.ByIndex, ignore: o.Ignore}
	if r.ignore == 0 {
		r.ignore = names.ignored
	}
	if r.grounds, err = openGrounds(o.Image, refPath); err != nil {
		return Evaluation{}, err
	}
	// Once to learn the label values, once to compare: so no more than one pair is in memory.
	seen := valuesSeen{ignore: r.ignore}
	var sound []maskPair
	for _, p := range pairs {
		if err := ctx.Err(); err != nil {
			return Evaluation{}, err
		}
		b, err := r.read(p)
		if err != nil {
			if len(pairs) == 1 && len(left) == 0 {
				return Evaluation{}, err
			}
			left = append(left, dataset.Problem{Case: p.name, Text: strings.Join(strings.Fields(err.Error()), " "), LeftOut: true})
			continue
		}
		o.warn(b.notes)
		if b.ignored && seen.ignore == 0 {
			seen.ignore = volume.Ignored
		}
		seen.add(b.pred, b.ref)
		sound = append(sound, p)
	}
	classes, notes := seen.classes(names.classNames)
	o.warn(notes)
	a := metrics.NewAccumulator(classes.names, o.Rules)
	a.SliceAxis(o.Axis)
	for _, p := range sound {
		if err := ctx.Err(); err != nil {
			return Evaluation{}, err
		}
		b, err := r.read(p)
		if err != nil {
			return Evaluation{}, err // it was sound just now
		}
		classes.number(b.pred, b.ref)
		a.AddPartly(p.name, b.pred, b.ref, classes.unannotated(p, names.annotated))
	}
	if len(sound) == 0 {
		return Evaluation{LeftOut: left}, nil
	}
	e := Evaluation{a.Summary(), cmp.Or(o.Rules.Empty, metrics.EmptyUndefined), left, len(sound)}
	classes.restore(e.Summary)
	return e, nil
}

func (o Options) warn(texts []string) {
	for _, text := range texts {
		o.Warn(text)
	}
}
