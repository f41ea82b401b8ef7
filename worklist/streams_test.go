package worklist

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/volume"
)

// Two queries with labels in between, or one that leaves out what another asks for, draw independently of each other: the second picks no more neighbours of the first
// one's slices than another seed does. The same labels give the same picks.
func TestQueriesAreIndependent(t *testing.T) {
	for _, kind := range []struct {
		strategy string
		size     int
		exclude  bool // what the first asks for, in place of labelling it
	}{{"random", 6, false}, {"strided", 3, false}, {"random", 6, true}} {
		strategy, size := kind.strategy, kind.size
		near, chance, of := 0, 0, 0
		for seed := range uint64(6) {
			dir, masks := partly(t, 6, 0)
			must(t, os.MkdirAll(filepath.Join(dir, "labels"), 0o777))
			c := small(t, dir, strategy, size)
			c.Experiment.Seed = seed
			first := ask(t, c)
			if kind.exclude {
				c.Exclude = ids(first)
			} else {
				list := filepath.Join(t.TempDir(), "round1.csv")
				must(t, os.WriteFile(list, []byte("id\n"+strings.Join(ids(first), "\n")+"\n"), 0o666))
				for _, p := range first.Picks {
					must(t, volume.WriteMask(filepath.Join(dir, "labels", p.Case+".nii.gz"), masks[p.Case]))
				}
				c.Labelled = []string{list}
			}
			second := ask(t, c)
			if again := ask(t, c); second.Labelled+len(c.Exclude) != size || !slices.Equal(ids(again), ids(second)) {
				t.Fatalf("%s: of the same %d labels %v, then %v", strategy, second.Labelled, ids(second), ids(again))
			}
			c.Experiment.Seed = 1000 + seed
			near, chance, of = near+neighbours(first, second), chance+neighbours(first, ask(t, c)), of+size
		}
		// Three standard deviations of a difference of two counts.
		p := float64(near+chance) / float64(2*of)
		if bound := 3 * math.Sqrt(2*float64(of)*p*(1-p)); float64(near-chance) > bound {
			t.Errorf("%+v: %d of %d picks are next to those of the query before, and with another seed %d: more than by %.0f", kind, near, of, chance, bound)
		}
	}
}

// neighbours counts the picks that lie within two slices of one of the query before.
func neighbours(before, picks *Result) (n int) {
	for _, p := range picks.Picks {
		if slices.ContainsFunc(before.Picks, func(b Pick) bool { return b.Case == p.Case && max(b.Slice-p.Slice, p.Slice-b.Slice) <= 2 }) {
			n++
		}
	}
	return n
}

// All streams go by what is labelled; with same-init those of the training do not.
func TestStreams(t *testing.T) {
	draw := func(s streams) string { return fmt.Sprint(s.stream("picks").Uint64(), s.training("model").Uint64()) }
	one, other := streams{seed: 1, labels: "a"}, streams{seed: 1, labels: "b"}
	if a, b := strings.Fields(draw(one)), strings.Fields(draw(other)); a[0] == b[0] || a[1] == b[1] || draw(one) != strings.Join(a, " ") {
		t.Errorf("%v, %v", a, b)
	}
	one.sameInit, other.sameInit = true, true
	if a, b := strings.Fields(draw(one)), strings.Fields(draw(other)); a[0] == b[0] || a[1] != b[1] {
		t.Errorf("with same-init %v, %v", a, b)
	}
}
