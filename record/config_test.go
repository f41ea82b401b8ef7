package record

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/nextslice/nextslice/train/recipe"
	"github.com/nextslice/nextslice/volume/fuzztest"
)

func parse(t *testing.T, text string) Config {
	t.Helper()
	c, err := parseConfig("test.yaml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestConfigDefaults(t *testing.T) {
	for _, text := range []string{"", "# nothing but a comment\n", "{}\n"} {
		c := parse(t, text)
		if c.Data != Phantom || c.Preset != "demo" || c.Train.Steps == 0 || len(c.Strategies) != 3 {
			t.Errorf("%q: %+v", text, c)
		}
		if err := c.Validate(); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestConfigOverridesSingleValues(t *testing.T) {
	quick := parse(t, "")
	c := parse(t, `
strategies: [random]
train:
  steps: 7
  augment: {rotate: 20}
`)
	want := quick
	want.Strategies = []string{"random"}
	want.Train.Steps = 7
	want.Train.Augment.Rotate = 20
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	if c := parse(t, "data: elsewhere\n"); c.Preset != "quick" {
		t.Errorf("preset of real data: %s", c.Preset)
	}

	// A preset of the command line replaces that of the file; the file's single values stay on top of it.
	c, err := parseConfig("test.yaml", []byte("preset: quick\ntrain: {dropout: 0.25}\n"), func(c *Config) { c.Preset = "paper" })
	if err != nil {
		t.Fatal(err)
	}
	if c.Preset != "paper" || c.Train.Width != 64 || c.Train.Dropout != 0.25 {
		t.Errorf("%+v", c)
	}
}

// The configuration of a run folder is complete: read again, it is the same.
func TestConfigRoundTrip(t *testing.T) {
	c := parse(t, "canvas: [64, 96]\nsplit: {test: 4, validation: 0, test-cases: [a, b]}\nseed: 18446744073709551615\ntrain: {loss: {class-weights: [1, 2.5]}}\n")
	again := parse(t, string(c.YAML()))
	if diff := cmp.Diff(c, again); diff != "" {
		t.Errorf("(-first +second):\n%s", diff)
	}
	if lines := c.differences(again); lines != nil {
		t.Errorf("differences: %v", lines)
	}
	again.Seed = 3
	if lines := c.differences(again); len(lines) != 2 || lines[1] != "now:   seed: 3" {
		t.Errorf("differences: %v", lines)
	}
}

func TestConfigFaultsOfTheFile(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"unknown key":        {"data: x\nquery_size: 3\n", `test.yaml:2:1: unknown key "query_size"; did you mean "query-size"?`},
		"unknown nested key": {"train:\n  augment:\n    rotat: 3\n", `test.yaml:3:5: unknown key "train.augment.rotat"; did you mean "rotate"?`},
		"far from any key":   {"colour: red\n", `test.yaml:1:1: unknown key "colour"; there are data, channel, channels, resample, patient, ignore,`},
		"twice":              {"data: x\ndata: y\n", `test.yaml:2:1: mapping key "data" already defined at [1:1]`},
		"cut number":         {"train: {steps: 1.5}\n", `test.yaml:1:16: train.steps: want a whole number, got 1.5`},
		"negative":           {"seed: -1\n", `test.yaml:1:7: seed: want a whole number, 0 or more, got -1`},
		"text for a number":  {"cycles: many\n", `test.yaml:1:9: cycles: want a whole number, got many`},
		"text for a list":    {"strategies: random\n", `test.yaml:1:13: strategies: want a list such as [a, b], got random`},
		"text for channels":  {"channels: {a: 1}\n", `test.yaml:1:11: channels: want all, or a list of channels such as [0, 1], got`},
		"no channel":         {"channels: [0, [1]]\n", `test.yaml:1:15: channels: want numbers or names, got [1]`},
		"nothing":            {"cycles:\n", `cycles: want a whole number, got nothing`},
		"no mapping":         {"[1, 2]\n", `test.yaml:1:1: want keys with values, got [1, 2]`},
		"broken":             {"data: [\n", `test.yaml:1:7: `},
		"two documents":      {"data: a\n---\ndata: b\n", `test.yaml: want one YAML document, got 2`},
		"unknown preset":     {"preset: fast\n", `unknown preset "fast": want one of [paper workstation quick demo]`},
	} {
		_, err := parseConfig("test.yaml", []byte(test.text), nil)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v\nwant %s", name, err, test.want)
		}
	}
	_, err := parseConfig("test.yaml", []byte("seeed: 1\ncycles: x\ntrain: {wdth: 2}\n"), nil)
	if err == nil || strings.Count(err.Error(), "test.yaml:") != 3 {
		t.Errorf("want all three faults at once, got:\n%v", err)
	}
}

// A number means what a person reads: YAML would take 010 for 8, and the case 007 for the case 7.
func TestNumbersAsWritten(t *testing.T) {
	for text, want := range map[string]string{
		"initial-size: 010":                       "test.yaml:1:15: initial-size: 010 is read as the number 8: write 10",
		"initial-size: -010":                      "write -10",
		"initial-size: 0x10":                      "is read as the number 16: write 16",
		"cycles: 1_0":                             "write 10",
		"cycles: +5":                              "write 5",
		"cycles: 0b11":                            "write 3",
		"cycles: 00":                              "write 0",
		"seed: 0o17":                              "write 15",
		"canvas: [064, 64]":                       "test.yaml:1:10: canvas: 064 is read as the number 52: write 64",
		"data: 007":                               "data: 007 is read as the number 7: write '007' in quotes",
		"split: {test-cases: [001, 002_1]}":       "split.test-cases: 001 is read as the number 1: write '001' in quotes",
		"split: {test-cases: [a, 002_1]}":         "write '002_1' in quotes",
		"split: {validation-cases: [0xA1]}":       "write '0xA1' in quotes",
		"split: {test: 010}":                      "split.test: want a number without leading zeros and plus, got 010: write 10",
		"split: {test: 00.25}":                    "write 0.25",
		"split: {test: +.5}":                      "write 0.5",
		"nan: -010":                               "write -10",
		"channels: [01]":                          "channels: 01 is read as the number 1: write 1, or '01' in quotes for a name",
		"channels: 010":                           "write 10, or '010' in quotes",
		"train: {steps: 0100}":                    "train.steps: 0100 is read as the number 64: write 100",
		"train: {loss: {class-weights: [1, 02]}}": "write 2",
		"grid: {steps: [100, 0200]}":              "grid.steps: 0200 is read as the number 128: write 200",
		"grid: [{name: 007, steps: 3}]":           "grid.name: 007 is read as the number 7: write '007' in quotes",
		"grid: [{name: a, steps: 010}]":           "write 10",
	} {
		if _, err := parseConfig("test.yaml", []byte(text+"\n"), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
	c := parse(t, `
data: '007'
split: {test: .25, validation: 1e-1, test-cases: ['001', '0x10', 12, 08, 1_b, 99999999999999999999]}
channels: ['01', 2]
nan: -1024.50
seed: 18446744073709551615
cycles: 0
train: {learning-rate: {peak: 1e-3}}
grid: [{name: '007', steps: 3}]
`)
	if c.Data != "007" || !slices.Equal(c.Split.TestCases, []string{"001", "0x10", "12", "08", "1_b", "99999999999999999999"}) || !slices.Equal(c.Channels, []string{"01", "2"}) ||
		*c.NaN != -1024.5 || c.Seed != 1<<64-1 || c.Train.LearningRate.Peak != 1e-3 || c.Grid[0].Name != "007" || c.Split.Test != 0.25 || c.Split.Validation != 0.1 {
		t.Errorf("%+v", c)
	}
	if diff := cmp.Diff(c, parse(t, string(c.YAML())), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the run folder's file says otherwise (-first +second):\n%s", diff)
	}
	train := c.Train
	if err := Set(&train, "steps", "010"); err == nil || !strings.Contains(err.Error(), "write 10") {
		t.Errorf("--set steps=010: %v", err)
	}
}

func TestConfigFaultsOfValues(t *testing.T) {
	c := parse(t, "")
	c.Axis, c.Canvas, c.Split.Test, c.Empty = "z", []int{8}, 0, "two"
	c.Strategies = []string{"random", "entropi", "random", "entropy+sb(q=0)", "entropy+sb"}
	c.InitialSets, c.QuerySize, c.Cycles = 0, -1, -2
	c.Train.Steps = 0
	err := c.Validate()
	if err == nil {
		t.Fatal("no fault found")
	}
	for _, want := range []string{
		"axis: ", "canvas: want [height, width]", "canvas: want sides", "split.test: ", "empty: ",
		`did you mean "entropy"?`, "random is listed twice", "entropy+sb is listed twice",
		"initial-sets: ", "query-size: ", "cycles: ", "train.steps: ",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in the report:\n%v", want, err)
		}
	}
}

func TestFolderRefusals(t *testing.T) {
	c := parse(t, "")
	create := func(dir string, c Config, resume bool) error {
		f, err := CreateFolder(dir, c, resume)
		if err == nil {
			f.Close()
		}
		return err
	}
	refused := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}

	dir := filepath.Join(t.TempDir(), "deep", "run")
	if err := create(dir, c, false); err != nil {
		t.Fatal(err)
	}
	refused(create(dir, c, false), "--resume")
	if err := create(dir, c, true); err != nil {
		t.Errorf("resume: %v", err)
	}
	other := c
	other.Cycles = 99
	refused(create(dir, other, true), "there: cycles: 4")

	// Another strategy, set or recipe is run beside what is there; less than that is another experiment.
	more := c
	more.Strategies, more.InitialSets = append([]string{"margin"}, c.Strategies...), c.InitialSets+1
	if err := create(dir, more, true); err != nil {
		t.Errorf("more strategies and sets: %v", err)
	}
	if _, there, err := OpenFolder(dir); err != nil || !cmp.Equal(there.Strategies, more.Strategies) {
		t.Errorf("the configuration did not grow: %v, %v", there.Strategies, err)
	}
	refused(create(dir, c, true), "there: strategy margin\n  there: 3 initial sets")
	if err := create(dir, more, true); err != nil {
		t.Fatal(err)
	}
	c = more
	c.Grid = Grid{{Name: "a"}}
	refused(create(dir, c, true), "there: 0 recipes in the grid")
	varied := filepath.Join(t.TempDir(), "varied")
	if err := create(varied, c, false); err != nil {
		t.Fatal(err)
	}
	c.Grid = Grid{{Name: "b", Set: []Setting{{"steps", 3}}}, {Name: "a"}}
	if err := create(varied, c, true); err != nil {
		t.Errorf("one recipe more: %v", err)
	}
	c.Grid = Grid{{Name: "b", Set: []Setting{{"steps", 4}}}, {Name: "a"}}
	refused(create(varied, c, true), "there: recipe b, as [{steps 3}]")
	c.Grid = nil

	held, err := CreateFolder(dir, c, true)
	if err != nil {
		t.Fatal(err)
	}
	refused(create(dir, c, true), "in use by another nextslice")
	held.Close()

	// What older programs left in an empty folder before they gave up is no obstacle; nor is anything left by now.
	empty := t.TempDir()
	if err := os.WriteFile(filepath.Join(empty, contentsFile), []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := create(empty, c, false); err != nil {
		t.Errorf("a folder with sizes and times alone: %v", err)
	}

	strange := t.TempDir()
	if err := os.WriteFile(filepath.Join(strange, "thesis.tex"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	refused(create(strange, c, true), "is not empty and holds no run")
	if _, _, err := OpenFolder(strange); err == nil {
		t.Error("a folder without a run was opened as one")
	}

	// A resume in an empty or missing folder begins: nothing is there to contradict it.
	if err := create(filepath.Join(t.TempDir(), "new"), c, true); err != nil {
		t.Errorf("resume in a new folder: %v", err)
	}
}

func TestUnits(t *testing.T) {
	c := parse(t, "strategies: [random, 'entropy+sb(draw=partition,q=7)']\ninitial-sets: 2\n")
	var names []string
	for _, u := range c.Units() {
		names = append(names, u.Name())
	}
	want := []string{"1-random", "2-random", "1-entropy+sb_draw_partition_q_7", "2-entropy+sb_draw_partition_q_7"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What NaN is read as is part of an experiment, also where it is 0.
func TestConfigNaN(t *testing.T) {
	parse := func(text string) Config {
		c, err := parseConfig("test.yaml", []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	none, zero := parse(""), parse("nan: 0\n")
	if none.NaN != nil || zero.NaN == nil || *zero.NaN != 0 || zero.Validate() != nil {
		t.Errorf("NaN is %v and %v", none.NaN, zero.NaN)
	}
	if again := parse(string(zero.YAML())); again.NaN == nil || *again.NaN != 0 {
		t.Errorf("%s", zero.YAML())
	}
	if SameExperiment(none, zero) == nil {
		t.Error("with another value it is another experiment")
	}
	for _, text := range []string{"nan: .nan\n", "nan: x\n", "nan: [0]\n"} {
		if _, err := parseConfig("test.yaml", []byte(text), nil); err == nil || !strings.Contains(err.Error(), "nan: want a number") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Whatever a configuration file holds, it is a configuration that reads back as it is written, or an error.
func FuzzConfig(f *testing.F) {
	for _, name := range []string{"table1-promise12", "figure2-promise12"} {
		text, err := os.ReadFile(filepath.Join("..", "studies", name, "experiment.yaml"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("split: {test: 4, test-cases: [a, b]}\ntrain: {loss: {class-weights: [1, 2.5]}}\ngrid: {steps: [1, 2]}\n")
	f.Add("a: &x [*x]\n")
	f.Add("nan: -1024\nignore: 255\nchannels: [0, T2]\n")
	f.Fuzz(func(t *testing.T, text string) {
		fuzztest.Bound(t, func() int {
			c, err := parseConfig("test.yaml", []byte(text), nil)
			if err != nil || c.Validate() != nil {
				return 0
			}
			again, err := parseConfig("test.yaml", c.YAML(), nil)
			if err != nil {
				t.Fatalf("%v in\n%s", err, c.YAML())
			}
			if lines := c.differences(again); lines != nil {
				t.Errorf("%v", lines)
			}
			return 0
		})
	})
}

// What needs probabilities that sum to 1 is refused where a sigmoid for each of several classes gives none.
func TestCheckClasses(t *testing.T) {
	for _, name := range []string{"clasp", "batchbald", "entropy+sb"} {
		for _, kind := range []string{recipe.Softmax, recipe.Sigmoid} {
			for _, classes := range []int{2, 3} {
				c := Default()
				c.Strategies, c.Train.Loss.Kind = []string{"random", name}, kind
				err := c.CheckClasses(classes)
				if refused := name != "entropy+sb" && kind == recipe.Sigmoid && classes > 2; refused != (err != nil) {
					t.Errorf("%s, %s, %d classes: %v", name, kind, classes, err)
				}
			}
		}
	}
}

// Weights of classes are as many as the data have classes, in every recipe.
func TestCheckClassWeights(t *testing.T) {
	for text, want := range map[string]string{
		"train: {loss: {class-weights: [1, 2]}}":                                       "train: loss.class-weights: want one for each of the 3 classes of these data, the background first, got 2",
		"train: {loss: {class-weights: [1, 2, 3]}}":                                    "",
		"train: {loss: {class-weights: []}}":                                           "",
		"grid: [{name: a}, {name: b, loss.class-weights: [1, 2]}]":                     "b: loss.class-weights: want one for each of the 3",
		"grid: {loss.class-weights: [[1, 2, 3], [2, 3, 4]]}":                           "",
		"train: {loss: {class-weights: [1]}}\ngrid: {loss.class-weights: [[1, 2, 3]]}": "",
	} {
		c := parse(t, text+"\n")
		if err := c.CheckClasses(3); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}
