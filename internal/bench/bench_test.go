package bench

import (
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/tensor/engines"
	"github.com/nextslice/nextslice/tensor/meter"
)

// The report has the two works, with what each operation took, and a query by every strategy.
func TestRun(t *testing.T) {
	begun := 0
	e, err := engines.New("", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	r, err := Run(t.Context(), e, Options{NetWidth: 4, Height: 8, Width: 8, Batch: 2, Items: 12, Rounds: 1, Progress: func(string) { begun++ }})
	if err != nil {
		t.Fatal(err)
	}
	if want := len(r.Works) + len(r.Queries) + 1; begun != want { // and a training
		t.Errorf("%d pieces of work were announced, %d are in the report", begun, want)
	}
	for i, ops := range [][]string{{"Conv", "ConvBackwardData", "ConvBackwardWeights", "Norm", "Loss", "Adam"}, {"Conv", "Softmax"}} {
		for _, op := range ops {
			if w := r.Works[i]; !slices.ContainsFunc(w.Costs, func(c meter.Cost) bool { return c.Op == op && c.Calls > 0 && c.Bytes > 0 }) {
				t.Errorf("%s: no %s", w.Name, op)
			}
		}
	}
	found := map[string]Query{}
	for _, q := range r.Queries {
		found[q.Strategy] = q
		if q.Pool != 12 || q.Size != 2 || q.Seconds < 0 {
			t.Errorf("%+v: want a query of 2 of 12 slices", q)
		}
		if q.Picking < 0 || q.Picking > q.Seconds || q.Strategy == "typiclust" && q.Seconds-q.Picking > 0.1 || q.Strategy == "dropout" && q.Picking > 0.5*q.Seconds {
			t.Errorf("%+v: picking is what the network has no part in", q)
		}
		if (q.Training > 0) != (strings.Contains(q.Strategy, "vaal") || strings.Contains(q.Strategy, "vae")) {
			t.Errorf("%+v: a training of its own", q)
		}
	}
	for _, s := range query.List() {
		if !slices.ContainsFunc(r.Queries, func(q Query) bool { return s.Name == q.Strategy || s.Name == "top" || q.Strategy == "entropy+"+s.Name }) {
			t.Errorf("%s is not measured", s.Name)
		}
	}
	for name, passes := range map[string]int{"random": 0, "core-set": 14, "entropy": 12, "dropout": 96, "ensemble": 60, "learning-loss": 12, "ceal": 12 + 10, "dutp": 60 + 5*4, "random-hidden-foreground": 0, "entropy+softrank": 12, "usim": 120 + 12} {
		if got := found[name].Passes; got != passes {
			t.Errorf("%s: %d passes, want %d", name, got, passes)
		}
	}
	// Of 6 batches of 2 drawn from 12 slices: two thirds in the mean, and at least one batch.
	if q := found["dropout+sb"]; q.Scored < 2 || q.Scored >= 12 || q.Passes != 8*q.Scored {
		t.Errorf("dropout+sb scores what it has not drawn: %+v", q)
	}

	if r.Training.Preset != "quick" || r.Training.Steps != 4000 || !(r.Training.Seconds > 0) {
		t.Errorf("the training to compare with: %+v", r.Training)
	}

	var text strings.Builder
	if err := r.WriteText(&text, 1e12); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"training step of 2", "inference of 8", "everything else", "query of 2 of 12 slices", "learning-loss+sb", "picking, ms", "of quick", "a training of preset quick, 4000 steps"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text does not say %q:\n%s", want, text.String())
		}
	}
}
