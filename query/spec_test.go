package query_test

import (
	"github.com/nextslice/nextslice/uncertainty"

	"math"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/query"
)

func TestParse(t *testing.T) {
	entropy := uncertainty.Score{Name: "entropy", Map: "entropy", Aggregation: "mean"}
	dropout := uncertainty.Score{Name: "dropout", Dropout: true, Map: "jsd", Passes: 8, Aggregation: "mean"}
	variance := dropout
	variance.Map, variance.Passes = "variance", 4
	tta := uncertainty.Score{Name: "tta", Augment: true, Map: "legacy-jsd", Passes: 8, Aggregation: "legacy"}
	committee := uncertainty.Score{Name: "ensemble", Map: "variance", Members: 4, Bootstrap: true, Aggregation: "mean"}
	paper := query.StochasticBatches{Draw: query.Resample, Reduce: query.Mean}

	for name, want := range map[string]query.Spec{
		"random":                {Strategy: query.Random{}},
		"entropy":               {Score: entropy, Strategy: query.Top{}},
		"entropy+sb":            {Score: entropy, Strategy: paper},
		"entropy+power":         {Score: entropy, Strategy: query.Power{Beta: 1}},
		"entropy+softmax":       {Score: entropy, Strategy: query.Softmax{Beta: 1}},
		"entropy+softrank":      {Score: entropy, Strategy: query.SoftRank{Beta: 1}},
		"entropy+power(beta=8)": {Score: entropy, Strategy: query.Power{Beta: 8}},
		"dropout+sb":            {Score: dropout, Strategy: paper},
		"learning-loss+sb":      {Score: uncertainty.Score{Name: "learning-loss", PredictedLoss: true}, Strategy: paper},
		"core-set":              {Strategy: query.CoreSet{}},
		"badge":                 {Strategy: query.BADGE{First: query.FirstUniform}},
		"badge(first=norm)":     {Strategy: query.BADGE{First: query.FirstNorm}},
		"strided":               {Strategy: query.Strided{}},
		"suggestive-annotation": {Score: committee, Strategy: query.SuggestiveAnnotation{}},
		"entropy+suggestive-annotation(candidates=40)": {Score: entropy, Strategy: query.SuggestiveAnnotation{Candidates: 40}},
		"random-hidden-foreground(fraction=0.33)":      {Strategy: query.RandomHiddenForeground{Fraction: 0.33}},
		"tta(map=legacy-jsd,aggregation=legacy)":       {Score: tta, Strategy: query.Top{}},
		"dropout(map=variance,passes=4)+sb":            {Score: variance, Strategy: paper},
		"entropy+sb(draw=partition,q=200,reduce=max)": {Score: entropy,
			Strategy: query.StochasticBatches{Draw: query.Partition, Q: 200, Reduce: query.Max}},
		"entropy(aggregation=top,fraction=0.05)": {Strategy: query.Top{},
			Score: uncertainty.Score{Name: "entropy", Map: "entropy", Aggregation: "top", Fraction: 0.05}},
		"ceal": {Strategy: query.Top{}, Score: uncertainty.Score{Name: "ceal", Map: "entropy", Aggregation: "mean"},
			Training: query.Training{Pseudo: query.Pseudo{Of: query.PseudoBoth, Mix: query.MixHalf, Delta: 0.05, Decay: 0.0033}}},
		"ceal(criterion=margin,pseudo=pixel,mix=union,delta=0.1,decay=0)+sb": {Strategy: paper,
			Score:    uncertainty.Score{Name: "ceal", Map: "margin", Aggregation: "mean"},
			Training: query.Training{Pseudo: query.Pseudo{Of: query.PseudoPixel, Mix: query.MixUnion, Delta: 0.1}}},
		"vaal(steps=50)+sb":   {Strategy: paper, Score: uncertainty.Score{Name: "vaal", Critic: uncertainty.Critic{Steps: 50, Adversarial: 1}}},
		"vaal(adversarial=0)": {Strategy: query.Top{}, Score: uncertainty.Score{Name: "vaal", Critic: uncertainty.Critic{Steps: 1000}}},
		"dutp+sb": {Strategy: paper, Score: uncertainty.Score{Name: "dutp", Map: "entropy", Aggregation: "mean", Members: 5, Alpha: 1},
			Training: query.Training{Copies: query.CopiesFill}},
		"dutp(members=3,alpha=2,copies=none,map=jsd)": {Strategy: query.Top{},
			Score: uncertainty.Score{Name: "dutp", Map: "jsd", Aggregation: "mean", Members: 3, Alpha: 2}},
		"margin(aggregation=foreground,band=5)+sb": {Strategy: paper,
			Score: uncertainty.Score{Name: "margin", Map: "margin", Aggregation: "foreground", Band: 5}},
	} {
		got, err := query.Parse(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
		if got.String() != name {
			t.Errorf("%s is printed as %s", name, got)
		}
	}
}

// Names that say a default, or that are spaced, mean the same as the short ones.
func TestParseSpellings(t *testing.T) {
	for name, short := range map[string]string{
		"entropy+top": "entropy",
		" entropy + sb ( q = 0 , draw = resample ) ":                            "entropy+sb",
		"entropy(aggregation=mean)+sb":                                          "entropy+sb",
		"entropy(aggregation=top)":                                              "entropy(aggregation=top)",
		"margin(aggregation=foreground,band=3)":                                 "margin(aggregation=foreground)",
		"margin(band=0,aggregation=foreground)":                                 "margin(aggregation=foreground,band=0)",
		"dropout(passes=8,map=jsd)":                                             "dropout",
		"typiclust(features=pixels)":                                            "typiclust",
		"typiclust(features=vae,steps=1000)":                                    "typiclust(features=vae)",
		"typiclust(steps=50,features=vae)":                                      "typiclust(features=vae,steps=50)",
		"entropy+softmax(beta=1e+2)":                                            "entropy+softmax(beta=100)",
		"ensemble(map=variance,members=4,bootstrap=true)+suggestive-annotation": "suggestive-annotation",
	} {
		spec, err := query.Parse(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if spec.String() != short {
			t.Errorf("%s is printed as %s, want %s", name, spec, short)
		}
		if again, err := query.Parse(spec.String()); err != nil || again != spec {
			t.Errorf("%s does not survive printing: %+v, error %v", name, again, err)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for name, want := range map[string]string{
		"":                                    "name is missing",
		"entropy+":                            "name is missing",
		"entrpy":                              `did you mean "entropy"?`,
		"coreset":                             `did you mean "core-set"?`,
		"entropy+bs":                          "known are",
		"entropy+softrnak":                    `did you mean "softrank"?`,
		"xyz":                                 "known are",
		"sb":                                  "entropy+sb",
		"core-set+sb":                         "no score",
		"random+sb":                           "no score",
		"clasp+sb":                            "clasp(noise=sb)",
		"batchbald+sb":                        "batchbald(draw=sb)",
		"entropy+random":                      "stands alone",
		"entropy+dropout":                     "dropout is a score",
		"entropy+sb+power":                    "at most one +",
		"entropy(":                            "must end with )",
		"entropy()":                           "key=value",
		"entropy(map=jsd)":                    `no option "map"`,
		"random(q=3)":                         "takes no options",
		"entropy+sb(Q=3)":                     `did you mean "q"?`,
		"entropy+sb(q=-1)":                    "at least 0",
		"entropy+sb(q=1.5)":                   "whole number",
		"entropy+sb(q=1,q=2)":                 "twice",
		"entropy+sb(draw=half)":               "resample, partition",
		"entropy+power(beta=0)":               "above 0",
		"entropy+power(beta=NaN)":             "above 0",
		"dropout(passes=1)":                   "at least 2",
		"dropout(map=bald)":                   "jsd, legacy-jsd",
		"entropy(fraction=0.1)":               `no option "fraction" here`,
		"entropy(aggregation=top,fraction=2)": "at most 1",
		"entropy(aggregation=legacy)":         "mean, foreground, max, top",
	} {
		spec, err := query.Parse(name)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %+v, error %v; want an error with %q", name, spec, err, want)
		}
	}
}

// Refused is what needs probabilities that sum to 1 of more than two sigmoids, and pseudo-labels of more classes than a mask has values for.
func TestCheckClasses(t *testing.T) {
	for _, name := range []string{"random", "entropy+sb", "usim", "clasp", "batchbald", "ceal"} {
		spec, err := query.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, classes := range []int{2, 3, 255, 256} {
			for _, sigmoids := range []bool{false, true} {
				refused := sigmoids && classes > 2 && (name == "clasp" || name == "batchbald") || classes == 256 && name == "ceal"
				if err := spec.CheckClasses(sigmoids, classes); refused != (err != nil) {
					t.Errorf("%s, sigmoids %v, %d classes: %v", name, sigmoids, classes, err)
				}
			}
		}
	}
}

func TestParseSelector(t *testing.T) {
	for name, want := range map[string]query.Strategy{
		"top":     query.Top{},
		"random":  query.Random{},
		"sb(q=3)": query.StochasticBatches{Draw: query.Resample, Q: 3, Reduce: query.Mean},
		"power":   query.Power{Beta: 1},
	} {
		if got, err := query.ParseSelector(name); err != nil || got != want {
			t.Errorf("%s: got %+v, error %v", name, got, err)
		}
	}
	for name, want := range map[string]string{
		"entropy+sb": "name the selector only", "core-set": "does not pick by a score", "topp": `did you mean "top"?`,
		"sb(p=1)": `no option "p"`, "entropy": "unknown name",
	} {
		if got, err := query.ParseSelector(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %+v, error %v; want an error with %q", name, got, err, want)
		}
	}
}

func TestSplit(t *testing.T) {
	for name, want := range map[string]query.Parts{
		"random":                           {},
		"suggestive-annotation":            {},
		"core-set":                         {},
		"":                                 {},
		"entropy":                          {"entropy", "Entropy", ""},
		"entropy+sb":                       {"entropy", "Entropy", "sb"},
		"tta(map=entropy)":                 {"tta(map=entropy)", "TTA (map=entropy)", ""},
		"learning-loss+softmax(beta=1e+2)": {"learning-loss", "Learning loss", "softmax(beta=1e+2)"},
		"margin(aggregation=top,fraction=0.2)+sb(q=7)": {"margin(aggregation=top,fraction=0.2)", "Margin (aggregation=top,fraction=0.2)", "sb(q=7)"},
		"of-the-future+sb": {"of-the-future", "of-the-future", "sb"},
		"of-the-future":    {},
	} {
		got := query.Split(name)
		if got != want {
			t.Errorf("%q: %+v, want %+v", name, got, want)
		}
		if batches := strings.HasPrefix(want.Selector, "sb"); got.StochasticBatches() != batches {
			t.Errorf("%q: stochastic batches %v", name, got.StochasticBatches())
		}
	}
}

// Every line of the list is complete, and its name survives being printed and read again.
func TestListIsComplete(t *testing.T) {
	for _, info := range query.List() {
		if info.Does == "" || info.Cost == "" || info.Source == "" || (info.Title == "") == (info.Kind == query.KindScore) {
			t.Errorf("%s: the line of the list is incomplete: %+v", info.Name, info)
		}
		name := info.Name
		if info.Kind == query.KindSelector {
			name = "entropy+" + name
		}
		spec, err := query.Parse(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if again, err := query.Parse(spec.String()); err != nil || again != spec {
			t.Errorf("%s is printed as %s, which is read as %+v, error %v", name, spec, again, err)
		}
		var fromText query.Spec
		text, _ := spec.MarshalText()
		if err := fromText.UnmarshalText(text); err != nil || fromText != spec {
			t.Errorf("%s as text is read as %+v, error %v", name, fromText, err)
		}
	}
}

func TestNeeds(t *testing.T) {
	for name, want := range map[string]struct {
		needs  query.Needs
		passes int // of its score
	}{
		"random":                   {query.Needs{}, 1},
		"strided":                  {query.Needs{Positions: true}, 1},
		"entropy":                  {query.Needs{Scores: true}, 1},
		"entropy+sb":               {query.Needs{Scores: true}, 1},
		"entropy+power":            {query.Needs{Scores: true, NonNegative: true}, 1},
		"learning-loss":            {query.Needs{Scores: true}, 1},
		"dropout+sb":               {query.Needs{Scores: true}, 8},
		"ensemble(members=3)":      {query.Needs{Scores: true}, 3},
		"core-set":                 {query.Needs{Features: query.Bottleneck, LabelledFeatures: true}, 1},
		"badge":                    {query.Needs{Features: query.Gradient}, 1},
		"suggestive-annotation":    {query.Needs{Scores: true, Features: query.Bottleneck}, 4},
		"random-hidden-foreground": {query.Needs{HiddenForeground: true}, 1},
		"clasp":                    {query.Needs{ClassScores: true, Positions: true, QueryNumber: true}, 1},
		"clasp(members=5)":         {query.Needs{ClassScores: true, Positions: true, QueryNumber: true}, 5},
		"clasp(map=jsd)":           {query.Needs{ClassScores: true, Positions: true, QueryNumber: true}, 8},
		"batchbald":                {query.Needs{Networks: true}, 20},
		"batchbald(passes=10)":     {query.Needs{Networks: true}, 10},
	} {
		spec, err := query.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := spec.Strategy.Needs(); got != want.needs || spec.Score.ForwardPasses() != want.passes {
			t.Errorf("%s: %+v, %d passes", name, got, spec.Score.ForwardPasses())
		}
		if needs := spec.Strategy.Needs(); (needs.Scores || needs.ClassScores || needs.Networks) == (spec.Score == uncertainty.Score{}) {
			t.Errorf("%s: score %+v", name, spec.Score)
		}
	}
}

// CEAL's threshold falls by the same amount every cycle, down to 0.
func TestPseudoThreshold(t *testing.T) {
	spec, err := query.Parse("ceal")
	if err != nil {
		t.Fatal(err)
	}
	for cycle, want := range map[int]float64{0: 0.05, 1: 0.0467, 4: 0.0368, 5: 0.0335, 15: 0.0005, 16: 0, 100: 0} {
		if got := spec.Training.Pseudo.Threshold(cycle); math.Abs(got-want) > 1e-9 {
			t.Errorf("cycle %d: %v, want %v", cycle, got, want)
		}
	}
}
