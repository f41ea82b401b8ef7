package worklist

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/volume"
)

// Scores that go by all candidates are, case by case, those of all at once, and the picks are the best of them.
func TestQueryDiminishing(t *testing.T) {
	dir, _ := partly(t, 5, 2)
	c := small(t, dir, "dutp(members=2)", 4)
	r := ask(t, c)

	q := &run{Config: c, engine: engine(t), progress: func(Progress) {}, notice: func(string) {}, warned: map[int]bool{}}
	var err error
	q.spec, err = query.Parse(c.Strategy)
	must(t, err)
	must(t, q.open(t.Context()))
	must(t, q.list(t.Context()))
	unlock, err := q.begin()
	must(t, err)
	defer unlock()
	must(t, q.network(t.Context()))
	set, err := q.trainingSet(t.Context())
	must(t, err)
	all := model.Candidates{Labelled: set.Images}
	for index := range q.set.Cases {
		var wanted []int
		for _, i := range q.candidates {
			if i.index == index {
				wanted = append(wanted, i.slice)
			}
		}
		images, _, err := q.images(index, wanted)
		must(t, err)
		all.Images = append(all.Images, images...)
	}
	items := make([]int, len(q.candidates))
	for i := range items {
		items[i] = i
	}
	want, err := q.net.network.Pool(t.Context(), q.spec, all).Score(items)
	must(t, err)
	stored, err := openScores(r.Scores, q.name)
	must(t, err)
	defer stored.close()
	for i, one := range q.candidates {
		if row, ok := stored.row(q.name(one)); !ok || row[0] != want[i] {
			t.Errorf("%s: %v, want %v", q.name(one), row, want[i])
		}
	}
	slices.Sort(want)
	for n, p := range r.Picks {
		if float64(p.Score) != want[len(want)-1-n] {
			t.Errorf("pick %d scores %v, want %v", n, p.Score, want[len(want)-1-n])
		}
	}
	if low, high := want[0], want[len(want)-1]; low < -1 || high > 1 || high-low < 0.5 {
		t.Errorf("scores from %v to %v", low, high)
	}
	if math.IsNaN(want[0]) || r.Scored != len(want) {
		t.Errorf("%d scored, the first %v", r.Scored, want[0])
	}
}

// Labelled slices that the networks are unsure of are learnt once more from the next query on that has other labels, whatever is asked between; they are no labels.
func TestQueryLearnsCopies(t *testing.T) {
	dir, masks := partly(t, 4, 2)
	c := small(t, dir, "dutp(members=2)+sb", 4)
	query := func() (r *Result, told string) {
		t.Helper()
		r, err := Run(t.Context(), engine(t), c, func(Progress) {}, func(text string) { told += text + "\n" })
		must(t, err)
		return r, told
	}
	file := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(c.Work, name))
		must(t, err)
		return string(text)
	}
	first, told := query()
	if strings.Contains(told, "copies") || len(first.Copies) == 0 || len(first.Copies) > 4 || len(first.Picks) != 4 {
		t.Fatalf("first: copies %v, picks %v: %s", first.Copies, ids(first), told)
	}
	for _, name := range first.Copies {
		if name >= "phantom_002" {
			t.Errorf("%s was not labelled and is copied", name)
		}
	}
	if info, err := os.Stat(filepath.Join(c.Work, copiesFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	network := file(modelFile)
	c.Size = 3 // another query of the same labels takes the place of this one: no copy is learnt yet
	smaller, told := query()
	if strings.Contains(told, "copies") || file(modelFile) != network {
		t.Errorf("another query of the same labels: %s", told)
	}
	c.Size = 4
	if again, _ := query(); !slices.Equal(again.Copies, first.Copies) || len(smaller.Copies) > 3 {
		t.Errorf("copies %v, then %v, then %v", first.Copies, smaller.Copies, again.Copies)
	}

	must(t, volume.WriteMask(filepath.Join(dir, "labels", "phantom_002.nii.gz"), masks["phantom_002"]))
	second, told := query()
	if !strings.Contains(told, fmt.Sprintf("%d copies", len(first.Copies))) || second.Labelled != first.Labelled+masks["phantom_002"].Size[2] {
		t.Errorf("second: %d labelled: %s", second.Labelled, told)
	}
	network = file(modelFile)
	if again, told := query(); strings.Contains(told, "copies") || !slices.Equal(ids(again), ids(second)) || file(modelFile) != network {
		t.Errorf("again: %v, then %v: %s", ids(second), ids(again), told)
	}
	plain := c
	plain.Work = filepath.Join(t.TempDir(), "work")
	ask(t, plain)
	if text, err := os.ReadFile(filepath.Join(plain.Work, modelFile)); err != nil || string(text) == network {
		t.Errorf("the copies change nothing: %v", err)
	}

	must(t, volume.WriteMask(filepath.Join(dir, "labels", "phantom_003.nii.gz"), masks["phantom_003"]))
	must(t, os.Remove(filepath.Join(dir, "labels", "phantom_001.nii.gz"))) // its copies go with it
	left := 0
	for _, name := range slices.Concat(first.Copies, second.Copies) {
		if !strings.HasPrefix(name, "phantom_001") {
			left++
		}
	}
	_, told = query()
	if got := strings.Contains(told, fmt.Sprintf("%d copies", left)); left > 0 && !got || left == 0 && strings.Contains(told, "copies") {
		t.Errorf("third, of %d copies: %s", left, told)
	}
}
