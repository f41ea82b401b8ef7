package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/report/figure"
	"github.com/nextslice/nextslice/stats"
)

// Findings says in sentences what the tables of a group show on the first measure. It says "no difference shown" and
// never "no difference": a test that does not reject shows nothing.
func (x Experiment) Findings(g Group) (out []string) {
	m := measures[0]
	for _, c := range g.Comparisons {
		if !c.main() || c.Question == QuestionSelectors {
			continue
		}
		verdicts := []struct {
			text    string
			effects []string
		}{{text: "better"}, {text: "worse"}, {text: "no difference shown"}}
		n := 0
		for _, r := range c.Rows {
			if len(r.Sets) == 0 {
				continue
			}
			n++
			verdict := &verdicts[2]
			if r.significant() {
				verdict = &verdicts[0]
				if r.Difference.Mean*m.better() < 0 {
					verdict = &verdicts[1]
				}
			}
			verdict.effects = append(verdict.effects, r.A+" "+effect(r.Difference.Mean, r.Interval, m))
		}
		if n == 0 {
			continue
		}
		text := fmt.Sprintf("%s (AULC of the %s in %s with 95 %% interval; %s): ", capital(c.Question), m.long, m.pointsUnit(x.DistanceUnit), c.setsText())
		var blocks []string
		for _, v := range verdicts {
			if len(v.effects) > 0 {
				blocks = append(blocks, fmt.Sprintf("%s for %d of %d: %s", v.text, len(v.effects), n, strings.Join(v.effects, ", ")))
			}
		}
		out = append(out, text+strings.Join(blocks, "; ")+".")
	}
	out = append(out, x.recipesFinding(g)...)
	out = append(out, g.labelsFinding()...)
	out = append(out, g.picksFinding()...)
	return append(out, g.costFinding()...)
}

// recipesFinding says with how many recipes stochastic batches are ahead.
func (x Experiment) recipesFinding(pooled Group) []string {
	ahead, of := 0, 0
	for _, g := range x.Groups {
		for _, c := range g.Comparisons {
			if g.Pooled || !c.main() || c.Question != QuestionBatches {
				continue
			}
			for _, r := range c.Rows {
				if len(r.Sets) == 0 {
					continue
				}
				of++
				if r.Difference.Mean*measures[0].better() > 0 {
					ahead++
				}
			}
		}
	}
	if !pooled.Pooled || of == 0 {
		return nil
	}
	return []string{fmt.Sprintf("Score by score and recipe by recipe, stochastic batches are ahead of the plain score in the mean in %d of %d comparisons.", ahead, of)}
}

// labelsFinding says which strategy needs the fewest labels.
func (g Group) labelsFinding() []string {
	base, ok := g.find(Baseline)
	if !ok || base.Results[0].Reach == nil {
		return nil
	}
	reach := base.Results[0].Reach
	best, fewest := "", math.Inf(1)
	for _, st := range g.Strategies {
		if r := st.Results[0].Reach; !math.IsNaN(float64(r.Median)) && float64(r.Median) < fewest {
			best, fewest = st.Name, float64(r.Median)
		}
	}
	if best == "" {
		return []string{fmt.Sprintf("No strategy reaches a 3D Dice of %.1f %% (%s) in its median run.", 100*float64(reach.Value), reach.Of)}
	}
	text := fmt.Sprintf("A 3D Dice of %.1f %% (%s) takes the fewest labels with %s: %.0f in its median run", 100*float64(reach.Value), reach.Of, best, fewest)
	switch {
	case best == Baseline:
	case math.IsNaN(float64(reach.Median)):
		text += "; the median run of random does not reach it"
	default:
		text += fmt.Sprintf(", against %.0f with random", float64(reach.Median))
	}
	return []string{text + "."}
}

// picksFinding compares how alike the picks were, without and with stochastic batches.
func (g Group) picksFinding() []string {
	texts := g.byRole(func(st Strategy) stats.Summary { return st.Picks.Adjacent }, 100, " %")
	if len(texts) < 2 {
		return nil
	}
	return []string{"Picks next to a slice that was labelled already, or picked with it: " + strings.Join(texts, ", ") + "."}
}

// costFinding compares what there was to outline: slices may be fewer because they hold more.
func (g Group) costFinding() []string {
	if !g.hasCosts() {
		return nil
	}
	texts := g.byRole(func(st Strategy) stats.Summary { return st.Picks.Cost.Foreground.PerQuery }, 1, "")
	if len(texts) < 2 {
		return nil
	}
	return []string{"Foreground pixels to outline in a query: " + strings.Join(texts, ", ") + "."}
}

// byRole returns the range of a strategy's number over random, the plain scores, and stochastic batches, as far as there are any: times scale, in a unit.
func (g Group) byRole(number func(Strategy) stats.Summary, scale float64, unit string) (texts []string) {
	values := map[int][]float64{}
	for _, f := range append(families(g.names()), family{members: []string{Baseline}}) {
		roles := f.roles()
		for _, name := range f.members {
			if st, ok := g.find(name); ok && number(st).N > 0 {
				values[roles[name]] = append(values[roles[name]], scale*number(st).Mean)
			}
		}
	}
	for _, role := range []struct {
		role int
		name string
	}{{figure.RoleRandom, "random"}, {figure.RolePlain, "the plain scores"}, {figure.RoleBatches, "stochastic batches"}} {
		of := values[role.role]
		if len(of) == 0 {
			continue
		}
		text, high := fmt.Sprintf("%.0f", slices.Min(of)), fmt.Sprintf("%.0f", slices.Max(of))
		if text != high {
			text += " to " + high
		}
		texts = append(texts, fmt.Sprintf("%s%s with %s", text, unit, role.name))
	}
	return texts
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
