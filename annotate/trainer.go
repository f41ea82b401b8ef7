package annotate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"time"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/train"

	"github.com/nextslice/nextslice/annotate/fault"
	"github.com/nextslice/nextslice/annotate/store"
)

// trainer runs the cycles: train, validate, query.
type trainer struct {
	config  Config
	store   *store.Store
	cases   *Cases
	events  *Events
	files   modelFiles
	record  recorder
	learner func() (Learner, error)
	queue   asker
	model   adopter
	jury    *jury
	runs    *Trainings
	fixed   bool // the learner trains nothing

	mu      sync.Mutex
	damaged map[Item]int // versions of labels that cannot be read
}

// asker queries with a new network, and tells what could be asked for.
type asker interface {
	ask(ctx context.Context, n Network, cycle int, b beside, progress func(done, of int)) ([]store.QueueRow, error)
	labels(ctx context.Context) (images [][]float32, masks [][]uint8, err error)
	unlabelled(ctx context.Context, role store.Role, waiting []store.QueueRow) ([]Item, error)
}

// adopter takes a model into use.
type adopter interface {
	use(ctx context.Context, m store.Model) error
}

// run trains whenever labels suffice. It stays on one thread of low priority, whose engine's threads inherit that.
func (t *trainer) run(ctx context.Context) error {
	runtime.LockOSThread() // for good: the thread ends with this goroutine
	lowerPriority()
	learner, err := t.learner()
	if err != nil {
		return err
	}
	defer learner.Close()
	if err := t.cases.wait(ctx); err != nil { // a label saved earlier must not start a training on the cases loaded so far
		return err
	}
	if err := t.hear(ctx, learner); err != nil && ctx.Err() == nil { // models of earlier sessions
		t.events.problem(fmt.Errorf("compare models: %w", err))
	}
	return t.events.repeat(ctx, "training", t.events.train, func(ctx context.Context) error {
		for ctx.Err() == nil {
			cycle, ready, err := t.ready(ctx)
			if err != nil || !ready {
				return err
			}
			err = t.runs.run(ctx, cycle, func(ctx context.Context) error { return t.cycle(ctx, learner, cycle) })
			t.events.setTraining(Training{})
			again, lasting := engineFault(learner, err)
			t.events.lasts("engine", lasting)
			switch {
			case again:
				continue
			case err != nil && lasting != nil: // which has been told
				return nil
			case err != nil:
				return coded(err, fault.TrainingFailed)
			}
			wake(t.events.plan)
		}
		return nil
	})
}

// standing is what a training would learn from now, and how much of it is new.
type standing struct {
	models []store.Model
	labels map[Item]int // training labels, with their versions
	news   int
}

// standing tells what a training would learn from now. New since the last training is each label whose version the last model has not seen, a
// first one or a correction, and each that it has seen and a reviewer has rejected since. Of a model of a program that has not kept what it
// saw only the number is known: there the difference of the numbers counts, which may be negative.
func (t *trainer) standing(ctx context.Context) (now standing, err error) {
	if now.models, err = t.store.Models(ctx); err != nil {
		return now, err
	}
	labels, err := t.store.Learnable(ctx)
	if err != nil {
		return now, err
	}
	saw, number := map[Item]int{}, 0
	if n := len(now.models); n > 0 {
		number = now.models[n-1].Labelled
		if saw, err = t.store.Saw(ctx, now.models[n-1].Version); err != nil {
			return now, err
		}
	}
	now.labels = map[Item]int{}
	for item, version := range labels {
		if t.cases.roles[item.Case] == store.Training && t.cases.slice(item) != nil && t.unreadable(item) != version {
			now.labels[item] = version
			if saw[item] != version {
				now.news++
			}
		}
	}
	for item := range saw {
		if labels[item] == 0 {
			now.news++
		}
	}
	if saw == nil {
		now.news = len(now.labels) - number
	}
	return now, nil
}

// unreadable returns the version of an item's label that cannot be read, 0 for none.
func (t *trainer) unreadable(item Item) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.damaged[item]
}

// reason says what has become of the model of a cycle, "" if there is none.
func (t *trainer) reason(cycle int) string {
	models, err := t.store.Models(context.Background())
	if err != nil || cycle >= len(models) {
		return ""
	}
	return fmt.Sprintf("model %d on %d labels: %s", models[cycle].Version, models[cycle].Labelled, models[cycle].Reason)
}

// ready reports whether there are enough new labels for the next cycle, or somebody asks for it.
func (t *trainer) ready(ctx context.Context) (cycle int, yes bool, err error) {
	now, err := t.standing(ctx)
	if err != nil {
		return 0, false, err
	}
	count := len(now.labels)
	defer func() {
		if yes = t.runs.due(yes, now.labels); err != nil || count == 0 && !(t.fixed && cycle == 0) {
			yes = false
		}
	}()
	queue, err := t.store.Queue(ctx, true)
	if err != nil {
		return 0, false, err
	}
	cycle = len(now.models)
	open, asked, corrections := 0, false, false
	for _, row := range queue {
		if row.Purpose == store.ForReading || row.Purpose == store.ForCorrection {
			corrections = corrections || row.Purpose == store.ForCorrection && row.Open() && t.cases.readable(row.Item.Case)
			continue
		}
		asked = asked || row.Cycle == cycle-1
		if row.Open() && t.cases.readable(row.Item.Case) {
			open++
		}
	}
	left, err := t.queue.unlabelled(ctx, store.Training, nil)
	if err != nil {
		return 0, false, err
	}
	switch {
	case t.fixed && cycle == 0: // it needs no labels
		return cycle, true, nil
	case count == 0:
		return cycle, false, nil
	case t.config.Lockstep:
		return cycle, asked && open == 0, nil
	case now.news == 0:
		return cycle, false, nil
	case len(left) == 0 && !corrections: // the last model sees it all
		return cycle, true, nil
	case cycle == 0:
		return cycle, count >= t.config.InitialSize, nil
	}
	return cycle, now.news >= max(1, t.config.QuerySize/2), nil
}

// cycle trains on the labels that there are, validates, and queries.
func (t *trainer) cycle(ctx context.Context, learner Learner, cycle int) error {
	training, validation, err := t.labels(ctx)
	if err != nil {
		return err
	}
	m := store.Model{Version: cycle + 1, Cycle: cycle, Labelled: len(training), Saw: map[Item]int{}}
	for _, l := range training {
		m.Saw[l.Item] = l.Version.Version
	}
	if m.Seconds, err = t.store.Seconds(ctx); err != nil {
		return err
	}
	last := time.Time{}
	progress := func(p Training, end bool) {
		if end || time.Since(last) > 250*time.Millisecond {
			last = time.Now()
			p.Running, p.Cycle = true, cycle
			t.events.setTraining(p)
		}
	}
	set, err := t.set(ctx, training, cycle)
	if err != nil {
		return err
	}
	n, err := t.train(ctx, learner, set, cycle, progress)
	if err != nil {
		return err
	}
	if err := t.files.save(ctx, n, m); err != nil {
		return err
	}
	progress(Training{Phase: "validate"}, true)
	if err := t.judge(ctx, learner, n, &m, validation); err != nil {
		return err
	}
	b := beside{critic: t.critic(learner, n, cycle, progress), members: t.members(learner, set, cycle, progress)}
	b.review = t.review(n, set, b.members, &m)
	rows, err := t.queue.ask(ctx, n, cycle, b, func(done, of int) {
		progress(Training{Phase: "score", Step: done, Steps: of}, done == of)
	})
	if err != nil {
		return err
	}
	if err := t.findPseudo(ctx, n, cycle, rows); err != nil {
		return err
	}
	if err := t.jury.hear(ctx, learner, validation, t.events.problem, m); err != nil { // whoever sees the model sees what it is worth
		return err
	}
	if err := t.store.AddModel(ctx, m, rows); err != nil {
		return err
	}
	t.writeRecord(context.WithoutCancel(ctx)) // the record has every model that is stored, also when the server is being stopped
	t.events.log.Info(fmt.Sprintf("model %d on %d labels: %s", m.Version, m.Labelled, m.Reason))
	if m.Adopted {
		if err := t.model.use(ctx, m); err != nil {
			return err
		}
		if err := t.store.PruneProposals(ctx, m.Version); err != nil {
			return err
		}
	}
	t.events.send(Event{Type: "model", Model: m.Version})
	t.events.send(Event{Type: "queue"})
	return nil
}

// hear judges all models on the validation labels.
func (t *trainer) hear(ctx context.Context, learner Learner) error {
	_, validation, err := t.labels(ctx)
	if err != nil {
		return err
	}
	if err := t.jury.hear(ctx, learner, validation, t.events.problem); err != nil {
		return err
	}
	t.writeRecord(ctx)
	wake(t.events.plan) // which looks whether to suggest a stop
	return nil
}

// writeRecord writes the record by the last verdict.
func (t *trainer) writeRecord(ctx context.Context) {
	if err := t.record.write(ctx, t.jury.now()); err != nil {
		t.events.problem(fmt.Errorf("record: %w", err))
	}
}

// shortTraining is the fewest steps to which a training is cut short: with less a network learns nothing.
const shortTraining = 1000

// steps returns how many steps a training takes: the first two take a quarter and half, so that people see soon what the model makes of
// their labels. In lockstep all are whole, as in a simulation.
func (t *trainer) steps(cycle int) int {
	steps := t.config.Train.Steps
	if part := 4 >> cycle; !t.config.Lockstep && part > 1 {
		return min(steps, max(shortTraining, steps/part))
	}
	return steps
}

// labels returns the labels of both roles, of cases that can be read, by case and slice: the order of the pool. Those that a reviewer has
// rejected are left out.
func (t *trainer) labels(ctx context.Context) (training, validation []store.Labelled, err error) {
	all, err := t.store.Labels(ctx, "")
	if err != nil {
		return nil, nil, err
	}
	for _, l := range all {
		if l.Status() == ReviewRejected {
			continue
		}
		if _, err := l.Mask(); errors.Is(err, store.ErrDamaged) {
			t.events.lasts("label of "+l.Item.Case, coded(err, fault.LabelDamaged, "case", l.Item.Case)) // the training goes on without it
			t.mu.Lock()
			if t.damaged == nil {
				t.damaged = map[Item]int{}
			}
			t.damaged[l.Item] = l.Version.Version
			t.mu.Unlock()
			continue
		}
		switch {
		case t.cases.slice(l.Item) == nil:
		case l.Role == store.Validation:
			validation = append(validation, l)
		default:
			training = append(training, l)
		}
	}
	return training, validation, nil
}

// trainingSet is what the network of a cycle learns from, on the canvas: labels and, behind them, copies of some and pseudo-labels.
type trainingSet struct {
	train.Set
	labels []Item // the first of Images, each once
}

// set returns what the network of a cycle learns from, of these labels.
func (t *trainer) set(ctx context.Context, labels []store.Labelled, cycle int) (set trainingSet, err error) {
	if t.fixed {
		return set, nil
	}
	p := t.config.Preprocess
	set.H, set.W, set.Classes = p.Height, p.Width, len(t.config.Classes)
	for _, l := range labels {
		mask, err := l.Mask()
		if err != nil {
			return set, fmt.Errorf("%s: %w", l.Item, err)
		}
		if allUnsure(mask, t.config) {
			continue
		}
		set.labels = append(set.labels, l.Item)
		set.Images = append(set.Images, t.cases.slice(l.Item))
		set.Labels = append(set.Labels, t.cases.onCanvas(l.Item, mask))
	}
	if len(set.Images) == 0 {
		return set, errors.New("all labels are unsure throughout: there is nothing to learn")
	}
	return set, errors.Join(t.addCopies(ctx, &set), t.addPseudo(&set.Set, labels, cycle))
}

// train trains the network of a cycle.
func (t *trainer) train(ctx context.Context, learner Learner, set trainingSet, cycle int, progress func(Training, bool)) (Network, error) {
	p, c := t.config.Preprocess, t.config.Train
	if t.fixed {
		return learner.Train(ctx, c, p, train.Set{}, 0, nil)
	}
	c.Steps = t.steps(cycle)
	n := len(set.labels)
	epoch := func(steps int) int { return (steps*c.Batch + n - 1) / n }
	run := learner.Train
	if score := t.config.spec().Score; score.TrainsModule() {
		further, ok := learner.(critical)
		if !ok {
			return nil, fmt.Errorf("annotation cannot train what the strategy %s asks here", t.config.Strategy)
		}
		run = further.TrainLearningLoss
		if score.Critic.Ranked {
			run = further.TrainRanked
		}
	}
	return run(ctx, c, p, set.Set, t.config.streams().Training(cycle), func(s train.Progress) {
		progress(Training{
			Phase: "train", Step: s.Step, Steps: s.Of, Epoch: epoch(s.Step), Epochs: epoch(s.Of), Loss: s.Loss, SecondsLeft: s.Left.Seconds(),
		}, s.Step == s.Of)
	})
}

// judge validates a new model and the one in use on the same labels and decides which one proposes from now on: the new
// one, unless it is worse.
func (t *trainer) judge(ctx context.Context, learner Learner, n Network, m *store.Model, validation []store.Labelled) error {
	models, err := t.store.Models(ctx)
	if err != nil {
		return err
	}
	old := lastAdopted(models)
	m.Adopted = true
	because := func(reason string, code fault.Code, pairs ...any) {
		m.Reason, m.Said = reason, []fault.Message{fault.Say(code, pairs...)}
	}
	if len(validation) == 0 {
		because("put into use; there are no validation labels to compare models on", fault.ModelUnjudged)
		return nil
	}
	dice, err := t.validate(ctx, n, validation)
	if err != nil {
		return err
	}
	if !math.IsNaN(dice) {
		m.Dice = &dice
	}
	if t.fixed { // the same as before
		if because("the network that was given, which is not trained", fault.ModelFixed); m.Dice != nil {
			because(fmt.Sprintf("%s; validation Dice %.3f", m.Reason, dice), fault.ModelFixedDice, "dice", dice)
		}
		return nil
	}
	blind := dice < usesFrom
	if m.Adopted = !blind; blind {
		because(fmt.Sprintf("not put into use: it finds next to nothing yet, validation Dice %.3f", dice), fault.ModelBlind, "dice", dice)
	}
	if old == nil {
		if !blind {
			because("put into use; it is the first", fault.ModelFirst)
		}
		return nil
	}
	before, err := t.files.load(ctx, learner, *old)
	if err != nil {
		t.events.problem(fmt.Errorf("compare models: %w", err))
		if !blind {
			because("put into use; the model before cannot be read", fault.ModelUnreadable)
		}
		return nil
	}
	previous, err := t.validate(ctx, before, validation)
	if err != nil {
		return err
	}
	if math.IsNaN(dice) || math.IsNaN(previous) {
		because("put into use; the validation labels are empty", fault.ModelEmpty)
		return nil
	}
	m.Previous = &previous
	if blind {
		return nil
	}
	if m.Adopted = dice >= previous; m.Adopted {
		because(fmt.Sprintf("put into use: validation Dice %.3f, the model before %.3f", dice, previous), fault.ModelBetter, "dice", dice, "before", previous)
	} else {
		because(fmt.Sprintf("not put into use: validation Dice %.3f, model %d has %.3f", dice, old.Version, previous), fault.ModelWorse,
			"dice", dice, "model", old.Version, "before", previous)
	}
	return nil
}

// validate returns a network's mean Dice over classes and cases, on each case's grid over its labelled slices together:
// of cases that are labelled throughout it is the 3D Dice of a simulation. NaN if no label and no prediction has
// foreground.
func (t *trainer) validate(ctx context.Context, n Network, labels []store.Labelled) (float64, error) {
	items, byItem := make([]Item, len(labels)), map[Item]store.Labelled{}
	for i, l := range labels {
		items[i], byItem[l.Item] = l.Item, l
	}
	dice := metrics.NewPartialDice(len(t.config.Classes))
	err := t.cases.segment(ctx, n, items, func(item Item, _ []float32, pred []uint8) error {
		ref, err := byItem[item].Mask()
		if err != nil {
			return fmt.Errorf("%s: %w", item, err)
		}
		dice.Add(item.Case, pred, ref)
		return nil
	})
	return dice.Mean(), err
}
