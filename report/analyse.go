package report

import (
	"fmt"
	"slices"

	"github.com/nextslice/nextslice/internal/null"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/report/figure"
	"github.com/nextslice/nextslice/stats"
)

// Report is everything that tables, figures and the page are made from.
type Report struct {
	Experiments []Experiment `json:"experiments"`
}

// Experiment is the report of one experiment.
type Experiment struct {
	Name         string       `json:"name"`
	Settings     Settings     `json:"settings"`
	Data         record.Data  `json:"data"`
	Env          record.Env   `json:"env"`
	Classes      []string     `json:"classes"`       // foreground
	DistanceUnit string       `json:"distance_unit"` // mm, voxel or mixed
	BesidePaper  bool         `json:"beside_paper"`
	Groups       []Group      `json:"groups"`          // one per training recipe, then all recipes together
	Cases        []CaseResult `json:"cases,omitempty"` // test cases after the last cycle, the worst first

	pool poolSlices // nil where the record does not tell them

	Pictures    []figure.Picture `json:"-"`
	PictureNote string           `json:"-"` // why there are no pictures, or not all
}

// Group is the report of one training recipe, or of all.
type Group struct {
	Grid        string           `json:"grid"` // the recipe; "" without a grid
	Pooled      bool             `json:"pooled"`
	Recipes     int              `json:"recipes"`
	Strategies  []Strategy       `json:"strategies"`
	Ceiling     *Ceiling         `json:"ceiling,omitempty"`               // nil without one
	Best        *Best            `json:"best,omitempty"`                  // nil without random and another strategy
	Efficiency  *EfficiencyCurve `json:"foreground_efficiency,omitempty"` // nil where no strategy has one
	Comparisons []Comparisons    `json:"comparisons"`
	Pairwise    stats.Pairwise   `json:"pairwise"` // of the 3D Dice, in the order of Strategies
	Warnings    []stats.Warning  `json:"warnings,omitempty"`
}

// Strategy is the report of one strategy.
type Strategy struct {
	Name     string    `json:"name"`
	Runs     int       `json:"runs"`     // with at least one cycle
	Finished int       `json:"finished"` // with all
	Results  []Result  `json:"results"`  // one per measure, of the mean over foreground classes
	Classes  [][]Point `json:"classes"`  // the 3D Dice per foreground class, as curves
	Picks    Picks     `json:"picks"`
	Time     *Time     `json:"time,omitempty"` // nil where no query is timed
	// Shares are the labels to 90, 95 and 98 % of the ceiling; none without one.
	Shares []Reach `json:"labels_to_shares_of_ceiling,omitempty"`
	// Calibration of the last models, nil where it is not recorded.
	Calibration *Calibration `json:"calibration,omitempty"`

	Efficiency *Efficiency `json:"foreground_efficiency,omitempty"` // nil where the record does not tell what there was to outline

	foreground map[int]foregroundCurve // of finished runs, by initial set; of those with all recipes

	dice2DOne stats.Summary          // of dice_2d over all cycles of finished runs, where a slice that is empty in both masks counts 1
	curves    map[string][]stats.Run // of finished and unfinished runs, per measure
	whole     map[string][]stats.Run // of finished runs
}

// Result is what the runs of a strategy say of one measure.
type Result struct {
	Measure string `json:"measure"`
	// All but the curves are over finished runs.
	Cells        stats.Summary  `json:"all_cycles"` // over all cycles: the paper's mean ± std
	AULC         stats.Summary  `json:"aulc"`
	AULCInterval stats.Interval `json:"aulc_interval"`
	Final        stats.Summary  `json:"final"`
	Curve        []Point        `json:"curve"`
	// Difference to random at each number of labels, paired by initial set; none for random itself.
	Difference []Point `json:"difference,omitempty"`
	Reach      *Reach  `json:"labels_to_reach,omitempty"` // of the first measure only
}

// Reach says with how many labels the finished runs of a strategy reach a value.
type Reach struct {
	Value   null.Float `json:"value"`
	Of      string     `json:"of"` // where the value comes from
	Reached int        `json:"reached"`
	Runs    int        `json:"runs"`
	Median  null.Float `json:"median"` // labels; runs that do not reach it count as more than all; NaN where the median run does not
	// Interval of the median, see stats.MedianInterval: NaN with few runs, and for an end that is more than all labels.
	Low  null.Float `json:"low"`
	High null.Float `json:"high"`

	interval stats.Interval // the same, with an end of +Inf for more than all
}

// Analyse makes the report of experiments.
func Analyse(sources []Source, o Options) (Report, error) {
	var r Report
	for _, s := range sources {
		x, err := analyse(s, o)
		if err != nil {
			return Report{}, fmt.Errorf("%s: %w", s.Name, err)
		}
		r.Experiments = append(r.Experiments, x)
	}
	return r, nil
}

func analyse(s Source, o Options) (Experiment, error) {
	classes, err := record.Classes(s.Runs)
	if err != nil {
		return Experiment{}, err
	}
	if len(classes) == 0 {
		return Experiment{}, fmt.Errorf("no run has a finished cycle: there is nothing to report")
	}
	x := Experiment{
		Name: s.Name, Settings: s.Settings, Data: s.Data, Env: s.Env, Classes: classes,
		DistanceUnit: distanceUnit(s.Runs), BesidePaper: s.fromPaper(),
	}
	x.Cases, x.pool = s.caseResults(), s.poolSlices()
	if _, err := record.Classes(slices.Concat(s.Runs, s.Ceiling)); err != nil {
		return Experiment{}, err
	}
	if o.BesidePaper != nil {
		x.BesidePaper = *o.BesidePaper
	}
	grids, idle := s.recipes()
	for _, grid := range grids {
		x.Groups = append(x.Groups, s.group(o, []string{grid}))
	}
	if len(grids) > 1 {
		x.Groups = append(x.Groups, s.group(o, grids))
	}
	if len(idle) > 0 {
		x.Groups[len(x.Groups)-1].warn("missing-recipe", "no run yet with the recipes %s", join(idle))
	}
	return x, nil
}

// recipes returns the names of those that have runs, in the order of the configuration, and of those that have none yet.
func (s Source) recipes() (grids, idle []string) {
	var begun []string
	for _, r := range s.Runs {
		if !slices.Contains(begun, r.Grid) {
			begun = append(begun, r.Grid)
		}
	}
	for _, r := range s.Settings.Grid {
		if slices.Contains(begun, r.Name()) {
			grids = append(grids, r.Name())
		} else {
			idle = append(idle, r.Name())
		}
	}
	for _, name := range begun {
		if !slices.Contains(grids, name) {
			grids = append(grids, name)
		}
	}
	return grids, idle
}

// distanceUnit returns the unit of the distances, or "mixed" where runs differ in it.
func distanceUnit(runs []record.Run) (unit string) {
	for _, r := range runs {
		for _, c := range r.Cycles {
			if unit == "" {
				unit = c.Measures.Unit
			}
			if unit != c.Measures.Unit {
				return "mixed"
			}
		}
	}
	return unit
}

// strategies returns those of the configuration, and those of the records that it does not name.
func (s Source) strategies() []string {
	names := slices.Clone(s.Settings.Strategies)
	for _, r := range s.Runs {
		if !slices.Contains(names, r.Strategy) {
			names = append(names, r.Strategy)
		}
	}
	return names
}

// group reports some recipes together.
func (s Source) group(o Options, grids []string) Group {
	g := Group{Recipes: len(grids), Pooled: len(grids) > 1, Ceiling: s.ceiling(grids)}
	if !g.Pooled {
		g.Grid = grids[0]
	}
	place := g.Grid
	if g.Pooled {
		place = "all recipes"
	}
	want := s.Settings.InitialSets * len(grids)
	var idle []string
	unfinished := make([][]string, want+1) // strategies by the number of runs that they lack
	for _, name := range s.strategies() {
		var runs []record.Run
		for _, r := range s.Runs {
			if r.Strategy == name && slices.Contains(grids, r.Grid) && len(r.Cycles) > 0 {
				runs = append(runs, r)
			}
		}
		if len(runs) == 0 {
			idle = append(idle, name)
			continue
		}
		st := s.strategy(o, place, name, grids, runs)
		if missing := want - st.Finished; missing > 0 {
			unfinished[missing] = append(unfinished[missing], name)
		}
		g.Strategies = append(g.Strategies, st)
	}
	if len(idle) > 0 {
		g.warn("missing-strategy", "no run yet of %s", join(idle))
	}
	for missing, names := range unfinished {
		if len(names) > 0 {
			g.warn("unfinished", "%d of %d runs of %s are missing or not finished; these appear in the learning curves only", missing, want, join(names))
		}
	}
	g.finish(o, place)
	g.reachShares()
	g.efficiencies(o, place)
	g.Best = g.findBest(s, o, place, grids)
	g.ceilingWarnings(s, grids)
	g.warnings(s, grids)
	return g
}

// finish computes what needs several strategies.
func (g *Group) finish(o Options, place string) {
	var names []string
	baseline := -1
	for i, st := range g.Strategies {
		names = append(names, st.Name)
		if st.Name == Baseline {
			baseline = i
		}
	}
	target, of := o.Reach, "as asked for"
	if baseline >= 0 && target == 0 {
		target, of = g.Strategies[baseline].Results[0].Final.Mean, "the mean final value of random"
	}
	all := make([][]stats.Run, len(g.Strategies))
	for i := range g.Strategies {
		st := &g.Strategies[i]
		all[i] = st.whole[measures[0].name]
		if target > 0 {
			st.Results[0].Reach = reach(st.whole[measures[0].name], target, of)
		}
		if baseline < 0 || i == baseline {
			continue
		}
		for j, m := range measures {
			st.Results[j].Difference = differences(st.curves[m.name], g.Strategies[baseline].curves[m.name],
				o.interval(place, "difference", st.Name, m.name))
		}
	}
	for _, question := range []string{QuestionBatches, QuestionRandom, QuestionSelectors, QuestionInitial} {
		for _, m := range measures {
			for _, number := range []string{NumberAULC, NumberFinal} {
				c := g.compare(o, place, question, m, number, pairs(question, names))
				if len(c.Rows) > 0 {
					g.Comparisons = append(g.Comparisons, c)
				}
			}
		}
	}
	g.Pairwise = stats.PairwiseWins(all, 0.05, measures[0].direction)
	g.Pairwise.Warnings = append(g.untested(), g.Pairwise.Warnings...)
}

// untested warns of pairs of strategies that are not compared at some budgets, those with as many of them together.
func (g *Group) untested() (out []stats.Warning) {
	var order []int
	pairs := map[int][]string{}
	for _, u := range g.Pairwise.Untested {
		if pairs[u.Budgets] == nil {
			order = append(order, u.Budgets)
		}
		pairs[u.Budgets] = append(pairs[u.Budgets], g.Strategies[u.A].Name+" and "+g.Strategies[u.B].Name)
	}
	for _, n := range order {
		out = append(out, stats.Warning{Kind: stats.WarnMissingCycles, Text: fmt.Sprintf("%s: fewer than two sets in common at %d of %d budgets, which count as no win",
			join(pairs[n]), n, len(g.Pairwise.Budgets))})
	}
	return out
}

func (g *Group) find(name string) (Strategy, bool) {
	for _, st := range g.Strategies {
		if st.Name == name {
			return st, true
		}
	}
	return Strategy{}, false
}

func (g *Group) warn(kind, format string, args ...any) {
	g.Warnings = append(g.Warnings, stats.Warning{Kind: kind, Text: fmt.Sprintf(format, args...)})
}
