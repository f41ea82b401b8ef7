package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/nextslice/nextslice/report/figure"
	"github.com/nextslice/nextslice/report/table"
	"github.com/nextslice/nextslice/stats"
)

var (
	//go:embed page/page.html
	pageHTML string
	//go:embed page/page.css
	pageCSS template.CSS
	//go:embed page/page.js
	pageJS template.JS
)

// pageGroup is one group as the template sees it.
type pageGroup struct {
	ID       string
	Title    string
	Open     bool // the group that is read first
	Findings []string
	Warnings []stats.Warning
	Paper    template.HTML
	Compare  template.HTML   // the comparisons of the first measure
	Runs     template.HTML   // numbers per run
	Pairwise template.HTML   // "" for a single strategy
	Picks    template.HTML   // what was picked
	More     []template.HTML // the other comparisons
	Figures  []figure.Figure
}

// In returns the figures of a section, minor ones or the others.
func (g pageGroup) In(section string, minor bool) (out []figure.Figure) {
	for _, f := range g.Figures {
		if f.Section == section && f.Minor == minor {
			out = append(out, f)
		}
	}
	return out
}

type pageExperiment struct {
	Experiment
	ID     string
	Groups []pageGroup
	Cases  *pageCases // nil where the records tell no single cases
	Facts  [][2]string
}

// WriteHTML writes the report as one page, which needs no other file and no network.
func (r Report) WriteHTML(w io.Writer) error {
	page := struct {
		Title       string
		Style       template.CSS
		Script      template.JS
		Experiments []pageExperiment
	}{Style: pageCSS, Script: pageJS}
	var names []string
	for i, x := range r.Experiments {
		names = append(names, x.Name)
		one := pageExperiment{Experiment: x, ID: fmt.Sprintf("x%d", i+1), Facts: x.facts()}
		var err error
		if one.Cases, err = x.pageCases(one.ID); err != nil {
			return err
		}
		// All recipes together come first.
		order := x.Groups
		if last := len(x.Groups) - 1; last > 0 {
			order = append([]Group{x.Groups[last]}, x.Groups[:last]...)
		}
		for j, g := range order {
			group, err := x.pageGroup(g)
			if err != nil {
				return err
			}
			group.ID, group.Open = fmt.Sprintf("%s-g%d", one.ID, j+1), j == 0
			one.Groups = append(one.Groups, group)
		}
		page.Experiments = append(page.Experiments, one)
	}
	page.Title = strings.Join(names, ", ")
	t, err := template.New("page.html").Funcs(template.FuncMap{"capital": capital}).Parse(pageHTML)
	if err != nil {
		return err
	}
	return t.Execute(w, page)
}

func (x Experiment) pageGroup(g Group) (pageGroup, error) {
	p := pageGroup{Title: "one recipe", Findings: x.Findings(g), Warnings: g.Warnings, Figures: x.figures(g)}
	switch {
	case g.Pooled:
		p.Title = fmt.Sprintf("all %d recipes", g.Recipes)
	case g.Grid != "":
		p.Title = g.Grid
	}
	var failed error
	render := func(t table.Table, title string) template.HTML {
		var b bytes.Buffer
		t.Title = title
		if err := t.WriteHTML(&b); err != nil {
			failed = err
		}
		return template.HTML(b.String())
	}
	p.Paper = render(x.paperTable(g), "Mean over all cycles ± standard deviation")
	for _, c := range g.Comparisons {
		title := fmt.Sprintf("%s: %s of the %s", capital(c.Question), numberText(c.Number), measureOf(c.Measure).long)
		table := render(x.comparisonTable(g, c), title)
		if c.main() {
			p.Compare += table
		} else {
			p.More = append(p.More, table)
		}
	}
	for _, t := range x.recipesTables(g) {
		_, title, _ := strings.Cut(t.Title, ": ")
		p.Compare += render(t, capital(title))
	}
	p.Runs = render(x.runsTable(g), "Numbers per run")
	if g.hasShares() {
		p.Runs += render(x.ceilingTable(g), "Labels needed to come near the ceiling")
	}
	if len(g.Strategies) > 1 {
		p.Pairwise = render(x.pairwiseTable(g), "Share of budgets at which the row beats the column")
	}
	for _, t := range x.picksTables(g) {
		_, title, _ := strings.Cut(t.Title, ": ")
		p.Picks += render(t, capital(title))
	}
	return p, failed
}

// facts are what a reader needs to judge the experiment or to repeat it.
func (x Experiment) facts() (out [][2]string) {
	add := func(name, format string, args ...any) {
		if text := strings.TrimSpace(fmt.Sprintf(format, args...)); text != "" {
			out = append(out, [2]string{name, text})
		}
	}
	s := x.Settings
	add("data", "%s", x.Data.Name)
	if len(x.Data.Pool) > 0 {
		add("cases", "%d in the pool with %d slices, %d for validation, %d for testing", len(x.Data.Pool), x.Data.PoolItems, len(x.Data.Validation), len(x.Data.Test))
	}
	add("classes", "%s", strings.Join(x.Classes, ", "))
	add("labels", "%d slices from the start, then %d queries of %d", s.InitialSize, s.Cycles, s.QuerySize)
	add("initial sets", "%d", s.InitialSets)
	add("training", "preset %s", s.Preset)
	for _, r := range s.Grid {
		add("recipe "+r.Name(), "%s", r.text())
	}
	add("seed", "%d", s.Seed)
	switch s.Empty {
	case "one":
		add("empty masks", "the Dice of two empty masks counts as 1")
	default:
		add("empty masks", "the Dice of two empty masks is undefined and left out")
	}
	if p := x.Data.Preprocess; p.Height > 0 {
		add("slices", "%d × %d pixels, %s; intensities clipped to percentiles %g and %g, zero mean, unit variance per volume", p.Height, p.Width, fitText(p.Fit), p.ClipLow, p.ClipHigh)
	}
	for i, env := range x.Env.All() {
		number := ""
		if len(x.Env.Also) > 0 {
			number = fmt.Sprintf(" (%d of %d)", i+1, len(x.Env.Also)+1)
		}
		add("program"+number, "nextslice %s %s", env.Version, env.Commit)
		add("engine"+number, "%s", env.EngineText())
		add("processor"+number, "%s", env.CPU)
	}
	return out
}

func fitText(fit string) string {
	if fit == "pad" {
		return "padded, not resampled"
	}
	return "resampled"
}
