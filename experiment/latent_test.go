package experiment

import (
	"errors"
	"slices"
	"testing"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/engines"
)

// Initial sets by an autoencoder have one slice of each kind, tell of their training, and are those of the run folder where it has them: nothing is trained then.
func TestInitialSetsByAutoencoder(t *testing.T) {
	pool := noise(60, 16)
	for i := range pool.pool.Images { // three kinds
		for p := range pool.pool.Images[i] {
			pool.pool.Images[i][p] /= 4
			if p/16/5 == i%3 {
				pool.pool.Images[i][p] += 3
			}
		}
	}
	c := parse(t, "initial-size: 3\ninitial-sets: 2")
	c.Initial = "typiclust(features=vae,steps=60)"
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	choose := func(dir string, engine func() (tensor.Engine, error)) (map[int][]string, []Event, error) {
		d := &data{pool: pool.pool, positions: pool.positions, preprocess: pool.preprocess}
		var events []Event
		if err := d.chooseInitial(t.Context(), c, dir, engine, newTracker(func(e Event) { events = append(events, e) })); err != nil {
			return nil, nil, err
		}
		names, err := d.initialNames(t.Context(), c)
		return names, events, err
	}
	e, err := engines.New("", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	own := func() (tensor.Engine, error) { return e, nil }
	dir := t.TempDir()
	sets, events, err := choose(dir, own)
	if err != nil {
		t.Fatal(err)
	}
	if last := events[len(events)-1]; len(events) != 60 || last.Done != 60 || last.Of != 60 {
		t.Errorf("%d events, the last %+v", len(events), last)
	}
	for set := 1; set <= 2; set++ {
		seen := map[int]bool{}
		for _, name := range sets[set] {
			seen[slices.Index(pool.pool.Names, name)%3] = true
		}
		if len(sets[set]) != 3 || len(seen) != 3 {
			t.Errorf("set %d: %v, want one of each kind", set, sets[set])
		}
	}
	if again, _, err := choose(dir, own); err != nil || !slices.Equal(again[1], sets[1]) || !slices.Equal(again[2], sets[2]) {
		t.Errorf("%v, then %v, %v", sets, again, err)
	}
	recorded := map[int][]string{1: pool.pool.Names[:3], 2: pool.pool.Names[3:6]} // another machine's
	if err := (&record.Folder{Dir: dir}).RecordInitial(recorded); err != nil {
		t.Fatal(err)
	}
	none := func() (tensor.Engine, error) { return nil, errors.New("trained again") }
	if again, _, err := choose(dir, none); err != nil || !slices.Equal(again[1], recorded[1]) || !slices.Equal(again[2], recorded[2]) {
		t.Errorf("of the folder: %v, %v", again, err)
	}
	c.InitialSets = 3 // one more, when the folder is taken up again
	if again, _, err := choose(dir, own); err != nil || !slices.Equal(again[2], recorded[2]) || len(again[3]) != 3 {
		t.Errorf("with a third set: %v, %v", again, err)
	}
	for _, name := range []string{"typiclust(features=vae,steps=0)", "typiclust(steps=5)", "typiclust(features=deep)", "entropy"} {
		if rule, err := active.InitialRule(name); err == nil {
			t.Errorf("%s: %v", name, rule)
		}
	}
}
