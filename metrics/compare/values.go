package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/volume"
)

// valuesSeen are the label values that occur in all predictions, and in all references.
type valuesSeen struct {
	ignore    uint8 // counts as background in a prediction, and is not counted in a reference; 0 is none
	pred, ref [256]bool
}

func (s *valuesSeen) add(pred, ref *volume.Mask) {
	for _, v := range pred.Data {
		s.pred[v] = true
	}
	for _, v := range ref.Data {
		s.ref[v] = true
	}
	s.pred[s.ignore], s.ref[s.ignore] = false, false
}

// valueClasses are the classes that occur, by the label value of the references.
type valueClasses struct {
	names     []string
	values    []uint8    // of each class; 0 of the background
	pred, ref [256]uint8 // the class of a value
}

// classes returns a class for each value that occurs, and what to tell about them. A value means the same in predictions and
// references, but where they share none and one side counts 1, 2, 3 … while the other has as many greys up to white (255, or
// 85, 170 and 255), the values stand for each other in their order.
func (s *valuesSeen) classes(known classNames) (valueClasses, []string) {
	preds, refs := above0(s.pred), above0(s.ref)
	var notes []string
	inPred := func(value uint8) uint8 { return value } // the prediction's value for the reference's
	values := refs
	shared := slices.ContainsFunc(preds, func(v uint8) bool { return s.ref[v] })
	switch {
	case len(preds) == 0 || len(refs) == 0 || shared || !counts(preds, refs) && !counts(refs, preds):
		values = slices.Concat(refs, slices.DeleteFunc(slices.Clone(preds), func(v uint8) bool { return s.ref[v] }))
		slices.Sort(values)
		if len(values) > len(refs) && len(refs) > 0 {
			notes = append(notes, fmt.Sprintf("label values of the predictions are %s, of the references %s: those of only one side are compared with nothing",
				valuesText(preds), valuesText(refs)))
		}
	default:
		if counts(refs, preds) {
			values = nil
			for n := range preds { // also those that no reference has
				values = append(values, uint8(n+1))
			}
			inPred = func(value uint8) uint8 { return preds[value-1] }
		} else {
			inPred = func(value uint8) uint8 { return uint8(slices.Index(refs, value) + 1) }
		}
		notes = append(notes, fmt.Sprintf("label values %s of the predictions stand for %s of the references", valuesText(preds), valuesText(refs)))
	}
	if len(values) == 0 {
		values = []uint8{1}
	}
	c := valueClasses{names: []string{"background"}, values: []uint8{0}}
	for _, value := range values {
		class := uint8(len(c.values))
		name := cmp.Or(known.name[value], known.name[inPred(value)], fmt.Sprint("class ", value))
		c.names, c.values = append(c.names, name), append(c.values, value)
		c.ref[value], c.pred[inPred(value)] = class, class
	}
	if s.ignore > 0 {
		c.ref[s.ignore] = volume.Ignored
	}
	return c, notes
}

// counts reports whether the values are some of 1 to n, where n is the number of others, and these are greys up to white.
func counts(values, others []uint8) bool {
	n := len(others)
	return int(values[len(values)-1]) <= n && n < 255 && others[n-1] == 255
}

func above0(seen [256]bool) (values []uint8) {
	for v := 1; v < len(seen); v++ {
		if seen[v] {
			values = append(values, uint8(v))
		}
	}
	return values
}

func valuesText(values []uint8) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(values), " ", ", "), "[]")
}

// unannotated tells of each class whether nobody has looked for it in a case; nil if all are annotated. annotated are the
// values that were looked for, by the IDs of the data set.
func (c *valueClasses) unannotated(p maskPair, annotated map[string][]uint8) []bool {
	for id, values := range annotated {
		if name := caseName(id); name != p.name && name != p.refName() {
			continue
		}
		missing := make([]bool, len(c.values))
		for class := 1; class < len(missing); class++ {
			missing[class] = !slices.Contains(values, c.values[class])
		}
		return missing
	}
	return nil
}

// number turns the values of a pair of masks into classes.
func (c *valueClasses) number(pred, ref *volume.Mask) {
	for i, v := range pred.Data {
		pred.Data[i] = c.pred[v]
	}
	for i, v := range ref.Data {
		ref.Data[i] = c.ref[v]
	}
}

// restore gives the classes of a summary their label values.
func (c *valueClasses) restore(s metrics.Summary) {
	for i := range s.Classes {
		s.Classes[i].Class = int(c.values[s.Classes[i].Class])
	}
	for _, one := range s.PerCase {
		for i := range one.Classes {
			one.Classes[i].Class = int(c.values[one.Classes[i].Class])
		}
	}
}
