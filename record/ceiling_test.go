package record

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/query"
)

// A ceiling has units of its own, which share no start, and comes last of its recipe.
func TestCeilingUnits(t *testing.T) {
	if _, err := query.Parse(Ceiling); err == nil {
		t.Fatalf("%s is a strategy: its runs could not be told from those of the ceiling", Ceiling)
	}
	c := parse(t, "strategies: [random, entropy]\ninitial-sets: 2\nceiling: true\n")
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	units := c.Units()
	want := []Unit{{"", "random", 1}, {"", "random", 2}, {"", "entropy", 1}, {"", "entropy", 2}, {"", Ceiling, 1}, {"", Ceiling, 2}}
	if diff := cmp.Diff(want, units); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if u := units[5]; u.Start() != u || u.Name() != "2-all" || u.Spec().String() != (query.Spec{}).String() {
		t.Errorf("%+v starts with %+v, in %s", u, u.Start(), u.Name())
	}
	left, err := (&Folder{Dir: t.TempDir()}).Remaining(c)
	if err != nil {
		t.Fatal(err)
	}
	starts := []Unit{{"", "", 1}, {"", "", 2}, {"", Ceiling, 1}, {"", Ceiling, 2}}
	if diff := cmp.Diff(starts, left.Starts); diff != "" {
		t.Errorf("starts (-want +got):\n%s", diff)
	}
	c.Ceiling = false
	if n := len(c.Units()); n != 4 || strings.Contains(string(c.YAML()), "ceiling") {
		t.Errorf("%d units without a ceiling, in\n%s", n, c.YAML())
	}
}

// A ceiling can be added to a run, and is not lost from one; records with and without it are of one experiment.
func TestCeilingAdded(t *testing.T) {
	with, without := parse(t, "ceiling: true\n"), parse(t, "")
	if lines := without.missingFrom(with); len(lines) > 0 {
		t.Errorf("cannot be added: %q", lines)
	}
	if lines := with.missingFrom(without); len(lines) != 1 || !strings.Contains(lines[0], "ceiling") {
		t.Errorf("lost with %q", lines)
	}
	for _, pair := range [][2]Config{{with, without}, {without, with}} {
		if err := SameExperiment(pair[0], pair[1]); err != nil {
			t.Error(err)
		}
	}
}
