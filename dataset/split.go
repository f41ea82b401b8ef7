package dataset

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Split divides the cases: three disjoint lists of indices into Dataset.Cases, each in increasing order.
type Split struct {
	Pool       []int `json:"pool"`       // whose slices are queried and trained on
	Validation []int `json:"validation"` // for choices such as hyper-parameters
	Test       []int `json:"test"`       // for the reported measures
}

// SplitConfig says how many cases are held out, or which. A number below 1 is a fraction of the cases, rounded to the
// nearest case; a number from 1 up is a count and must be whole.
type SplitConfig struct {
	Test       float64 `json:"test" yaml:"test"`             // at least one case, however small the fraction
	Validation float64 `json:"validation" yaml:"validation"` // 0 is none
	// IDs of cases: a list that is not empty takes the place of the number above.
	TestCases       []string `json:"test-cases,omitempty" yaml:"test-cases,omitempty"`
	ValidationCases []string `json:"validation-cases,omitempty" yaml:"validation-cases,omitempty"`
}

// DefaultSplit returns a quarter for the test and a tenth for validation.
func DefaultSplit() SplitConfig { return SplitConfig{Test: 0.25, Validation: 0.1} }

// Split draws a split: every division of the wanted sizes is equally likely, with the cases that are given by ID where
// they belong. At least one case must remain for the pool. Cases without a mask are always in the pool: nothing can be
// measured on them. Fractions are of the cases with a mask.
//
// A patient's cases stay together: after UsePatients, fractions and numbers are of patients, a case that is given by ID
// brings the patient's others along, and cases without a mask whose patient is not in the pool are in none of the lists.
func (d *Dataset) Split(c SplitConfig, rng *rand.Rand) (Split, error) {
	var s Split
	var faults []error
	taken := make(map[int]bool)
	for _, list := range []struct {
		ids []string
		to  *[]int
	}{{c.TestCases, &s.Test}, {c.ValidationCases, &s.Validation}} {
		for _, id := range list.ids {
			i := d.Index(id)
			switch {
			case i < 0:
				faults = append(faults, fmt.Errorf("split: the data set has no case %q", id))
			case taken[i]:
				faults = append(faults, fmt.Errorf("split: case %s is listed twice", id))
			case d.Cases[i].Label == "":
				faults = append(faults, fmt.Errorf("split: case %s has no mask: it can only be in the pool", id))
			default:
				taken[i] = true
				*list.to = append(*list.to, i)
			}
		}
	}
	if len(faults) > 0 {
		return Split{}, errors.Join(faults...)
	}
	for _, i := range s.Test {
		for _, k := range s.Validation {
			if d.Cases[i].Patient() == d.Cases[k].Patient() {
				return Split{}, fmt.Errorf("split: case %s is in the test set and case %s, of the same patient, in the validation set; --patient says which cases are of one",
					d.Cases[i].ID, d.Cases[k].ID)
			}
		}
	}
	var with, without []int
	for i, one := range d.Cases {
		if one.Label != "" {
			with = append(with, i)
		} else {
			without = append(without, i)
		}
	}
	groups := d.patients(with)
	for _, list := range []*[]int{&s.Test, &s.Validation} {
		for _, group := range groups {
			if slices.ContainsFunc(group, func(i int) bool { return slices.Contains(*list, i) }) {
				for _, i := range group {
					if !slices.Contains(*list, i) {
						*list = append(*list, i)
					}
				}
			}
		}
	}
	s, err := draw(groups, len(without), c, s, rng)
	if err != nil {
		return s, err
	}
	held := map[string]bool{}
	for _, i := range slices.Concat(s.Test, s.Validation) {
		held[d.Cases[i].Patient()] = true
	}
	for _, i := range without {
		if !held[d.Cases[i].Patient()] {
			s.Pool = append(s.Pool, i)
		}
	}
	slices.Sort(s.Pool)
	return s, nil
}

// draw completes a split whose test or validation cases may be given. with are all cases with a mask, by patient; without
// is how many there are beside them.
func draw(with [][]int, without int, c SplitConfig, s Split, rng *rand.Rand) (Split, error) {
	count := func(name string, v float64, least int) (int, error) {
		switch {
		case math.IsNaN(v) || v < 0 || v > math.MaxInt32:
			return 0, fmt.Errorf("split: %s: want a fraction below 1 or a number of cases, got %v", name, v)
		case v < 1:
			return max(least, int(math.Round(v*float64(len(with))))), nil
		case v != math.Trunc(v):
			return 0, fmt.Errorf("split: %s: want a whole number of cases, got %v", name, v)
		}
		return int(v), nil
	}
	test, err := count("test", c.Test, 1)
	if len(s.Test) > 0 {
		test, err = 0, nil
	}
	if err != nil {
		return Split{}, err
	}
	validation, err := count("validation", c.Validation, 0)
	if len(s.Validation) > 0 {
		validation, err = 0, nil
	}
	if err != nil {
		return Split{}, err
	}

	var free [][]int
	for _, group := range with {
		if !slices.Contains(s.Test, group[0]) && !slices.Contains(s.Validation, group[0]) {
			free = append(free, group)
		}
	}
	if test+validation > len(free) || test+validation == len(free) && without == 0 {
		return Split{}, fmt.Errorf("split: %d test and %d validation cases leave no case for the pool: there are %d cases with a mask and %d without",
			test+len(s.Test), validation+len(s.Validation), len(with), without)
	}
	rng.Shuffle(len(free), func(i, j int) { free[i], free[j] = free[j], free[i] })
	s.Test = append(s.Test, slices.Concat(free[:test]...)...)
	s.Validation = append(s.Validation, slices.Concat(free[test:test+validation]...)...)
	s.Pool = slices.Concat(free[test+validation:]...)
	slices.Sort(s.Test)
	slices.Sort(s.Validation)
	slices.Sort(s.Pool)
	return s, nil
}
