package experiment

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"gonum.org/v1/gonum/stat"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/stats"
	"github.com/nextslice/nextslice/train/recipe"
)

// everyStrategy returns a strategy for each name there is: scores alone and with stochastic batches, selectors with the
// entropy.
func everyStrategy(t testing.TB) []string {
	t.Helper()
	var names []string
	for _, info := range query.List() {
		switch {
		case info.Kind == query.KindStrategy || info.Name == "suggestive-annotation" || info.Name == "usim":
			names = append(names, info.Name)
		case info.Name == "vaal" || info.Name == "ta-vaal": // not for minutes
			names = append(names, info.Name+"(steps=3)", info.Name+"(steps=3)+sb")
		case info.Kind == query.KindScore:
			names = append(names, info.Name, info.Name+"+sb")
		default:
			names = append(names, "entropy+"+info.Name)
		}
	}
	for i, name := range names {
		spec, err := query.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		names[i] = spec.String()
	}
	slices.Sort(names)
	return slices.Compact(names) // entropy+top is entropy, and entropy+sb comes twice
}

// Every strategy runs in one experiment, and costs the forward passes that it is said to.
func TestEveryStrategy(t *testing.T) {
	c := smallConfig(t, 6)
	c.Strategies = everyStrategy(t)
	c.Canvas = []int{16, 16}
	c.QuerySize, c.Train.Width, c.Train.Steps = 4, 4, 10
	c.Train.LearningLoss.Gradient = 0.5 // so that it gives another network
	dir := filepath.Join(t.TempDir(), "run")
	if err := Run(t.Context(), c, Options{Out: dir, Threads: 1}); err != nil {
		t.Fatal(err)
	}
	if n := finished(t, dir); n != len(c.Strategies) {
		t.Errorf("%d of %d units are finished", n, len(c.Strategies))
	}
	folder, _, err := record.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "data.json"))
	if err != nil {
		t.Fatal(err)
	}
	var data record.Data
	if err := json.Unmarshal(text, &data); err != nil {
		t.Fatal(err)
	}

	initial := map[string]metrics.Summary{} // of cycle 0, by whether the network is trained with a loss module
	for _, u := range c.Units() {
		cycles, err := folder.Cycles(u)
		if err != nil {
			t.Fatal(err)
		}
		module := u.Start().Strategy
		if first, ok := initial[module]; !ok {
			initial[module] = cycles[0].Measures
		} else if !sameJSON(t, first, cycles[0].Measures) {
			t.Errorf("%s: cycle 0 is not that of the others", u)
		}
		for cycle, timing := range timings(t, dir, u) {
			unlabelled := data.PoolItems - c.InitialSize - cycle*c.QuerySize
			if cycle == c.Cycles {
				unlabelled = 0 // the last cycle has no query
			}
			if want := passes(u.Spec(), cycles[cycle], unlabelled, c.InitialSize+cycle*c.QuerySize); timing.Passes != want {
				t.Errorf("%s, cycle %d: %d forward passes, want %d", u, cycle, timing.Passes, want)
			}
			if committee := timing.Members > 1e-3; committee != ((u.Spec().Score.Members > 0 || u.Spec().Score.Critic.Steps > 0) && unlabelled > 0) {
				t.Errorf("%s, cycle %d: %v s of training an ensemble", u, cycle, timing.Members)
			}
		}
	}
	t.Run("repeats alone", func(t *testing.T) {
		want := records(t, dir)
		c.Strategies = []string{"badge", "dropout+sb", "ceal+sb", "dutp", "vaal(steps=3)+sb", "ta-vaal(steps=3)", "clasp", "batchbald", "usim", "typiclust", "ensemble", "learning-loss+sb", "suggestive-annotation", "tta"}
		again := filepath.Join(t.TempDir(), "again")
		if err := Run(t.Context(), c, Options{Out: again, Jobs: 2}); err != nil {
			t.Fatal(err)
		}
		for name, text := range records(t, again) {
			if text != want[name] {
				t.Errorf("%s differs from the run with other strategies", name)
			}
		}
	})
	if len(initial) != 3 || sameJSON(t, initial[""], initial["learning-loss"]) || sameJSON(t, initial["ta-vaal"], initial["learning-loss"]) {
		t.Error("training with a loss module gives the network of training without")
	}
}

// passes is what a cycle's query costs by the strategy's documentation: the score's passes for each scored item, and
// one pass for each item whose features are compared.
func passes(s query.Spec, c active.Cycle, unlabelled, labelled int) int {
	n := s.Score.ForwardPasses() * c.Scored
	if s.Score.Critic.Steps > 0 {
		n = 0
	}
	if s.Score.Alpha > 0 && unlabelled > 0 { // all are scored, drawn or not, and then the picks and the labelled items
		n = s.Score.ForwardPasses() * (unlabelled + len(c.Query) + labelled)
	}
	if s.Training.Pseudo.Of != "" && unlabelled > 0 {
		n += unlabelled - len(c.Query)
	}
	if b, ok := s.Strategy.(query.BatchBALD); ok { // candidates twice: 20 for each pick, here more than there are
		n *= 2
		if b.Candidates != 0 {
			panic("unexpected candidates")
		}
	}
	if needs := s.Strategy.Needs(); unlabelled > 0 && needs.Features != query.NoFeatures && needs.Features != query.Appearance {
		n += unlabelled
		if needs.LabelledFeatures {
			n += labelled
		}
	}
	return n
}

func sameJSON(t *testing.T, a, b any) bool {
	t.Helper()
	x, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(x) == string(y)
}

func timings(t *testing.T, dir string, u record.Unit) (all []record.Timing) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "units", u.Name(), "timings.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var one record.Timing
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	return all
}

// The members of an ensemble are networks of their own, the same ones whenever they are trained again.
func TestMembers(t *testing.T) {
	c, err := record.ReadConfig("", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Train.Steps, c.Train.Width = 2, 2
	engines, err := newEngines(t.Context(), Options{Engine: "", Threads: 1}, recipe.Config{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer engines[0].Close()
	l := &learner{config: c, data: noise(12, 16), engine: engines[0], start: record.Unit{Set: 1}, report: func(int, int, int, float64) {}}
	l.learn([]int{0, 1, 2, 3, 4, 5, 6, 7})
	if err := l.train(t.Context()); err != nil {
		t.Fatal(err)
	}
	members := func(name string) [][]float32 {
		l.spec, l.states = spec(t, name), nil
		states, err := l.members(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return states
	}
	three := members("ensemble(members=3)")
	if len(three) != 2 || slices.Equal(three[0], three[1]) || slices.Equal(three[0], l.net.Net.State()) {
		t.Errorf("%d members beside the network, want 2 of their own", len(three))
	}
	two, resampled := members("ensemble(members=2)"), members("ensemble(members=2,bootstrap=true)")
	if !slices.Equal(two[0], three[0]) {
		t.Error("the second member depends on their number, or is not the same when it is trained again")
	}
	if slices.Equal(two[0], resampled[0]) {
		t.Error("a resample of the labelled items gives the network of all of them")
	}
	if len(members("entropy")) != 0 {
		t.Error("a score of one network has further members")
	}

	l.net.Net.Params().Weights[0] = float32(math.NaN())
	l.net.Net.Params().Changed()
	if _, err := l.Pool(t.Context(), []int{9, 10}).Score([]int{0, 1}); err == nil || !strings.Contains(err.Error(), l.data.pool.Names[9]) {
		t.Errorf("a score that is NaN: %v, want the item's name", err)
	}
}

func TestCheckStrategy(t *testing.T) {
	for _, c := range []struct {
		strategy string
		change   func(*record.Config)
		want     string
	}{
		{"dropout+sb", func(c *record.Config) { c.Train.Dropout = 0 }, "all passes are the same"},
		{"learning-loss", func(c *record.Config) { c.Train.Batch = 1 }, "train.batch of 2"},
		{"ceal", func(c *record.Config) { c.Train.Batch = 1 }, "train.batch of 2 or more, or mix=union"},
		{"learning-loss+power", func(*record.Config) {}, "choose softmax"},
	} {
		config, err := record.ReadConfig("", nil)
		if err != nil {
			t.Fatal(err)
		}
		config.Strategies = []string{c.strategy}
		if err := config.Validate(); c.strategy != "learning-loss+power" && err != nil {
			t.Errorf("%s: %v", c.strategy, err)
		}
		c.change(&config)
		if err := config.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.strategy, err, c.want)
		}
	}
	config, err := record.ReadConfig("", func(c *record.Config) { c.Strategies = []string{"ceal(mix=union)"} })
	if err != nil {
		t.Fatal(err)
	}
	config.Train.Batch = 1
	if err := config.Validate(); err != nil {
		t.Error(err)
	}
}

// On a trained network every uncertainty score ranks the items that the network has not seen by how wrong it is on
// them, better than chance: the maps, which are means over pixels, by the part of the pixels that are wrong; the
// predicted loss by the loss. The bound is loose; the table (go test -v) says how well. Of 1 - Dice a map says little:
// where the gland is small, Dice falls while few pixels are uncertain.
func TestScoresFollowTheError(t *testing.T) {
	c := smallConfig(t, 12)
	c.InitialSize = 30
	c.Train.Steps, c.Train.Dropout, c.Train.Loss.Smooth = 250, 0.2, 1e-9
	d, err := loadData(t.Context(), c, newTracker(nil), false, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	engines, err := newEngines(t.Context(), Options{Engine: "", Threads: 1}, recipe.Config{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer engines[0].Close()
	l := &learner{config: c, data: d, engine: engines[0], start: record.Unit{Set: 1}, report: func(int, int, int, float64) {}}
	l.learn(initialSet(c, 1, len(d.pool.Names)))
	l.spec = spec(t, "learning-loss")
	if err := l.train(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.spec = spec(t, "ensemble(members=3)")
	members, err := l.members(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var items []int
	for i := range d.pool.Items {
		if !slices.Contains(l.labelled, i) {
			items = append(items, i)
		}
	}
	all := make([]int, len(items))
	for i := range all {
		all[i] = i
	}
	wrong, overlap, loss := l.errors(t, items)

	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "rank correlation with\twrong pixels\t1 - Dice\tloss")
	for _, name := range []string{
		"entropy", "least-confidence", "margin", "entropy(aggregation=foreground)", "entropy(aggregation=max)", "entropy(aggregation=top)",
		"dropout", "dropout(map=legacy-jsd)", "dropout(map=entropy)", "dropout(map=variance)",
		"tta", "tta(map=legacy-jsd)", "tta(map=entropy)", "tta(map=variance)", "tta(aggregation=legacy)",
		"ensemble(members=3)", "ensemble(map=legacy-jsd,members=3)", "ensemble(map=entropy,members=3)", "ensemble(map=variance,members=3)",
		"learning-loss",
	} {
		l.spec = spec(t, name)
		var scores []float64
		if l.spec.Score.Members > 0 { // those that are trained already
			n := l.net
			n.Members = members
			scores, err = n.Score(t.Context(), active.At(d.pool.Images, items), l.spec.Score, nil)
		} else {
			scores, err = l.Pool(t.Context(), items).Score(all)
		}
		if err != nil {
			t.Fatal(err)
		}
		var some, dice []float64 // where Dice is defined
		for i, o := range overlap {
			if !math.IsNaN(o) {
				some, dice = append(some, scores[i]), append(dice, o)
			}
		}
		byPixels, byLoss := spearman(scores, wrong), spearman(scores, loss)
		fmt.Fprintf(table, "%s\t%.2f\t%.2f\t%.2f\n", name, byPixels, spearman(some, dice), byLoss)
		rho := byPixels
		if name == "learning-loss" {
			rho = byLoss
		}
		if !(rho > 0.2) {
			t.Errorf("%s: rank correlation %.2f with the error on %d items, want more than 0.2", name, rho, len(items))
		}
	}
	table.Flush()
	t.Logf("%d items, %.2f %% of the pixels wrong\n%s", len(items), 100*stats.Describe(wrong).Mean, &text)
}

// errors returns how wrong the network is on items of the pool: the part of the pixels, 1 - Dice (NaN where undefined),
// and the loss of the training.
func (l *learner) errors(t *testing.T, items []int) (wrong, overlap, loss []float64) {
	t.Helper()
	h, w := l.data.preprocess.Height, l.data.preprocess.Width
	err := l.net.Predict(t.Context(), active.At(l.data.pool.Images, items), func(i int, probs []float32) error {
		pred, ref := make([]uint8, h*w), l.data.pool.Labels[items[i]]
		preprocess.Argmax(pred, probs, 2)
		miss, entropy, both, sum := 0.0, 0.0, 0.0, 0.0
		for p := range pred {
			if pred[p] != ref[p] {
				miss++
			}
			entropy -= math.Log(math.Max(1e-30, float64(probs[2*p+int(ref[p])])))
			both += float64(probs[2*p+1]) * float64(ref[p])
			sum += float64(probs[2*p+1]) + float64(ref[p])
		}
		one, smooth := math.NaN(), l.config.Train.Loss.Smooth
		if dice, defined := metrics.Dice(pred, ref, 1); defined {
			one = 1 - dice
		}
		wrong, overlap = append(wrong, miss/float64(h*w)), append(overlap, one)
		loss = append(loss, entropy/float64(h*w)/2+(1-(2*both+smooth)/(sum+smooth))/2)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return wrong, overlap, loss
}

func spec(t *testing.T, name string) query.Spec {
	t.Helper()
	s, err := query.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// spearman is the rank correlation of x and y, whose equal values have the mean of their ranks.
func spearman(x, y []float64) float64 {
	ranks := func(values []float64) []float64 {
		out := make([]float64, len(values))
		for i, v := range values {
			for _, w := range values {
				if w < v {
					out[i]++
				} else if w == v {
					out[i] += 0.5
				}
			}
		}
		return out
	}
	return stat.Correlation(ranks(x), ranks(y), nil)
}
