package report

import (
	"math/rand/v2"

	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/stats"
)

// Options of a report.
type Options struct {
	// Reach is the 3D Dice, 0 to 1, whose number of labels is reported; 0 means the mean final value of random.
	Reach float64
	// BesidePaper shows the paper's published figures under ours; nil shows them for the data that the paper used.
	BesidePaper *bool
	// Draws of each bootstrap interval; 0 means 10000.
	Draws int
}

const level = 0.95 // of all intervals

// The intervals of a report are drawn from streams that their place in it names, so that the same records make the same
// report, and one more strategy moves no interval of the others.
func stream(path ...any) *rand.Rand { return random.Stream(1, append([]any{"report"}, path...)...) }

func (o Options) draws() int {
	if o.Draws > 0 {
		return o.Draws
	}
	return 10000
}

// interval returns a function that makes bootstrap intervals of means under the name of a place.
func (o Options) interval(place ...any) func(name string, values []float64) stats.Interval {
	return func(name string, values []float64) stats.Interval {
		return stats.BootstrapMean(values, level, o.draws(), stream(append(append([]any{}, place...), name)...))
	}
}
