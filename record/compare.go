package record

import (
	"bytes"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// differences names the lines of two configurations that differ, for a message.
func (c Config) differences(other Config) (lines []string) {
	a, b := bytes.Split(c.YAML(), []byte("\n")), bytes.Split(other.YAML(), []byte("\n"))
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || !bytes.Equal(a[i], b[i]) {
			if i < len(a) {
				lines = append(lines, "there: "+string(bytes.TrimSpace(a[i])))
			}
			if i < len(b) {
				lines = append(lines, "now:   "+string(bytes.TrimSpace(b[i])))
			}
		}
	}
	return lines
}

// missingFrom names what of there is not in c, for a message: c may have further strategies,
// initial sets and recipes, and a ceiling, and nothing else. A data folder is the same however its path is written.
func (there Config) missingFrom(c Config) (lines []string) {
	lack := func(format string, args ...any) { lines = append(lines, "there: "+fmt.Sprintf(format, args...)) }
	for _, name := range there.Strategies {
		if !slices.Contains(c.Strategies, name) {
			lack("strategy %s", name)
		}
	}
	if there.Ceiling && !c.Ceiling {
		lack("ceiling: true")
	}
	if there.InitialSets > c.InitialSets {
		lack("%d initial sets", there.InitialSets)
	}
	if (len(there.Grid) == 0) != (len(c.Grid) == 0) {
		lack("%d recipes in the grid", len(there.Grid))
	}
	for _, r := range there.Grid {
		switch {
		case !slices.Contains(c.Recipes(), r.Name) || !there.sameRecipe(c, r.Name):
			lack("recipe %s, as %v", r.Name, r.Set)
		case there.isBase(r.Name) != c.isBase(r.Name):
			lack("recipe %s, %s", r.Name, there.streamsOf(r.Name))
		}
	}
	if there.Data != Phantom && c.Data != Phantom && absolute(there.Data) == absolute(c.Data) {
		there.Data = c.Data
	}
	for _, config := range []*Config{&there, &c} {
		config.Strategies, config.InitialSets, config.Grid, config.Ceiling = nil, 0, nil, false
	}
	return append(lines, there.differences(c)...)
}

// sameRecipe tells whether a recipe that both configurations have trains with the same values.
func (c Config) sameRecipe(other Config, name string) bool {
	return reflect.DeepEqual(c.Recipe(name), other.Recipe(name))
}

// isBase tells whether a recipe is the one that changes nothing, whose random streams are those of the experiment without a grid. Of two
// configurations with a recipe of one name and the same values only one may have it so: its runs are then others.
func (c Config) isBase(name string) bool {
	base, ok := c.Base()
	return ok && base == name
}

// streamsOf says in words which random streams a recipe has.
func (c Config) streamsOf(name string) string {
	if c.isBase(name) {
		return "as the first that changes nothing, whose random numbers are those without a grid"
	}
	return "not as the first that changes nothing, and so with random numbers of its own"
}

// absolute returns a path from the root, or as it is where that cannot be told.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// SameExperiment returns what makes the runs of one configuration not those of another, or nil: anything but the
// strategies, the ceiling, the number of initial sets, recipes that only one has, further cycles there, and where the data lie.
func SameExperiment(there, here Config) error {
	for _, r := range here.Grid {
		switch {
		case len(there.Grid) == 0 || !slices.Contains(there.Recipes(), r.Name):
		case !there.sameRecipe(here, r.Name):
			return fmt.Errorf("its recipe %s differs", r.Name)
		case there.isBase(r.Name) != here.isBase(r.Name):
			return fmt.Errorf("its recipe %s stands there %s, and here %s", r.Name, there.streamsOf(r.Name), here.streamsOf(r.Name))
		}
	}
	there.Cycles = min(there.Cycles, here.Cycles)
	for _, c := range []*Config{&there, &here} {
		c.Data, c.Strategies, c.InitialSets, c.Grid, c.Ceiling, c.Jobs, c.Out = "", nil, 0, nil, false, 0, ""
	}
	if lines := there.differences(here); len(lines) > 0 {
		return fmt.Errorf("it is another experiment\n  %s", strings.Join(lines, "\n  "))
	}
	return nil
}

// JoinConfigs returns the configuration of several folders of one experiment together: the strategies and recipes of all, and the most initial
// sets. A folder without a grid has the runs of the recipe that changes nothing.
func JoinConfigs(texts ...[]byte) ([]byte, error) {
	var joined Config
	var all []Config
	for i, text := range texts {
		c, err := parseConfig(ConfigFile, text, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
		if i == 0 {
			joined = c
			continue
		}
		for _, name := range c.Strategies {
			if !slices.Contains(joined.Strategies, name) {
				joined.Strategies = append(joined.Strategies, name)
			}
		}
		for _, r := range c.Grid {
			if !slices.ContainsFunc(joined.Grid, func(mine Recipe) bool { return mine.Name == r.Name }) {
				joined.Grid = append(joined.Grid, r)
			}
		}
		joined.InitialSets = max(joined.InitialSets, c.InitialSets)
		joined.Ceiling = joined.Ceiling || c.Ceiling
	}
	for _, c := range all {
		for _, r := range c.Grid {
			if c.isBase(r.Name) != joined.isBase(r.Name) {
				return nil, fmt.Errorf("the recipe %s stands in one of them %s, and together %s: a record of all could not say which: export them one by one", r.Name, c.streamsOf(r.Name), joined.streamsOf(r.Name))
			}
		}
	}
	return joined.YAML(), nil
}
