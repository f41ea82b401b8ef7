package annotate_test

import (
	"slices"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/annotatetest"
	"github.com/nextslice/nextslice/annotate/store"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/tensor/ref"
)

// Strategies that need more of a network than scores ask people as well: each project trains real networks, of a few steps, and queries.
func TestPeopleAreAskedByEveryKindOfStrategy(t *testing.T) {
	for _, strategy := range []string{"clasp", "batchbald(passes=2,samples=8)", "usim", "usim-u+sb", "core-set", "badge", "typiclust"} {
		t.Run(strategy, func(t *testing.T) {
			p := open(t, annotate.Options{
				Data: annotatetest.Data(t, 4), Learner: func() (annotate.Learner, error) { return annotate.Networks(ref.New(1)), nil },
				Change: func(c *annotate.Config) {
					small(c)
					c.Preset, c.Strategy, c.ColdStart, c.Lockstep = "demo", strategy, annotate.ColdTypiClust, true
					c.Preprocess.Input = preprocess.Input{}
					c.Train.Width, c.Train.Steps, c.Train.LearningRate.Epochs, c.Train.Dropout = 2, 3, 0, 0.5
				},
			})
			for len(p.models()) == 0 {
				p.label(ana)
				time.Sleep(time.Millisecond)
			}
			rows := must(p.Store().Queue(t.Context(), true))
			asked := map[int]int{}
			for _, row := range rows {
				if row.Purpose == store.ForTraining && row.Kind == store.KindQuery {
					asked[row.Cycle]++
				}
			}
			if asked[-1] != 4 || asked[0] != 4 {
				t.Errorf("asked for %v: want an initial set and a query of 4", asked)
			}
		})
	}
}

// Typical slices are chosen as soon as the slices are loaded: two projects begin alike, and not as a random one does.
func TestColdStartByTypicalSlices(t *testing.T) {
	data := annotatetest.Data(t, 6)
	begin := func(rule string, seed uint64) (items []annotate.Item) {
		p := open(t, annotate.Options{Data: data, Change: func(c *annotate.Config) {
			small(c)
			c.ColdStart, c.Seed, c.ValidationShare = rule, seed, 0
		}})
		until(t, "the initial set", func() bool {
			items = nil
			for _, row := range must(p.Store().Queue(t.Context(), true)) {
				items = append(items, row.Item)
			}
			return len(items) == 4
		})
		return items
	}
	first := begin(annotate.ColdTypiClust, 1)
	if again := begin(annotate.ColdTypiClust, 1); !slices.Equal(first, again) {
		t.Errorf("typical slices %v, then %v", first, again)
	}
	if random := begin(annotate.ColdRandom, 1); slices.Equal(first, random) {
		t.Errorf("typical slices are the random ones: %v", first)
	}
	inner := slices.DeleteFunc(slices.Clone(first), func(i annotate.Item) bool { return i.Slice == 0 || i.Slice == 5 })
	if len(inner) == 0 || len(inner) == 4 {
		t.Errorf("typical slices %v: want some with the ball and some without", first)
	}
}
