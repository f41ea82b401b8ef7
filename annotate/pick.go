package annotate

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"

	"github.com/nextslice/nextslice/annotate/store"
)

// The random streams of a project are those of a simulation's first initial set with the same seed.

const simulatedSet = 1

func (c Config) trainingSeed(cycle int) uint64 {
	if c.Train.SameInit {
		cycle = 0
	}
	return random.Stream(c.Seed, "train", simulatedSet, cycle).Uint64()
}

func (p *Project) queryStream(cycle int) *rand.Rand {
	return random.Stream(p.Config.Seed, "query", p.spec.String(), simulatedSet, cycle)
}

// picks are items in the order in which they shall be labelled, with their scores or NaN.
type picks struct {
	items  []Item
	scores []float64
}

// coldStart picks items without a model.
func (p *Project) coldStart(items []Item, size int, rng *rand.Rand) (picks, error) {
	size = min(size, len(items))
	if p.Config.ColdStart == ColdStrided {
		s, err := query.Strided{}.Select(p.pool(items, nil), size, rng)
		return pick(items, s), err
	}
	chosen := rng.Perm(len(items))[:size]
	slices.Sort(chosen)
	return pick(items, query.Selection{Items: chosen}), nil
}

// query picks items by the project's strategy, with scores of a model.
func (p *Project) query(ctx context.Context, model Model, items []Item, size int, rng, scoring *rand.Rand, progress func(done, of int)) (picks, error) {
	size = min(size, len(items))
	pool := p.pool(items, func(chosen []int) ([]float64, error) {
		images := make([][]float32, len(chosen))
		for i, item := range chosen {
			images[i] = p.canvas(items[item])
		}
		return model.Score(ctx, images, p.spec.Score, scoring, progress)
	})
	s, err := p.spec.Strategy.Select(pool, size, rng)
	if err != nil {
		return picks{}, err
	}
	return pick(items, s), nil
}

func (p *Project) pool(items []Item, score func([]int) ([]float64, error)) query.Pool {
	pool := query.Pool{N: len(items), Positions: make([]query.Position, len(items)), Score: score}
	for i, item := range items {
		pool.Positions[i] = query.Position{Case: p.index[item.Case], Slice: item.Slice}
	}
	return pool
}

func pick(items []Item, s query.Selection) picks {
	var p picks
	for i, item := range s.Items {
		p.items = append(p.items, items[item])
		score := math.NaN()
		if i < len(s.Scores) {
			score = s.Scores[i]
		}
		p.scores = append(p.scores, score)
	}
	return p
}

// rows makes queue rows of picks, with validation items between them and some of them to be read twice.
func (p *Project) rows(ctx context.Context, chosen picks, cycle int, kind string) ([]store.QueueRow, error) {
	var rows []store.QueueRow
	for i, item := range chosen.items {
		q := store.QueueRow{Item: item, Cycle: cycle, Purpose: store.ForTraining, Kind: kind}
		if score := chosen.scores[i]; !math.IsNaN(score) {
			q.Score = &score
		}
		rows = append(rows, q)
	}
	validation, err := p.validationItems(ctx, len(rows), cycle)
	if err != nil {
		return nil, err
	}
	// Spread evenly, so that a person who stops early has labelled some of both.
	for i, item := range validation {
		at := (i + 1) * (len(rows) - i) / (len(validation) + 1)
		rows = slices.Insert(rows, min(at+i, len(rows)), store.QueueRow{Item: item, Cycle: cycle, Purpose: store.ForValidation, Kind: kind})
	}
	rng := random.Stream(p.Config.Seed, "double reading", cycle, kind)
	for i := range rows {
		if rng.Float64() < p.Config.DoubleReading {
			rows[i].Readings = 2
		}
	}
	return rows, nil
}

// validationItems draws as many items of the validation cases as keep their labels at the wanted share when so many
// training items are added.
func (p *Project) validationItems(ctx context.Context, training, cycle int) ([]Item, error) {
	queue, err := p.store.Queue(ctx, false)
	if err != nil {
		return nil, err
	}
	labelled, err := p.store.LabelledItems(ctx)
	if err != nil {
		return nil, err
	}
	count := map[store.Role]int{store.Training: training}
	seen := map[Item]bool{}
	for _, item := range labelled {
		seen[item] = true
		count[p.roles[item.Case]]++
	}
	for _, q := range queue {
		if !seen[q.Item] {
			count[p.roles[q.Item.Case]]++
		}
	}
	share := p.Config.ValidationShare
	wanted := int(math.Ceil(share/(1-share)*float64(count[store.Training]))) - count[store.Validation]
	items, err := p.unlabelled(ctx, store.Validation, queue)
	if err != nil || wanted <= 0 || len(items) == 0 {
		return nil, err
	}
	rng := random.Stream(p.Config.Seed, "validation items", cycle, len(labelled))
	var chosen []Item
	for _, i := range rng.Perm(len(items))[:min(wanted, len(items))] {
		chosen = append(chosen, items[i])
	}
	return chosen, nil
}
