package report

import (
	"slices"
	"strings"

	"github.com/nextslice/nextslice/query"
)

// Baseline is the strategy that every other one is compared with.
const Baseline = "random"

// parts splits a strategy's name into the score that it ranks by and the rule that picks by it: "entropy+sb" into
// "entropy" and "sb", "entropy" into "entropy" and "". A strategy without a score, such as random, has no family.
func parts(name string) (family, selector string) {
	if family, selector, found := cutPlus(name); found {
		return family, selector
	}
	bare, _, _ := strings.Cut(name, "(")
	for _, info := range query.List() {
		if info.Name == bare && info.Kind == query.KindScore {
			return name, ""
		}
	}
	return "", ""
}

// cutPlus cuts at the first + outside parentheses.
func cutPlus(name string) (before, after string, found bool) {
	depth := 0
	for i, c := range name {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '+' && depth == 0:
			return name[:i], name[i+1:], true
		}
	}
	return name, "", false
}

// isStochasticBatches reports whether a selector is stochastic batches, with any options.
func isStochasticBatches(selector string) bool {
	bare, _, _ := strings.Cut(selector, "(")
	return bare == "sb"
}

// family is the strategies that rank by the same score, or those without one.
type family struct {
	name    string   // of the score; "" for strategies without one
	members []string // strategies: the plain score first, then stochastic batches, then others
	part    string   // which of them, where the family is shown in parts
}

// inPanel is how many curves of a family are told apart in one panel.
const inPanel = 7

// split shows a large family in parts: in each the plain score and stochastic batches, and some of the others, the variants
// of stochastic batches before other ways to pick.
func (f family) split() []family {
	if len(f.members) <= inPanel {
		return []family{f}
	}
	var shared, variants, others []string
	for _, m := range f.members {
		switch _, selector := parts(m); {
		case f.name != "" && (selector == "" || selector == "sb"):
			shared = append(shared, m)
		case isStochasticBatches(selector):
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
		for chunk := range slices.Chunk(kind.members, inPanel-len(shared)) {
			out = append(out, family{f.name, slices.Concat(shared, chunk), title})
		}
	}
	return out
}

// title is how a family is headed.
func (f family) title() string {
	titles := map[string]string{
		"": "Others", "entropy": "Entropy", "dropout": "Dropout", "tta": "TTA", "learning-loss": "Learning loss",
		"least-confidence": "Least confidence", "margin": "Margin", "ensemble": "Ensemble",
	}
	bare, options, _ := strings.Cut(f.name, "(")
	title, ok := titles[bare]
	switch {
	case !ok:
		title = f.name
	case options != "":
		title += " (" + options
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
		score, _ := parts(name)
		i := slices.IndexFunc(out, func(f family) bool { return f.name == score })
		if i < 0 {
			i = len(out)
			out = append(out, family{name: score})
		}
		out[i].members = append(out[i].members, name)
	}
	rank := func(name string) int {
		switch _, selector := parts(name); {
		case selector == "":
			return 0
		case selector == "sb":
			return 1
		case isStochasticBatches(selector):
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
	_, selector := parts(member)
	switch {
	case f.name == "":
		return member
	case selector == "":
		return "w/o SB"
	case selector == "sb":
		return "w/ SB"
	case isStochasticBatches(selector):
		return "w/ SB " + strings.TrimPrefix(selector, "sb")
	}
	return selector
}

// pair is a question of the report: is a better than b?
type pair struct{ a, b string }

// Questions that the comparisons answer, each in a table of its own.
const (
	QuestionBatches   = "stochastic batches against the plain score"
	QuestionRandom    = "every strategy against random"
	QuestionSelectors = "ways to pick by the same score against each other"
)

// pairs returns the comparisons of a question.
func pairs(question string, strategies []string) (out []pair) {
	for _, f := range families(strategies) {
		plain, batches := "", ""
		for _, m := range f.members {
			switch _, selector := parts(m); {
			case f.name == "":
			case selector == "":
				plain = m
			case selector == "sb":
				batches = m
			}
		}
		for _, m := range f.members {
			_, selector := parts(m)
			switch question {
			case QuestionBatches:
				if plain != "" && isStochasticBatches(selector) {
					out = append(out, pair{m, plain})
				}
			case QuestionRandom:
				if slices.Contains(strategies, Baseline) {
					out = append(out, pair{m, Baseline})
				}
			case QuestionSelectors:
				if m != batches && selector != "" && batches != "" {
					out = append(out, pair{batches, m})
				} else if plain != "" && selector != "" && !isStochasticBatches(selector) {
					out = append(out, pair{m, plain})
				}
			}
		}
	}
	return out
}
