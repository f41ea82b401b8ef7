package record

import (
	"slices"
	"strings"
	"testing"
)

// Which recipe is the first that changes nothing decides its random streams: the same values under the same name are not the same runs where that differs.
func TestBaseOfTheGrid(t *testing.T) {
	with := func(grid string) Config { return parse(t, "train: {steps: 7}\ngrid: ["+grid+"]\n") }
	for _, test := range []struct{ name, there, here, differs string }{
		{"the same", "{name: a}, {name: b, steps: 3}", "{name: a}, {name: b, steps: 3}", ""},
		{"another order", "{name: a}, {name: b, steps: 3}", "{name: b, steps: 3}, {name: a}", ""},
		{"one more", "{name: a}", "{name: a}, {name: c}", ""},
		{"written out", "{name: b, steps: 3}", "{name: b, steps: 3, width: 8}", ""}, // 8 is what the preset has
		{"one more before it", "{name: a}", "{name: c}, {name: a}", "a"},
		{"given the value that it has", "{name: a}", "{name: a, steps: 7}", "a"},
		{"no longer given it", "{name: a, steps: 7}", "{name: a}", "a"},
		{"both, and another is first", "{name: a}, {name: c}", "{name: c}, {name: a}", "a"},
	} {
		there, here := with(test.there), with(test.here)
		lines, err := there.missingFrom(here), SameExperiment(there, here)
		if test.differs == "" {
			if lines != nil || err != nil {
				t.Errorf("%s: %q, %v", test.name, lines, err)
			}
			continue
		}
		if !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, "there: recipe "+test.differs+",") }) {
			t.Errorf("%s: resumed, with %q", test.name, lines)
		}
		if err == nil || !strings.Contains(err.Error(), "its recipe ") || !strings.Contains(err.Error(), "random numbers") {
			t.Errorf("%s: taken over, with %v", test.name, err)
		}
	}
	// Nor can one record hold the runs of both.
	if _, err := JoinConfigs(with("{name: a}").YAML(), with("{name: b, steps: 3}").YAML()); err != nil {
		t.Error(err)
	}
	if _, err := JoinConfigs(with("{name: a}").YAML(), with("{name: c}").YAML()); err == nil || !strings.Contains(err.Error(), "the recipe c") {
		t.Errorf("two recipes that change nothing, each the first of its folder: %v", err)
	}
}
