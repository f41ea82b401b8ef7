package dataset

import (
	"cmp"
	"fmt"
	"regexp"
)

// UsePatients groups cases by patient, for instance slices of one volume that are separate picture files. The patient is
// what pattern, a regular expression, matches in the case's ID, or its first group if it has one. The error names the first
// case that the pattern does not match.
func (d *Dataset) UsePatients(pattern string) error {
	r, err := regexp.Compile(pattern)
	if err != nil {
		return fmt.Errorf("patient: %w", err)
	}
	for i, c := range d.Cases {
		found := r.FindStringSubmatch(c.ID)
		if found == nil || found[min(1, len(found)-1)] == "" {
			return fmt.Errorf("patient: %q finds nothing in the name of case %s", pattern, c.ID)
		}
		d.Cases[i].patient = found[min(1, len(found)-1)]
	}
	return nil
}

// Patient returns who was scanned: by default each case is of a patient of its own; see UsePatients.
func (c Case) Patient() string { return cmp.Or(c.patient, c.ID) }

// patients groups cases by patient, in the order of each one's first case.
func (d *Dataset) patients(cases []int) [][]int {
	index := map[string]int{}
	var groups [][]int
	for _, i := range cases {
		name := d.Cases[i].Patient()
		g, known := index[name]
		if !known {
			g = len(groups)
			index[name] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	return groups
}
