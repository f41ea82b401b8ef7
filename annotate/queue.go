package annotate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"

	"github.com/nextslice/nextslice/annotate/store"
)

// Queue decides which items are labelled next, and offers them to people.
type Queue struct {
	config Config
	store  *store.Store
	cases  *Cases
	events *Events
	rights rights
	model  lender
	jury   *jury
	learns bool // there is a trainer

	learner func() (Learner, error)
	coding  sync.Mutex         // held while means are learnt
	means   map[Item][]float32 // of an autoencoder of all training slices, when somebody has asked for them
}

// lender lends the model in use.
type lender interface {
	inUse
	// borrow calls use with the model while nobody else uses it, or with nil if there is none.
	borrow(use func(Network) error) error
}

// fill keeps items in the queue. It queues the initial set of a new project, and later, unless the project runs in
// lockstep, more items whenever fewer than half a query wait for training labels and are free to be taken by anybody: by the strategy with the model in use,
// or by the cold start's rule as long as there is none.
func (q *Queue) fill(ctx context.Context) error {
	all, err := q.store.Queue(ctx, true)
	if err != nil {
		return err
	}
	waiting, cycle := 0, -1
	var open []store.QueueRow
	for _, row := range all {
		cycle = max(cycle, row.Cycle)
		if !row.Open() {
			continue
		}
		open = append(open, row)
		// what somebody has in hand is not there for others, and what somebody has read waits for another reader, who may never come
		if row.Purpose == store.ForTraining && row.State == store.Waiting && row.Lease == nil && !row.Read && q.cases.readable(row.Item.Case) {
			waiting++
		}
	}
	begin := len(all) == 0
	if !begin && (q.config.Lockstep || waiting >= max(1, (q.config.QuerySize+1)/2)) {
		return nil
	}
	items, err := q.unlabelled(ctx, store.Training, open)
	if err != nil {
		return err
	}
	var chosen active.Picks[Item]
	kind := store.KindFill
	if begin {
		kind = store.KindQuery
		chosen, err = q.coldStart(ctx, items, q.config.InitialSize, q.config.streams().Initial())
	} else if len(items) > 0 {
		chosen, err = q.fillBy(ctx, items, cycle, len(all))
	}
	if err != nil {
		return fmt.Errorf("choose the next items: %w", err)
	}
	rows, err := q.rows(ctx, chosen, cycle, kind)
	if err != nil || len(rows) == 0 {
		return err
	}
	if err := q.store.Enqueue(ctx, rows); err != nil {
		return err
	}
	q.events.send(Event{Type: "queue"})
	return nil
}

// fillBy picks a query's worth of items by the best means there are. queued is the number of items ever queued.
func (q *Queue) fillBy(ctx context.Context, items []Item, cycle, queued int) (chosen active.Picks[Item], err error) {
	s := q.config.streams()
	err = q.model.borrow(func(n Network) (err error) {
		if n == nil || trainsMore(q.config.spec().Score) { // what else is trained is there for the query behind its training alone
			chosen, err = q.coldStart(ctx, items, q.config.QuerySize, s.Fill(queued))
		} else {
			chosen, err = q.pick(ctx, n, items, s.Fill(queued), model.Candidates{Query: max(0, cycle), Random: s.FillScore(queued)})
		}
		return err
	})
	return chosen, err
}

// coldStart picks items without a model.
func (q *Queue) coldStart(ctx context.Context, items []Item, size int, rng *rand.Rand) (active.Picks[Item], error) {
	rule, err := active.InitialRule(q.config.ColdStart)
	if err != nil {
		return active.Picks[Item]{}, err
	}
	if rule != nil {
		pool, err := q.appearance(ctx, rule, items)
		if err != nil {
			return active.Picks[Item]{}, err
		}
		return active.Pick(rule, pool, items, size, rng)
	}
	return active.Picks[Item]{Items: active.At(items, active.Draw(len(items), min(size, len(items)), rng))}, nil
}

// others returns the training items that are not among these, labelled or asked for already, with their images: a strategy that spreads its picks over what items look like counts them as
// labelled.
func (q *Queue) others(items []Item) (others []Item, images [][]float32) {
	offered := map[Item]bool{}
	for _, item := range items {
		offered[item] = true
	}
	for _, item := range q.cases.items(store.Training) {
		if image := q.cases.slice(item); image != nil && !offered[item] {
			others, images = append(others, item), append(images, image)
		}
	}
	return others, images
}

// appearance offers items to a strategy that asks nothing of a network that learns from labels.
func (q *Queue) appearance(ctx context.Context, rule query.Strategy, items []Item) (query.Pool, error) {
	c := model.Candidates{Positions: q.positions(items)}
	for _, item := range items {
		c.Images = append(c.Images, q.cases.slice(item))
	}
	var others []Item
	others, c.Labelled = q.others(items)
	needs := rule.Needs()
	if needs.Features != query.Latent {
		return model.AppearancePool(ctx, rule, c, q.config.Preprocess.Height, q.config.Preprocess.Width), nil
	}
	means, err := q.latentMeans(ctx, needs.Steps, slices.Concat(items, others))
	if err != nil {
		return query.Pool{}, err
	}
	vectors := func(items []Item) func() ([][]float32, error) {
		return func() (of [][]float32, _ error) {
			for _, item := range items {
				of = append(of, means[item])
			}
			return of, nil
		}
	}
	return query.Pool{N: len(items), Positions: c.Positions, Features: vectors(items), LabelledFeatures: vectors(others)}, nil
}

// waits reports whether the initial set is chosen by what slices look like, so that they must be loaded first.
func (q *Queue) waits() bool {
	rule, err := active.InitialRule(q.config.ColdStart)
	return err == nil && rule != nil && rule.Needs().Features != query.NoFeatures
}

// pick picks a query by the project's strategy, with what a network says of the items; it completes c.
func (q *Queue) pick(ctx context.Context, n Network, items []Item, rng *rand.Rand, c model.Candidates) (active.Picks[Item], error) {
	c.Positions = q.positions(items)
	for _, item := range items {
		c.Images, c.Names = append(c.Images, q.cases.slice(item)), append(c.Names, item.String())
	}
	s := q.config.spec()
	if s.Strategy.Needs().Features == query.Latent {
		pool, err := q.appearance(ctx, s.Strategy, items)
		if err != nil {
			return active.Picks[Item]{}, err
		}
		return active.Pick(s.Strategy, pool, items, q.config.QuerySize, rng)
	}
	if s.Score.ClassWeights || s.Score.Alpha > 0 {
		var err error
		if c.Labelled, c.Masks, err = q.labels(ctx); err != nil {
			return active.Picks[Item]{}, err
		}
	}
	if s.Strategy.Needs().LabelledFeatures {
		_, c.Labelled = q.others(items)
	}
	return active.Pick(s.Strategy, n.Pool(ctx, s, c), items, q.config.QuerySize, rng)
}

// labels returns the slices that a network learns from, with their masks, on the canvas. A damaged label, of which trainer.labels tells, is left out.
func (q *Queue) labels(ctx context.Context) (images [][]float32, masks [][]uint8, err error) {
	all, err := q.store.Labels(ctx, "")
	if err != nil {
		return nil, nil, err
	}
	for _, l := range all {
		image := q.cases.slice(l.Item)
		if l.Role == store.Validation || image == nil || l.Status() == ReviewRejected {
			continue
		}
		mask, err := l.Mask()
		if errors.Is(err, store.ErrDamaged) {
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", l.Item, err)
		}
		images, masks = append(images, image), append(masks, q.cases.onCanvas(l.Item, mask))
	}
	return images, masks, nil
}

func (q *Queue) positions(items []Item) []query.Position {
	at := make([]query.Position, len(items))
	for i, item := range items {
		at[i] = query.Position{Case: q.cases.index[item.Case], Slice: item.Slice}
	}
	return at
}

// ask queries with a new model and what a strategy has trained beside it. What waits now and nobody has begun goes back into the pool: the new query takes its
// place.
func (q *Queue) ask(ctx context.Context, n Network, cycle int, b beside, progress func(done, of int)) ([]store.QueueRow, error) {
	waiting, err := q.store.Queue(ctx, false)
	if err != nil {
		return nil, err
	}
	begun := slices.DeleteFunc(waiting, func(row store.QueueRow) bool {
		return row.Purpose == store.ForTraining && row.State == store.Waiting && row.Lease == nil && !row.Read
	})
	items, err := q.unlabelled(ctx, store.Training, begun)
	if err != nil || len(items) == 0 {
		return nil, err
	}
	s := q.config.streams()
	c := model.Candidates{Query: cycle, Random: s.Score(cycle), Progress: progress, Members: b.members}
	if b.critic != nil {
		c.Critic = func(ctx context.Context) (judge, error) {
			var images [][]float32
			for _, item := range items {
				images = append(images, q.cases.slice(item))
			}
			return b.critic(ctx, images)
		}
	}
	chosen, err := q.pick(ctx, n, items, s.Query(cycle), c)
	if err == nil && b.review != nil {
		chosen, err = b.review(ctx, chosen)
	}
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	return q.rows(ctx, chosen, cycle, store.KindQuery)
}

// unlabelled returns the items of a role that could be asked for: neither labelled nor skipped, nor already waiting in
// the queue as one of the given rows.
func (q *Queue) unlabelled(ctx context.Context, role store.Role, waiting []store.QueueRow) ([]Item, error) {
	labelled, err := q.store.LabelledItems(ctx)
	if err != nil {
		return nil, err
	}
	skipped, err := q.store.Skipped(ctx)
	if err != nil {
		return nil, err
	}
	out := map[Item]bool{}
	for _, item := range slices.Concat(labelled, skipped) {
		out[item] = true
	}
	for _, row := range waiting {
		out[row.Item] = true
	}
	return slices.DeleteFunc(q.cases.items(role), func(i Item) bool { return out[i] }), nil
}

// rows makes queue rows of picks, with validation items between them and some of them to be read twice. Both are drawn anew each time, as by active.Streams.Fill.
func (q *Queue) rows(ctx context.Context, chosen active.Picks[Item], cycle int, kind string) ([]store.QueueRow, error) {
	all, err := q.store.Queue(ctx, true)
	if err != nil {
		return nil, err
	}
	queued := len(all)
	if _, even := q.config.spec().Strategy.(query.Strided); even && !q.config.Lockstep { // whose order says nothing: a query is not answered to its end before the next one takes its place
		random.Stream(q.config.Seed, "order of the queue", cycle, kind, queued).Shuffle(len(chosen.Items), func(i, j int) {
			chosen.Items[i], chosen.Items[j] = chosen.Items[j], chosen.Items[i]
		})
	}
	var rows []store.QueueRow
	for i, item := range chosen.Items {
		row := store.QueueRow{Item: item, Cycle: cycle, Purpose: store.ForTraining, Kind: kind}
		if chosen.Scored > 0 && !math.IsNaN(chosen.Scores[i]) {
			row.Score = &chosen.Scores[i]
		}
		rows = append(rows, row)
	}
	validation, err := q.validationItems(ctx, len(rows), cycle, queued)
	if err != nil {
		return nil, err
	}
	// Spread evenly, so that a person who stops early has labelled some of both.
	for i, item := range validation {
		at := (i + 1) * (len(rows) - i) / (len(validation) + 1)
		rows = slices.Insert(rows, min(at+i, len(rows)), store.QueueRow{Item: item, Cycle: cycle, Purpose: store.ForValidation, Kind: kind})
	}
	rng := random.Stream(q.config.Seed, "double reading", cycle, kind, queued)
	for i := range rows {
		if rng.Float64() < q.config.DoubleReading {
			rows[i].Readings = 2
		}
	}
	return rows, nil
}

// validationItems draws items of the validation cases, as many as keep their labels at the wanted share when this many
// training items are added.
func (q *Queue) validationItems(ctx context.Context, training, cycle, queued int) ([]Item, error) {
	waiting, err := q.store.Queue(ctx, false)
	if err != nil {
		return nil, err
	}
	labelled, err := q.store.LabelledItems(ctx)
	if err != nil {
		return nil, err
	}
	count := map[store.Role]int{store.Training: training}
	seen := map[Item]bool{}
	for _, item := range labelled {
		seen[item] = true
		count[q.cases.roles[item.Case]]++
	}
	for _, row := range waiting {
		if !seen[row.Item] {
			count[q.cases.roles[row.Item.Case]]++
		}
	}
	share := q.config.ValidationShare
	wanted := int(math.Ceil(share/(1-share)*float64(count[store.Training]))) - count[store.Validation]
	items, err := q.unlabelled(ctx, store.Validation, waiting)
	if err != nil || wanted <= 0 || len(items) == 0 {
		return nil, err
	}
	rng := random.Stream(q.config.Seed, "validation items", cycle, len(labelled), queued)
	return active.At(items, rng.Perm(len(items))[:min(wanted, len(items))]), nil
}
