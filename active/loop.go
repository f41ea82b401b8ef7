package active

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/query"
)

// Learner is the model that learns from the labelled items.
type Learner interface {
	// Train forgets what was learned before and learns from these items of the pool: the labelled ones in increasing order and, behind
	// them, copies of some.
	Train(ctx context.Context, cycle int, items []int) error
	// Evaluate measures the model on the test cases.
	Evaluate(ctx context.Context) (metrics.Summary, error)
	// Pool returns what a strategy may ask about these items of the pool; what it costs is paid when it is asked.
	Pool(ctx context.Context, unlabelled []int) query.Pool
}

// Oracle answers queries.
type Oracle interface {
	// Label returns when the labels of these items of the pool can be trained on.
	Label(ctx context.Context, items []int) error
}

// Recorder keeps what happened.
type Recorder interface {
	// Record keeps a finished cycle. Once it has returned nil, the cycle survives a crash.
	Record(Cycle) error
}

// Loop is one run of active learning: one strategy from one initial set. All fields but Done are needed.
type Loop struct {
	Learner  Learner
	Oracle   Oracle
	Recorder Recorder
	Strategy query.Strategy

	Names   []string // of the pool's items, all different, e.g. "Case12/017"
	Initial []int    // the items that are labelled from the start
	Size    int      // the query size: items per query
	Queries int      // the budget, in queries; the cycles are 0 … Queries

	// Review, which may be nil, sees each query before it is answered, and decides what the next training has beside the labels.
	Review func(ctx context.Context, cycle int, picks Picks[int]) (Review, error)

	// Random returns the random stream of a cycle's query.
	Random func(cycle int) *rand.Rand

	// Done are the cycles that are recorded already, from cycle 0 on. The run continues after them.
	Done []Cycle
}

// Review is what becomes of a query.
type Review struct {
	Picks  Picks[int]    // that are labelled; not none
	Copies []int         // items that were labelled before and count once more
	Pseudo *PseudoLabels // for the record; the learner keeps them
	Critic *Critic       // for the record
}

// Run trains, evaluates and queries until the budget is spent or every item is labelled. It returns the first error of
// the learner, the strategy, the oracle or the recorder; the cycle in which it happened is not recorded.
func (l *Loop) Run(ctx context.Context) error {
	pool, copies, err := l.pool()
	if err != nil {
		return err
	}
	for cycle := len(l.Done); !Finished(l.Done, l.Queries); cycle++ {
		labelled := pool.Labelled()
		if err := l.Learner.Train(ctx, cycle, append(slices.Clone(labelled), copies...)); err != nil {
			return fmt.Errorf("cycle %d: train on %d items: %w", cycle, len(labelled), err)
		}
		measures, err := l.Learner.Evaluate(ctx)
		if err != nil {
			return fmt.Errorf("cycle %d: evaluate: %w", cycle, err)
		}
		record := Cycle{Cycle: cycle, Labelled: len(labelled), Measures: measures}

		// Labels that no model will see are never paid for.
		if unlabelled := pool.Unlabelled(); cycle < l.Queries && len(unlabelled) > 0 {
			picks, err := Pick(l.Strategy, l.Learner.Pool(ctx, unlabelled), unlabelled, l.Size, l.Random(cycle))
			if err != nil {
				return fmt.Errorf("cycle %d: query: %w", cycle, err)
			}
			if l.Review != nil {
				review, err := l.Review(ctx, cycle, picks)
				if err != nil {
					return fmt.Errorf("cycle %d: query: %w", cycle, err)
				}
				picks, record.Pseudo, record.Critic = review.Picks, review.Pseudo, review.Critic
				copies = append(copies, review.Copies...)
				if len(review.Copies) > 0 {
					record.Copies = At(l.Names, review.Copies)
				}
			}
			if err := l.Oracle.Label(ctx, picks.Items); err != nil {
				return fmt.Errorf("cycle %d: label %d items: %w", cycle, len(picks.Items), err)
			}
			if err := pool.Add(picks.Items); err != nil {
				return fmt.Errorf("cycle %d: %w", cycle, err)
			}
			record.Query, record.Scores, record.Scored = At(l.Names, picks.Items), picks.Scores, picks.Scored
		}

		if err := l.Recorder.Record(record); err != nil {
			return fmt.Errorf("cycle %d: record: %w", cycle, err)
		}
		l.Done = append(l.Done, record)
	}
	return nil
}

// Finished reports whether these cycles are a whole run with this many queries.
func Finished(done []Cycle, queries int) bool {
	return len(done) > 0 && (len(done) > queries || len(done[len(done)-1].Query) == 0)
}

// pool returns the pool as the cycles in l.Done left it, and the items that were copied. It refuses cycles that belong to another run.
func (l *Loop) pool() (pool *dataset.Pool, copies []int, err error) {
	pool = dataset.NewPool(len(l.Names))
	if err := pool.Add(l.Initial); err != nil {
		return nil, nil, fmt.Errorf("initial set: %w", err)
	}
	index := make(map[string]int, len(l.Names))
	for i, name := range l.Names {
		index[name] = i
	}
	for i, cycle := range l.Done {
		if cycle.Cycle != i || cycle.Labelled != len(pool.Labelled()) {
			return nil, nil, fmt.Errorf("recorded cycle %d with %d labelled items stands where cycle %d with %d was expected",
				cycle.Cycle, cycle.Labelled, i, len(pool.Labelled()))
		}
		for _, name := range slices.Concat(cycle.Query, cycle.Copies) {
			if _, ok := index[name]; !ok {
				return nil, nil, fmt.Errorf("recorded cycle %d queried %q, which is not in the pool", i, name)
			}
		}
		labelled := pool.Labelled()
		for _, name := range cycle.Copies {
			if !slices.Contains(labelled, index[name]) {
				return nil, nil, fmt.Errorf("recorded cycle %d copied %q, which was not labelled", i, name)
			}
			copies = append(copies, index[name])
		}
		items := make([]int, len(cycle.Query))
		for k, name := range cycle.Query {
			items[k] = index[name]
		}
		if err := pool.Add(items); err != nil {
			return nil, nil, fmt.Errorf("recorded cycle %d: %w", i, err)
		}
	}
	return pool, copies, nil
}
