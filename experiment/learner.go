package experiment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/train"
)

// learner trains the networks of one run, on one engine. It is the run's active.Learner.
type learner struct {
	config record.Config
	data   *data
	folder *record.Folder
	engine tensor.Engine
	unit   record.Unit
	start  record.Unit // the training of cycle 0 that it shares
	spec   query.Spec  // what is computed for the query
	report func(phase, done, of int, loss float64)
	means  means // of the autoencoder, when a strategy has asked for it

	saveModel bool // of the last cycle
	notice    func(text string)

	cycle      int
	items      []int          // that the network is trained on: the labelled ones and, behind them, copies of some
	labelled   []int          // each once
	unlabelled []int          // that the query chose from
	judged     *active.Critic // of the cycle's query
	states     [][]float32    // of the cycle's ensemble, but for its first member; nil until they are trained
	net        model.Network
	timing     record.Timing
	asked      time.Time // when the query began
}

func (l *learner) streams() active.Streams { return streams(l.config, l.start) }

// learnsLoss tells whether the network is trained with a module that predicts its loss.
func (l *learner) learnsLoss() bool { return l.spec.Score.TrainsModule() }

// Train trains a network from scratch. In cycle 0 it takes the model that strategies of the initial set share.
func (l *learner) Train(ctx context.Context, cycle int, items []int) (err error) {
	l.cycle, l.timing, l.asked = cycle, record.Timing{Cycle: cycle}, time.Time{}
	l.learn(items)
	if cycle > 0 {
		return l.train(ctx)
	}
	l.net, err = model.LoadNetwork(l.engine, l.folder.InitialModel(l.start), l.data.preprocess)
	l.net.Refinement = l.config.Predict
	if err == nil && l.learnsLoss() {
		err = l.net.LoadModule(l.folder.InitialModule(l.start))
	}
	return err
}

// learn notes what the network is trained on.
func (l *learner) learn(items []int) {
	l.items, l.labelled, l.states = items, slices.Compact(slices.Sorted(slices.Values(items))), nil
	l.judged = nil
}

func (l *learner) train(ctx context.Context) error {
	set, err := l.set()
	if err != nil {
		return err
	}
	begin := time.Now()
	defer func() { l.timing.Train = time.Since(begin).Seconds() }()
	run := train.Run
	if l.learnsLoss() {
		run = train.RunLearningLoss
	}
	if l.spec.Score.Critic.Ranked {
		run = train.RunRanker
	}
	r, err := run(ctx, l.engine, l.config.Train, set, l.streams().Training(l.cycle), func(p train.Progress) {
		l.report(phaseTrain, p.Step, p.Of, p.Loss)
	})
	if err != nil {
		return err
	}
	l.net = model.Network{Net: r.Net, Module: r.Module, Preprocess: l.data.preprocess, Refinement: l.config.Predict}
	return nil
}

// trainInitial trains, evaluates and stores the model of cycle 0.
func (l *learner) trainInitial(ctx context.Context) (err error) {
	items, err := l.data.startItems(ctx, l.config, l.start)
	if err != nil {
		return err
	}
	l.learn(items)
	if err := l.train(ctx); err != nil {
		return fmt.Errorf("train on the initial set: %w", err)
	}
	measures, err := l.evaluate(ctx)
	if err != nil {
		return fmt.Errorf("evaluate: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(l.folder.InitialModel(l.start)), 0o700); err != nil {
		return err
	}
	err = l.model().Save(l.folder.InitialModel(l.start))
	if module := l.net.Module; module != nil {
		err = errors.Join(err, module.Save(l.folder.InitialModule(l.start)))
	}
	if err != nil {
		return err
	}
	return l.folder.FinishInitial(l.start, measures) // last: it says that the others are there
}

// Evaluate measures the network on the test cases, each on its own grid.
func (l *learner) Evaluate(ctx context.Context) (metrics.Summary, error) {
	if l.cycle == 0 {
		return l.folder.InitialMeasures(l.start)
	}
	return l.evaluate(ctx)
}

func (l *learner) evaluate(ctx context.Context) (metrics.Summary, error) {
	begin := time.Now()
	defer func() { l.timing.Evaluate = time.Since(begin).Seconds() }()
	n, e := l.network(phaseEvaluate), model.Evaluation{Classes: l.data.classes, Rules: metrics.Rules{Empty: l.config.Empty}}
	if all := len(l.labelled) == len(l.data.pool.Names); l.cycle > 0 && (l.cycle == l.config.Cycles || all) { // the run's last
		measures, err := l.evaluateLast(ctx, n, e)
		if err == nil && l.saveModel {
			err = l.model().Save(l.folder.LastModel(l.unit))
		}
		return measures, err
	}
	return n.Evaluate(ctx, l.data.test, e)
}

// network returns the network of the cycle, which reports its progress as a phase.
func (l *learner) network(phase int) model.Network {
	n := l.net
	n.Progress = func(done, of int) { l.report(phase, done, of, 0) }
	return n
}
