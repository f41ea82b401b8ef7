package worklist

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/query"
)

// item is a slice that may be asked for.
type item struct{ index, slice int } // of the case, and along the axis that the network's slices are cut across

// stream lets the network see many slices, case by case.
type stream struct {
	spec query.Spec
	streams
	number int                 // of the query
	items  []item              // case by case
	names  func(i item) string //

	// images returns some slices of a case. The next case is read while the network sees this one.
	images func(index int, slices []int) ([][]float32, error)
	// ask returns what the network offers of some slices.
	ask   func(ctx context.Context, c model.Candidates) query.Pool
	store *scoreFile // of the scores; nil for none
	dir   string     // where features and disagreements are kept; "" for nowhere

	labelled [][]float32 // images and masks of the labelled slices, as far as the strategy needs them
	masks    [][]uint8
	progress func(done, of int)
}

// pool offers the items to the strategy.
func (s *stream) pool(ctx context.Context) query.Pool {
	needs := s.spec.Strategy.Needs()
	p := query.Pool{N: len(s.items)}
	if needs.QueryNumber {
		p.Query = s.number
	}
	if needs.Scores {
		p.Score = func(items []int) (scores []float64, err error) {
			err = s.stored(ctx, s.store, items, func(p query.Pool, some []int) ([][]float64, error) {
				scores, err := p.Score(some)
				rows := make([][]float64, len(scores))
				for i := range scores {
					rows[i] = scores[i : i+1]
				}
				return rows, err
			}, func(row []float64) { scores = append(scores, row[0]) })
			return scores, err
		}
	}
	if needs.ClassScores {
		p.ClassScores = func(items []int) (scores [][]float64, err error) {
			err = s.stored(ctx, s.store, items, func(p query.Pool, some []int) ([][]float64, error) { return p.ClassScores(some) },
				func(row []float64) { scores = append(scores, row) })
			return scores, err
		}
	}
	if needs.Networks {
		s.offerNetworks(ctx, &p)
	}
	if needs.Features != query.NoFeatures {
		p.Features = func() ([][]float32, error) { return s.features(ctx, needs.Features) }
	}
	if needs.LabelledFeatures {
		p.LabelledFeatures = func() ([][]float32, error) {
			return s.ask(ctx, model.Candidates{Labelled: s.labelled, Masks: s.masks}).LabelledFeatures()
		}
	}
	if needs.Positions {
		for _, i := range s.items {
			p.Positions = append(p.Positions, query.Position{Case: i.index, Slice: i.slice})
		}
	}
	return p
}

func (s *stream) offerNetworks(ctx context.Context, p *query.Pool) {
	p.Disagreement = func(items []int) (query.Disagreement, error) { return s.disagreement(ctx, items) }
	p.Probabilities = func(items, pixels []int) ([][]float32, error) {
		order := slices.Clone(items) // the strategy's, best first
		slices.Sort(order)
		all, err := collect(ctx, s, order, func(p query.Pool, some []int) ([][]float32, error) { return p.Probabilities(some, pixels) })
		if err != nil {
			return nil, err
		}
		out := make([][]float32, len(items))
		for i, item := range items {
			at, _ := slices.BinarySearch(order, item)
			out[i] = all[at]
		}
		return out, nil
	}
}

// collect returns what compute makes of each of some items, which stand in increasing order.
func collect[T any](ctx context.Context, s *stream, items []int, compute func(p query.Pool, some []int) ([]T, error)) (all []T, err error) {
	err = s.each(ctx, items, func(p query.Pool, some []int) error {
		part, err := compute(p, some)
		all = append(all, part...)
		return err
	})
	return all, err
}

// stored is collect for rows of numbers that a file keeps as each case is done, and that are not computed again; store may be nil.
func (s *stream) stored(ctx context.Context, store *scoreFile, items []int, compute func(p query.Pool, some []int) ([][]float64, error), give func(row []float64)) error {
	rows := make([][]float64, len(items))
	var missing, places []int // places of the missing ones among items
	for at, i := range items {
		if row, ok := store.row(s.names(s.items[i])); ok {
			rows[at] = row
		} else {
			missing, places = append(missing, i), append(places, at)
		}
	}
	// A case is stored as a whole or not at all, so that its random numbers do not depend on where the query was interrupted.
	done := 0
	err := s.each(ctx, missing, func(p query.Pool, some []int) error {
		part, err := compute(p, some)
		if err != nil {
			return err
		}
		for i := range part {
			rows[places[done+i]] = part[i]
		}
		done += len(part)
		return store.add(s.itemsOf(missing[done-len(part):done]), part)
	})
	if err != nil {
		return err
	}
	for _, row := range rows {
		give(row)
	}
	return nil
}

func (s *stream) itemsOf(items []int) (out []item) {
	for _, i := range items {
		out = append(out, s.items[i])
	}
	return out
}

// each calls do for each case of some items, which stand in increasing order, with a pool of its slices and their numbers there.
func (s *stream) each(ctx context.Context, items []int, do func(p query.Pool, some []int) error) error {
	type chunk struct {
		first, end int // of items
		images     [][]float32
		err        error
	}
	read := func(first int) chunk {
		c := chunk{first: first, end: first}
		index := s.items[items[first]].index
		var wanted []int
		for ; c.end < len(items) && s.items[items[c.end]].index == index; c.end++ {
			wanted = append(wanted, s.items[items[c.end]].slice)
		}
		c.images, c.err = s.images(index, wanted)
		return c
	}
	if len(items) == 0 {
		return ctx.Err()
	}
	next := make(chan chunk, 1)
	ahead := func(first int) { next <- read(first) }
	go ahead(0)
	for done := 0; done < len(items); {
		c := <-next
		if c.err != nil {
			return c.err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if c.end < len(items) {
			go ahead(c.end)
		}
		some := make([]int, c.end-c.first)
		names := make([]string, len(some))
		for i := range some {
			some[i], names[i] = i, s.names(s.items[items[c.first+i]])
		}
		// The masks of dropout are one network's for all cases where the strategy wants that, else each case has a stream of its own.
		path := []any{"score"}
		if !s.spec.Strategy.Needs().Networks {
			path = append(path, names[0][:strings.LastIndexByte(names[0], '/')], len(some))
		}
		err := do(s.ask(ctx, model.Candidates{
			Images: c.images, Names: names, Labelled: s.labelled, Masks: s.masks, Random: s.stream(path...),
			Progress: func(part, _ int) { s.progress(done+part, len(items)) },
		}), some)
		if err != nil {
			if c.end < len(items) {
				<-next // the case that was read ahead
			}
			return fmt.Errorf("case of %s: %w", names[0], err)
		}
		done = c.end
		s.progress(done, len(items))
	}
	return nil
}
