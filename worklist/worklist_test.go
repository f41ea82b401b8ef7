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
	"github.com/nextslice/nextslice/dataset/phantom/phantomtest"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/engines"
	"github.com/nextslice/nextslice/volume"
)

// partly writes a phantom data set of so many cases of which the first ones have masks.
func partly(t *testing.T, cases, labelled int) (dir string, masks map[string]*volume.Mask) {
	t.Helper()
	dir, masks = filepath.Join(t.TempDir(), "data"), map[string]*volume.Mask{}
	if err := phantomtest.Write(dir, cases, 1); err != nil {
		t.Fatal(err)
	}
	set, err := dataset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range set.Cases {
		if masks[c.ID], err = set.Reference(i); err != nil {
			t.Fatal(err)
		}
		if i >= labelled {
			must(t, os.Remove(c.Label))
		}
	}
	must(t, os.Remove(filepath.Join(dir, "dataset.json")))
	must(t, os.Rename(filepath.Join(dir, "imagesTr"), filepath.Join(dir, "images")))
	must(t, os.Rename(filepath.Join(dir, "labelsTr"), filepath.Join(dir, "labels")))
	return dir, masks
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// small is a query with a training of a second.
func small(t *testing.T, dir, strategy string, size int) Config {
	t.Helper()
	e, err := record.ReadConfig("", func(c *record.Config) { c.Data, c.Preset, c.Canvas = dir, "demo", []int{16, 16} })
	must(t, err)
	e.Train.Width, e.Train.Steps, e.Train.Dropout = 4, 10, 0.2
	return Config{Experiment: e, Strategy: strategy, Size: size, Work: filepath.Join(t.TempDir(), "work")}
}

// engine returns the fastest engine of this build.
func engine(t *testing.T) tensor.Engine {
	t.Helper()
	e, err := engines.New("", 1)
	must(t, err)
	t.Cleanup(func() { e.Close() })
	return e
}

func ask(t *testing.T, c Config) *Result {
	t.Helper()
	r, err := Run(t.Context(), engine(t), c, func(Progress) {}, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func ids(r *Result) (ids []string) {
	for _, p := range r.Picks {
		ids = append(ids, p.ID)
	}
	return ids
}

// What has a mask, stands in a list or is not ignored is labelled, and never asked for.
func TestWhatIsLabelled(t *testing.T) {
	dir, masks := partly(t, 4, 2)
	c := small(t, dir, "entropy", 500)
	r := ask(t, c)
	all := 0
	for _, m := range masks {
		all += m.Size[2]
	}
	done := masks["phantom_000"].Size[2] + masks["phantom_001"].Size[2]
	if r.Labelled != done || r.Candidates != all-done || len(r.Picks) != all-done || r.Scored != all-done {
		t.Errorf("%d labelled, %d candidates, %d picks of %d slices, %d of which have a mask", r.Labelled, r.Candidates, len(r.Picks), all, done)
	}
	for _, p := range r.Picks {
		if p.Case < "phantom_002" {
			t.Errorf("%s is labelled and asked for", p.ID)
		}
	}

	// A list: of phantom_000 two slices count, the others are asked for; the columns are those of picks, or none.
	list := filepath.Join(t.TempDir(), "round1.csv")
	must(t, os.WriteFile(list, []byte("rank,id,case,slice\n1,phantom_000/003,phantom_000,3\n2,phantom_000/004,phantom_000,4\n"), 0o666))
	c.Labelled = []string{list}
	r = ask(t, c)
	if r.Labelled != 2+masks["phantom_001"].Size[2] || slices.Contains(ids(r), "phantom_000/003") || !slices.Contains(ids(r), "phantom_000/005") {
		t.Errorf("with a list %d slices are labelled", r.Labelled)
	}
	must(t, os.WriteFile(list, []byte("phantom_000/999\n"), 0o666))
	if _, err := Run(t.Context(), engine(t), c, func(Progress) {}, func(string) {}); err == nil || !strings.Contains(err.Error(), "phantom_000/999") {
		t.Errorf("a slice that does not exist: %v", err)
	}
	c.Labelled = nil

	// A value of what nobody has labelled: all slices of phantom_001 but two.
	m := masks["phantom_001"]
	for k := range m.Size[2] {
		if k != 5 && k != 6 {
			m.SetSlice(2, k, slices.Repeat([]uint8{9}, m.Size[0]*m.Size[1]))
		}
	}
	must(t, volume.WriteMask(filepath.Join(dir, "labels", "phantom_001.nii.gz"), m))
	c.Experiment.Ignore = 9
	r = ask(t, c)
	if r.Labelled != masks["phantom_000"].Size[2]+2 || slices.Contains(ids(r), "phantom_001/005") || !slices.Contains(ids(r), "phantom_001/007") {
		t.Errorf("with an ignored value %d slices are labelled", r.Labelled)
	}
}

// Slices of a list are those along the axis that the list has, or the query does not begin; slices that are empty where others are not are told of.
func TestListedAxis(t *testing.T) {
	dir, masks := partly(t, 3, 2)
	c := small(t, dir, "strided", 3)
	c.Experiment.Axis = "i"
	first := ask(t, c)
	list := filepath.Join(t.TempDir(), "round1.csv")
	file, err := os.Create(list)
	must(t, err)
	must(t, errors.Join(first.WriteCSV(file), file.Close()))
	for i := range first.Picks { // labelled, so that they are in a list
		name := first.Picks[i].Case
		must(t, volume.WriteMask(filepath.Join(dir, "labels", name+".nii.gz"), masks[name]))
	}
	c.Labelled = []string{list}
	c.Experiment.Axis = "auto"
	if _, err := Run(t.Context(), engine(t), c, func(Progress) {}, func(string) {}); err == nil ||
		!strings.Contains(err.Error(), "round1.csv lists slices of phantom_002 along i, and this query cuts it along k: give --axis i") {
		t.Errorf("slices along i in a query along k: %v", err)
	}
	c.Experiment.Axis = "i"
	if r := ask(t, c); r.Labelled == 0 {
		t.Error("no slice along i is labelled")
	}

	m := masks["phantom_000"]
	m.SetSlice(2, 0, make([]uint8, m.Size[0]*m.Size[1]))
	must(t, volume.WriteMask(filepath.Join(dir, "labels", "phantom_000.nii.gz"), m))
	c.Experiment.Axis = "auto"
	for text, want := range map[string]int{"phantom_000/0\nphantom_000/9\n": 1, "phantom_000/9\n": 0} {
		must(t, os.WriteFile(list, []byte(text), 0o666))
		told := 0
		_, err := Run(t.Context(), engine(t), c, func(Progress) {}, func(text string) {
			if strings.Contains(text, "nothing is outlined on 1 listed slices (phantom_000/000)") {
				told++
			}
		})
		if err != nil || told != want {
			t.Errorf("%q: told %d times, want %d, %v", text, told, want, err)
		}
	}
}

// The first slices are chosen without a network; without labels nothing else can be.
func TestFirstSlices(t *testing.T) {
	dir, _ := partly(t, 3, 0)
	must(t, os.RemoveAll(filepath.Join(dir, "labels")))
	for _, strategy := range []string{"typiclust", "typiclust(features=vae,steps=3)", "strided", "random"} {
		c := small(t, dir, strategy, 5)
		if r := ask(t, c); len(r.Picks) != 5 || r.Scored != 0 || r.Labelled != 0 || !math.IsNaN(float64(r.Picks[0].Score)) {
			t.Errorf("%s: %+v", strategy, r)
		}
	}
	if _, err := Run(t.Context(), engine(t), small(t, dir, "entropy", 5), func(Progress) {}, func(string) {}); err == nil || !strings.Contains(err.Error(), "typiclust") {
		t.Errorf("entropy without a label: %v", err)
	}
}

// A query that is interrupted anywhere goes on where it was, and ends with the picks and scores of one that was not.
func TestQueryResumes(t *testing.T) {
	dir, _ := partly(t, 5, 2)
	for _, strategy := range []string{"dropout+sb", "clasp", "ensemble(members=2)", "ta-vaal(steps=4)", "dutp(members=2)+sb", "dutp(copies=published,members=2)"} {
		c := small(t, dir, strategy, 4)
		whole := ask(t, c)
		want, err := os.ReadFile(whole.Scores)
		must(t, err)
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
				if file, err := os.OpenFile(filepath.Join(c.Work, scoresFile), os.O_APPEND|os.O_WRONLY, 0); err == nil { // torn
					fmt.Fprint(file, "phantom_004/00")
					file.Close()
				}
				continue
			}
			got, err := os.ReadFile(r.Scores)
			must(t, err)
			if !slices.Equal(ids(r), ids(whole)) || string(got) != string(want) || !slices.Equal(r.Copies, whole.Copies) {
				t.Errorf("%s: %v after interrupts, %v without; scores\n%s\nwant\n%s", strategy, ids(r), ids(whole), got, want)
			}
			break
		}
		if members := max(1, c.members()); trained > 2*members {
			t.Errorf("%s: %d trainings were finished: what is trained is trained again", strategy, trained)
		}
		again := 0
		r, err := Run(t.Context(), engine(t), c, func(p Progress) {
			if p.Phase == "train" {
				again++
			}
		}, func(string) {})
		if err != nil || again > 0 || !slices.Equal(ids(r), ids(whole)) {
			t.Errorf("%s: a finished query trains %d steps again, %v", strategy, again, err)
		}
	}
}

func (c Config) members() int {
	if strings.HasPrefix(c.Strategy, "ensemble") || strings.HasPrefix(c.Strategy, "dutp") || strings.HasPrefix(c.Strategy, "ta-vaal") { // which trains a critic too
		return 2
	}
	return 1
}

// A case whose mask cannot be read is named and left out, one whose image cannot be read too where it is labelled; elsewhere the error says how to go on.
func TestBrokenCases(t *testing.T) {
	dir, _ := partly(t, 5, 3)
	c := small(t, dir, "entropy", 4)
	spoil := func(name string) { // the header stays whole
		file, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR, 0)
		must(t, err)
		info, err := file.Stat()
		must(t, err)
		must(t, file.Truncate(info.Size()*2/3))
		must(t, file.Close())
	}
	spoil("labels/phantom_001.nii.gz")
	spoil("images/phantom_002.nii.gz")
	var notices []string
	run := func() (*Result, error) {
		return Run(t.Context(), engine(t), c, func(Progress) {}, func(text string) { notices = append(notices, text) })
	}
	r, err := run()
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(notices, "\n")
	if !strings.Contains(text, "phantom_001") || !strings.Contains(text, "phantom_002") || strings.Count(text, "(left out)") != 2 {
		t.Errorf("notices:\n%s", text)
	}
	for _, p := range r.Picks {
		if p.Case < "phantom_003" {
			t.Errorf("%s is picked", p.ID)
		}
	}
	spoil("images/phantom_004.nii.gz")
	if _, err := run(); err == nil || !strings.Contains(err.Error(), `--exclude "phantom_004"`) {
		t.Errorf("an unreadable candidate: %v", err)
	}
	c.Exclude = []string{"phantom_004"}
	if r, err := run(); err != nil || len(r.Picks) != 4 {
		t.Errorf("without it: %v", err)
	}
}

// A critic needs no segmentation network, and with one that ranks slices one with its module is trained.
func TestQueryByCritic(t *testing.T) {
	dir, _ := partly(t, 4, 2)
	for strategy, files := range map[string]int{"vaal(steps=3)": 0, "vaal(steps=3)+sb": 0, "ta-vaal(steps=3)": 2} {
		c := small(t, dir, strategy, 3)
		trained := map[int]int{}
		r, err := Run(t.Context(), engine(t), c, func(p Progress) {
			if p.Phase == "train" {
				trained[p.Of]++
			}
		}, func(string) {})
		if err != nil {
			t.Fatal(err)
		}
		made, _ := filepath.Glob(filepath.Join(c.Work, "*.safetensors"))
		if len(r.Picks) != 3 || len(made) != files || trained[3] != 3 || (trained[10] > 0) != (files > 0) {
			t.Errorf("%s: picks %v, files %v, steps %v", strategy, ids(r), made, trained)
		}
	}
}

// A critic that tells nothing is told of: by the spread of its scores, whatever their mean.
func TestBlindCritic(t *testing.T) {
	for _, c := range []struct {
		strategy string
		scores   []float64
		told     bool
	}{
		{"vaal", []float64{5, 5.0001, 5}, true}, {"vaal+sb", []float64{5, 5.01, 5}, false}, {"ta-vaal", []float64{0, 0, 0}, true},
		{"entropy", []float64{5, 5, 5}, false}, {"vaal", []float64{5}, false},
	} {
		told := false
		q := &run{notice: func(string) { told = true }}
		var err error
		q.spec, err = query.Parse(c.strategy)
		must(t, err)
		p := q.watched(query.Pool{N: len(c.scores), Score: func([]int) ([]float64, error) { return c.scores, nil }})
		if got, err := p.Score(nil); err != nil || !slices.Equal(got, c.scores) || told != c.told {
			t.Errorf("%s of %v: told %v, %v, %v", c.strategy, c.scores, told, got, err)
		}
	}
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
	dir, _ := partly(t, 3, 1)
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
	told := false
	_, err := Run(t.Context(), engine(t), c, func(Progress) {}, func(text string) { told = told || strings.Contains(text, "other classes, slices or channels") })
	if err != nil || !told {
		t.Errorf("the teacher of another channel: told %v, %v", told, err)
	}
}

// CEAL learns along what the network of the query before is sure of, none in the first query, and no label takes part twice. Run again, it goes on.
func TestQueryLearnsPseudoLabels(t *testing.T) {
	dir, masks := partly(t, 4, 2)
	c := small(t, dir, "ceal(delta=0.69,decay=0.2)+sb", 4)
	query := func() (r *Result, told string) {
		t.Helper()
		r, err := Run(t.Context(), engine(t), c, func(Progress) {}, func(text string) { told += text + "\n" })
		must(t, err)
		return r, told
	}
	model := func() string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(c.Work, modelFile))
		must(t, err)
		return string(text)
	}
	first, told := query()
	if !strings.Contains(told, "no network of a query before") {
		t.Errorf("first: %s", told)
	}
	teacher := model()
	must(t, volume.WriteMask(filepath.Join(dir, "labels", "phantom_002.nii.gz"), masks["phantom_002"]))
	second, told := query()
	kept, err := os.ReadFile(filepath.Join(c.Work, "teacher-0000.safetensors"))
	must(t, err)
	want := fmt.Sprintf("%d slices are learnt along", second.Candidates)
	if string(kept) != teacher || !strings.Contains(told, want) || second.Labelled <= first.Labelled || len(second.Picks) != 4 {
		t.Errorf("second: teacher kept %v, %s want %s", string(kept) == teacher, told, want)
	}
	student := model()
	if again, told := query(); strings.Contains(told, "learnt along") || !slices.Equal(ids(again), ids(second)) || model() != student {
		t.Errorf("again: %v, then %v: %s", ids(second), ids(again), told)
	}
	plain := c
	plain.Work = filepath.Join(t.TempDir(), "work")
	if ask(t, plain); model() != student {
		t.Error("asking elsewhere changes the model")
	}
	alone, err := os.ReadFile(filepath.Join(plain.Work, modelFile))
	must(t, err)
	if string(alone) == student {
		t.Error("the pseudo-labels change nothing")
	}
	// The threshold falls from query to query: after three it is 0.69 - 0.2·3, and later nothing is sure enough.
	for n := 1; n <= 4; n++ {
		c.Experiment.Seed++
		_, told = query()
		if found, _ := filepath.Glob(filepath.Join(c.Work, "teacher-*")); len(found) != 1 || filepath.Base(found[0]) != fmt.Sprintf("teacher-%04d.safetensors", n) {
			t.Errorf("teachers %v after %d more queries", found, n)
		}
	}
	if !strings.Contains(told, "\n0 slices") && !strings.HasPrefix(told, "0 slices") {
		t.Errorf("last: %s", told)
	}
}

// --only, --exclude and --per-case.
func TestWhichCases(t *testing.T) {
	dir, _ := partly(t, 6, 1)
	c := small(t, dir, "entropy", 8)
	c.Only = []string{"phantom_00[2-4]"}
	c.Exclude = []string{"phantom_003", "phantom_004/00?"}
	for _, p := range ask(t, c).Picks {
		if p.Case != "phantom_002" && !(p.Case == "phantom_004" && p.Slice >= 10) {
			t.Errorf("%s is picked", p.ID)
		}
	}
	c.Only, c.Exclude = nil, nil
	free := ask(t, c)
	for _, strategy := range []string{"entropy", "entropy+sb", "clasp", "core-set", "batchbald(passes=2,samples=8)", "typiclust", "random"} {
		c := small(t, dir, strategy, 8)
		c.PerCase = 2
		r := ask(t, c)
		count := map[string]int{}
		for _, p := range r.Picks {
			count[p.Case]++
		}
		if len(r.Picks) != 8 || len(count) < 4 {
			t.Errorf("%s: picks %v", strategy, ids(r))
		}
		for id, n := range count {
			if n > 2 {
				t.Errorf("%s: %d picks of %s", strategy, n, id)
			}
		}
		if strategy == "entropy" && r.Picks[0].ID != free.Picks[0].ID {
			t.Errorf("the first pick is %s, without a limit %s", r.Picks[0].ID, free.Picks[0].ID)
		}
	}
	c.PerCase = 1
	if r := ask(t, c); len(r.Picks) != 5 {
		t.Errorf("one of each of 5 cases: %v", ids(r))
	}
}

// A model finds slices whichever way the axes of a case run, names them as they lie in the file, and says where they are in the patient.
func TestModelAndTurnedCases(t *testing.T) {
	dir, _ := partly(t, 3, 2)
	c := small(t, dir, "entropy", 6)
	ask(t, c)
	c.Model = filepath.Join(c.Work, modelFile)
	c.Work = filepath.Join(t.TempDir(), "model")
	want := ask(t, c)
	image := filepath.Join(dir, "images", "phantom_002.nii.gz")
	v, err := volume.Read(image)
	must(t, err)
	turned, err := v.Turned("IAR") // the slices along i, from the head down
	must(t, err)
	must(t, volume.WriteVolume(image, turned))
	got := ask(t, c)
	for i, p := range got.Picks {
		w := want.Picks[i]
		if p.Axis != "i" || w.Axis != "k" || p.Slice != v.Size[2]-1-w.Slice || math.Abs(float64(p.Position-w.Position)) > 1e-3 || p.Along != "S" || p.Score != w.Score {
			t.Errorf("pick %d: %+v of the turned image, %+v of the other", i, p, w)
		}
	}
	if at := v.Grid.Slices(2).Position(want.Picks[0].Slice); math.Abs(at-float64(want.Picks[0].Position)) > 1e-6 {
		t.Errorf("position %v, want %v", want.Picks[0].Position, at)
	}
	list := filepath.Join(t.TempDir(), "round1.csv")
	must(t, os.WriteFile(list, []byte("id,axis\nphantom_000/3,k\nphantom_002/3,k\n"), 0o666))
	wrong := c
	wrong.Labelled = []string{list}
	if _, err := Run(t.Context(), engine(t), wrong, func(Progress) {}, func(string) {}); err == nil ||
		!strings.Contains(err.Error(), "lists slices of phantom_002 along k, and the model "+c.Model+" cuts it along i") {
		t.Errorf("a list along the axis of before: %v", err)
	}
	// Proposals lie on the image, and files that are there stay.
	c.Proposals = filepath.Join(t.TempDir(), "proposals")
	ask(t, c)
	s, err := volume.ReadSegmentation(filepath.Join(c.Proposals, "phantom_002.seg.nrrd"))
	must(t, err)
	u, err := volume.Read(filepath.Join(c.Proposals, "phantom_002-uncertainty.nii.gz"))
	must(t, err)
	if m, _, err := s.Mask(); err != nil || !m.Same(turned.Grid, 1e-2) || !u.Same(turned.Grid, 1e-2) {
		t.Errorf("proposals lie elsewhere: %v", err)
	}
	file := filepath.Join(c.Proposals, "phantom_002.seg.nrrd")
	must(t, os.WriteFile(file, []byte("corrected by hand"), 0o666))
	ask(t, c)
	if text, _ := os.ReadFile(file); string(text) != "corrected by hand" {
		t.Error("a proposal that was there was overwritten")
	}
	c.Replace = true
	ask(t, c)
	if text, _ := os.ReadFile(file); string(text) == "corrected by hand" {
		t.Error("a proposal was not replaced")
	}
}

// Proposals hold the label values of the data, as predictions do.
func TestProposalsHoldTheValuesOfTheData(t *testing.T) {
	dir, masks := partly(t, 4, 3)
	for i := range 3 {
		name := fmt.Sprintf("phantom_%03d", i)
		m := masks[name]
		for n, v := range m.Data {
			m.Data[n] = 4 * v // all of the organ
		}
		m.Data[0] = 1
		must(t, volume.WriteMask(filepath.Join(dir, "labels", name+".nii.gz"), m))
	}
	c := small(t, dir, "entropy", 1)
	c.Proposals = filepath.Join(t.TempDir(), "proposals")
	ask(t, c)
	s, err := volume.ReadSegmentation(filepath.Join(c.Proposals, "phantom_003.seg.nrrd"))
	must(t, err)
	if len(s.Segments) != 2 || s.Segments[1].Name != "value 4" || s.Segments[1].Value != 4 || slices.Contains(s.Layers[0], 2) {
		t.Errorf("segments %+v", s.Segments)
	}
}

// The scores of shards are, together, those of the whole.
func TestShards(t *testing.T) {
	dir, _ := partly(t, 6, 1)
	c := small(t, dir, "dropout", 4)
	ask(t, c)
	c.Model, c.Work = filepath.Join(c.Work, modelFile), filepath.Join(t.TempDir(), "whole")
	whole := ask(t, c)
	want := map[string]bool{}
	collect := func(into map[string]bool, r *Result) (n int, part string) {
		t.Helper()
		copied := filepath.Join(t.TempDir(), "scores.csv")
		must(t, r.WriteScores(copied))
		text, err := os.ReadFile(copied)
		must(t, err)
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")[1:]
		for _, line := range lines {
			fields := strings.SplitN(line, ",", 3)
			into[fields[0]+","+fields[1]] = true
			part = strings.Join(fields[2:], "")
		}
		return len(lines), part
	}
	if _, part := collect(want, whole); part != "" {
		t.Errorf("the whole is %s", part)
	}
	got, n := map[string]bool{}, 0
	digests := map[string]bool{}
	shard := func(part int) string {
		t.Helper()
		c.Shard = Shard{part, 3}
		r := ask(t, c)
		if r.Picks != nil || r.Scored != r.Candidates {
			t.Errorf("shard %d: %+v", part, r)
		}
		lines, is := collect(got, r)
		n += lines
		of, digest, _ := strings.Cut(is, ",")
		if of != fmt.Sprintf("%d/3", part) || len(digest) != 16 {
			t.Errorf("shard %d says that it is %q", part, is)
		}
		digests[digest] = true
		return digest
	}
	for part := 1; part <= 3; part++ {
		if part == 3 { // on a machine with a copy of the data, at other times
			elsewhere := filepath.Join(t.TempDir(), "copy")
			must(t, os.CopyFS(elsewhere, os.DirFS(dir)))
			c.Experiment.Data = elsewhere
		}
		shard(part)
	}
	if len(digests) != 1 {
		t.Errorf("the shards are of queries %v", digests)
	}
	if n != len(want) || len(got) != len(want) {
		t.Fatalf("%d scores in shards, %d of them different, %d in the whole", n, len(got), len(want))
	}
	for line := range want {
		if !got[line] {
			t.Errorf("%s is in no shard", line)
		}
	}
	c.Exclude = []string{"phantom_001/000"}
	shard(1)
	c.Exclude = nil
	list := filepath.Join(t.TempDir(), "round1.csv")
	must(t, os.WriteFile(list, []byte("phantom_000/3\n"), 0o666))
	c.Labelled = []string{list}
	shard(1)
	if len(digests) != 3 {
		t.Errorf("with other candidates, and with other labels, the queries are %v", digests)
	}
	c.Shard = Shard{1, 7}
	if _, err := Run(t.Context(), engine(t), c, func(Progress) {}, func(string) {}); err == nil || !strings.Contains(err.Error(), "divide them into 6 parts at most") {
		t.Errorf("more shards than cases: %v", err)
	}
}

func TestRefused(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"random-hidden-foreground": func(c *Config) { c.Strategy = "random-hidden-foreground" },
		"--size":                   func(c *Config) { c.Size = 0 },
		"--per-case":               func(c *Config) { c.PerCase = -1 },
		"changes the training":     func(c *Config) { c.Strategy, c.Model = "ceal+sb", "m.safetensors" },
		"changes the":              func(c *Config) { c.Strategy, c.Model = "dutp+sb", "m.safetensors" },
		"needs several":            func(c *Config) { c.Strategy, c.Model = "dutp(copies=none)", "m.safetensors" },
		"joined":                   func(c *Config) { c.Strategy, c.Shard = "dutp(copies=none)", Shard{1, 2} },
		"several networks":         func(c *Config) { c.Strategy, c.Model = "ensemble", "m.safetensors" },
		"module":                   func(c *Config) { c.Strategy, c.Model = "learning-loss", "m.safetensors" },
		"shards could not":         func(c *Config) { c.Strategy, c.Model, c.Shard = "core-set", "m.safetensors", Shard{1, 2} },
		"give --model":             func(c *Config) { c.Shard = Shard{1, 2} },
		"did you mean":             func(c *Config) { c.Strategy = "entrpy" },
		"syntax error":             func(c *Config) { c.Only = []string{"["} },
	} {
		c := small(t, "nowhere", "entropy", 3)
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("want %q, got %v", name, err)
		}
	}
	for text, want := range map[string]Shard{"": {}, "3/10": {3, 10}, "1/1": {1, 1}} {
		if got, err := ParseShard(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"0/3", "4/3", "x/3", "3", "3/", "-1/3"} {
		if got, err := ParseShard(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// Passes with dropout of a model without dropout are refused before anything is scored.
func TestModelWithoutDropout(t *testing.T) {
	dir, _ := partly(t, 4, 2)
	c := small(t, dir, "entropy", 2)
	c.Experiment.Train.Dropout = 0
	ask(t, c)
	c.Model, c.Work = filepath.Join(c.Work, modelFile), filepath.Join(t.TempDir(), "other")
	for _, strategy := range []string{"dropout+sb", "clasp(map=jsd)", "batchbald(passes=2)", "usim-u"} {
		c.Strategy = strategy
		if _, err := Run(t.Context(), engine(t), c, func(Progress) {}, func(string) {}); err == nil || !strings.Contains(err.Error(), "a dropout of 0") {
			t.Errorf("%s: %v", strategy, err)
		}
		if _, err := os.Stat(c.Work); err == nil {
			t.Errorf("%s: a work folder was begun", strategy)
		}
	}
	c.Strategy = "tta+sb"
	ask(t, c)
}

func TestReadItems(t *testing.T) {
	file := filepath.Join(t.TempDir(), "list.csv")
	for text, want := range map[string][]string{
		"a/3\nb c/012\n":                       {"a/003", "b c/012"},
		"a,3\nb,12\n":                          {"a/003", "b/012"},
		"id,score\na/b/7,0.5\n":                {"a/b/007"},
		"\ufeffrank,case,slice\n1,\"a,b\",9\n": {"a,b/009"},
		"":                                     nil,
	} {
		must(t, os.WriteFile(file, []byte(text), 0o666))
		items, err := ReadItems(file)
		var got []string
		for _, i := range items {
			got = append(got, i.ID)
			if i.Axis != volume.AutoAxis {
				t.Errorf("%q: axis %d", text, i.Axis)
			}
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	must(t, os.WriteFile(file, []byte("id,axis\na/1,i\na/2, K\na/3,\n"), 0o666))
	if got, err := ReadItems(file); err != nil || !slices.Equal(got, []Item{{"a/001", 0}, {"a/002", 2}, {"a/003", volume.AutoAxis}}) {
		t.Errorf("axes: %v, %v", got, err)
	}
	for _, text := range []string{"id,axis\na/1,axial\n", "id,axis\na/1,auto\n", "a\n", "a/x\n", "/3\n", "id\na/-1\n", "case,slice\na\n"} {
		must(t, os.WriteFile(file, []byte(text), 0o666))
		if got, err := ReadItems(file); err == nil || !strings.Contains(err.Error(), "line") {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}
