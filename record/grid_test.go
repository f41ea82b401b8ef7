package record

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/nextslice/nextslice/train/recipe"
)

func TestGridOfValues(t *testing.T) {
	c := parse(t, `
grid:
  dropout: [0.1, 0.5]
  learning-rate: {peak: [1e-3]}
  augment.rotate: [0, 20]
train: {steps: 7}
`)
	want := []string{
		"dropout=0.1,learning-rate.peak=0.001,augment.rotate=0", "dropout=0.1,learning-rate.peak=0.001,augment.rotate=20",
		"dropout=0.5,learning-rate.peak=0.001,augment.rotate=0", "dropout=0.5,learning-rate.peak=0.001,augment.rotate=20",
	}
	if diff := cmp.Diff(want, c.Recipes()); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	changed := c.Train
	changed.Dropout, changed.LearningRate.Peak, changed.Augment.Rotate = 0.5, 1e-3, 20
	if diff := cmp.Diff(changed, c.Recipe(want[3])); diff != "" || changed.Steps != 7 {
		t.Errorf("(-want +got):\n%s", diff)
	}
	again := parse(t, string(c.YAML()))
	if diff := cmp.Diff(c, again, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("through the run folder's file (-before +after):\n%s\n%s", diff, c.YAML())
	}
	if lines := c.differences(again); lines != nil {
		t.Errorf("differences: %v", lines)
	}
}

func TestGridOfRecipes(t *testing.T) {
	c := parse(t, `
strategies: [random, learning-loss]
initial-sets: 2
grid:
- name: plain
  augment: {noise: 0, rotate: 0}
  loss: {class-weights: [1, 2.5], kind: sigmoid}
  same-init: true
- {name: long, steps: 800, learning-rate.peak: 3e-4}
- name: as-it-is
`)
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	plain := c.Train
	plain.Augment.Noise, plain.Augment.Rotate, plain.Loss.ClassWeights, plain.Loss.Kind, plain.SameInit = 0, 0, []float64{1, 2.5}, recipe.Sigmoid, true
	long := c.Train
	long.Steps, long.LearningRate.Peak = 800, 3e-4
	for name, want := range map[string]recipe.Config{"plain": plain, "long": long, "as-it-is": c.Train} {
		if diff := cmp.Diff(want, c.Recipe(name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if diff := cmp.Diff(c, parse(t, string(c.YAML())), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("through the run folder's file (-before +after):\n%s", diff)
	}

	units := c.Units()
	if len(units) != 3*2*2 {
		t.Fatalf("%d units", len(units))
	}
	u := units[3]
	if u.Name() != "plain-2-learning-loss" || u.Start().Name() != "plain-2-learning-loss" || units[0].Start().Name() != "plain-1" ||
		u != (Unit{Grid: "plain", Strategy: "learning-loss", Set: 2}) {
		t.Errorf("unit %+v: folder %s, start %s", u, u.Name(), u.Start().Name())
	}
}

func TestGridFaults(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"unknown":           {"grid: {step: [1]}\n", `test.yaml:1:8: unknown key "grid.step"; did you mean "steps"?`},
		"unknown below":     {"grid:\n  learning-rate.peek: [1]\n", `test.yaml:2:3: unknown key "grid.learning-rate.peek"; did you mean "peak"?`},
		"below a number":    {"grid:\n  steps.peak: [1]\n", `test.yaml:2:3: unknown key "grid.steps.peak"`},
		"no list":           {"grid: {steps: 100}\n", `test.yaml:1:15: grid.steps: want a list of values such as [a, b], got 100`},
		"no value":          {"grid: {steps: []}\n", `grid.steps: want a list of values`},
		"wrong type":        {"grid: {steps: [100, 1.5]}\n", `test.yaml:1:21: grid.steps: want a whole number, got 1.5`},
		"text":              {"grid: {dropout: [0.1, much]}\n", `test.yaml:1:23: grid.dropout: want a number, got much`},
		"nothing":           {"grid:\n", "grid"},
		"scalar":            {"grid: 3\n", "test.yaml:1:7: grid: want keys with values, got 3"},
		"empty":             {"grid: {}\n", "grid: want hyper-parameters with lists of values, or a list of recipes"},
		"no recipe":         {"grid: []\n", "grid: want at least one recipe"},
		"no name":           {"grid:\n- steps: 3\n", "test.yaml:2:8: grid: a recipe has no name"},
		"recipe no mapping": {"grid: [3]\n", "test.yaml:1:8: grid: want a recipe"},
		"recipe wrong type": {"grid: [{name: a, steps: many}]\n", "grid.steps: want a whole number, got many"},
		"recipe with list":  {"grid: [{name: a, steps: [1, 2]}]\n", "grid.steps: want a whole number, got [1, 2]"},
		"set twice":         {"grid: [{name: a, learning-rate.peak: 1, learning-rate: {peak: 2}}]\n", "grid: a: learning-rate.peak is set twice"},
		"huge":              {"grid: {steps: [1,2,3,4,5,6,7,8,9,10,11], width: [2,4,6,8,10,12,14,16,18,20], batch: [1,2,3,4,5,6,7,8,9,10]}\n", "more than 1000 recipes"},
	} {
		_, err := parseConfig("test.yaml", []byte(test.text), nil)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v\nwant %s", name, err, test.want)
		}
	}
	for name, test := range map[string]struct{ text, want string }{
		"range":       {"grid: {dropout: [0.1, 1.5]}\n", "grid: dropout=1.5: dropout: want 0 or more and less than 1, got 1.5"},
		"twice":       {"grid: {dropout: [0.1, 0.10]}\n", "grid: recipe dropout=0.1 is listed twice"},
		"name":        {"grid: [{name: a b}]\n", `grid: recipe "a b": want a name`},
		"path":        {"grid: [{name: ../x}]\n", `grid: recipe "../x": want a name`},
		"same folder": {"grid: [{name: A=b}, {name: a_b}]\n", "grid: recipes A=b and a_b would have the same folder"},
		"pairs":       {"strategies: [learning-loss]\ngrid: {batch: [1, 4]}\n", "batch"},
	} {
		if err := parse(t, test.text).Validate(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v\nwant %s", name, err, test.want)
		}
	}
}

func TestSet(t *testing.T) {
	c := parse(t, "").Train
	for key, value := range map[string]string{"learning-rate.peak": "1e-2", "width": "4", "loss.class-weights": "[1, 3]"} {
		if err := Set(&c, key, value); err != nil {
			t.Fatal(err)
		}
	}
	if c.LearningRate.Peak != 0.01 || c.Width != 4 || len(c.Loss.ClassWeights) != 2 {
		t.Errorf("got %+v", c)
	}
	for key, value := range map[string]string{"width": "wide", "colour": "1", "steps": "", "steps ": "} {", "learning-rate": "3"} {
		if err := Set(&c, key, value); err == nil {
			t.Errorf("%s %s: no fault", key, value)
		}
	}
}

// The experiments that come with the program are valid, and no recipe is a copy of another.
func TestExperimentFiles(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "studies", "*", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		c, err := ReadConfig(path, nil)
		if err != nil {
			t.Error(err)
			continue
		}
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		for i, a := range c.Recipes() {
			for _, b := range c.Recipes()[:i] {
				if cmp.Equal(c.Recipe(a), c.Recipe(b)) {
					t.Errorf("%s: recipes %s and %s are the same", path, b, a)
				}
			}
		}
	}
}
