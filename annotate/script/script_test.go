package script_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/script"
	"github.com/nextslice/nextslice/annotate/server"
	"github.com/nextslice/nextslice/annotate/store"
	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/dataset/phantom/phantomtest"
	"github.com/nextslice/nextslice/experiment"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/tensor/engines"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A person in lockstep who draws the true masks is asked for the same slices, in the same order, as a simulation with the
// same seed, cases and training asks its oracle, and the models do as well: to the last bit, through the page's own
// API, the records in SQLite, and a restart of the server after the first query.
func TestPicksAreThoseOfTheSimulation(t *testing.T) {
	for _, strategy := range []string{
		"entropy+sb", "vaal(steps=2)+sb", "ta-vaal(steps=2)", "learning-loss", "ensemble(bootstrap=true,members=2)+sb", "dutp(members=2)+sb", "dutp(alpha=0.2,copies=published,members=2)",
	} {
		t.Run(strategy, func(t *testing.T) { picksAreThoseOfTheSimulation(t, strategy) })
	}
}

func picksAreThoseOfTheSimulation(t *testing.T, strategy string) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := phantomtest.Write(dir, 5, 3); err != nil {
		t.Fatal(err)
	}
	held := []string{"phantom_001", "phantom_003"} // for validation here, for the test there
	const seed, size, cycles, steps, width = 11, 4, 2, 12, 4

	c, err := record.ReadConfig("", func(c *record.Config) {
		c.Data, c.Preset, c.Seed, c.Strategies = dir, "demo", seed, record.Canonical([]string{strategy})
		c.InitialSets, c.InitialSize, c.QuerySize, c.Cycles = 1, size, size, cycles
		c.Split = dataset.SplitConfig{Test: 0.4, TestCases: held}
		c.Train.Steps, c.Train.Width = steps, width
	})
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "run")
	if err := experiment.Run(t.Context(), c, experiment.Options{Out: out, Threads: 1}); err != nil {
		t.Fatal(err)
	}
	folder, _, err := record.OpenFolder(out)
	if err != nil {
		t.Fatal(err)
	}
	simulated, err := folder.Cycles(c.Units()[0])
	if err != nil {
		t.Fatal(err)
	}

	options := annotate.Options{
		Data: dir, Dir: filepath.Join(t.TempDir(), "project"), Axis: -1,
		Change: func(c *annotate.Config) {
			c.Preset, c.Seed, c.Strategy, c.InitialSize, c.QuerySize = "demo", seed, strategy, size, size
			c.Masks, c.ValidationCases, c.Lockstep = annotate.MasksIgnore, held, true
			c.Train.Steps, c.Train.Width = steps, width
		},
		Learner: func() (annotate.Learner, error) {
			e, err := engines.New("", 1)
			return annotate.Networks(e), err
		},
	}
	set, err := dataset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var picks map[int][]string
	var curves annotate.Curves
	for _, models := range []int{2, cycles + 1} {
		serve(t, options, func(url string) {
			client, err := script.LogIn(t.Context(), script.HTTP(), url, "script", "")
			if err != nil {
				t.Fatal(err)
			}
			a := script.Annotator{Client: client, Mask: script.MasksOf(set, 2), Poll: 10 * time.Millisecond}
			if err := a.Run(t.Context(), models); err != nil {
				t.Fatal(err)
			}
			if picks, err = a.Picks(t.Context()); err != nil {
				t.Fatal(err)
			}
			if curves, err = client.Curves(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
	database, _, err := store.Snapshot(t.Context(), options.Dir)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := database.Models(t.Context())
	if err := errors.Join(err, database.Close()); err != nil {
		t.Fatal(err)
	}
	copied := 0
	for i, s := range simulated[:cycles] { // people go on
		var names []string
		for _, item := range stored[i].Copies {
			names = append(names, item.String())
		}
		if copied += len(names); !slices.Equal(names, s.Copies) {
			t.Errorf("cycle %d: copies %v, the simulation has %v", i, names, s.Copies)
		}
	}
	if (copied > 0) != strings.HasPrefix(strategy, "dutp") {
		t.Errorf("%d copies", copied)
	}
	kept, err := record.ReadExport(filepath.Join(options.Dir, "record"))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range simulated {
		if r := kept.Runs[0].Cycles[i]; r.Labelled != s.Labelled || !slices.Equal(r.Query, s.Query) || !slices.Equal(r.Copies, s.Copies) || r.Measures.Mean.Dice3D.Value != s.Measures.Mean.Dice3D.Value {
			t.Errorf("the record of cycle %d: %+v", i, r)
		}
		if i < cycles {
			if diff := cmp.Diff(s.Query, picks[i]); diff != "" {
				t.Errorf("query of cycle %d (-simulation +people):\n%s", i, diff)
			}
		}
		got := curves.Cycles[i]
		if got.Labelled != s.Labelled || got.ValidationDice == nil || *got.ValidationDice != s.Measures.Mean.Dice3D.Value {
			t.Errorf("cycle %d: %d labels, Dice %v; the simulation has %d and %v", i, got.Labelled, got.ValidationDice, s.Labelled, s.Measures.Mean.Dice3D.Value)
		}
	}
}

// serve runs a server around do.
func serve(t *testing.T, o annotate.Options, do func(url string)) {
	t.Helper()
	p, err := annotate.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	h := server.New(p, server.Options{})
	web := httptest.NewServer(h)
	defer func() {
		h.Close()
		web.CloseClientConnections()
		web.Close()
		cancel()
		if err := errors.Join(<-ended, p.Close()); err != nil {
			t.Error(err)
		}
	}()
	do(web.URL)
}
