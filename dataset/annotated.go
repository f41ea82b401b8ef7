package dataset

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nextslice/nextslice/volume"
)

// annotation lists what was looked for in a case: names of classes, or label values as text. nil is everything.
type annotation []string

// useAnnotations marks the classes that nobody has looked for in a case. A case whose list names no class is left out.
func (d *Dataset) useAnnotations(lists map[string]annotation) {
	if len(lists) == 0 {
		return
	}
	var kept []Case
	for _, c := range d.Cases {
		list, partly := lists[c.ID]
		if c.Label == "" || !partly {
			kept = append(kept, c)
			continue
		}
		values := c.Values
		if values == nil {
			for v := 1; v < len(d.Classes); v++ {
				values = append(values, uint8(v))
			}
		}
		annotated, err := list.classes(d.Classes, values)
		if err != nil {
			d.problem(c.ID, true, "dataset.json: annotated: %v", err)
			continue
		}
		if slices.Contains(annotated[min(1, len(annotated)):], false) {
			c.Unannotated = make([]bool, len(annotated))
			for class := 1; class < len(annotated); class++ {
				c.Unannotated[class] = !annotated[class]
			}
		}
		kept = append(kept, c)
	}
	d.Cases = kept
}

// classes returns of each class whether it is in the list; values are those of the classes from 1 on.
func (a annotation) classes(names []string, values []uint8) ([]bool, error) {
	in := make([]bool, len(names))
	for _, what := range a {
		class := slices.IndexFunc(names, func(name string) bool { return strings.EqualFold(strings.TrimSpace(name), strings.TrimSpace(what)) })
		if v, err := strconv.Atoi(what); class < 0 && err == nil && v >= 0 && v < 256 {
			class = slices.Index(values, uint8(v)) + 1
			if class == 0 && v > 0 {
				class = -1
			}
		}
		if class < 0 {
			return nil, fmt.Errorf("there is no class %q; there are %s", what, strings.Join(names[min(1, len(names)):], ", "))
		}
		in[class] = true
	}
	return in, nil
}

// checkAnnotated returns an error if a mask holds a class that was not looked for.
func (c *Case) checkAnnotated(m *volume.Mask, classes []string) error {
	if c.Unannotated == nil {
		return nil
	}
	for _, v := range m.Data {
		if int(v) < len(c.Unannotated) && c.Unannotated[v] {
			return fmt.Errorf("the mask holds %s, which dataset.json does not list as annotated in this case", classes[v])
		}
	}
	return nil
}

// Partly returns the names of the classes that are not annotated, by the IDs of the cases of which that is so; nil where there are none.
func (d *Dataset) Partly() map[string][]string {
	var partly map[string][]string
	for _, c := range d.Cases {
		for class, missing := range c.Unannotated {
			if missing {
				if partly == nil {
					partly = map[string][]string{}
				}
				partly[c.ID] = append(partly[c.ID], d.Classes[class])
			}
		}
	}
	return partly
}

// AnnotatedValues returns the label values that were looked for, by the IDs of the cases of which dataset.json lists them. Names need
// labels in dataset.json. It returns nil where the folder is none of the layouts.
func AnnotatedValues(dir string) (map[string][]uint8, error) {
	l, err := list(dir, false)
	if err != nil || len(l.annotated) == 0 {
		return nil, nil
	}
	values := l.values
	if values == nil {
		for v := 1; v < max(len(l.classes), 256); v++ {
			values = append(values, uint8(v))
		}
	}
	names := l.classes
	for len(names) <= len(values) && l.values == nil {
		names = append(names, "")
	}
	all := map[string][]uint8{}
	for id, list := range l.annotated {
		in, err := list.classes(names, values)
		if err != nil {
			return nil, fmt.Errorf("dataset.json: annotated: case %s: %w", id, err)
		}
		all[id] = []uint8{}
		for class := 1; class < len(in); class++ {
			if in[class] {
				all[id] = append(all[id], values[class-1])
			}
		}
	}
	return all, nil
}
