package query

import "fmt"

// Needs is what a strategy asks of a [Pool], as data: who makes the pool computes what is declared here and nothing else.
// The zero value needs nothing. Package querytest checks that a strategy uses what it declares and no more.
type Needs struct {
	Scores           bool     // Pool.Score
	NonNegative      bool     // … which never returns a number below 0
	ClassScores      bool     // Pool.ClassScores
	Networks         bool     // Pool.Disagreement and Pool.Probabilities
	Features         Features // Pool.Features, of this kind
	LabelledFeatures bool     // Pool.LabelledFeatures, of the same kind
	Steps            int      // of the autoencoder's training, with Latent
	Positions        bool     // Pool.Positions
	HiddenForeground bool     // Pool.HiddenForeground: the strategy exists in simulations only, and its results are no method's merit
	QueryNumber      bool     // Pool.Query and Pool.Queries
}

// Features names the vectors that [Pool].Features returns.
type Features string

const (
	NoFeatures Features = ""           // none are needed
	Bottleneck Features = "bottleneck" // the deepest encoder output, averaged over the image
	Gradient   Features = "gradient"   // the loss gradient of the last layer, see [BADGE]
	Latent     Features = "latent"     // means of an autoencoder that is trained on the pool, without labels: Needs.Steps
	Appearance Features = "appearance" // averages of the image itself, which take no network
)

// offers returns an error that says which of the strategy's needs p does not meet.
func (p Pool) offers(s Strategy) error {
	n := s.Needs()
	switch {
	case n.Scores && p.Score == nil:
		return fmt.Errorf("query: %v picks by a score, and the pool offers none", s)
	case n.ClassScores && p.ClassScores == nil:
		return fmt.Errorf("query: %v picks by a score for each class, and the pool offers none", s)
	case n.Networks && (p.Disagreement == nil || p.Probabilities == nil):
		return fmt.Errorf("query: %v compares the predictions of several networks, and the pool offers none", s)
	case n.Features != NoFeatures && p.Features == nil:
		return fmt.Errorf("query: %v compares items by %s features, and the pool offers none", s, n.Features)
	case n.LabelledFeatures && p.LabelledFeatures == nil:
		return fmt.Errorf("query: %v compares items with the labelled ones, and the pool offers no features of these", s)
	case n.Positions && len(p.Positions) != p.N:
		return fmt.Errorf("query: %v needs the positions of all %d items, the pool offers %d", s, p.N, len(p.Positions))
	case n.HiddenForeground && len(p.HiddenForeground) != p.N:
		return fmt.Errorf("query: %v reads the hidden masks of all %d items, the pool offers %d; it works in simulations only",
			s, p.N, len(p.HiddenForeground))
	case n.QueryNumber && (p.Query < 0 || p.Queries < 0 || p.Queries > 0 && p.Query >= p.Queries):
		return fmt.Errorf("query: %v needs the number of the query, and the pool says %d of %d", s, p.Query, p.Queries)
	}
	return nil
}
