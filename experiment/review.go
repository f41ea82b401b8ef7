package experiment

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/internal/null"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/train"
	"github.com/nextslice/nextslice/uncertainty"
)

// review decides what the next training has beside the labels, as the strategy asks: pseudo-labels and copies.
func (l *learner) review(ctx context.Context, cycle int, picks active.Picks[int]) (r active.Review, err error) {
	r.Picks, r.Critic = picks, l.judged
	if l.spec.Training.Pseudo.Of != "" {
		if r.Pseudo, err = l.findPseudo(ctx, cycle, picks.Items); err != nil {
			return r, err
		}
	}
	if l.spec.Training.Copies != "" {
		err = l.copy(ctx, &r)
	}
	return r, err
}

// findPseudo finds the pseudo-labels of the next training among the unlabelled items but the query, and keeps them on disk.
func (l *learner) findPseudo(ctx context.Context, cycle int, query []int) (*active.PseudoLabels, error) {
	items := slices.DeleteFunc(slices.Clone(l.unlabelled), func(i int) bool { return slices.Contains(query, i) })
	if l.spec.Training.Pseudo.Threshold(cycle) > 0 {
		l.timing.Passes += len(items)
	}
	masks, err := l.network(phaseScore).PseudoMasks(ctx, active.At(l.data.pool.Images, items), l.spec.Training.Pseudo, cycle)
	if err != nil {
		return nil, err
	}
	var found record.Pseudo
	var hidden [][]uint8
	for i, mask := range masks {
		if mask != nil {
			found.Names, found.Masks = append(found.Names, l.data.pool.Names[items[i]]), append(found.Masks, mask)
			hidden = append(hidden, l.data.pool.Labels[items[i]])
		}
	}
	return describePseudo(found.Masks, hidden, len(l.data.classes)), l.folder.RecordPseudo(l.unit, cycle+1, found)
}

// describePseudo says what pseudo-labels are worth.
func describePseudo(masks, hidden [][]uint8, classes int) *active.PseudoLabels {
	p := &active.PseudoLabels{Items: len(masks), HiddenDice: null.Float(math.NaN())}
	type overlap struct{ pred, ref, both float64 }
	of := make([]overlap, classes)
	pixels := 0.0
	for i, mask := range masks {
		foreground := false
		for at, class := range mask {
			pixels++
			if class == uncertainty.Ignored {
				p.Ignored++
				continue
			}
			foreground = foreground || class != 0
			ref := hidden[i][at]
			if int(ref) >= classes {
				continue
			}
			of[class].pred++
			of[ref].ref++
			if class == ref {
				of[class].both++
			}
		}
		if foreground {
			p.Foreground++
		}
	}
	if len(masks) == 0 {
		return p
	}
	p.Ignored /= pixels
	p.Foreground /= float64(len(masks))
	sum, n := 0.0, 0.0
	for _, o := range of[1:] {
		if o.pred+o.ref > 0 {
			sum, n = sum+2*o.both/(o.pred+o.ref), n+1
		}
	}
	p.HiddenDice = null.Float(sum / n)
	return p
}

// set returns what the network of a cycle is trained on: the labelled items, copies of some, and pseudo-labels.
func (l *learner) set() (train.Set, error) {
	s := l.data.subset(l.items)
	pseudo := l.spec.Training.Pseudo
	if pseudo.Of == "" || l.cycle == 0 {
		return s, nil
	}
	found, err := l.folder.Pseudo(l.unit, l.cycle, s.H*s.W)
	if err != nil {
		return s, err
	}
	for i, name := range found.Names {
		item := slices.Index(l.data.pool.Names, name)
		if item < 0 || slices.Contains(l.labelled, item) {
			continue // a real mask takes its place
		}
		s.Images, s.Labels = append(s.Images, l.data.pool.Images[item]), append(s.Labels, found.Masks[i])
		s.Unannotated = append(s.Unannotated, nil) // the network tells of every class
		if pseudo.Mix == query.MixHalf {
			s.Pseudo++
		}
	}
	return s, nil
}

// copy decides which labelled items get a copy, by the uncertainty of the picks and of these, and with query.CopiesPublished which picks are
// labelled.
func (l *learner) copy(ctx context.Context, r *active.Review) error {
	items := slices.Concat(r.Picks.Items, l.labelled)
	members, err := l.members(ctx) // those that scored the query
	if err != nil {
		return err
	}
	n := l.network(phaseScore)
	n.Members = members
	u, err := n.Score(ctx, active.At(l.data.pool.Images, items), l.spec.Score, rand.New(rand.NewPCG(0, 0))) // which an ensemble does not use
	if err != nil {
		return err
	}
	l.timing.Passes += len(items) * l.spec.Score.Members
	keep, copies := query.CopiesOf(l.spec, len(r.Picks.Items), u)
	r.Picks.Items = active.At(r.Picks.Items, keep)
	if r.Picks.Scores != nil {
		r.Picks.Scores = active.At(r.Picks.Scores, keep)
	}
	for _, i := range copies {
		r.Copies = append(r.Copies, l.labelled[i])
	}
	return nil
}
