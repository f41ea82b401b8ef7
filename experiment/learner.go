package experiment

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/train"
	"github.com/nextslice/nextslice/uncertainty"
	"github.com/nextslice/nextslice/unet"
)

// learner trains the networks of one run, on one engine. It is the run's active.Learner.
type learner struct {
	config Config
	data   *data
	folder *Folder
	engine tensor.Engine
	set    int         // the initial set
	score  query.Score // what the strategy ranks by; Name "" if nothing
	report func(phase, done, of int, loss float64)

	cycle  int
	net    *unet.Net
	timing Timing
}

// Train trains a network from scratch. In cycle 0 it takes the model that all strategies of the initial set share.
func (l *learner) Train(ctx context.Context, cycle int, labelled []int) error {
	begin := time.Now()
	l.cycle, l.timing = cycle, Timing{Cycle: cycle}
	if cycle == 0 {
		net, err := unet.Load(l.engine, l.folder.initialModel(l.set))
		l.net = net
		return err
	}
	return l.train(ctx, labelled, begin)
}

func (l *learner) train(ctx context.Context, labelled []int, begin time.Time) error {
	defer func() { l.timing.Train = time.Since(begin).Seconds() }()
	seed := l.config.trainingSeed(l.set, l.cycle)
	r, err := train.Run(ctx, l.engine, l.config.Train, l.data.subset(labelled), seed, func(p train.Progress) {
		l.report(phaseTrain, p.Step, p.Of, p.Loss)
	})
	if err != nil {
		return err
	}
	l.net = r.Net
	return nil
}

// trainInitial trains, evaluates and stores the model of cycle 0, unless a run before has done so.
func (l *learner) trainInitial(ctx context.Context) error {
	if _, err := os.Stat(l.folder.initialMeasures(l.set)); err == nil {
		return nil
	}
	if err := l.train(ctx, l.config.initialSet(l.set, len(l.data.pool.Names)), time.Now()); err != nil {
		return fmt.Errorf("train on the initial set: %w", err)
	}
	measures, err := l.evaluate(ctx)
	if err != nil {
		return fmt.Errorf("evaluate: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(l.folder.initialModel(l.set)), 0o777); err != nil {
		return err
	}
	if err := l.net.Save(l.folder.initialModel(l.set)); err != nil {
		return err
	}
	return writeJSON(l.folder.initialMeasures(l.set), measures) // last: it says that the model is complete
}

// Evaluate measures the network on the test cases, each on its own grid.
func (l *learner) Evaluate(ctx context.Context) (metrics.Summary, error) {
	if l.cycle == 0 {
		var measures metrics.Summary
		text, err := os.ReadFile(l.folder.initialMeasures(l.set))
		if err != nil {
			return measures, err
		}
		return measures, json.Unmarshal(text, &measures)
	}
	return l.evaluate(ctx)
}

func (l *learner) evaluate(ctx context.Context) (metrics.Summary, error) {
	begin := time.Now()
	defer func() { l.timing.Evaluate = time.Since(begin).Seconds() }()
	d := l.data
	return train.Evaluate(ctx, l.net, d.preprocess, d.classes, metrics.Rules{Empty: l.config.Empty}, d.test, func(done, of int) {
		l.report(phaseEvaluate, done, of, 0)
	})
}

// Pool offers the scores of the unlabelled items, and where they lie.
func (l *learner) Pool(ctx context.Context, unlabelled []int) query.Pool {
	p := query.Pool{N: len(unlabelled), Positions: make([]query.Position, len(unlabelled)), HiddenForeground: make([]bool, len(unlabelled))}
	for i, item := range unlabelled {
		p.Positions[i] = l.data.positions[item]
		p.HiddenForeground[i] = l.data.foreground[item]
	}
	if l.score.Name != "" {
		p.Score = func(items []int) ([]float64, error) { return l.scores(ctx, unlabelled, items) }
	}
	return p
}

func (l *learner) scores(ctx context.Context, unlabelled, items []int) ([]float64, error) {
	begin := time.Now()
	defer func() { l.timing.Score = time.Since(begin).Seconds() }()
	scores := make([]float64, len(items))
	images := make([][]float32, len(items))
	for i, item := range items {
		images[i] = l.data.pool.Images[unlabelled[item]]
	}
	h, w := l.data.preprocess.Height, l.data.preprocess.Width
	rng := random.Stream(l.config.Seed, "score", l.set, l.cycle)
	err := train.Score(ctx, l.net, h, w, images, scoring(l.score), rng, func(i int, score float64) error {
		scores[i] = score
		l.report(phaseScore, i+1, len(items), 0)
		return nil
	})
	return scores, err
}

// canScore returns an error unless scoring can compute the score.
func canScore(s query.Score) error {
	switch s.Name {
	case "", "entropy", "least-confidence", "margin", "dropout":
		return nil
	}
	return fmt.Errorf("a simulation does not compute the score %s", s.Name)
}

// scoring says how a score is computed.
func scoring(s query.Score) train.Scoring {
	c := uncertainty.Config{
		Map:         uncertainty.Map(s.Map),
		Aggregation: uncertainty.Aggregation(s.Aggregation),
		Fraction:    s.Fraction,
		Band:        s.Band,
	}
	if c.Map == "" {
		c.Map = uncertainty.Map(s.Name) // scores of one pass are named as their map
	}
	return train.Scoring{Config: c, Passes: s.Passes, Dropout: s.Name == "dropout"}
}
