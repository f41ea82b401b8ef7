package metrics

import (
	"fmt"
	"math"
)

// Dice returns the overlap of one class in two label arrays of the same length,
//
//	2 |P ∩ R| / (|P| + |R|)
//
// between 0 (disjoint, or one of them empty) and 1 (equal). Where the class is in neither of them it returns NaN and
// false: whether that counts as 1 or is left out is the caller's rule (see Rules). It panics if the lengths differ.
// Source: Dice 1945, "Measures of the amount of ecologic association between species".
func Dice(pred, ref []uint8, class uint8) (value float64, defined bool) {
	if len(pred) != len(ref) {
		panic(fmt.Sprintf("metrics: Dice: %d predicted and %d reference labels", len(pred), len(ref)))
	}
	var c overlap
	for i, p := range pred {
		if p == class {
			c.pred++
			if ref[i] == class {
				c.both++
			}
		}
		if ref[i] == class {
			c.ref++
		}
	}
	return c.dice()
}

// overlap counts the voxels of one class.
type overlap struct{ pred, ref, both int }

func (c overlap) dice() (value float64, defined bool) {
	if c.pred+c.ref == 0 {
		return math.NaN(), false
	}
	return 2 * float64(c.both) / float64(c.pred+c.ref), true
}
