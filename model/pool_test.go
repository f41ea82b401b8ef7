package model

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor/ref"
	"github.com/nextslice/nextslice/uncertainty"
)

// needing is a strategy that declares needs.
type needing query.Needs

func (n needing) Needs() query.Needs { return query.Needs(n) }

func (needing) Select(query.Pool, int, *rand.Rand) (query.Selection, error) {
	return query.Selection{}, nil
}

// What a strategy declares arrives, and nothing else does; what it costs is told.
func TestPoolOffersWhatIsNeeded(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	n := network(unet.New(e, unet.Config{Classes: 2, Width: 4, Dropout: 0.5}, random.Stream(1)))
	images := noise(12)
	sent, passed := 0, 0
	c := Candidates{
		Images: images[:9], Labelled: images[9:], Positions: make([]query.Position, 9), HiddenForeground: make([]bool, 9), Query: 3, Queries: 7,
		Spent: func(slices, passes int, took time.Duration) {
			if sent, passed = sent+slices, passed+passes; took <= 0 {
				t.Errorf("%d slices took %v", slices, took)
			}
		},
	}
	for _, needs := range []query.Needs{
		{}, {Scores: true}, {Scores: true, NonNegative: true}, {Features: query.Bottleneck}, {Features: query.Gradient, LabelledFeatures: true},
		{ClassScores: true}, {Networks: true}, {Positions: true}, {HiddenForeground: true}, {QueryNumber: true},
		{Scores: true, Features: query.Bottleneck, LabelledFeatures: true, Positions: true, HiddenForeground: true, QueryNumber: true},
	} {
		c.Random = random.Stream(2)
		score := uncertainty.Score{Name: "dropout", Map: uncertainty.JSD, Passes: 3, Dropout: true}
		p := n.Pool(t.Context(), query.Spec{Score: score, Strategy: needing(needs)}, c)
		got := query.Needs{
			Scores: p.Score != nil, ClassScores: p.ClassScores != nil, Networks: p.Disagreement != nil && p.Probabilities != nil, NonNegative: needs.NonNegative, LabelledFeatures: p.LabelledFeatures != nil,
			Positions: p.Positions != nil, HiddenForeground: p.HiddenForeground != nil, QueryNumber: p.Query == 3 && p.Queries == 7,
		}
		if p.Features != nil {
			got.Features = needs.Features
		}
		if got != needs || p.N != 9 || !got.QueryNumber && p.Query+p.Queries != 0 {
			t.Errorf("%+v: the pool of %d offers %+v", needs, p.N, got)
		}
		if needs.Scores {
			sent, passed = 0, 0
			scores, err := p.Score([]int{8, 2})
			want := scoresOf(t, n, [][]float32{images[8], images[2]}, score, 2)
			if err != nil || !slices.Equal(scores, want) || sent != 2 || passed != 6 {
				t.Errorf("scores %v of %d slices in %d passes, %v; want %v of 2 in 6", scores, sent, passed, err, want)
			}
		}
		for _, f := range []struct {
			offered func() ([][]float32, error)
			images  [][]float32
		}{{p.Features, c.Images}, {p.LabelledFeatures, c.Labelled}} {
			if f.offered == nil {
				continue
			}
			sent, passed = 0, 0
			vectors, err := f.offered()
			want, _ := n.Features(t.Context(), f.images, needs.Features)
			if err != nil || !slices.EqualFunc(vectors, want, slices.Equal) || sent != len(want) || passed != len(want) {
				t.Errorf("%d vectors of %d slices in %d passes, %v; want %d", len(vectors), sent, passed, err, len(want))
			}
		}
	}
}

// The members of an ensemble are trained when scores are asked for, and not before.
func TestPoolTrainsMembers(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	net := func(seed uint64) *unet.Net {
		return unet.New(e, unet.Config{Classes: 2, Width: 4}, random.Stream(seed))
	}
	n, trained, fault := network(net(1)), 0, error(nil)
	c := Candidates{Images: noise(3), Members: func(context.Context) ([][]float32, error) {
		trained++
		return [][]float32{net(2).State()}, fault
	}}
	spec := func(name string) query.Spec {
		s, err := query.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	p := n.Pool(t.Context(), spec("ensemble(members=2)"), c)
	if trained != 0 {
		t.Error("members were trained before scores were asked for")
	}
	scores, err := p.Score([]int{0, 1, 2})
	if err != nil || trained != 1 || slices.Min(scores) <= 0 {
		t.Errorf("scores %v after %d trainings, %v", scores, trained, err)
	}
	if _, err := n.Pool(t.Context(), spec("entropy"), c).Score([]int{0}); err != nil || trained != 1 {
		t.Errorf("a score of one network: %d trainings, %v", trained, err)
	}
	fault = errors.New("the device is gone")
	if _, err := p.Score([]int{0}); !errors.Is(err, fault) {
		t.Errorf("a training that fails: %v", err)
	}
}

// Errors name the item of the pool, whichever items were asked for.
func TestPoolNamesItems(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	n := network(unet.New(e, unet.Config{Classes: 2, Width: 4}, random.Stream(1)))
	c := Candidates{Images: noise(4)}
	c.Images[2][7] = float32(math.NaN())
	spec := query.Spec{Score: uncertainty.Score{Name: "entropy"}, Strategy: query.Top{}}
	for want, names := range map[string][]string{"item 2: ": nil, "case/2: ": {"case/0", "case/1", "case/2", "case/3"}} {
		c.Names = names
		if _, err := n.Pool(t.Context(), spec, c).Score([]int{3, 2}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("a slice of NaN: %v, want %q", err, want)
		}
	}
}
