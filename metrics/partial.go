package metrics

import (
	"fmt"

	"github.com/nextslice/nextslice/volume"
)

// PartialDice is the mean Dice of cases of which only some slices are known. Over whole cases it is the Dice3D of
// Summary.Mean under EmptyUndefined, to the last bit.
type PartialDice struct {
	id     string
	parts  []overlap // of the case id, by class
	totals []mean    // of the cases before it, by class
}

// NewPartialDice returns a mean without cases. classes counts the background, which is not measured.
func NewPartialDice(classes int) *PartialDice {
	return &PartialDice{parts: make([]overlap, classes), totals: make([]mean, classes)}
}

// Add compares label arrays of the same length, such as a slice, that belong to a case. The parts of a case must follow
// each other. Pixels whose reference is [volume.Ignored] do not count. It panics on a label that is not among the classes.
func (d *PartialDice) Add(id string, pred, ref []uint8) {
	d.AddOverlaps(id, Overlaps(pred, ref, len(d.parts)))
}

// AddOverlaps is Add of what Overlaps has made of a part of a case.
func (d *PartialDice) AddOverlaps(id string, parts []Overlap) {
	if id != d.id {
		d.totals = d.withCase()
		clear(d.parts)
		d.id = id
	}
	for class, o := range parts {
		d.parts[class].ref += o.ref
		d.parts[class].pred += o.pred
		d.parts[class].both += o.both
	}
}

// Overlap counts the pixels of a class in two label arrays, and those in both: what a Dice is made of.
type Overlap = overlap

// Overlaps returns the overlap of each class in two label arrays of the same length. Pixels whose reference is [volume.Ignored] do not
// count. It panics on a label that is not among the classes.
func Overlaps(pred, ref []uint8, classes int) []Overlap {
	parts := make([]Overlap, classes)
	for i, r := range ref {
		p := pred[i]
		if int(r) >= classes && r == volume.Ignored {
			continue
		}
		parts[r].ref++
		parts[p].pred++
		if r == p {
			parts[r].both++
		}
	}
	return parts
}

// Mean returns the mean over foreground classes of the mean over cases, 0 to 1. A class that is neither predicted nor in
// the reference is left out of a case; NaN if that is so of all.
func (d *PartialDice) Mean() float64 {
	var over mean
	for class, m := range d.withCase() {
		if class > 0 && m.n > 0 {
			over.add(m.measure().Value)
		}
	}
	return over.measure().Value
}

func (d *PartialDice) withCase() []mean {
	totals := append([]mean(nil), d.totals...)
	for class, c := range d.parts {
		if value, defined := c.dice(); defined {
			totals[class].add(value)
		}
	}
	return totals
}

// MeanDice returns the mean Dice over the foreground classes that are in either of two label arrays of the same length,
// 0 to 1; NaN if none is. Pixels that are [volume.Ignored] in either do not count. classes counts the background. It panics if
// the lengths differ, or on another label that is not among the classes.
func MeanDice(pred, ref []uint8, classes int) float64 {
	ignored := func(v uint8) bool { return int(v) >= classes && v == volume.Ignored }
	if len(pred) != len(ref) {
		panic(fmt.Sprintf("metrics: MeanDice: %d predicted and %d reference labels", len(pred), len(ref)))
	}
	counts := make([]overlap, classes)
	for i, p := range pred {
		if r := ref[i]; !ignored(p) && !ignored(r) {
			counts[p].pred++
			counts[r].ref++
			if p == r {
				counts[p].both++
			}
		}
	}
	var over mean
	for _, c := range counts[1:] {
		if value, defined := c.dice(); defined {
			over.add(value)
		}
	}
	return over.measure().Value
}
