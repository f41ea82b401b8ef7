package worklist

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/volume"
)

// A query that is interrupted anywhere goes on where it was, and ends with the picks and scores of one that was not.
func TestQueryResumes(t *testing.T) {
	dir, _ := partly(t, 5, 2)
	for _, strategy := range []string{"dropout+sb", "clasp", "ensemble(members=2)", "ta-vaal(steps=4)", "dutp(members=2)+sb", "dutp(copies=published,members=2)",
		"badge", "core-set", "batchbald(passes=2,samples=8,candidates=4)"} {
		c := small(t, dir, strategy, 4)
		whole := ask(t, c)
		scores := func(r *Result) string {
			t.Helper()
			if r.Scores == "" {
				return ""
			}
			text, err := os.ReadFile(r.Scores)
			must(t, err)
			return string(text)
		}
		want := scores(whole)
		c.Work = filepath.Join(t.TempDir(), "work")
		trained := 0
		for stop := 8; ; stop += stop/2 + 2 {
			ctx, cancel := context.WithCancel(t.Context())
			events := 0
			r, err := Run(ctx, engine(t), c, func(p Progress) {
				if p.Phase == "train" && p.Done == p.Of {
					trained++
				}
				if events++; events == stop {
					cancel()
				}
			}, func(string) {})
			cancel()
			if err != nil {
				if !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				for _, name := range computed {
					if file, err := os.OpenFile(filepath.Join(c.Work, name), os.O_APPEND|os.O_WRONLY, 0); err == nil { // torn
						fmt.Fprint(file, "phantom_004/00")
						file.Close()
					}
				}
				continue
			}
			got := scores(r)
			if !slices.Equal(ids(r), ids(whole)) || got != want || !slices.Equal(r.Copies, whole.Copies) {
				t.Errorf("%s: %v after interrupts, %v without; scores\n%s\nwant\n%s", strategy, ids(r), ids(whole), got, want)
			}
			break
		}
		if members := max(1, c.members()); trained > 2*members {
			t.Errorf("%s: %d trainings were finished: what is trained is trained again", strategy, trained)
		}
		again := map[string]int{}
		r, err := Run(t.Context(), engine(t), c, func(p Progress) {
			if p.Phase != "score" || p.Of > 4 && c.spec().Training.Copies == "" { // four are compared in BatchBALD's second pass; labelled slices are scored for copies
				again[p.Phase]++
			}
		}, func(string) {})
		if err != nil || again["train"]+again["score"] > 0 || !slices.Equal(ids(r), ids(whole)) {
			t.Errorf("%s: a finished query computes again, by phases %v, %v", strategy, again, err)
		}
	}
}

func (c Config) spec() query.Spec {
	spec, _ := query.Parse(c.Strategy)
	return spec
}

func (c Config) members() int {
	if strings.Contains(c.Strategy, "members=2") || strings.HasPrefix(c.Strategy, "ta-vaal") { // which trains a critic too
		return 2
	}
	return 1
}

// Other labels are another query: the network is trained anew.
func TestQueryBeginsAnewWithNewLabels(t *testing.T) {
	dir, masks := partly(t, 4, 2)
	c := small(t, dir, "entropy", 4)
	first := ask(t, c)
	before, err := os.ReadFile(filepath.Join(c.Work, modelFile))
	must(t, err)
	must(t, volume.WriteMask(filepath.Join(dir, "labels", "phantom_002.nii.gz"), masks["phantom_002"]))
	second := ask(t, c)
	after, err := os.ReadFile(filepath.Join(c.Work, modelFile))
	must(t, err)
	if second.Labelled <= first.Labelled || string(before) == string(after) || slices.ContainsFunc(second.Picks, func(p Pick) bool { return p.Case == "phantom_002" }) {
		t.Errorf("%d labels, then %d; picks %v", first.Labelled, second.Labelled, ids(second))
	}
	must(t, os.WriteFile(filepath.Join(t.TempDir(), "x"), nil, 0o666))
	other := t.TempDir()
	must(t, os.WriteFile(filepath.Join(other, "notes.txt"), nil, 0o666))
	c.Work = other
	if _, err := Run(t.Context(), engine(t), c, func(Progress) {}, func(string) {}); err == nil {
		t.Error("a folder with other files is taken as the work folder")
	}
}

// What is read of the cases is part of the query: with other channels, or with a file changed that is not the case's first, it begins anew and ends with the scores of
// one in an empty folder.
func TestQueryBeginsAnewWithOtherImages(t *testing.T) {
	dir, masks := partly(t, 3, 1)
	images := filepath.Join(dir, "images")
	write := func(name string, v *volume.Volume, add float32) { // as a header with the voxels in a file of their own
		t.Helper()
		var raw []byte
		for i, value := range v.Data {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(value+add*float32(i%7)))
		}
		a := v.Affine
		must(t, os.WriteFile(filepath.Join(images, name+".nhdr"), fmt.Appendf(nil, "NRRD0004\ntype: float\ndimension: 3\nspace: RAS\nsizes: %d %d %d\nendian: little\nencoding: raw\n"+
			"space directions: (%v,%v,%v) (%v,%v,%v) (%v,%v,%v)\nspace origin: (%v,%v,%v)\ndata file: %s.raw\n", v.Size[0], v.Size[1], v.Size[2],
			a[0][0], a[1][0], a[2][0], a[0][1], a[1][1], a[2][1], a[0][2], a[1][2], a[2][2], a[0][3], a[1][3], a[2][3], name), 0o666))
		must(t, os.WriteFile(filepath.Join(images, name+".raw"), raw, 0o666))
	}
	var last *volume.Volume
	for n := range 3 {
		name := fmt.Sprintf("phantom_%03d", n)
		v, err := volume.Read(filepath.Join(images, name+".nii.gz"))
		must(t, err)
		must(t, os.Remove(filepath.Join(images, name+".nii.gz")))
		write(name+"_0000", v, 0)
		write(name+"_0001", v, 300)
		last = v
	}
	must(t, os.Rename(images, filepath.Join(dir, "imagesTr"))) // nnU-Net's layout
	must(t, os.Rename(filepath.Join(dir, "labels"), filepath.Join(dir, "labelsTr")))
	images = filepath.Join(dir, "imagesTr")
	c := small(t, dir, "entropy", 4)
	scores := func(c Config) string {
		t.Helper()
		text, err := os.ReadFile(ask(t, c).Scores)
		must(t, err)
		return string(text)
	}
	before := scores(c)
	for _, change := range []struct {
		name string
		make func()
	}{
		{"--channel", func() { c.Experiment.Channel = 1 }},
		{"--channels", func() { c.Experiment.Channel, c.Experiment.Channels = 0, dataset.Selection{"0", "1"} }},
		{"order", func() { c.Experiment.Channels = dataset.Selection{"1", "0"} }},
		{"voxels behind the header of another channel", func() { write("phantom_002_0001", last, 500) }},
	} {
		change.make()
		other := c
		other.Work = filepath.Join(t.TempDir(), "new")
		got, want := scores(c), scores(other)
		if want == before {
			t.Fatalf("%s changes no score", change.name)
		}
		if got != want {
			t.Errorf("%s: the query goes on with what it has of others", change.name)
		}
		before = want
	}
	states := map[string]bool{}
	for _, resample := range []bool{false, true, false} {
		c.Experiment.Resample = resample
		ask(t, c)
		state, err := os.ReadFile(filepath.Join(c.Work, stateFile))
		must(t, err)
		states[string(state)] = true
	}
	if len(states) != 2 {
		t.Errorf("%d states with and without --resample", len(states))
	}

	// A network of other channels is no teacher of pseudo-labels either.
	c = small(t, dir, "ceal(delta=0.69,decay=0.2)+sb", 4)
	ask(t, c)
	c.Experiment.Channel = 1
	m := masks["phantom_000"]
	clear(m.Data[len(m.Data)/2:]) // corrected, so that the next query begins
	must(t, volume.WriteMask(filepath.Join(dir, "labelsTr", "phantom_000.nii.gz"), m))
	told := false
	_, err := Run(t.Context(), engine(t), c, func(Progress) {}, func(text string) { told = told || strings.Contains(text, "other classes, slices or channels") })
	if err != nil || !told {
		t.Errorf("the teacher of another channel: told %v, %v", told, err)
	}
}
