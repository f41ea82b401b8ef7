package experiment

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/record"
)

// interrupted runs an experiment that is killed at every so many events, until it is done.
func interrupted(t *testing.T, c record.Config, every int) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "killed")
	for range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		events := 0
		err := Run(ctx, c, Options{Out: dir, Resume: true, Threads: 1, Progress: func(e Event) {
			if e.Phase != "load" {
				events++
			}
			if events == every {
				cancel()
			}
		}})
		cancel()
		if err == nil {
			return dir
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		every += every / 3
	}
	t.Fatal("no end")
	return ""
}

func cyclesOf(t *testing.T, dir string, u record.Unit) []active.Cycle {
	t.Helper()
	folder, _, err := record.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	cycles, err := folder.Cycles(u)
	if err != nil {
		t.Fatal(err)
	}
	return cycles
}

// Pseudo-labels and copies survive a crash: a run that is killed again and again has the records of one that is not. The pseudo-labels are those
// of unlabelled items outside the query.
func TestReviewSurvivesCrashes(t *testing.T) {
	c := smallConfig(t, 5)
	c.Strategies = []string{"ceal(delta=0.66)", "ceal(pseudo=item,mix=union,delta=0.69,decay=0)+sb", "dutp(members=2)", "dutp(members=2,copies=published)+sb"}
	c.InitialSize, c.QuerySize, c.Cycles, c.Train.Steps, c.Train.Width = 6, 4, 3, 30, 4
	c.Strategies = record.Canonical(c.Strategies)
	whole := filepath.Join(t.TempDir(), "whole")
	if err := Run(t.Context(), c, Options{Out: whole, Threads: 1}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(records(t, whole), records(t, interrupted(t, c, 40))); diff != "" {
		t.Errorf("(-whole +killed):\n%s", diff)
	}
	for _, u := range c.Units() {
		found, copies := 0, 0
		cycles := cyclesOf(t, whole, u)
		labelled := c.InitialSize
		for i, cycle := range cycles {
			if cycle.Labelled != labelled {
				t.Errorf("%s, cycle %d: %d labels, want %d", u, i, cycle.Labelled, labelled)
			}
			labelled += len(cycle.Query)
			copies += len(cycle.Copies)
			if u.Spec().Training.Copies == query.CopiesPublished && i < c.Cycles && len(cycle.Query)+len(cycle.Copies) != c.QuerySize {
				t.Errorf("%s, cycle %d: %d labels and %d copies, want %d together", u, i, len(cycle.Query), len(cycle.Copies), c.QuerySize)
			}
			if u.Spec().Training.Copies != query.CopiesPublished && i < c.Cycles && len(cycle.Query) != c.QuerySize {
				t.Errorf("%s, cycle %d: %d labels", u, i, len(cycle.Query))
			}
			if p := cycle.Pseudo; p != nil {
				found += p.Items
				if threshold := u.Spec().Training.Pseudo.Threshold(i); threshold == 0 && p.Items > 0 {
					t.Errorf("%s, cycle %d: threshold 0, %+v", u, i, p)
				}
				if p.Ignored < 0 || p.Ignored >= 1 || p.Foreground < 0 || p.Foreground > 1 || p.HiddenDice > 1 {
					t.Errorf("%s, cycle %d: %+v", u, i, p)
				}
			}
		}
		if (found > 0) != (u.Spec().Training.Pseudo.Of != "") || (copies > 0) != (u.Spec().Training.Copies != "") {
			t.Errorf("%s: %d pseudo-labels, %d copies", u, found, copies)
		}
	}
	// The pseudo-labels of the last cycles are still there, none of them queried or labelled.
	folder, _, err := record.OpenFolder(whole)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range c.Units()[:2] { // the second takes nearly all, so that a query would be among them
		cycles := cyclesOf(t, whole, u)
		found, err := folder.Pseudo(u, 3, 32*32)
		if err != nil || len(found.Names) != cycles[2].Pseudo.Items {
			t.Fatalf("pseudo-labels of cycle 3: %d, %v; want %d", len(found.Names), err, cycles[2].Pseudo.Items)
		}
		for _, cycle := range cycles {
			for _, name := range cycle.Query {
				if slices.Contains(found.Names, name) {
					t.Errorf("%s was queried and has a pseudo-label", name)
				}
			}
		}
		if _, err := os.Stat(filepath.Join(whole, "units", u.Name(), "pseudo-1.json")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("pseudo-labels of cycle 1 are still there: %v", err)
		}
	}
}

// A critic's run repeats bit for bit after any interruption, and its record says what the critic was worth.
func TestCriticSurvivesCrashes(t *testing.T) {
	c := smallConfig(t, 5)
	c.Strategies = record.Canonical([]string{"vaal(steps=6)", "ta-vaal(steps=6)+sb", "ta-vaal(condition=published,steps=6)"})
	c.InitialSize, c.QuerySize, c.Cycles, c.Train.Steps, c.Train.Width = 6, 4, 2, 6, 4
	whole := filepath.Join(t.TempDir(), "whole")
	if err := Run(t.Context(), c, Options{Out: whole, Threads: 1}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(records(t, whole), records(t, interrupted(t, c, 20))); diff != "" {
		t.Errorf("(-whole +killed):\n%s", diff)
	}
	for _, u := range c.Units() {
		for i, cycle := range cyclesOf(t, whole, u) {
			k := cycle.Critic
			if i == c.Cycles && k != nil || i < c.Cycles && (k == nil || !(k.Reconstruction > 0 && k.Divergence > 0 && k.Discriminator > 0 && k.Spread > 0)) {
				t.Errorf("%s, cycle %d: %+v", u, i, k)
			}
		}
	}
	units := c.Units() // which train the same but for what the discriminator gets
	if a, b := cyclesOf(t, whole, units[1])[0], cyclesOf(t, whole, units[2])[0]; a.Critic.Discriminator == b.Critic.Discriminator || !sameJSON(t, a.Measures, b.Measures) {
		t.Errorf("condition=published changes nothing of the critic %+v, or the network", a.Critic)
	}
	c.Strategies = []string{"vaal+power"}
	if err := c.Validate(); err == nil {
		t.Error("vaal+power is taken, although scores can be negative")
	}
}

// With a threshold that nothing passes the networks are those of training without pseudo-labels; with pseudo-labels they are others.
func TestNoPseudoLabelsChangeNothing(t *testing.T) {
	c := smallConfig(t, 4)
	c.Strategies = record.Canonical([]string{"entropy", "ceal(delta=1e-12)", "ceal(delta=0.66)"})
	c.InitialSize, c.QuerySize, c.Cycles, c.Train.Steps, c.Train.Width = 6, 4, 2, 30, 4
	dir := filepath.Join(t.TempDir(), "run")
	if err := Run(t.Context(), c, Options{Out: dir, Threads: 1}); err != nil {
		t.Fatal(err)
	}
	units := c.Units()
	plain, none, some := cyclesOf(t, dir, units[0]), cyclesOf(t, dir, units[1]), cyclesOf(t, dir, units[2])
	for i := range none {
		if p := none[i].Pseudo; i < c.Cycles && (p == nil || p.Items != 0 || !math.IsNaN(float64(p.HiddenDice))) {
			t.Errorf("cycle %d: %+v, want none", i, p)
		}
		none[i].Pseudo = nil
	}
	if !sameJSON(t, plain, none) {
		t.Error("without pseudo-labels the run is not that of the entropy")
	}
	if !sameJSON(t, plain[0].Query, some[0].Query) || sameJSON(t, plain[1].Measures, some[1].Measures) {
		t.Error("pseudo-labels change the first query, or not the second network")
	}
}

// What pseudo-labels are worth, by hand.
func TestDescribePseudo(t *testing.T) {
	p := describePseudo([][]uint8{{1, 1, 0, 255}, {0, 0, 0, 0}}, [][]uint8{{1, 0, 0, 1}, {1, 0, 255, 0}}, 2)
	if p.Items != 2 || p.Ignored != 0.125 || p.Foreground != 0.5 || math.Abs(float64(p.HiddenDice)-0.5) > 1e-12 { // 2·1 / (2 + 2)
		t.Errorf("%+v", p)
	}
	if p := describePseudo(nil, nil, 2); fmt.Sprint(*p) != "{0 0 0 NaN}" {
		t.Errorf("of none: %+v", p)
	}
}
