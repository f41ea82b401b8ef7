package query

import (
	"fmt"
	"strings"

	"github.com/nextslice/nextslice/uncertainty"
)

// Spec is a strategy as a person names it: what must be computed for the items, and how to pick from it. [Parse]
// makes it of a name such as "entropy+sb", String makes the name of it; the two are inverse. Specs are comparable.
type Spec struct {
	Score    uncertainty.Score // what [Pool].Score and the like return; the zero value if the strategy needs no scores
	Strategy Strategy          // ready to select
	Training Training          // what it asks of the network's training; the zero value for most
}

// Parse reads the name of a strategy:
//
//	strategy           random, core-set, ...          picks on its own
//	score              entropy, dropout, ...          the items with the highest scores
//	score+selector     entropy+sb, dropout+power ...  the selector picks by that score
//
// Each component may carry options in parentheses: "dropout(map=variance,passes=8)+sb(draw=partition,q=200)". [List] has
// all names and options. A wrong name or option is an error that says what would be right.
func Parse(name string) (Spec, error) {
	spec, err := parse(name)
	if err != nil {
		return Spec{}, fmt.Errorf("strategy %q: %w", name, err)
	}
	return spec, nil
}

func parse(name string) (Spec, error) {
	components, err := splitName(name)
	if err != nil {
		return Spec{}, err
	}
	first := components[0]
	e, ok := entryOf(first.name)
	switch {
	case !ok:
		return Spec{}, unknown(first.name, KindStrategy, KindScore)
	case e.Kind == KindSelector && e.defaultScore.Name == "":
		return Spec{}, fmt.Errorf("%s needs a score to pick by, as in entropy+%s", first.name, first.name)
	case e.Kind != KindScore && len(components) == 2 && components[1].name == "sb" && e.ownBatches() != "":
		return Spec{}, fmt.Errorf("%s yields no score that sb could pick by; it has stochastic batches of its own: %s", first.name, e.ownBatches())
	case e.Kind != KindScore && len(components) == 2:
		return Spec{}, fmt.Errorf("%s yields no score that %s could pick by", first.name, components[1].name)
	case e.Kind != KindScore:
		spec := Spec{Score: e.defaultScore, Strategy: e.strategy(first)}
		if e.score != nil {
			spec.Score = e.scoreOf(first)
		}
		return spec, first.err()
	}
	spec := Spec{Score: e.scoreOf(first), Strategy: Top{}}
	if e.training != nil {
		spec.Training = e.training(first)
	}
	if len(components) == 2 {
		if spec.Strategy, err = selectorAfter(components[1], first.name); err != nil {
			return Spec{}, err
		}
	}
	return spec, first.err()
}

// selectorAfter returns the selector that stands after a score.
func selectorAfter(o *options, score string) (Strategy, error) {
	e, ok := entryOf(o.name)
	switch {
	case !ok:
		return nil, unknown(o.name, KindSelector)
	case e.Kind == KindScore:
		return nil, fmt.Errorf("%s is a score; after the + stands a selector, as in %s+sb", o.name, score)
	case e.Kind != KindSelector:
		return nil, fmt.Errorf("%s does not pick by a score: it stands alone", o.name)
	}
	return e.strategy(o), o.err()
}

// ParseSelector reads a strategy for scores that were computed elsewhere: "top", "sb(q=200)", "power", "random", ...
func ParseSelector(name string) (Strategy, error) {
	components, err := splitName(name)
	if err == nil && len(components) == 2 {
		err = fmt.Errorf("the scores are given: name the selector only, as in %s", components[1].name)
	}
	if err != nil {
		return nil, fmt.Errorf("strategy %q: %w", name, err)
	}
	var strategy Strategy
	e, ok := entryOf(components[0].name)
	switch {
	case !ok || e.Kind == KindScore:
		err = unknown(components[0].name, KindSelector)
	case e.Kind != KindSelector && e.Name != randomItems.Name:
		err = fmt.Errorf("%s does not pick by a score", components[0].name)
	default:
		strategy = e.strategy(components[0])
		err = components[0].err()
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
	case s.Score == uncertainty.Score{}, !s.Strategy.Needs().Scores:
		return strategy
	case s.Strategy == Strategy(Top{}):
		return s.scoreName()
	}
	// A selector with a score of its own is named alone.
	if components, err := splitName(strategy); err == nil {
		if e, ok := entryOf(components[0].name); ok && e.defaultScore == s.Score {
			return strategy
		}
	}
	return s.scoreName() + "+" + strategy
}

// scoreName returns the name of the score with the options that are not the default.
func (spec Spec) scoreName() string {
	s := spec.Score
	e, ok := entryOf(s.Name)
	if !ok || e.Kind != KindScore {
		return s.Name
	}
	if e.write != nil {
		return call(s.Name, e.write(spec)...)
	}
	standard := e.scoreOf(&options{name: s.Name})
	var fraction, band string
	switch s.Aggregation {
	case uncertainty.ByTop:
		fraction = option("fraction", s.Fraction, standardFraction)
	case uncertainty.ByForeground:
		band = option("band", s.Band, standardBand)
	}
	return call(s.Name,
		option("map", s.Map, standard.Map),
		option("passes", s.Passes, standard.Passes),
		option("members", s.Members, standard.Members),
		option("bootstrap", s.Bootstrap, standard.Bootstrap),
		option("aggregation", s.Aggregation, standard.Aggregation), fraction, band)
}

// MarshalText returns the name, so that a Spec is one word in a configuration file.
func (s Spec) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a name as [Parse] does.
func (s *Spec) UnmarshalText(text []byte) error {
	spec, err := Parse(strings.TrimSpace(string(text)))
	if err == nil {
		*s = spec
	}
	return err
}
