package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/report/figure"
)

func TestRedundancy(t *testing.T) {
	r := makeRun("", "entropy", 1, 0.5, 0.6, 0.7)
	r.Cycles[0].Initial = []string{"a/005", "b/000"}
	// a/004 is next to the initial a/005; c/010 and c/011 are next to each other; b/002 is next to nothing.
	r.Cycles[0].Query = []string{"a/004", "c/010", "c/011", "b/002"}
	// b/001 is between two that are labelled; d/003 and strange names are not.
	r.Cycles[1].Query = []string{"b/001", "d/003", "strange"}
	queries, all, cases := redundancies(r)
	want := []redundancy{{10, 0.75, 3}, {20, 0.5, 2}}
	if diff := cmp.Diff(want, queries, cmp.AllowUnexported(redundancy{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(all) != 6 || cases != 4 || all[position{"c", 11}] != 1 {
		t.Errorf("%v, %d cases", all, cases)
	}

	p := picks([]record.Run{r, r}, nil, Options{Draws: 10}.interval("test"))
	near(t, "adjacent", p.Adjacent.Mean, 0.625)
	near(t, "cases per query", p.CasesPerQuery.Mean, 2.5)
	if !p.InitialKnown || len(p.Items) != 6 || p.Items[0] != (figure.Pick{Case: "a", Slice: 4, Times: 2}) || len(p.AdjacentCurve) != 2 {
		t.Errorf("%+v", p)
	}
	r.Cycles[0].Initial = nil
	if p := picks([]record.Run{r}, nil, Options{Draws: 10}.interval("test")); p.InitialKnown {
		t.Error("an initial set that is not recorded counts as known")
	}
}

func TestParseItem(t *testing.T) {
	for name, want := range map[string]position{"Case12/017": {"Case12", 17}, "site/a/3": {"site/a", 3}} {
		if p, ok := parseItem(name); !ok || p != want {
			t.Errorf("%s: %v, %v", name, p, ok)
		}
	}
	for _, name := range []string{"", "Case12", "Case12/", "Case12/x"} {
		if p, ok := parseItem(name); ok {
			t.Errorf("%s: %v", name, p)
		}
	}
}
