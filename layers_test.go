package nextslice

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/nextslice/nextslice"

// rules says which of our packages a package may not depend on, directly or not, and why.
var rules = []struct {
	packages, forbidden []string
	allowed             map[string][]string // exceptions, by package
	reason              string
}{
	{
		packages:  []string{"volume", "tensor", "uncertainty", "query", "query/scores", "stats", "random", "internal/null", "internal/parallel", "internal/suggest"},
		allowed:   map[string][]string{"volume": {"internal/atomicfile"}, "query": {"uncertainty", "internal/parallel", "internal/quickselect", "internal/suggest"}, "query/scores": {"query", "uncertainty", "internal/cell", "internal/parallel", "internal/quickselect", "internal/suggest"}, "stats": {"internal/null"}, "uncertainty": {"internal/quickselect", "internal/parallel"}},
		forbidden: []string{"*"},
		reason:    "the bottom layer stands on its own, so that each part can be read and used without the rest",
	},
	{
		packages:  []string{"preprocess", "metrics", "dataset/phantom", "dataset", "active"},
		forbidden: []string{"tensor", "nn", "nn/unet", "train"},
		reason:    "data, measures and the loop must work with any model",
	},
	{
		packages:  []string{"tensor/ref", "nn", "nn/unet", "nn/vae"},
		forbidden: []string{"volume", "preprocess", "dataset", "query", "metrics", "stats"},
		reason:    "a network knows numbers, not patients",
	},
	{
		packages:  []string{"nn", "nn/unet", "nn/vae", "train", "model"},
		forbidden: []string{"tensor/ref", "tensor/native", "tensor/engines", "nn/unet/torch"},
		reason:    "the engine is passed in, so that every part runs on every engine; only experiment chooses",
	},
	{
		packages:  []string{"nn/unet/torch"},
		forbidden: []string{"tensor/ref", "tensor/native", "tensor/engines", "train", "model"},
		reason:    "it stands on the engine that it is handed, and knows networks, not what they are for",
	},
	{
		packages:  []string{"train"},
		forbidden: []string{"model", "uncertainty", "query", "active", "stats", "experiment"},
		reason:    "a training does not know why it is run, nor what is asked of its network",
	},
	{
		packages:  []string{"model"},
		forbidden: []string{"train", "active", "stats", "experiment", "annotate"},
		reason:    "a network is asked the same in simulations, by people and on the bench, however it was trained",
	},
	{
		packages:  []string{"active"},
		forbidden: []string{"experiment", "stats"},
		reason:    "the loop serves simulations and people alike",
	},
	{
		packages:  []string{"record", "report", "train/recipe"},
		forbidden: []string{"tensor", "nn", "nn/unet", "train", "model", "experiment"},
		reason:    "an experiment on disk is read, and a report made of it, without any network",
	},
	{
		packages:  []string{"worklist"},
		forbidden: []string{"experiment", "annotate", "report", "cmd/nextslice"},
		reason:    "it asks for the slices of a data set by the same steps as simulations and annotation, and needs neither",
	},
	{
		packages:  []string{"pacs"},
		forbidden: []string{"tensor", "nn", "train", "model", "dataset", "annotate", "experiment", "report", "cmd/nextslice"},
		reason:    "it brings files and takes masks; what reads them is a folder",
	},
	{
		packages:  []string{"experiment"},
		forbidden: []string{"report", "report/figure", "cluster", "cmd/nextslice"},
		reason:    "what the program does can be called without its command line, and draws nothing",
	},
}

func TestImportsGoDown(t *testing.T) {
	deps := dependencies(t)
	for _, rule := range rules {
		for _, name := range rule.packages {
			found, ok := deps[name]
			if !ok {
				t.Errorf("there is no package %s: correct the rule", name)
				continue
			}
			for _, dep := range found {
				for _, forbidden := range rule.forbidden {
					if (dep == forbidden || forbidden == "*") && !slices.Contains(rule.allowed[name], dep) {
						t.Errorf("%s depends on %s: %s", name, dep, rule.reason)
					}
				}
			}
		}
	}
}

// Some packages are closed: only those named may import them, of the tree that the rule is about ("" is everything).
func TestClosedPackages(t *testing.T) {
	for _, rule := range []struct {
		closed, tree string
		open         []string
		reason       string
	}{
		{"nn/unet", "experiment", nil, "networks are reached through model, so that simulations and people get the same masks and scores"},
		{"nn/unet", "worklist", nil, "networks are reached through model, so that all get the same masks and scores"},
		{"nn/unet", "annotate", nil, "networks are reached through model, so that simulations and people get the same masks and scores"},
		{"annotate/store", "", []string{"annotate"}, "the parts of a project are the one way to its records: they know who may see what"},
		{"annotate/store/seal", "", []string{"annotate/store"}, "a seal is only right if nobody but the store writes to the database"},
	} {
		for line := range strings.Lines(list(t, `{{.ImportPath}} {{join .Imports " "}}`)) {
			fields := strings.Fields(line)
			name := strings.TrimPrefix(fields[0], module+"/")
			inTree := rule.tree == "" || name == rule.tree || strings.HasPrefix(name, rule.tree+"/")
			if inTree && !slices.Contains(rule.open, name) && slices.Contains(fields[1:], module+"/"+rule.closed) {
				t.Errorf("%s imports %s: %s", name, rule.closed, rule.reason)
			}
		}
	}
}

// People are asked for items by the same step as an oracle: active.Pick.
func TestPeopleAreAskedThroughActive(t *testing.T) {
	files, err := filepath.Glob("annotate/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), ".Select(") {
			t.Errorf("%s asks a strategy itself: let active.Pick do it", file)
		}
	}
}

// Only one package may hold C code: everything else must build without a C compiler.
func TestOnlyOnePackageUsesC(t *testing.T) {
	for line := range strings.Lines(list(t, "{{.ImportPath}} {{len .CgoFiles}}")) {
		name, files, _ := strings.Cut(strings.TrimSpace(line), " ")
		if files != "0" && name != module+"/tensor/native" {
			t.Errorf("%s has %s files with import \"C\"", name, files)
		}
	}
}

// dependencies returns, for each of our packages, those of our packages that it depends on.
func dependencies(t *testing.T) map[string][]string {
	deps := map[string][]string{}
	for line := range strings.Lines(list(t, `{{.ImportPath}} {{join .Deps " "}}`)) {
		fields := strings.Fields(line)
		name := strings.TrimPrefix(fields[0], module+"/")
		deps[name] = []string{}
		for _, dep := range fields[1:] {
			if ours, ok := strings.CutPrefix(dep, module+"/"); ok {
				deps[name] = append(deps[name], ours)
			}
		}
	}
	return deps
}

func list(t *testing.T, format string) string {
	out, err := exec.Command("go", "list", "-f", format, "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return string(out)
}
