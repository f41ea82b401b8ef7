package annotate_test

import (
	"bytes"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/annotatetest"
	"github.com/nextslice/nextslice/annotate/store"
	runs "github.com/nextslice/nextslice/record"
)

// train labels until there are so many models, at most so many slices for each: however slow the training, some are left for the next.
func (p *project) train(models, most int) {
	p.t.Helper()
	since, have := 0, 0
	until(p.t, "models", func() bool {
		if n := len(p.models()); n > have {
			have, since = n, 0
		}
		if have < models && since < most {
			if _, ok := p.label(ana); ok {
				since++
			}
		}
		return have >= models
	})
}

// first is true of the first training.
func first() func(int) bool {
	n := 0
	return func(int) bool { n++; return n == 1 }
}

// Every model is judged on the validation labels as they are now, whenever it was trained: a first one that was lucky with few labels
// does not look better than later ones.
func TestModelsAreJudgedOnTheSameLabels(t *testing.T) {
	// The first model calls every other bright pixel class 1, the later ones all.
	learner := &annotatetest.Learner{Bad: first()}
	data := annotatetest.Data(t, 6)
	p := open(t, annotate.Options{Data: data, Learner: learner.New, Change: func(c *annotate.Config) {
		small(c)
		c.ValidationCases, c.ValidationShare = []string{"c4", "c5"}, 0.5
	}})
	p.train(3, 9)
	curves := must(p.Dashboard.Curves(t.Context()))
	models := must(p.Dashboard.Models(t.Context()))
	if len(curves.Cycles) < 3 || curves.Judged.Labels == 0 || curves.Judged.Foreground == 0 || curves.Judged.Foreground > curves.Judged.Labels || curves.Judged.Cases == 0 {
		t.Fatalf("%+v", curves)
	}
	first, last := curves.Cycles[0].ValidationDice, curves.Cycles[len(curves.Cycles)-1].ValidationDice
	if first == nil || last == nil || *first >= *last || *models[0].ValidationDice != *first {
		t.Errorf("first model %v, last %v; listed %v", first, last, models[0].ValidationDice)
	}
	for _, c := range curves.Cycles[1:] { // the same network: the same Dice, whatever labels there were in its time
		if *c.ValidationDice != *last {
			t.Errorf("cycle %d has %v, the last %v", c.Cycle, *c.ValidationDice, *last)
		}
	}
	// It is so again when the project is opened anew.
	p.close()
	q := open(t, annotate.Options{Data: data, Dir: p.Dir(), Learner: learner.New})
	until(t, "the models are judged", func() bool {
		again := must(q.Dashboard.Curves(t.Context()))
		return again.Judged.Labels >= curves.Judged.Labels && again.Cycles[0].ValidationDice != nil && *again.Cycles[0].ValidationDice < *again.Cycles[1].ValidationDice
	})
}

// The record has the Dices by which the page compares the models, also after a validation label was corrected, and the number of cases behind them. Where nobody has judged
// them yet it stays as it is.
func TestRecordIsJudgedOnTheSameLabels(t *testing.T) {
	learner := &annotatetest.Learner{Bad: first()}
	data := annotatetest.Data(t, 6)
	p := open(t, annotate.Options{Data: data, Learner: learner.New, Change: func(c *annotate.Config) {
		small(c)
		c.ValidationCases, c.ValidationShare = []string{"c3", "c4", "c5"}, 0.3
	}})
	dir := filepath.Join(p.Dir(), "record")
	same := func(p *project) bool {
		x, err := runs.ReadExport(dir)
		curves := must(p.Dashboard.Curves(t.Context()))
		if err != nil || len(x.Runs) != 1 || len(x.Runs[0].Cycles) != len(curves.Cycles) || len(curves.Cycles) == 0 || curves.Judged.Foreground == 0 {
			return false
		}
		for i, c := range x.Runs[0].Cycles {
			want := curves.Cycles[i].ValidationDice
			if got := c.Measures.Mean.Dice3D; want == nil || got.Value != *want || got.N != curves.Judged.Cases || c.Measures.Cases != curves.Judged.Cases {
				return false
			}
		}
		return true
	}
	p.train(2, 9)
	for _, name := range []string{"c3", "c4"} { // c5 may have no label
		item := annotate.Item{Case: name, Slice: 2}
		save(t, p, item, bytes.Repeat([]byte{0, 1}, 60)) // other labels than in the time of the first models
	}
	p.train(3, 9)
	until(t, "the record says the same", func() bool { return same(p) })
	p.close()
	q := open(t, annotate.Options{Data: data, Dir: p.Dir(), Learner: learner.New})
	until(t, "the models are judged", func() bool { return same(q) })
	q.close()
	before := tree(t, dir)
	open(t, annotate.Options{Data: data, Dir: p.Dir()}).close()
	if after := tree(t, dir); !maps.Equal(before, after) {
		t.Error("a project that nobody has judged writes another record")
	}
}

// While few validation slices show anything, nobody is told to stop.
func TestNoStopOnFewValidationLabels(t *testing.T) {
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 6), Learner: (&annotatetest.Learner{}).New, Change: func(c *annotate.Config) {
		small(c)
		c.ValidationCases, c.ValidationShare = []string{"c5"}, 0.1
	}})
	p.train(5, 5) // all have the same Dice: a flat curve
	s := must(p.Dashboard.Summary(t.Context()))
	left := s.Items - s.Labelled
	if left > 6 && s.Stop.Suggested {
		t.Errorf("stop suggested: %s", s.Stop.Reason)
	}
	until(t, "why not", func() bool {
		s := must(p.Dashboard.Summary(t.Context()))
		return strings.Contains(s.Stop.Reason, "validation slices with foreground") || s.Stop.Suggested && strings.Contains(s.Stop.Reason, "Every slice")
	})
}

// A model that finds nothing is not put into use, and one that is not good enough is an outline.
func TestUselessModelsDoNotPropose(t *testing.T) {
	learner := &annotatetest.Learner{Blind: first()}
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 8), Learner: learner.New, Change: func(c *annotate.Config) {
		small(c)
		c.ValidationCases, c.ValidationShare = []string{"c6", "c7"}, 0.5
	}})
	s := must(p.Dashboard.Summary(t.Context()))
	if s.UntilModel == nil || *s.UntilModel != 4 {
		t.Errorf("until the first model: %v, want 4", s.UntilModel)
	}
	p.train(2, 9)
	models := p.models()
	if first := models[0]; first.Adopted || !strings.Contains(first.Reason, "finds next to nothing") {
		t.Errorf("the blind model: %+v", first)
	}
	var task *annotate.Task
	waited := 0 // a slow machine proposes later than a test labels, and the slices come to an end
	until(t, "a training slice with a proposal", func() (ok bool) {
		var err error
		if task, err = p.Queue.Next(t.Context(), ana, nil); errors.Is(err, store.ErrNotFound) {
			return false
		} else if err != nil {
			t.Fatal(err)
		}
		if task.Proposal {
			return true
		}
		if waited++; waited%100 == 0 || strings.HasPrefix(task.Item, "c6/") || strings.HasPrefix(task.Item, "c7/") {
			p.label(ana)
		}
		return false
	})
	until(t, "a perfect model that draws", func() bool {
		known := must(p.Dashboard.Curves(t.Context())).Judged.Foreground >= 3
		if task = must(p.Queue.Task(t.Context(), ana, must(p.Cases.Item(task.Item)))); known {
			return !task.Outline && task.Note == ""
		}
		p.label(ana)
		return false
	})
	if task.Outline {
		t.Errorf("a perfect model is an outline: %+v", task)
	}
}

func TestPoorModelsAreOutlines(t *testing.T) {
	for name, c := range map[string]struct {
		learner *annotatetest.Learner
		outline bool
		note    string
	}{
		"every other pixel, Dice about 0.67": {&annotatetest.Learner{Bad: func(int) bool { return true }}, false, ""},
		"a corner":                           {&annotatetest.Learner{Poor: func(int) bool { return true }}, true, "not good enough"},
	} {
		p := open(t, annotate.Options{Data: annotatetest.Data(t, 6), Learner: c.learner.New, Change: func(c *annotate.Config) {
			small(c)
			c.ValidationCases, c.ValidationShare = []string{"c4", "c5"}, 0.5
		}})
		until(t, "a model that is used", func() bool {
			if s := must(p.Dashboard.Summary(t.Context())); s.Model != nil {
				return true
			}
			p.label(ana)
			return false
		})
		var task *annotate.Task
		until(t, "a proposal of a model that is known", func() bool {
			known := must(p.Dashboard.Curves(t.Context())).Judged.Foreground >= 3
			task = must(p.Queue.Task(t.Context(), ana, annotate.Item{Case: "c0", Slice: 0}))
			still := must(p.Dashboard.Curves(t.Context())).Judged.Foreground < 3
			if task.Proposal && !known && still && (!task.Outline || !strings.Contains(task.Note, "not known yet")) {
				t.Errorf("%s: a model of which little is known: outline %v, %q", name, task.Outline, task.Note)
			}
			if !known {
				p.label(ana)
			}
			return task.Proposal && known
		})
		if task.Outline != c.outline || !strings.Contains(task.Note, c.note) {
			t.Errorf("%s: %v proposal %v, outline %v, note %q", name, p.models()[0], task.Proposal, task.Outline, task.Note)
		}
		task = must(p.Queue.Task(t.Context(), ana, annotate.Item{Case: "c4", Slice: 0}))
		if task.Proposal || !strings.Contains(task.Note, "tests the model") {
			t.Errorf("%s: validation: %v, %q", name, task.Proposal, task.Note)
		}
		p.close()
	}
}

// Whoever holds the rest of a small initial set does not keep others from labelling, nor the model from its first training.
func TestTrainingStartsWhoeverHoldsTheRest(t *testing.T) {
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 6), Learner: (&annotatetest.Learner{}).New, Change: func(c *annotate.Config) {
		c.InitialSize, c.QuerySize, c.Masks, c.ValidationShare = 3, 1, annotate.MasksIgnore, 0
	}})
	held := must(p.Queue.Next(t.Context(), ben, nil)) // and goes home
	until(t, "a model", func() bool {
		item, ok := p.label(ana)
		if ok && item.String() == held.Item {
			t.Fatal("ana was given what ben holds")
		}
		return len(p.models()) > 0
	})
	if err := p.Queue.Release(t.Context(), ben, must(p.Cases.Item(held.Item))); err != nil {
		t.Fatal(err)
	}
}

// The first trainings are short; those of a lockstep project are those of a simulation.
func TestFirstTrainingsAreShort(t *testing.T) {
	for _, c := range []struct {
		lockstep bool
		steps    int
		want     []int
	}{{false, 10000, []int{2500, 5000, 10000}}, {false, 2400, []int{1000, 1200, 2400}}, {false, 300, []int{300, 300, 300}}, {true, 10000, []int{10000, 10000, 10000}}} {
		learner := &annotatetest.Learner{}
		p := open(t, annotate.Options{Data: annotatetest.Data(t, 6), Learner: learner.New, Change: func(config *annotate.Config) {
			small(config)
			config.Lockstep = c.lockstep
			config.Train.Steps = c.steps
		}})
		p.train(3, 8)
		if got := learner.StepsOf()[:3]; !slices.Equal(got, c.want) {
			t.Errorf("lockstep %v, %d steps: took %v, want %v", c.lockstep, c.steps, got, c.want)
		}
		p.close()
	}
}

// People find their unfinished masks again, and others are told of them and get them last.
func TestDraftsAndLeases(t *testing.T) {
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 4), Change: func(c *annotate.Config) { small(c); c.ValidationShare = 0 }})
	first := must(p.Queue.Next(t.Context(), ana, nil))
	item := must(p.Cases.Item(first.Item))
	if err := p.Labels.SaveDraft(t.Context(), ana, item, make([]uint8, 120), 0); err != nil {
		t.Fatal(err)
	}
	if drafts := must(p.Queue.Drafts(t.Context(), ana)); len(drafts) != 1 || drafts[0].Item != first.Item || drafts[0].When.IsZero() {
		t.Errorf("drafts of ana: %+v", drafts)
	}
	if drafts := must(p.Queue.Drafts(t.Context(), ben)); len(drafts) != 0 {
		t.Errorf("drafts of ben: %+v", drafts)
	}
	if _, err := p.Queue.Hold(t.Context(), ben, item); !errors.Is(err, annotate.ErrConflict) {
		t.Errorf("ben holds what ana has: %v", err)
	}
	if err := p.Queue.Release(t.Context(), ana, item); err != nil { // she goes home
		t.Fatal(err)
	}
	second := must(p.Queue.Next(t.Context(), ben, nil))
	if second.Item == first.Item {
		t.Errorf("ben was given %s, which ana has begun, before all others", second.Item)
	}
	task := must(p.Queue.Task(t.Context(), ben, item))
	if task.Draft || len(task.Drafts) != 1 || task.Drafts[0].Person != "ana" {
		t.Errorf("ben is told of %+v", task.Drafts)
	}
	lease, err := p.Queue.Hold(t.Context(), ben, item)
	if err != nil || lease.Person != "ben" || time.Until(lease.Until) < 10*time.Minute {
		t.Errorf("%+v, %v", lease, err)
	}
}

// How far each case is.
func TestCaseStates(t *testing.T) {
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 3), Change: func(c *annotate.Config) { small(c); c.ValidationShare = 0 }})
	for k := range 6 {
		answer := annotate.Answer{Item: annotate.Item{Case: "c1", Slice: k}, Mask: make([]uint8, 120), Action: annotate.Empty}
		if _, err := p.Labels.Save(t.Context(), ana, answer); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Queue.Skip(t.Context(), ana, annotate.Item{Case: "c2", Slice: 0}, "cut off", 1); err != nil {
		t.Fatal(err)
	}
	states := must(p.Dashboard.States(t.Context()))
	if len(states) != 3 || states[1].Case != "c1" || !states[1].Done || states[1].Labelled != 6 || states[1].Next != nil {
		t.Errorf("%+v", states)
	}
	if s := states[2]; s.Done || s.Skipped != 1 || s.Slices != 6 || s.Next == nil || *s.Next == 0 || s.Use != "training" {
		t.Errorf("%+v", s)
	}
	waiting := 0
	for _, s := range states {
		waiting += s.Waiting
	}
	if summary := must(p.Dashboard.Summary(t.Context())); waiting != summary.Queue || waiting == 0 {
		t.Errorf("%d wait, the summary has %d", waiting, summary.Queue)
	}
}
