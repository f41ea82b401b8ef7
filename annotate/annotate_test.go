package annotate_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/annotatetest"
	"github.com/nextslice/nextslice/annotate/store"
	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/volume"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ana, ben = annotate.Person{Name: "ana"}, annotate.Person{Name: "ben"}

// project is an open project with its background work running, and the true masks.
type project struct {
	*annotate.Project
	t     *testing.T
	data  *dataset.Dataset
	close func()
	stop  func() // close, whatever comes of it
}

func open(t *testing.T, o annotate.Options) *project {
	t.Helper()
	set, err := dataset.Open(o.Data)
	if err != nil {
		t.Fatal(err)
	}
	if o.Dir == "" {
		o.Dir = filepath.Join(t.TempDir(), "project")
	}
	o.Axis = 2
	p, err := annotate.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	x := &project{Project: p, t: t, data: set}
	closed := false
	end := func() error {
		if closed {
			return nil
		}
		closed = true
		cancel()
		return errors.Join(<-ended, p.Close())
	}
	x.close = func() {
		if err := end(); err != nil {
			t.Error(err)
		}
	}
	x.stop = func() { end() }
	t.Cleanup(x.close)
	return x
}

// small is a configuration of few labels, that ignores the masks.
func small(c *annotate.Config) {
	c.InitialSize, c.QuerySize, c.Masks = 4, 4, annotate.MasksIgnore
}

func (p *project) mask(item annotate.Item) []uint8 {
	m, err := p.data.Reference(p.data.Index(item.Case))
	if err != nil {
		p.t.Fatal(err)
	}
	return m.Slice(p.Config.Preprocess.Axis, item.Slice)
}

// label answers the next item, and reports whether there was one.
func (p *project) label(who annotate.Person) (annotate.Item, bool) {
	p.t.Helper()
	task, err := p.Queue.Next(p.t.Context(), who, nil)
	if errors.Is(err, store.ErrNotFound) {
		return annotate.Item{}, false
	}
	if err != nil {
		p.t.Fatal(err)
	}
	item, err := p.Cases.Item(task.Item)
	if err != nil {
		p.t.Fatal(err)
	}
	answer := annotate.Answer{Item: item, Mask: p.mask(item), Seconds: 3, Action: store.ActionEdited}
	if task.Proposal {
		_, model, err := p.Predictor.Proposal(p.t.Context(), item, *task.Model)
		if err != nil {
			p.t.Fatal(err)
		}
		answer.Proposal = &model
	}
	if _, err := p.Labels.Save(p.t.Context(), who, answer); err != nil {
		p.t.Fatal(err)
	}
	return item, true
}

// until waits for a condition.
func until(t *testing.T, what string, yes func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if yes() {
			return
		}
	}
	t.Fatalf("%s: did not happen", what)
}

// next is the next task of somebody: a queue may be empty for a moment, while a training asks the next one.
func (p *project) next(who annotate.Person) *annotate.Task {
	p.t.Helper()
	var task *annotate.Task
	until(p.t, "a task", func() bool {
		var err error
		if task, err = p.Queue.Next(p.t.Context(), who, nil); err != nil && !errors.Is(err, store.ErrNotFound) {
			p.t.Fatal(err)
		}
		return err == nil
	})
	return task
}

func (p *project) models() []store.Model {
	m, err := p.Store().Models(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	return m
}

func TestAnnotationNeverWaits(t *testing.T) {
	learner := &annotatetest.Learner{Wait: make(chan struct{})}
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 6), Change: small, Learner: learner.New})
	// The first training begins after 4 training labels and is held; there is always something to label meanwhile.
	var labelled []annotate.Item
	var progress *annotate.Training
	training := 0
	for range 15 {
		until(t, "the next item", func() bool {
			item, ok := p.label(ana)
			if ok {
				labelled = append(labelled, item)
			}
			return ok
		})
		if training = 0; progress == nil {
			for _, l := range must(p.Store().Labels(t.Context(), "")) {
				if l.Role == store.Training {
					training++
				}
			}
		}
		if training == 4 { // it begins now, however busy the machine is
			until(t, "progress of the training", func() bool {
				progress = must(p.Dashboard.Summary(t.Context())).Training
				return progress != nil && progress.Phase == "train"
			})
		}
	}
	if n := len(p.models()); n != 0 || progress == nil {
		t.Fatalf("%d models while the training is held, %v", n, progress)
	}
	learner.Wait <- struct{}{}
	until(t, "model 1", func() bool { return len(p.models()) == 1 })
	if m := p.models()[0]; m.Labelled != 4 || !m.Adopted {
		t.Errorf("the first model: %+v", m)
	} else if batch := p.Config.Train.Batch; progress.Epoch != 1 || progress.Epochs != (2*batch+m.Labelled-1)/m.Labelled { // of 2 steps
		t.Errorf("progress of a training on %d labels: %+v", m.Labelled, progress)
	}
	until(t, "a second training, on the labels made meanwhile", func() bool {
		select {
		case learner.Wait <- struct{}{}:
			return true
		default:
			return false
		}
	})
	until(t, "model 2", func() bool { return len(p.models()) == 2 })
	seen := map[annotate.Item]bool{}
	for _, item := range labelled {
		if seen[item] {
			t.Errorf("%v was asked for twice", item)
		}
		seen[item] = true
	}
}

func TestOneLabelInFiveIsForValidation(t *testing.T) {
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 10), Change: small})
	for range 20 {
		until(t, "the next item", func() bool { _, ok := p.label(ana); return ok })
	}
	labels, err := p.Store().Labels(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	validation := map[string]bool{}
	n := 0
	for _, l := range labels {
		if l.Role == store.Validation {
			validation[l.Item.Case] = true
			n++
		}
	}
	if n < 3 || n > 5 {
		t.Errorf("%d of %d labels are for validation", n, len(labels))
	}
	cases, err := p.Store().Cases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	roles := 0
	for _, c := range cases {
		if c.Role == store.Validation {
			roles++
		} else if validation[c.Name] {
			t.Errorf("%s is for both", c.Name)
		}
	}
	if roles != 2 {
		t.Errorf("%d of 10 cases are for validation", roles)
	}
}

func TestWorseModelIsNotUsed(t *testing.T) {
	learner := &annotatetest.Learner{Bad: func(labels int) bool { return labels > 4 }}
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 6), Learner: learner.New, Change: func(c *annotate.Config) {
		small(c)
		c.Lockstep = true
	}})
	for len(p.models()) < 2 {
		p.label(ana)
		time.Sleep(time.Millisecond)
	}
	m := p.models()
	if !m[0].Adopted || *m[0].Dice < 0.99 || m[1].Adopted || *m[1].Dice >= 0.9 || *m[1].Previous < 0.99 {
		t.Errorf("models: %+v, %+v", m[0], m[1])
	}
	s, err := p.Dashboard.Summary(t.Context())
	if err != nil || s.Model == nil || s.Model.Version != 1 {
		t.Errorf("in use: %+v, %v", s.Model, err)
	}
}

func TestLockstepTrainsOnWholeQueries(t *testing.T) {
	learner := &annotatetest.Learner{}
	dir, data := filepath.Join(t.TempDir(), "project"), annotatetest.Data(t, 6)
	options := annotate.Options{Data: data, Dir: dir, Learner: learner.New, Change: func(c *annotate.Config) {
		small(c)
		c.Lockstep = true
	}}
	p := open(t, options)
	for len(p.models()) < 2 {
		p.label(ana)
		time.Sleep(time.Millisecond)
	}
	p.close()
	p = open(t, options) // goes on where it was
	for len(p.models()) < 4 {
		p.label(ben)
		time.Sleep(time.Millisecond)
	}
	if got := learner.Trained(); !slices.Equal(got, []int{4, 8, 12, 16}) {
		t.Errorf("labels of the trainings: %v", got)
	}
	if len(slices.Compact(slices.Sorted(slices.Values(learner.Seeds)))) != 4 {
		t.Errorf("seeds: %v", learner.Seeds)
	}
}

func TestMasksAreTakenOverAndWritten(t *testing.T) {
	data := annotatetest.Data(t, 5)
	if err := os.Remove(filepath.Join(data, "labels", "c4.nii.gz")); err != nil {
		t.Fatal(err)
	}
	p := open(t, annotate.Options{Data: data})
	s, err := p.Dashboard.Summary(t.Context())
	if err != nil || s.Labelled != 24 || s.Items != 30 {
		t.Fatalf("%d of %d items are labelled, %v", s.Labelled, s.Items, err)
	}
	until(t, "the masks are written", func() bool { return len(must(p.Store().Stale(t.Context()))) == 0 })
	written, err := volume.ReadMask(filepath.Join(p.Dir(), "labels", "final", "c1.nii.gz"))
	if err != nil {
		t.Fatal(err)
	}
	reference, err := p.data.Reference(1)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(written.Data, reference.Data) || !written.Grid.Same(reference.Grid, 1e-6) {
		t.Error("labels/final/c1.nii.gz is not the mask that was there")
	}

	item := annotate.Item{Case: "c1", Slice: 2}
	mask := make([]uint8, 120)
	mask[5] = 1
	if _, err := p.Labels.Save(t.Context(), ana, annotate.Answer{Item: item, Mask: mask, Action: store.ActionEdited}); err != nil {
		t.Fatal(err)
	}
	p.close()
	final, err := volume.ReadMask(filepath.Join(p.Dir(), "labels", "final", "c1.nii.gz"))
	if err != nil || !slices.Equal(final.Slice(p.Config.Preprocess.Axis, 2), mask) {
		t.Errorf("final: the new label is not there: %v", err)
	}
	original, err := volume.ReadMask(filepath.Join(p.Dir(), "labels", "original", "c1.nii.gz"))
	if err != nil || !slices.Equal(original.Data, reference.Data) {
		t.Errorf("original: not the mask that was found: %v", err)
	}
	list, err := os.ReadFile(filepath.Join(p.Dir(), "labels", "labelled.csv"))
	if err != nil || strings.Count(string(list), "\n") != 25 {
		t.Errorf("labelled.csv: %v\n%s", err, list)
	}
}

func TestForegroundMasksArePartial(t *testing.T) {
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 3), Change: func(c *annotate.Config) { c.Masks = annotate.MasksForeground }})
	s, err := p.Dashboard.Summary(t.Context())
	if err != nil || s.Labelled != 12 { // slices 1 to 4 of each case
		t.Errorf("%d labelled, %v", s.Labelled, err)
	}
	task, err := p.Queue.Next(t.Context(), ana, nil)
	if err != nil || task.Slice != 0 && task.Slice != 5 {
		t.Errorf("asked for %+v, %v", task, err)
	}
}

// A case whose image goes while the server runs is left out, and comes back with its image.
func TestVanishedImage(t *testing.T) {
	data := annotatetest.Data(t, 4)
	var now atomic.Int64
	now.Store(time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC).UnixNano())
	p := open(t, annotate.Options{Data: data, Change: small, Now: func() time.Time { return time.Unix(0, now.Load()) }})
	path := filepath.Join(data, "images", "c2.nii.gz")
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	item := annotate.Item{Case: "c2", Slice: 1}
	var err error
	for range 100 { // it may have been read before it went
		if _, err = p.Queue.Task(t.Context(), ana, item); err != nil {
			break
		}
		p.close()
		if err := os.Rename(path+".away", path); err != nil {
			t.Fatal(err)
		}
		p = open(t, annotate.Options{Data: data, Dir: p.Dir(), Now: func() time.Time { return time.Unix(0, now.Load()) }})
		if err := os.Rename(path, path+".away"); err != nil {
			t.Fatal(err)
		}
	}
	if !errors.Is(err, annotate.ErrGone) || !strings.Contains(err.Error(), "put the file back") {
		t.Fatalf("task of a vanished image: %v", err)
	}
	for range 12 {
		task, err := p.Queue.Next(t.Context(), ana, nil)
		if errors.Is(err, store.ErrNotFound) {
			break
		}
		if err != nil || task.Case == "c2" {
			t.Fatalf("next: %+v, %v", task, err)
		}
		labelled, _ := p.Cases.Item(task.Item)
		if _, err := p.Labels.Save(t.Context(), ana, annotate.Answer{Item: labelled, Mask: p.mask(labelled), Action: store.ActionEdited}); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	now.Add(int64(time.Minute))
	if _, err := p.Queue.Task(t.Context(), ana, item); err != nil {
		t.Errorf("the image is back: %v", err)
	}
}

// A case that has gone between two starts keeps its labels and is not asked for.
func TestCaseGone(t *testing.T) {
	data := annotatetest.Data(t, 4)
	p := open(t, annotate.Options{Data: data, Change: small})
	for _, name := range []string{"c0", "c1"} {
		item := annotate.Item{Case: name, Slice: 2}
		if _, err := p.Labels.Save(t.Context(), ana, annotate.Answer{Item: item, Mask: p.mask(item), Action: store.ActionEdited}); err != nil {
			t.Fatal(err)
		}
	}
	p.close()
	if err := os.Remove(filepath.Join(data, "images", "c0.nii.gz")); err != nil {
		t.Fatal(err)
	}
	learner := &annotatetest.Learner{}
	p = open(t, annotate.Options{Data: data, Dir: p.Dir(), Learner: learner.New})
	until(t, "a model", func() bool { p.label(ana); return len(p.models()) > 0 })
	labels := must(p.Store().Labels(t.Context(), ""))
	if labels[0].Item.Case != "c0" {
		t.Errorf("the labels of the case that has gone are lost: %v", labels[0].Item)
	}
	var list bytes.Buffer
	if err := p.Exporter.Write(t.Context(), ana, &list, annotate.Export{Format: annotate.FormatCSV}); err != nil || !bytes.Contains(list.Bytes(), []byte("c0,2")) {
		t.Errorf("export: %v\n%s", err, list.Bytes())
	}
}

func TestSaveRefuses(t *testing.T) {
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 2), Change: small})
	item := annotate.Item{Case: "c0", Slice: 2}
	bad := make([]uint8, 120)
	bad[7] = 2
	missing := 3
	for name, a := range map[string]annotate.Answer{
		"wrong size":    {Item: item, Mask: make([]uint8, 119)},
		"unknown class": {Item: item, Mask: bad},
		"not empty":     {Item: item, Mask: p.mask(item), Action: store.ActionEmpty},
		"no proposal":   {Item: item, Mask: p.mask(item), Proposal: &missing},
		"negative time": {Item: item, Mask: p.mask(item), Seconds: -1},
	} {
		if _, err := p.Labels.Save(t.Context(), ana, a); !errors.Is(err, annotate.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"c0/006", "c9/001", "../c0/001", "c0/-1", "c0", "/etc/passwd"} {
		if _, err := p.Cases.Item(name); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("item %q: %v", name, err)
		}
	}
}

func TestOpenRefusesAnotherConfiguration(t *testing.T) {
	data := annotatetest.Data(t, 3)
	p := open(t, annotate.Options{Data: data, Change: small})
	p.close()
	_, err := annotate.Open(t.Context(), annotate.Options{Data: data, Dir: p.Dir(), Axis: 0, Change: func(c *annotate.Config) { c.Seed = 5 }})
	if err == nil || !strings.Contains(err.Error(), "seed, axis") {
		t.Errorf("got %v", err)
	}
	q := open(t, annotate.Options{Data: data, Dir: p.Dir(), Change: func(c *annotate.Config) { c.QuerySize = 7 }})
	if q.Config.QuerySize != 7 || q.Config.InitialSize != 4 {
		t.Errorf("configuration: %+v", q.Config)
	}
}

func TestTaskGeometry(t *testing.T) {
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 2), Change: small})
	task, err := p.Queue.Task(t.Context(), ana, annotate.Item{Case: "c1", Slice: 3})
	if err != nil {
		t.Fatal(err)
	}
	// The affine takes i to -x (left) and j to -y (back).
	want := annotate.Orientation{Left: "R", Right: "L", Top: "A", Bottom: "P"}
	if task.Orientation != want || task.Spacing != [2]float64{0.5, 0.5} || task.Height != 10 || task.Width != 12 || task.Slices != 6 ||
		task.Position != 1 || task.Step != 2 || task.Unit != "mm" {
		t.Errorf("task: %+v", task)
	}
	if !(task.Window.Low >= 100 && task.Window.High > 300) {
		t.Errorf("window: %+v", task.Window)
	}
}

func TestProposalsStandInHistory(t *testing.T) {
	learner := &annotatetest.Learner{}
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 6), Learner: learner.New, Change: func(c *annotate.Config) {
		small(c)
		c.Lockstep = true
	}})
	for len(p.models()) < 2 {
		p.label(ana)
		time.Sleep(time.Millisecond)
	}
	curves, err := p.Dashboard.Curves(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	last := curves.Labels[len(curves.Labels)-1]
	if curves.Cycles[0].ProposalDice == nil || *curves.Cycles[0].ProposalDice < 0.99 || last.Seconds != 3 {
		t.Errorf("curves: %+v", curves)
	}
	var validation *annotate.Task
	for _, q := range must(p.Store().Queue(t.Context(), true)) {
		if q.Purpose == store.ForValidation {
			if validation, err = p.Queue.Task(t.Context(), ana, q.Item); err != nil {
				t.Fatal(err)
			}
			if _, _, err := p.Predictor.Proposal(t.Context(), q.Item, 0); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the proposal of a validation item is shown: %v", err)
			}
			if _, _, err := p.Predictor.Chances(t.Context(), q.Item, 1); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("what the model makes of a validation item is shown: %v", err)
			}
		}
	}
	if validation == nil || validation.Proposal {
		t.Errorf("validation task: %+v", validation)
	}
}

// A page asks for the proposal of the model that its task names; a new model may have come in between.
func TestProposalOfReplacedModel(t *testing.T) {
	learner := &annotatetest.Learner{}
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 6), Learner: learner.New, Change: func(c *annotate.Config) {
		small(c)
		c.Lockstep = true
	}})
	var labelled []annotate.Item
	for len(p.models()) < 2 {
		if item, ok := p.label(ana); ok {
			labelled = append(labelled, item)
		}
		time.Sleep(time.Millisecond)
	}
	until(t, "model 2 is in use", func() bool { return *must(p.Queue.Task(t.Context(), ana, labelled[0])).Model == 2 })
	made := 0
	for _, item := range labelled {
		v := must(p.Store().Versions(t.Context(), item))[0]
		if v.Proposal == nil || *v.Proposal != 1 || !must(p.Queue.Task(t.Context(), ana, item)).Proposal {
			continue
		}
		made++
		if _, model, err := p.Predictor.Proposal(t.Context(), item, 1); err != nil || model != 1 {
			t.Errorf("%v, a proposal that was made: model %d, %v", item, model, err)
		}
	}
	if made == 0 {
		t.Error("nothing was labelled with the proposal of model 1")
	}
	asked := map[annotate.Item]bool{}
	for _, q := range must(p.Store().Queue(t.Context(), true)) {
		asked[q.Item] = true
	}
	for _, c := range p.data.Cases {
		item := annotate.Item{Case: c.ID, Slice: 3}
		if asked[item] {
			continue
		}
		if chances, model, err := p.Predictor.Chances(t.Context(), item, 1); err == nil {
			for i, class := range p.mask(item) {
				if want := []uint8{26, 229}[class]; model != 2 || chances[i] != want { // 0.1 and 0.9
					t.Fatalf("%v, pixel %d: chance %d by model %d, want %d by 2", item, i, chances[i], model, want)
				}
			}
			if _, _, err := p.Predictor.Chances(t.Context(), item, 2); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("a class that is not there: %v", err)
			}
		}
		mask, model, err := p.Predictor.Proposal(t.Context(), item, 1)
		switch {
		case errors.Is(err, store.ErrNotFound) && !must(p.Queue.Task(t.Context(), ana, item)).Proposal: // a case for validation
		case err != nil || model != 2 || !bytes.Equal(mask, p.mask(item)):
			t.Errorf("%v, a proposal that was not made: model %d, %v", item, model, err)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestReplacedImageIsRefused(t *testing.T) {
	data := annotatetest.Data(t, 2)
	p := open(t, annotate.Options{Data: data, Change: small})
	p.close()
	grid := volume.Grid{Size: [3]int{12, 10, 7}, Unit: volume.Millimetre, Affine: [3][4]float64{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}}
	other := &volume.Volume{Grid: grid, Data: make([]float32, grid.Len())}
	if err := volume.WriteVolume(filepath.Join(data, "images", "c1.nii.gz"), other); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(data, "labels", "c1.nii.gz")); err != nil { // it would be refused for this
		t.Fatal(err)
	}
	_, err := annotate.Open(t.Context(), annotate.Options{Data: data, Dir: p.Dir(), Axis: 2})
	if err == nil || !strings.Contains(err.Error(), "case c1 had 6 slices of 10 x 12 when it was added and has 7 of 10 x 12 now") {
		t.Errorf("got %v", err)
	}
}
