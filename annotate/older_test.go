package annotate_test

import (
	"archive/zip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/annotatetest"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/tensor/ref"
)

// A project of an older program goes on, with the model that it had in use; the file of that is completed, so that predict
// takes it. testdata/older-project.zip was made by the program before its models had an Info, on annotatetest.Data(t, 4):
//
//	nextslice serve --data DIR --masks ignore --preset demo --set steps=4 --set width=2 --lockstep --initial-size 3 --query-size 2
//	nextslice annotate-script --data DIR --cycles 1
func TestOlderProject(t *testing.T) {
	archive, err := zip.OpenReader(filepath.Join("testdata", "older-project.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	dir := t.TempDir()
	for _, f := range archive.File {
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(must(f.Open()))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "models", "0002.safetensors")
	if _, err := model.Load(ref.New(1), file); err == nil {
		t.Fatal("the old file has an Info: nothing is tested")
	}

	p := open(t, annotate.Options{Data: annotatetest.Data(t, 4), Dir: dir, Learner: func() (annotate.Learner, error) {
		return annotate.Networks(ref.New(1)), nil
	}})
	if s := must(p.Dashboard.Summary(t.Context())); s.Labelled != 7 || s.Model == nil || s.Model.Version != 2 || !s.Lockstep || p.Config.Train.Width != 2 {
		t.Errorf("summary: %+v", s)
	}
	// What the older program has written has its English text alone; what it was is known all the same.
	for _, line := range must(p.Dashboard.History(t.Context(), 1000)) {
		if line.What == nil || len(line.Said) > 0 || line.Action == "label" && line.Detail == "" {
			t.Errorf("%s of the older program: %+v", line.Action, line)
		}
	}
	for _, m := range must(p.Dashboard.Models(t.Context())) {
		if m.Reason == "" || len(m.Said) > 0 {
			t.Errorf("model of the older program: %+v", m)
		}
	}
	// What was queued is queued still, and its labels can be reviewed: one that is sent back comes first.
	eva := annotate.Anybody("eva")
	cases := must(p.Reviews.Cases(t.Context(), eva))
	if len(cases) == 0 || cases[0].Waiting != cases[0].Labelled {
		t.Fatalf("reviews: %+v", cases)
	}
	label := must(p.Reviews.Items(t.Context(), eva, cases[0].Case))[0]
	item := must(p.Cases.Item(label.Item))
	if err := p.Reviews.Item(t.Context(), eva, item, annotate.Judgement{Status: annotate.ReviewReturned, Note: "too small"}); err != nil {
		t.Fatal(err)
	}
	if task := must(p.Queue.Next(t.Context(), eva, nil)); task.Item != label.Item || task.Review == nil || task.Review.Note != "too small" {
		t.Errorf("sent back: %+v", task)
	}
	if err := p.Reviews.Item(t.Context(), eva, item, annotate.Judgement{Status: annotate.ReviewAccepted}); err != nil {
		t.Fatal(err)
	}
	for len(p.models()) < 3 {
		p.label(ana)
	}
	m, err := model.Load(ref.New(1), file)
	if err != nil || m.Slices != 5 || m.Cases != 2 || m.Orientation != "LPS" || m.Preset != "demo" || m.Classes[1] != p.Config.Classes[1].Name {
		t.Errorf("the completed file: %+v, %v", m, err)
	}
	if m := p.models()[2]; m.Labelled != 7 || m.Previous == nil || *m.Previous < 0.1 {
		t.Errorf("the next model: %+v", m)
	}
}
