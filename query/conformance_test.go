package query_test

import (
	"testing"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/query/querytest"
)

func TestRandom(t *testing.T) { querytest.Run(t, query.Random{}) }

func TestTop(t *testing.T) { querytest.Run(t, query.Top{}) }

func TestStochasticBatches(t *testing.T) {
	for _, s := range []query.StochasticBatches{
		{},
		{Draw: query.Partition},
		{Q: 1},
		{Q: 50, Reduce: query.Max},
		{Q: 50, Draw: query.Partition, Reduce: query.Sum},
	} {
		t.Run(s.String(), func(t *testing.T) { querytest.Run(t, s) })
	}
}

func TestPower(t *testing.T) { querytest.Run(t, query.Power{}) }

func TestSoftmax(t *testing.T) { querytest.Run(t, query.Softmax{Beta: 5}) }

func TestSoftRank(t *testing.T) { querytest.Run(t, query.SoftRank{}) }

func TestCoreSet(t *testing.T) { querytest.Run(t, query.CoreSet{}) }

func TestBADGE(t *testing.T) {
	querytest.Run(t, query.BADGE{})
	querytest.Run(t, query.BADGE{First: query.FirstNorm})
}

func TestClaSP(t *testing.T) {
	for _, s := range []query.ClaSP{{}, {Noise: query.NoNoise}, {Noise: query.BatchNoise}, {Cap: query.NoCap, Fraction: 0.33}, {Fraction: 1}} {
		t.Run(s.String(), func(t *testing.T) { querytest.Run(t, s) })
	}
}

func TestBatchBALD(t *testing.T) {
	for _, s := range []query.BatchBALD{
		{Passes: 4}, {Passes: 4, Draw: query.BatchDraw}, {Passes: 4, Samples: 8, Candidates: 12, Positions: 5}, {Passes: 4, Samples: 8, Draw: query.BatchDraw, Q: 3},
	} {
		t.Run(s.String(), func(t *testing.T) { querytest.Run(t, s) })
	}
}

func TestUSIM(t *testing.T) { querytest.Run(t, query.USIM{}) }

func TestTypiClust(t *testing.T) {
	querytest.Run(t, query.TypiClust{})
	querytest.Run(t, query.TypiClust{Steps: 10})
}

func TestSuggestiveAnnotation(t *testing.T) { querytest.Run(t, query.SuggestiveAnnotation{}) }

func TestStrided(t *testing.T) { querytest.Run(t, query.Strided{}) }

func TestRandomHiddenForeground(t *testing.T) { querytest.Run(t, query.RandomHiddenForeground{}) }
