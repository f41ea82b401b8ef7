package dataset

import (
	"cmp"
	"fmt"
	"regexp"
)

// UsePatients says which cases are of one patient, such as the slices of a volume that lie in picture files of their own:
// what pattern, a regular expression, matches in the ID, or its first group if it has one. The error names the first case
// that it does not match.
func (d *Dataset) UsePatients(pattern string) error {
	r, err := regexp.Compile(pattern)
	if err != nil {
		return fmt.Errorf("patient: %w", err)
	}
	for i, c := range d.Cases {
		found := r.FindStringSubmatch(c.ID)
		if found == nil || found[min(1, len(found)-1)] == "" {
			return fmt.Errorf("patient: %q finds no patient in the name of case %s", pattern, c.ID)
		}
		d.Cases[i].patient = found[min(1, len(found)-1)]
	}
	return nil
}

// Patient returns who was scanned: another one for each case, unless UsePatients said otherwise.
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
