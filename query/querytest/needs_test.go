package querytest

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/query"
)

// liar selects as another strategy does, but declares what it is told to.
type liar struct {
	query.Strategy
	declares query.Needs
}

func (l liar) Needs() query.Needs { return l.declares }

// reader picks the first items after it has looked at something.
type reader struct {
	declares query.Needs
	look     func(p query.Pool)
}

func (r reader) Needs() query.Needs { return r.declares }

func (r reader) Select(p query.Pool, size int, _ *rand.Rand) (query.Selection, error) {
	r.look(p)
	s := query.Selection{Scores: make([]float64, size)}
	for i := range size {
		s.Items = append(s.Items, i)
	}
	return s, nil
}

// A strategy whose declaration is not what it does is found out.
func TestCheckNeeds(t *testing.T) {
	nothing := func(query.Pool) {}
	for want, s := range map[string]query.Strategy{
		"reads features and does not declare":                   liar{query.BADGE{}, query.Needs{}},
		"reads features of labelled items and does not declare": liar{query.CoreSet{}, query.Needs{Features: query.Bottleneck}},
		"reads scores and does not declare":                     liar{query.Top{}, query.Needs{}},
		"declares features and does not read":                   liar{query.Top{}, query.Needs{Scores: true, Features: query.Gradient}},
		"declares features of labelled items and does not read": liar{query.BADGE{}, query.Needs{Features: query.Gradient, LabelledFeatures: true}},
		"declares scores and does not read":                     liar{query.Random{}, query.Needs{Scores: true}},
		"declares positions, and of a pool without":             reader{query.Needs{Positions: true}, nothing},
		"declares hidden foreground, and of a pool without":     reader{query.Needs{HiddenForeground: true}, nothing},
		"of one that offers what it declares":                   reader{query.Needs{}, func(p query.Pool) { _ = p.Positions[p.N-1] }},
		"where NonNegative is declared false":                   liar{query.Power{}, query.Needs{Scores: true}},
		"where NonNegative is declared true":                    liar{query.Softmax{}, query.Needs{Scores: true, NonNegative: true}},
		"but not of which kind":                                 reader{query.Needs{LabelledFeatures: true}, nothing},
		"but no scores":                                         reader{query.Needs{NonNegative: true}, nothing},
		"without a known number of queries":                     reader{query.Needs{QueryNumber: true}, func(p query.Pool) { _ = 1 / p.Queries }},
	} {
		found := false
		for _, fault := range checkNeeds(s) {
			found = found || strings.Contains(fault.Error(), want)
		}
		if !found {
			t.Errorf("%T is not found out: want %q, got %v", s, want, checkNeeds(s))
		}
	}
	for _, s := range []query.Strategy{query.Random{}, query.CoreSet{}, query.Power{}, query.Strided{}} {
		if faults := checkNeeds(s); faults != nil {
			t.Errorf("%v: %v", s, faults)
		}
	}
}
