package query

import "strings"

// Parts is the name of a strategy taken apart, as tables and figures group and head strategies.
type Parts struct {
	Score    string // that it picks by, with its options; "" for a strategy that is named without one
	Title    string // of the score: "Dropout (map=variance)"; "" without one
	Selector string // that picks by the score, with its options; "" where the highest scores win
}

// Split takes a name apart: "entropy(aggregation=max)+sb(q=7)" into the score "entropy(aggregation=max)", titled "Entropy
// (aggregation=max)", and the selector "sb(q=7)". It does not look at options. What precedes the + counts as a score even
// if [List] does not have it, as in records of other versions: its title is its name. Of a name that cannot be read all is
// empty.
func Split(name string) Parts {
	components, err := splitName(name)
	if err != nil {
		return Parts{}
	}
	first := components[0]
	e, known := entryOf(first.name)
	if len(components) == 1 && (!known || e.Kind != KindScore) {
		return Parts{}
	}
	p := Parts{Score: first.text, Title: first.text}
	if e.Title != "" {
		p.Title = e.Title
		if written := strings.TrimPrefix(first.text, first.name); written != "" {
			p.Title += " " + written
		}
	}
	if len(components) == 2 {
		p.Selector = components[1].text
	}
	return p
}

// StochasticBatches reports whether these pick by the score, with any options.
func (p Parts) StochasticBatches() bool {
	name, _, _ := strings.Cut(p.Selector, "(")
	return name == stochasticBatches.Name
}
