package query

import "math"

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
	Line    string `json:"line"`              // what it does
	Options string `json:"options,omitempty"` // with their defaults; "" if there are none
	Cost    string `json:"cost"`              // forward passes per unlabelled item, and training beyond the one network
	Source  string `json:"source"`            // who proposed it, where
}

// What the options of the aggregations default to.
const (
	standardFraction = 0.1
	standardBand     = 3
)

// committee is the score of suggestive annotation's paper: the variance among four networks, each trained on a
// bootstrap resample of the labelled items.
var committee = Score{Name: "ensemble", Map: "variance", Members: 4, Bootstrap: true, Aggregation: "mean"}

// strategyOf returns the strategy of a part's name with its options. It is the index of this package: every strategy
// has its line here, its line in [List], and a file of its name.
func strategyOf(p *part) (s Strategy, ok bool) {
	switch p.name {
	case "random":
		return Random{}, true
	case "strided":
		return Strided{}, true
	case "random-hidden-foreground":
		return RandomHiddenForeground{Fraction: p.number("fraction", standardForeground, 1)}, true
	case "core-set":
		return CoreSet{}, true
	case "badge":
		return BADGE{First: FirstCenter(p.choice("first", string(FirstUniform), string(FirstNorm)))}, true
	case "suggestive-annotation":
		p.selector = true
		p.score = committee
		return SuggestiveAnnotation{Candidates: p.integer("candidates", 0, 0)}, true
	case "top":
		p.selector = true
		return Top{}, true
	case "sb":
		p.selector = true
		return StochasticBatches{
			Draw:   Draw(p.choice("draw", string(Resample), string(Partition))),
			Q:      p.integer("q", 0, 0),
			Reduce: Reduce(p.choice("reduce", string(Mean), string(Max), string(Sum))),
		}, true
	case "power":
		p.selector = true
		return Power{Beta: p.number("beta", 1, math.MaxFloat64)}, true
	case "softmax":
		p.selector = true
		return Softmax{Beta: p.number("beta", 1, math.MaxFloat64)}, true
	case "softrank":
		p.selector = true
		return SoftRank{Beta: p.number("beta", 1, math.MaxFloat64)}, true
	}
	return nil, false
}

// scoreOf returns the score of a part's name with its options.
func scoreOf(p *part) (s Score, ok bool) {
	s.Name = p.name
	switch p.name {
	case "entropy", "least-confidence", "margin":
	case "dropout", "tta":
		s.Map = p.choice("map", "jsd", "legacy-jsd", "entropy", "variance")
		s.Passes = p.integer("passes", 8, 2)
	case "ensemble":
		s.Map = p.choice("map", "jsd", "legacy-jsd", "entropy", "variance")
		s.Members = p.integer("members", 5, 2)
		s.Bootstrap = p.choice("bootstrap", "false", "true") == "true"
	case "learning-loss":
		return s, true // one number per item: there is no map to aggregate
	default:
		return Score{}, false
	}
	kinds := []string{"mean", "foreground", "max", "top"}
	if p.name == "tta" {
		kinds = append(kinds, "legacy")
	}
	s.Aggregation = p.choice("aggregation", kinds...)
	switch s.Aggregation {
	case "top":
		s.Fraction = p.number("fraction", standardFraction, 1)
	case "foreground":
		s.Band = p.integer("band", standardBand, 0)
	}
	return s, true
}

// List returns every name with one line, its cost and its source.
func List() []Info {
	const (
		parts       = ", band=3 (foreground), fraction=0.1 (top)"
		maps        = "map=jsd|legacy-jsd|entropy|variance"
		aggregation = "aggregation=mean|foreground|max|top" + parts
	)
	return []Info{
		{"random", KindStrategy, "items drawn uniformly: the baseline", "",
			"no pass", "Mittal et al. 2019, arXiv 1912.05361"},
		{"strided", KindStrategy, "slices evenly spread over the cases and their heights", "",
			"no pass", "Burmeister et al. 2022, arXiv 2207.00845"},
		{"random-hidden-foreground", KindStrategy, "random, with a fraction from slices with foreground; reads hidden masks: simulation only",
			"fraction=0.66", "no pass", "Lüth et al. 2025 (nnActive), arXiv 2511.19183"},
		{"core-set", KindStrategy, "k-center greedy on bottleneck features; labelled items are centers", "",
			"1 pass, labelled items too", "Sener, Savarese 2018, ICLR"},
		{"badge", KindStrategy, "k-means++ seeding on gradient embeddings of the last layer", "first=uniform|norm",
			"1 pass", "Ash et al. 2020, ICLR"},

		{"entropy", KindScore, "entropy of the predicted classes", aggregation,
			"1 pass", "Shannon 1948; Settles 2009"},
		{"least-confidence", KindScore, "1 - the largest class probability", aggregation,
			"1 pass", "Wang et al. 2017 (CEAL), TCSVT"},
		{"margin", KindScore, "1 - the lead of the first class over the second", aggregation,
			"1 pass", "Wang et al. 2017 (CEAL), TCSVT"},
		{"dropout", KindScore, "disagreement of passes with dropout active", maps + ", passes=8, " + aggregation,
			"T = 8 passes", "Gal, Ghahramani 2016, ICML"},
		{"tta", KindScore, "disagreement of passes over rotated, noisy inputs", maps + ", passes=8, aggregation=mean|foreground|max|top|legacy" + parts,
			"T = 8 passes", "Gaillochet et al. 2022, MICCAI DALI"},
		{"ensemble", KindScore, "disagreement of networks trained from different seeds",
			maps + ", members=5, bootstrap=false, " + aggregation,
			"M = 5 passes; trains M networks", "Beluch et al. 2018, CVPR"},
		{"learning-loss", KindScore, "the loss that a module of the network predicts", "",
			"1 pass; trains the module along", "Yoo, Kweon 2019, CVPR"},

		{"top", KindSelector, "the highest scores; what a score does when it stands alone", "",
			"of the score, all items", "Settles 2009"},
		{"sb", KindSelector, "stochastic batches: the best of Q batches drawn at random",
			"draw=resample|partition, q=0 (floor(N/B)), reduce=mean|max|sum",
			"of the score, drawn items only", "Gaillochet et al. 2023, MedIA, arXiv 2301.07670"},
		{"power", KindSelector, "random draw, probability proportional to score^beta; scores of 0 or more", "beta=1",
			"of the score, all items", "Kirsch et al. 2023, TMLR, arXiv 2106.12059"},
		{"softmax", KindSelector, "random draw, probability proportional to exp(beta*score)", "beta=1",
			"of the score, all items", "Kirsch et al. 2023, TMLR, arXiv 2106.12059"},
		{"softrank", KindSelector, "random draw, probability proportional to rank^-beta", "beta=1",
			"of the score, all items", "Kirsch et al. 2023, TMLR, arXiv 2106.12059"},
		{"suggestive-annotation", KindSelector,
			"the best cover of the pool among the K highest scores; alone: scores by a bootstrap committee of 4",
			"candidates=0 (2*B)", "of the score, all items, and 1 pass; alone: trains 4 networks",
			"Yang et al. 2017, MICCAI"},
	}
}
