package annotate_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/annotatetest"
	"github.com/nextslice/nextslice/annotate/store"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/query"
	cycles "github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/tensor/ref"
	"github.com/nextslice/nextslice/train"
	"github.com/nextslice/nextslice/train/recipe"
)

// Strategies that need more of a network than scores ask people as well: each project trains real networks, of a few steps, and queries.
func TestPeopleAreAskedByEveryKindOfStrategy(t *testing.T) {
	strategies := []string{"clasp", "batchbald(passes=2,samples=8)", "usim", "usim-u+sb", "core-set", "badge", "typiclust", "typiclust(features=vae,steps=3)", "vaal(steps=3)+sb", "ta-vaal(steps=3)",
		"ensemble(members=2)", "suggestive-annotation", "clasp(members=2)", "learning-loss", "dutp(members=2)+sb", "random", "strided", "entropy+sb", "least-confidence+top", "margin+power",
		"dropout(passes=2)+softmax", "tta(passes=2)+softrank", "ceal"}
	for _, s := range query.List() {
		if !slices.ContainsFunc(strategies, func(name string) bool {
			return slices.Contains(strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("+(", r) }), s.Name)
		}) &&
			s.Name != "random-hidden-foreground" {
			t.Errorf("%s is not tried", s.Name)
		}
	}
	for _, strategy := range strategies {
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

// A damaged label is left out, by strategies too that go by all labels: the project goes on.
func TestStrategiesLeaveOutADamagedLabel(t *testing.T) {
	for _, strategy := range []string{"usim", "vaal(steps=3)", "core-set"} {
		o := annotate.Options{
			Data: annotatetest.Data(t, 4), Dir: filepath.Join(t.TempDir(), "project"), Learner: func() (annotate.Learner, error) { return annotate.Networks(ref.New(1)), nil },
			Change: func(c *annotate.Config) {
				small(c)
				c.Preset, c.Strategy, c.Lockstep, c.ValidationShare = "demo", strategy, true, 0
				c.Preprocess.Input = preprocess.Input{}
				c.Train.Width, c.Train.Steps, c.Train.LearningRate.Epochs, c.Train.Dropout = 2, 3, 0, 0.5
			},
		}
		p := open(t, o)
		for len(p.models()) == 0 {
			p.label(ana)
			time.Sleep(time.Millisecond)
		}
		p.close()
		execute(t, o.Dir, `UPDATE versions SET mask = x'00' WHERE id = (SELECT min(id) FROM versions)`)
		os.Remove(filepath.Join(o.Dir, "project.seal"))
		p = open(t, o)
		until(t, strategy+": a second model", func() bool { p.label(ana); return len(p.models()) == 2 })
		p.stop()
	}
}

// spy is a learner of networks that tell what they are asked.
type spy struct {
	annotate.Learner
	asked func(c model.Candidates)
}

type spied struct {
	annotate.Network
	asked func(c model.Candidates)
}

func (s spy) Train(ctx context.Context, c train.Config, p preprocess.Config, data train.Set, seed uint64, progress func(train.Progress)) (annotate.Network, error) {
	n, err := s.Learner.Train(ctx, c, p, data, seed, progress)
	return spied{n, s.asked}, err
}

func (s spy) Load(path string, info model.Info) (annotate.Network, error) {
	n, err := s.Learner.Load(path, info)
	return spied{n, s.asked}, err
}

func (s spied) Pool(_ context.Context, _ query.Spec, c model.Candidates) query.Pool {
	s.asked(c)
	return query.Pool{
		N: len(c.Images), Features: func() ([][]float32, error) { return c.Images, nil }, LabelledFeatures: func() ([][]float32, error) { return c.Labelled, nil },
	}
}

// For strategies that keep away from what is labelled, so is what waits for an answer, in a query and whenever the queue is filled.
func TestWhatIsAskedForCountsAsLabelled(t *testing.T) {
	const all = 6 * 6
	learner := &annotatetest.Learner{Wait: make(chan struct{}, 1)}
	learner.Wait <- struct{}{} // the first training ends, no other
	var asked atomic.Int64
	p := open(t, annotate.Options{
		Data: annotatetest.Data(t, 6), Learner: func() (annotate.Learner, error) {
			l, err := learner.New()
			return spy{l, func(c model.Candidates) {
				asked.Add(1)
				if n := len(c.Labelled) + len(c.Images); n != all {
					t.Errorf("query %d: %d candidates and %d others, want %d together", asked.Load(), len(c.Images), len(c.Labelled), all)
				}
			}}, err
		},
		Change: func(c *annotate.Config) {
			small(c)
			c.Strategy, c.ValidationShare = "core-set", 0
		},
	})
	labelled := 0 // the initial set, so that slices are left to ask for however long the first training takes
	until(t, "a first query", func() bool {
		if labelled < p.Config.InitialSize {
			if _, ok := p.label(ana); ok {
				labelled++
			}
		}
		return asked.Load() >= 1
	})
	until(t, "three queries", func() bool { p.label(ana); return asked.Load() >= 3 })
}

// Typical slices are chosen as soon as the slices are loaded: two projects begin alike, and not as a random one does.
func TestColdStartByTypicalSlices(t *testing.T) {
	data := annotatetest.Data(t, 6)
	begin := func(rule string, seed uint64) (items []annotate.Item) {
		p := open(t, annotate.Options{Data: data, Change: func(c *annotate.Config) {
			small(c)
			c.ColdStart, c.Seed, c.ValidationShare = rule, seed, 0
		}, Learner: func() (annotate.Learner, error) { return annotate.Networks(ref.New(1)), nil }})
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
	latent := begin("typiclust(features=vae,steps=3)", 1)
	if again := begin("typiclust(features=vae,steps=3)", 1); !slices.Equal(latent, again) || slices.Equal(latent, first) {
		t.Errorf("by an autoencoder %v, then %v; by pixels %v", latent, again, first)
	}
	inner := slices.DeleteFunc(slices.Clone(first), func(i annotate.Item) bool { return i.Slice == 0 || i.Slice == 5 })
	if len(inner) == 0 || len(inner) == 4 {
		t.Errorf("typical slices %v: want some with the ball and some without", first)
	}
}

// CEAL's pseudo-labels are learnt beside the labels, of items that nobody has labelled or is asked for, also after a restart; without their file the labels alone are.
func TestPseudoLabels(t *testing.T) {
	for name, c := range map[string]struct {
		strategy string
		more     bool
		remove   bool
	}{
		"taken": {"ceal(delta=0.6,decay=0)", true, false}, "none are sure": {"ceal(delta=0.01)", false, false}, "lost": {"ceal(delta=0.6,decay=0)", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			learner := &annotatetest.Learner{}
			options := annotate.Options{Data: annotatetest.Data(t, 5), Dir: t.TempDir() + "/project", Learner: learner.New, Change: func(config *annotate.Config) {
				small(config)
				config.Strategy, config.Lockstep, config.ValidationShare = c.strategy, true, 0
			}}
			p := open(t, options)
			for len(p.models()) == 0 {
				p.label(ana)
				time.Sleep(time.Millisecond)
			}
			p.close()
			files, _ := filepath.Glob(filepath.Join(options.Dir, "models", "pseudo-*.json"))
			if len(files) != 1 {
				t.Fatalf("files of pseudo-labels: %v", files)
			}
			if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", files[0], info.Mode(), err)
			}
			found, err := cycles.ReadPseudo(files[0], p.Config.Preprocess.Height*p.Config.Preprocess.Width)
			if err != nil || (len(found.Names) == 22) != (name != "none are sure") { // 30 slices but for 4 that are labelled and 4 that are asked for
				t.Errorf("%d pseudo-labels, %v", len(found.Names), err)
			}
			if c.remove {
				if err := os.Remove(files[0]); err != nil {
					t.Fatal(err)
				}
			}
			p = open(t, options)
			for len(p.models()) < 2 {
				p.label(ana)
				time.Sleep(time.Millisecond)
			}
			// 30 slices: 4 labelled first, then 4 more; those left when the query was asked are 22.
			want := 8
			if c.more {
				want = 30
			}
			if got := learner.Trained(); got[0] != 4 || got[1] != want {
				t.Errorf("trained on %v slices, want 4 and %d", got, want)
			}
		})
	}
}

// Each filling of the queue within a cycle draws anew which items are read twice.
func TestFillingsAreIndependent(t *testing.T) {
	learner := &annotatetest.Learner{Wait: make(chan struct{})} // no training ends
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 8), Learner: learner.New, Change: func(c *annotate.Config) {
		c.InitialSize, c.QuerySize, c.Masks, c.ValidationShare, c.DoubleReading = 4, 12, annotate.MasksIgnore, 0, 0.5
	}})
	var fills []int // readings
	until(t, "two fillings", func() bool {
		p.label(ana)
		p.label(ben)
		fills = nil
		for _, row := range must(p.Store().Queue(t.Context(), true)) {
			if row.Kind == store.KindFill && row.Cycle == -1 {
				fills = append(fills, row.Readings)
			}
		}
		return len(fills) >= 24
	})
	if slices.Equal(fills[:12], fills[12:24]) {
		t.Errorf("both fillings are read %v times", fills[:12])
	}
}

// What one person has read waits for another, and is no work for the first: with nobody else there they go on with new slices, each once.
func TestOneReaderAlone(t *testing.T) {
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 4), Change: func(c *annotate.Config) {
		c.InitialSize, c.QuerySize, c.Masks, c.ValidationShare, c.DoubleReading = 4, 4, annotate.MasksIgnore, 0, 1
	}})
	seen := map[annotate.Item]bool{}
	until(t, "every slice", func() bool {
		if item, there := p.label(ana); there && seen[item] {
			t.Fatalf("%s is asked for again", item)
		} else if there {
			seen[item] = true
		}
		return len(seen) == 24
	})
}

// A query gives up none of its picks for slices that one person has read already.
func TestQueryLeavesReadSlicesAlone(t *testing.T) {
	learner := &annotatetest.Learner{}
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 4), Learner: learner.New, Change: func(c *annotate.Config) {
		c.InitialSize, c.QuerySize, c.Masks, c.ValidationShare, c.DoubleReading = 4, 12, annotate.MasksIgnore, 0, 0.6
	}})
	until(t, "labels", func() bool {
		p.label(ana)
		return must(p.Dashboard.Summary(t.Context())).Labelled == 4
	})
	until(t, "a model", func() bool { return len(p.models()) == 1 })
	asked, read := 0, 0
	for _, row := range must(p.Store().Queue(t.Context(), true)) {
		if row.Kind == store.KindQuery && row.Cycle == 0 {
			asked++
		}
		if row.Read {
			read++
		}
	}
	if want := min(12, 24-4-read); asked != want || read == 0 {
		t.Errorf("%d slices are asked for, want %d; %d are read once", asked, want, read)
	}
}

// Slices that are spread evenly come in no order, for a query is seldom answered to its end: by case, the upper slices of a case would be asked for last.
func TestStridedComesInNoOrder(t *testing.T) {
	learner := &annotatetest.Learner{}
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 4), Learner: learner.New, Change: func(c *annotate.Config) {
		small(c)
		c.Strategy, c.QuerySize, c.ValidationShare = "strided", 12, 0
	}})
	var asked []annotate.Item
	labelled := 0
	until(t, "a query", func() bool {
		if labelled < p.Config.InitialSize {
			if _, ok := p.label(ana); ok {
				labelled++
			}
		}
		asked = nil
		for _, row := range must(p.Store().Queue(t.Context(), true)) {
			if row.Kind == store.KindQuery && row.Cycle == 0 {
				asked = append(asked, row.Item)
			}
		}
		return len(asked) > 0
	})
	last, lower := map[string]int{}, 0 // slices below one of their case before them
	for _, item := range asked {
		if at, ok := last[item.Case]; ok && item.Slice < at {
			lower++
		}
		last[item.Case] = item.Slice
	}
	if len(asked) != 12 || lower == 0 {
		t.Errorf("asked for %v", asked)
	}
}

// A strategy that cannot work with the project's training is refused before anybody labels.
func TestStrategyThatTheTrainingCannotServe(t *testing.T) {
	for strategy, change := range map[string]func(*annotate.Config){
		"ceal":       func(c *annotate.Config) { c.Train.Batch = 1 },
		"dropout+sb": func(c *annotate.Config) { c.Train.Dropout = 0 },
		"clasp":      func(c *annotate.Config) { c.Train.Loss.Kind = recipe.Sigmoid },
		"batchbald":  func(c *annotate.Config) { c.Train.Loss.Kind = recipe.Sigmoid },
	} {
		err := tryOpen(t, annotate.Options{Data: annotatetest.Data(t, 2), Dir: filepath.Join(t.TempDir(), "project"), Classes: []string{"organ", "lesion"}, Change: func(c *annotate.Config) {
			small(c)
			c.Strategy = strategy
			change(c)
		}})
		if err == nil || !strings.Contains(err.Error(), "strategy "+strategy+": ") {
			t.Errorf("%s: %v", strategy, err)
		}
	}
}
