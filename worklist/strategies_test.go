package worklist

import (
	"strings"
	"testing"

	"github.com/nextslice/nextslice/query"
)

// Every strategy that reads no hidden masks picks, each selector behind a score of either sign, and no slice twice or labelled.
func TestEveryStrategy(t *testing.T) {
	dir, _ := partly(t, 4, 2)
	options := map[string]string{"vaal": "(steps=3)", "ta-vaal": "(steps=3)", "ensemble": "(members=2)", "dutp": "(members=2)", "batchbald": "(passes=2,samples=8)"}
	var names []string
	for _, s := range query.List() {
		name := s.Name + options[s.Name]
		switch s.Kind {
		case query.KindScore:
			names = append(names, name, name+"+sb")
		case query.KindStrategy:
			names = append(names, name)
		case query.KindSelector:
			if _, err := query.Parse(name); err != nil {
				name = "entropy+" + name
			}
			names = append(names, name)
		}
	}
	for _, name := range append(names, "batchbald(passes=2,samples=8,draw=sb)", "clasp(noise=sb)", "vaal(steps=3)+softrank", "typiclust(features=vae,steps=3)") {
		if name == "random-hidden-foreground" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := small(t, dir, name, 3)
			c.Experiment.Train.Steps = 2
			r := ask(t, c)
			seen := map[string]bool{}
			for _, p := range r.Picks {
				if seen[p.ID] || p.Case < "phantom_002" || !strings.HasPrefix(p.ID, p.Case+"/") {
					t.Errorf("%s among %v", p.ID, ids(r))
				}
				seen[p.ID] = true
			}
			if len(r.Picks) != 3 {
				t.Errorf("picks %v", ids(r))
			}
		})
	}
}
