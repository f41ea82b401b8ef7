package query

import (
	"fmt"

	"github.com/nextslice/nextslice/uncertainty"
)

// Recommended is the strategy for who has no reason for another one: no experiment of ours shows it to be worse than random, those on the hippocampus show it to be better,
// it asks for spread slices, and it costs one pass (docs/results.md). serve and the query command take it by default.
const Recommended = "entropy+sb"

// Kind says what a name stands for.
type Kind string

const (
	KindStrategy Kind = "strategy" // picks on its own
	KindScore    Kind = "score"    // ranks the items; alone it picks the highest, or a selector picks by it
	KindSelector Kind = "selector" // picks by a score: score+selector
)

// Info is one line of the list of strategies.
type Info struct {
	Name    string `json:"name"`
	Kind    Kind   `json:"kind"`
	Title   string `json:"title,omitempty"`   // of a score, in tables and figures
	Does    string `json:"line"`              // what it does
	Options string `json:"options,omitempty"` // with their defaults; "" if there are none
	Cost    string `json:"cost"`              // forward passes per unlabelled item, and training beyond the one network
	Source  string `json:"source"`            // who proposed it, where
}

// entry is what a method's own file says of its name: how it is listed, and what is made of it and its options.
type entry struct {
	Info
	strategy     func(*options) Strategy          // strategies and selectors
	defaultScore uncertainty.Score                // selectors: the score to pick by when the name gives none
	score        func(*options) uncertainty.Score // scores, and what strategies have computed instead of one; the name is filled in
	training     func(*options) Training          // what it asks of the training; nil for nothing
	write        func(Spec) []string              // options of a score that are not the default; nil for the usual ones
}

// names is the index of this package, in the order of [List]. Each has a file of its name.
var names = []entry{
	randomItems,
	strided,
	randomHiddenForeground,
	coreSet,
	badge,
	clasp,
	batchBALD,
	typiClust,

	entropy,
	leastConfidence,
	margin,
	dropout,
	tta,
	ensemble,
	learningLoss,
	usimU,
	ceal,
	dutp,
	vaal,
	taVAAL,

	top,
	stochasticBatches,
	power,
	softmax,
	softRank,
	suggestiveAnnotation,
	usim,
}

// List returns every name with one line, its cost and its source.
func List() []Info {
	list := make([]Info, len(names))
	for i, e := range names {
		list[i] = e.Info
	}
	return list
}

// entryOf returns what is known of a name.
func entryOf(name string) (entry, bool) {
	for _, e := range names {
		if e.Name == name {
			return e, true
		}
	}
	return entry{}, false
}

// ownBatches names the strategy with its option that draws stochastic batches, "" if it has none.
func (e entry) ownBatches() string {
	for _, option := range []string{"noise", "draw"} {
		name := fmt.Sprintf("%s(%s=sb)", e.Name, option)
		if _, err := Parse(name); err == nil {
			return name
		}
	}
	return ""
}

// scoreOf returns the score of a component with its options.
func (e entry) scoreOf(o *options) uncertainty.Score {
	s := e.score(o)
	s.Name = e.Name
	return s
}
