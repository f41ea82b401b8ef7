package annotate_test

import (
	"errors"
	"testing"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/annotatetest"
)

// review gives a verdict on a label, and save saves a label anew, as it is in truth.
func (p *project) review(item annotate.Item, status string) {
	p.t.Helper()
	if err := p.Reviews.Item(p.t.Context(), annotate.Anybody("eva"), item, annotate.Judgement{Status: status, Note: "look again"}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *project) save(item annotate.Item) {
	p.t.Helper()
	if _, err := p.Labels.Save(p.t.Context(), ana, annotate.Answer{Item: item, Mask: p.mask(item), Action: annotate.Edited}); err != nil {
		p.t.Fatal(err)
	}
}

// modelOn waits for a model, which must have learnt from so many labels.
func (p *project) modelOn(version, labels int) {
	p.t.Helper()
	until(p.t, "a training", func() bool {
		last, known := p.Trainings.Last()
		return len(p.models()) >= version && known && last.Status == annotate.TrainingDone
	})
	if m := p.models(); len(m) != version || m[version-1].Labelled != labels {
		p.t.Fatalf("%d models, the last on %d labels; want %d, on %d", len(m), m[len(m)-1].Labelled, version, labels)
	}
}

// Where every slice is labelled, corrections leave the number of labels as it is, and are learnt from all the same.
func TestCorrectionsAreLearnt(t *testing.T) {
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 2), Learner: (&annotatetest.Learner{}).New, Change: func(c *annotate.Config) {
		c.InitialSize, c.QuerySize, c.Masks, c.ValidationShare = 4, 10, annotate.MasksAll, 0
	}})
	eva, first, second := annotate.Anybody("eva"), annotate.Item{Case: "c0", Slice: 2}, annotate.Item{Case: "c1", Slice: 3}
	p.modelOn(1, 12)
	if _, err := p.Trainings.Start(t.Context(), eva); !errors.Is(err, annotate.ErrConflict) {
		t.Errorf("a training with nothing new: %v", err)
	}
	p.review(first, annotate.ReviewReturned)
	p.review(second, annotate.ReviewReturned)
	p.save(first)
	if _, err := p.Trainings.Start(t.Context(), eva); err != nil {
		t.Fatal(err)
	}
	p.modelOn(2, 12)
	p.save(second) // the last one: nothing more is to come
	p.modelOn(3, 12)
	p.review(first, annotate.ReviewRejected)
	p.modelOn(4, 11)
	p.review(second, annotate.ReviewAccepted)
	if _, err := p.Trainings.Start(t.Context(), eva); !errors.Is(err, annotate.ErrConflict) {
		t.Errorf("a training with nothing new: %v", err)
	}
}

// Labels that are rejected are new to the model that saw them, and are not made up for by new ones first.
func TestRejectionsCountAsNew(t *testing.T) {
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 6), Learner: (&annotatetest.Learner{}).New, Change: func(c *annotate.Config) {
		c.InitialSize, c.QuerySize, c.Masks, c.ValidationShare = 10, 10, annotate.MasksIgnore, 0
	}})
	var items []annotate.Item
	for range 10 {
		item, _ := p.label(ana)
		items = append(items, item)
	}
	p.modelOn(1, 10)
	for _, item := range items[:4] {
		p.review(item, annotate.ReviewRejected)
	}
	p.next(ana)
	p.label(ana) // the fifth that is new is half a query
	p.modelOn(2, 7)
}

// A training that was stopped begins again once a label is another one, also where their number is the same.
func TestStoppedTrainingWaitsForAnotherLabel(t *testing.T) {
	learner := &annotatetest.Learner{Wait: make(chan struct{})}
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 6), Learner: learner.New, Change: func(c *annotate.Config) {
		c.InitialSize, c.QuerySize, c.Masks, c.ValidationShare = 3, 10, annotate.MasksIgnore, 0
	}})
	running := func() bool {
		last, known := p.Trainings.Last()
		return known && last.Status == annotate.TrainingRunning
	}
	item, _ := p.label(ana)
	p.label(ana)
	p.label(ana)
	until(t, "a training", running)
	if _, err := p.Trainings.Stop(t.Context(), annotate.Anybody("eva")); err != nil {
		t.Fatal(err)
	}
	p.save(item)
	until(t, "a training", running)
	learner.Wait <- struct{}{}
	p.modelOn(1, 3)
}
