package query

import (
	"fmt"
	"strings"
)

// Spec is a strategy as a person names it: what must be computed for the items, and how to pick from it. [Parse]
// makes it of a name such as "entropy+sb", String makes the name of it; the two are inverse. Specs are comparable.
type Spec struct {
	Score    Score    // the score that [Pool].Score must return; its Name is "" if none is needed
	Strategy Strategy // ready to select
}

// Score says how an item's score is computed. The zero value means that no score is needed.
//
// Scores of one forward pass have an empty Map. Fields that a score does not use are zero.
type Score struct {
	Name string // "entropy", "least-confidence", "margin", "dropout", "tta", "ensemble", "learning-loss"

	Map       string // how several passes make one uncertainty map: "jsd", "legacy-jsd", "entropy", "variance"
	Passes    int    // dropout, tta: T, the forward passes per item
	Members   int    // ensemble: M, the networks that are trained; one pass per item each
	Bootstrap bool   // ensemble: each network is trained on a resample of the labelled items

	Aggregation string  // uncertainty map -> score: "mean", "foreground", "max", "top", "legacy"
	Fraction    float64 // top: the fraction of the pixels whose mean counts, in (0, 1]
	Band        int     // foreground: pixels by which the predicted foreground is widened
}

// ForwardPasses returns how many forward passes the score of one item takes; 0 without a score. A selection costs this
// times [Selection].Scored, and one more pass for each item of the pool if [Spec.Features] are asked for.
func (s Score) ForwardPasses() int {
	switch {
	case s.Name == "":
		return 0
	case s.Map == "":
		return 1
	}
	return s.Passes + s.Members // one of them is zero
}

// Features names the vectors that [Pool].Features must return.
type Features string

const (
	NoFeatures Features = ""           // Features is not called
	Bottleneck Features = "bottleneck" // the deepest encoder output, averaged over the image
	Gradient   Features = "gradient"   // the loss gradient of the last layer, see [BADGE]
)

// Features returns which vectors the strategy asks for.
func (s Spec) Features() Features {
	switch s.Strategy.(type) {
	case CoreSet, SuggestiveAnnotation:
		return Bottleneck
	case BADGE:
		return Gradient
	}
	return NoFeatures
}

// UsesHiddenMasks tells whether the strategy reads what only a simulation knows. Results of it are no method's merit.
func (s Spec) UsesHiddenMasks() bool {
	_, hidden := s.Strategy.(RandomHiddenForeground)
	return hidden
}

// Parse reads the name of a strategy:
//
//	strategy           random, core-set, ...          picks on its own
//	score              entropy, dropout, ...          the items with the highest scores
//	score+selector     entropy+sb, dropout+power ...  the selector picks by that score
//
// Each part may carry options in parentheses: "dropout(map=variance,passes=8)+sb(draw=partition,q=200)". [List] has
// all names and options. A wrong name or option is an error that says what would be right.
func Parse(name string) (Spec, error) {
	spec, err := parse(name)
	if err != nil {
		return Spec{}, fmt.Errorf("strategy %q: %w", name, err)
	}
	return spec, nil
}

func parse(name string) (Spec, error) {
	parts, err := splitName(name)
	if err != nil {
		return Spec{}, err
	}
	first := parts[0]
	if score, ok := scoreOf(first); ok {
		var strategy Strategy = Top{}
		if len(parts) == 2 {
			second := parts[1]
			if _, isScore := scoreOf(second.fresh()); isScore {
				return Spec{}, fmt.Errorf("%s is a score; after the + stands a selector, as in %s+sb", second.name, first.name)
			}
			strategy, ok = strategyOf(second)
			if !ok {
				return Spec{}, unknown(second.name, KindSelector)
			}
			if !second.selector {
				return Spec{}, fmt.Errorf("%s does not pick by a score: it stands alone", second.name)
			}
			if err := second.err(); err != nil {
				return Spec{}, err
			}
		}
		return Spec{Score: score, Strategy: strategy}, first.err()
	}
	strategy, ok := strategyOf(first)
	switch {
	case !ok:
		return Spec{}, unknown(first.name, KindStrategy, KindScore)
	case first.selector && first.score.Name == "":
		return Spec{}, fmt.Errorf("%s needs a score to pick by, as in entropy+%s", first.name, first.name)
	case len(parts) == 2:
		return Spec{}, fmt.Errorf("%s yields no score that %s could pick by", first.name, parts[1].name)
	}
	return Spec{Score: first.score, Strategy: strategy}, first.err()
}

// ParseSelector reads a strategy for scores that were computed elsewhere: "top", "sb(q=200)", "power", "random", ...
func ParseSelector(name string) (Strategy, error) {
	parts, err := splitName(name)
	if err == nil && len(parts) == 2 {
		err = fmt.Errorf("the scores are given: name the selector only, as in %s", parts[1].name)
	}
	if err != nil {
		return nil, fmt.Errorf("strategy %q: %w", name, err)
	}
	strategy, ok := strategyOf(parts[0])
	switch {
	case !ok:
		err = unknown(parts[0].name, KindSelector)
	case !parts[0].selector && strategy != Strategy(Random{}):
		err = fmt.Errorf("%s does not pick by a score", parts[0].name)
	default:
		err = parts[0].err()
	}
	if err != nil {
		return nil, fmt.Errorf("strategy %q: %w", name, err)
	}
	return strategy, nil
}

// String returns the shortest name that [Parse] reads as s; defaults are left out.
func (s Spec) String() string {
	strategy := fmt.Sprint(s.Strategy)
	switch {
	case s.Score.Name == "":
		return strategy
	case s.Strategy == Strategy(Top{}):
		return s.Score.String()
	}
	// A selector with a score of its own is named alone.
	if parts, err := splitName(strategy); err == nil {
		if _, ok := strategyOf(parts[0]); ok && parts[0].score == s.Score {
			return strategy
		}
	}
	return s.Score.String() + "+" + strategy
}

// String returns the name of the score with the options that are not the default.
func (s Score) String() string {
	standard, ok := scoreOf(&part{name: s.Name})
	if !ok {
		return s.Name
	}
	var fraction, band string
	switch s.Aggregation {
	case "top":
		fraction = option("fraction", s.Fraction, standardFraction)
	case "foreground":
		band = option("band", s.Band, standardBand)
	}
	return call(s.Name,
		option("map", s.Map, standard.Map),
		option("passes", s.Passes, standard.Passes),
		option("members", s.Members, standard.Members),
		option("bootstrap", s.Bootstrap, standard.Bootstrap),
		option("aggregation", s.Aggregation, standard.Aggregation), fraction, band)
}

// MarshalText returns the name, so that a Spec stands in a config file as one word.
func (s Spec) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a name as [Parse] does.
func (s *Spec) UnmarshalText(text []byte) error {
	spec, err := Parse(strings.TrimSpace(string(text)))
	if err == nil {
		*s = spec
	}
	return err
}
