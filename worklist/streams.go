package worklist

import (
	"math/rand/v2"

	"github.com/nextslice/nextslice/random"
)

// streams are the named random streams of a query. Their paths hold what is labelled: queries draw independently of each other, and the same labels give the same
// draws, to a query that goes on and to each of its parts.
type streams struct {
	seed     uint64
	labels   string // digest of what is labelled
	sameInit bool   // training has the same streams in all queries, see recipe.Config
}

func (q *run) streams() streams {
	return streams{q.Experiment.Seed, q.seen.labels, q.Experiment.Train.SameInit}
}

// stream returns one for drawing among candidates.
func (s streams) stream(path ...any) *rand.Rand {
	return random.Stream(s.seed, append([]any{"query", s.labels}, path...)...)
}

// training returns one for training.
func (s streams) training(path ...any) *rand.Rand {
	if s.sameInit {
		s.labels = ""
	}
	return random.Stream(s.seed, append([]any{"train", s.labels}, path...)...)
}
