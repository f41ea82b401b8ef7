package report

import (
	"slices"
	"strings"

	"github.com/nextslice/nextslice/query"
)

// Baseline is the strategy that every other one is compared with.
const Baseline = "random"

// family is the strategies that rank by the same score, or those without one.
type family struct {
	name    string   // of the score; "" for strategies without one
	members []string // strategies: the plain score first, then stochastic batches, then others
	part    string   // which of them, where the family is shown in parts
}

// inPanel is how many curves of a family are told apart in one panel: there are as many colours for others.
const inPanel = 6

// split shows a large family in parts: in each the plain score and stochastic batches, and some of the others, the variants
// of stochastic batches before other ways to pick.
func (f family) split() []family {
	if len(f.members) <= inPanel {
		return []family{f}
	}
	var shared, variants, others []string
	for _, m := range f.members {
		switch p := partsOf(m); {
		case f.name != "" && (p.Selector == "" || p.Selector == "sb"):
			shared = append(shared, m)
		case p.StochasticBatches():
			variants = append(variants, m)
		default:
			others = append(others, m)
		}
	}
	var out []family
	for _, kind := range []struct {
		title   string
		members []string
	}{{"stochastic batches", variants}, {"other ways to pick", others}} {
		title := kind.title
		if f.name == "" {
			title = "" // these have no score to pick by
		}
		for _, chunk := range evenly(kind.members, inPanel-len(shared)) {
			out = append(out, family{f.name, slices.Concat(shared, chunk), title})
		}
	}
	return out
}

// evenly divides names into as few parts of at most so many as it takes, of like length.
func evenly(names []string, most int) (parts [][]string) {
	n := (len(names) + most - 1) / most
	for i := range n {
		parts = append(parts, names[i*len(names)/n:(i+1)*len(names)/n])
	}
	return parts
}

// title is how a family is headed.
func (f family) title() string {
	title := "Others"
	if f.name != "" {
		title = partsOf(f.name).Title
	}
	if f.part != "" {
		title += ": " + f.part
	}
	return title
}

// families groups strategies by their score, in the order in which they come; strategies without a score are last. The
// baseline is in none: it is in every table anyway.
func families(strategies []string) []family {
	var out []family
	for _, name := range strategies {
		if name == Baseline {
			continue
		}
		score := partsOf(name).Score
		i := slices.IndexFunc(out, func(f family) bool { return f.name == score })
		if i < 0 {
			i = len(out)
			out = append(out, family{name: score})
		}
		out[i].members = append(out[i].members, name)
	}
	rank := func(name string) int {
		switch p := partsOf(name); {
		case p.Selector == "":
			return 0
		case p.Selector == "sb":
			return 1
		case p.StochasticBatches():
			return 2
		}
		return 3
	}
	for _, f := range out {
		slices.SortStableFunc(f.members, func(a, b string) int { return rank(a) - rank(b) })
	}
	slices.SortStableFunc(out, func(a, b family) int {
		switch {
		case a.name == "" && b.name != "":
			return 1
		case a.name != "" && b.name == "":
			return -1
		}
		return 0
	})
	return out
}

// column heads a member's column under its family's title.
func (f family) column(member string) string {
	switch p := partsOf(member); {
	case f.name == "":
		return member
	case p.Selector == "":
		return "w/o SB"
	case p.Selector == "sb":
		return "w/ SB"
	case p.StochasticBatches():
		return "w/ SB " + strings.TrimPrefix(p.Selector, "sb")
	}
	return partsOf(member).Selector
}

// pair is a question of the report: is a better than b?
type pair struct{ a, b string }

// Questions that the comparisons answer, each in a table of its own.
const (
	QuestionBatches   = "stochastic batches against the plain score"
	QuestionRandom    = "every strategy against random"
	QuestionSelectors = "ways to pick by the same score against each other"
	QuestionInitial   = "other choices of the initial set against the usual one"
)

// partsOf takes a strategy's name apart. One from initial sets that were chosen in another way has no parts: it is in no
// family, because it was not begun like the others of it.
func partsOf(name string) query.Parts {
	if strings.Contains(name, from) {
		return query.Parts{}
	}
	return query.Split(name)
}

// pairs returns the comparisons of a question.
func pairs(question string, strategies []string) (out []pair) {
	if question == QuestionInitial {
		for _, name := range strategies {
			if usual, _, other := strings.Cut(name, from); other && slices.Contains(strategies, usual) {
				out = append(out, pair{name, usual})
			}
		}
		return out
	}
	for _, f := range families(strategies) {
		plain, batches := "", ""
		for _, m := range f.members {
			switch p := partsOf(m); {
			case f.name == "":
			case p.Selector == "":
				plain = m
			case p.Selector == "sb":
				batches = m
			}
		}
		for _, m := range f.members {
			switch p := partsOf(m); question {
			case QuestionBatches:
				if plain != "" && p.StochasticBatches() {
					out = append(out, pair{m, plain})
				}
			case QuestionRandom:
				if slices.Contains(strategies, Baseline) {
					out = append(out, pair{m, Baseline})
				}
			case QuestionSelectors:
				if m != batches && p.Selector != "" && batches != "" {
					out = append(out, pair{batches, m})
				} else if plain != "" && p.Selector != "" && !p.StochasticBatches() {
					out = append(out, pair{m, plain})
				}
			}
		}
	}
	return out
}
