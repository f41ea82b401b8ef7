package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/report/figure"
)

func TestFamilies(t *testing.T) {
	got := families([]string{"badge", "random", "entropy+power", "entropy+sb(q=7)", "entropy+sb", "entropy", "tta(map=entropy)", "tta(map=entropy)+sb", "core-set"})
	want := []family{
		{"entropy", []string{"entropy", "entropy+sb", "entropy+sb(q=7)", "entropy+power"}, ""},
		{"tta(map=entropy)", []string{"tta(map=entropy)", "tta(map=entropy)+sb"}, ""},
		{"", []string{"badge", "core-set"}, ""},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(family{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got[1].title() != "TTA (map=entropy)" || got[0].column("entropy+sb(q=7)") != "w/ SB (q=7)" || got[0].column("entropy+power") != "power" {
		t.Errorf("%s, %s, %s", got[1].title(), got[0].column("entropy+sb(q=7)"), got[0].column("entropy+power"))
	}
	roles := got[0].roles()
	if roles["random"] != figure.RoleRandom || roles["entropy"] != figure.RolePlain || roles["entropy+sb"] != figure.RoleBatches || roles["entropy+power"] == roles["entropy+sb(q=7)"] {
		t.Errorf("%v", roles)
	}
}

// A family of more curves than a panel can show comes in parts that hold every member, the two that others are compared with
// in each.
func TestSplit(t *testing.T) {
	f := families([]string{"entropy", "entropy+sb", "entropy+sb(q=1)", "entropy+sb(q=2)", "entropy+power", "entropy+sb(q=3)",
		"entropy+sb(q=4)", "entropy+sb(q=5)", "entropy+sb(q=6)"})[0]
	got := f.split()
	want := []family{
		{"entropy", []string{"entropy", "entropy+sb", "entropy+sb(q=1)", "entropy+sb(q=2)", "entropy+sb(q=3)"}, "stochastic batches"},
		{"entropy", []string{"entropy", "entropy+sb", "entropy+sb(q=4)", "entropy+sb(q=5)", "entropy+sb(q=6)"}, "stochastic batches"},
		{"entropy", []string{"entropy", "entropy+sb", "entropy+power"}, "other ways to pick"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(family{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if title := got[2].title(); title != "Entropy: other ways to pick" {
		t.Errorf("title %q", title)
	}
	f.members = f.members[:inPanel]
	if diff := cmp.Diff([]family{f}, f.split(), cmp.AllowUnexported(family{})); diff != "" {
		t.Errorf("a small family is split (-want +got):\n%s", diff)
	}
}

func TestPairs(t *testing.T) {
	all := []string{"random", "entropy", "entropy+sb", "entropy+sb(q=7)", "entropy+power", "margin+sb", "badge"}
	for question, want := range map[string][]pair{
		QuestionBatches: {{"entropy+sb", "entropy"}, {"entropy+sb(q=7)", "entropy"}},
		QuestionRandom: {{"entropy", "random"}, {"entropy+sb", "random"}, {"entropy+sb(q=7)", "random"}, {"entropy+power", "random"},
			{"margin+sb", "random"}, {"badge", "random"}},
		QuestionSelectors: {{"entropy+sb", "entropy+sb(q=7)"}, {"entropy+sb", "entropy+power"}},
	} {
		if diff := cmp.Diff(want, pairs(question, all), cmp.AllowUnexported(pair{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", question, diff)
		}
	}
	if got := pairs(QuestionRandom, all[1:]); got != nil {
		t.Errorf("comparisons with a random that is not there: %v", got)
	}
}
