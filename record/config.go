package record

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/goccy/go-yaml"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/train/recipe"
	"github.com/nextslice/nextslice/volume"
)

// Phantom is the value of Config.Data that stands for the embedded synthetic data set.
const Phantom = "phantom"

// Config is one experiment: everything that its numbers depend on, except the engine and its number of threads, which change their last bits.
type Config struct {
	Data     string                `yaml:"data"`               // folder of the data set, or phantom
	Channel  int                   `yaml:"channel,omitempty"`  // that is read of images with several, from 0
	Channels dataset.Selection     `yaml:"channels,omitempty"` // that are read together, instead of Channel; see dataset.UseChannels
	Resample bool                  `yaml:"resample,omitempty"` // channels that lie on another grid than the first of their case, by linear interpolation
	Patient  string                `yaml:"patient,omitempty"`  // pattern of case IDs that tells the patient; see dataset.UsePatients
	Ignore   int                   `yaml:"ignore,omitempty"`   // label value that carries no loss and no measure; 0 is that of dataset.json, see dataset.OpenOptions
	NaN      *float64              `yaml:"nan,omitempty"`      // what NaN and infinite voxels are read as; nil takes them as background
	Axis     string                `yaml:"axis"`               // index axis that slices are cut across: i, j, k, or auto (that of the coarsest spacing)
	Canvas   []int                 `yaml:"canvas"`             // height and width of the network's input; empty is derived from the data
	Input    preprocess.Input      `yaml:"input,omitempty"`    // what an image shows, see preprocess.Input; given values count before the preset's
	Predict  preprocess.Refinement `yaml:"predict,omitempty"`  // of the masks that are evaluated
	Split    dataset.SplitConfig   `yaml:"split"`
	Empty    string                `yaml:"empty"` // Dice where prediction and reference are both empty: undefined or one

	Strategies  []string `yaml:"strategies"`        // see `nextslice strategies`
	InitialSets int      `yaml:"initial-sets"`      // runs per strategy, each from another initial set
	InitialSize int      `yaml:"initial-size"`      // items labelled from the start
	Initial     string   `yaml:"initial,omitempty"` // how an initial set is chosen, see active.InitialRule; "" is random
	QuerySize   int      `yaml:"query-size"`        // items labelled per query
	Cycles      int      `yaml:"cycles"`            // queries; there is one training more than that
	Ceiling     bool     `yaml:"ceiling,omitempty"` // train on all slices of the pool too, once per initial set and recipe; see Ceiling
	Seed        uint64   `yaml:"seed"`

	Preset string        `yaml:"preset"` // where the values of train come from that are not given; see DefaultPreset
	Train  recipe.Config `yaml:"train"`
	Grid   Grid          `yaml:"grid,omitempty"` // what is varied in train

	// How the experiment is carried out, which a run folder does not repeat. The numbers depend on it in their last bits alone, and only where nobody says
	// how many threads compute: several jobs have one each, a single one all cores.
	Jobs int    `yaml:"jobs,omitempty"` // units at the same time
	Out  string `yaml:"out,omitempty"`  // run folder
}

// Default returns the configuration that a file or the command line starts from, without its preset and training.
func Default() Config {
	return Config{
		Data:        Phantom,
		Axis:        "auto",
		Split:       dataset.DefaultSplit(),
		Empty:       metrics.EmptyUndefined,
		Strategies:  []string{"random", "entropy", "entropy+sb"},
		InitialSets: 2,
		InitialSize: 10,
		QuerySize:   10,
		Cycles:      4,
	}
}

// DefaultPreset returns the preset of configurations that name none: a quick one, and one of seconds for the phantom.
func (c Config) DefaultPreset() string {
	if c.Data == Phantom {
		return "demo"
	}
	return "quick"
}

// ReadConfig reads a configuration file; "" is an empty one. What it does not say is as in Default and in its preset.
// override, which may be nil, has the last word: it changes what the command line gives.
func ReadConfig(path string, override func(*Config)) (Config, error) {
	var text []byte
	if path != "" {
		var err error
		if text, err = os.ReadFile(path); err != nil {
			return Config{}, fmt.Errorf("read configuration: %w", err)
		}
	}
	return parseConfig(path, text, override)
}

func parseConfig(name string, text []byte, override func(*Config)) (Config, error) {
	read := func(c Config, override func(*Config)) (Config, error) {
		c.Strategies = nil // so that a list of the file replaces the default, whatever their lengths
		if err := decode(name, text, &c); err != nil {
			return Config{}, err
		}
		if c.Strategies == nil {
			c.Strategies = Default().Strategies
		}
		if override != nil {
			override(&c)
		}
		return c, nil
	}
	// The first reading tells the preset, the second puts the file's own values over it.
	first, err := read(Default(), override)
	if err != nil {
		return Config{}, err
	}
	preset, err := recipe.FindPreset(cmp.Or(first.Preset, first.DefaultPreset()))
	if err != nil {
		return Config{}, fmt.Errorf("preset: %w", err)
	}
	c := Default()
	if complete(text) {
		own, err := read(Default(), nil)
		if err == nil && own.Preset != first.Preset {
			err = fmt.Errorf("preset: %s gives every value of the training itself, so that preset %s would change none of them: leave it out, or take train and input out of the file", name, first.Preset)
		}
		if err != nil {
			return Config{}, err
		}
	} else {
		c.Train, c.Input = preset.Train, preset.Input
	}
	c, err = read(c, override)
	c.Preset = preset.Name
	return c, err
}

// complete tells whether a file stands for itself, as those of run folders do: it has every key, at every depth, that Config.YAML always
// writes. Then nothing of it comes from the preset, which may have changed since the run. Keys that are only written where they are not
// zero may be missing. The values of any other file go over those of its preset.
func complete(text []byte) bool {
	keys := func(text []byte) (file map[string]any) {
		if yaml.Unmarshal(text, &file) != nil {
			return nil
		}
		return file
	}
	return holds(keys(text), keys(Config{}.YAML()))
}

// holds tells whether a mapping has all keys of another one, at every depth.
func holds(given, want map[string]any) bool {
	for key, value := range want {
		there, ok := given[key]
		if !ok {
			return false
		}
		if inner, nested := value.(map[string]any); nested {
			if own, _ := there.(map[string]any); !holds(own, inner) {
				return false
			}
		}
	}
	return true
}

// Validate returns all faults of c at once, or nil. It looks at the configuration alone, not at the data.
func (c Config) Validate() error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	check(c.Data != "", "data: want a folder, or %s", Phantom)
	check(c.Channel >= 0, "channel: want 0 or more, got %d", c.Channel)
	check(c.Ignore >= 0 && c.Ignore <= 255, "ignore: want a label value from 1 to 255, got %d", c.Ignore)
	check(c.Channel == 0 || len(c.Channels) == 0, "channels: give them or channel, not both")
	check(c.NaN == nil || math.Abs(*c.NaN) <= math.MaxFloat32, "nan: want a number, got %v", c.NaN)
	if _, err := volume.ParseAxis(c.Axis); err != nil {
		faults = append(faults, err)
	}
	check(len(c.Canvas) == 0 || len(c.Canvas) == 2, "canvas: want [height, width], got %v", c.Canvas)
	for _, side := range c.Canvas {
		check(side >= 16 && side <= 1024, "canvas: want sides of 16 to 1024 pixels, got %d", side)
	}
	for _, fault := range faultsOf(c.Input.Validate()) {
		faults = append(faults, fmt.Errorf("input.%w", fault))
	}
	check(c.Split.Test > 0, "split.test: want a fraction of the cases below 1, or a number of cases, got %v", c.Split.Test)
	check(c.Split.Validation >= 0, "split.validation: want a fraction of the cases below 1, or a number of cases, got %v", c.Split.Validation)
	check(c.Empty == metrics.EmptyUndefined || c.Empty == metrics.EmptyOne,
		"empty: want %s or %s, got %q", metrics.EmptyUndefined, metrics.EmptyOne, c.Empty)

	check(len(c.Strategies) > 0, "strategies: want at least one")
	seen := map[string]bool{}
	for _, name := range c.Strategies {
		spec, err := query.Parse(name)
		if err != nil {
			faults = append(faults, fmt.Errorf("strategies: %w", err))
			continue
		}
		for _, name := range c.Recipes() {
			if err := CheckStrategy(spec, c.Recipe(name)); err != nil {
				faults = append(faults, fmt.Errorf("%s: %w", cmp.Or(name, "strategies"), err))
			}
		}
		check(!seen[spec.String()], "strategies: %s is listed twice", spec)
		seen[spec.String()] = true
	}
	check(c.InitialSets >= 1, "initial-sets: want at least 1, got %d", c.InitialSets)
	if _, err := active.InitialRule(c.Initial); err != nil {
		faults = append(faults, fmt.Errorf("initial: %w", err))
	}
	check(c.InitialSize >= 1, "initial-size: want at least 1, got %d", c.InitialSize)
	check(c.QuerySize >= 1, "query-size: want at least 1, got %d", c.QuerySize)
	check(c.Jobs >= 0, "jobs: want 1 or more, got %d", c.Jobs)
	check(c.Cycles >= 0, "cycles: want 0 or more, got %d", c.Cycles)

	if len(c.Grid) == 0 { // else what a recipe replaces may be anything
		for _, fault := range faultsOf(c.Train.Validate()) {
			faults = append(faults, fmt.Errorf("train.%w", fault))
		}
	}
	c.checkGrid(func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) })
	return errors.Join(faults...)
}

// YAML returns c as a complete configuration file.
func (c Config) YAML() []byte {
	data, err := yaml.Marshal(c)
	if err != nil {
		panic("record: Config.YAML: " + err.Error())
	}
	return data
}

// CheckClasses refuses strategies and recipes that cannot work with so many classes, the background among them: see query.Spec.CheckClasses and
// recipe.Config.CheckClasses.
func (c Config) CheckClasses(classes int) error {
	for _, name := range c.Recipes() {
		if err := c.Recipe(name).CheckClasses(classes); err != nil {
			return fmt.Errorf("%s: %w", cmp.Or(name, "train"), err)
		}
	}
	for _, name := range c.Strategies {
		spec, err := query.Parse(name)
		if err != nil {
			return err
		}
		for _, name := range c.Recipes() {
			if err := spec.CheckClasses(c.Recipe(name).Loss.Kind == recipe.Sigmoid, classes); err != nil {
				if name != "" {
					return fmt.Errorf("%s: %w", name, err)
				}
				return err
			}
		}
	}
	return nil
}

// CheckStrategy refuses strategies that cannot work with networks that are trained as c has it.
func CheckStrategy(s query.Spec, c recipe.Config) error {
	switch {
	case s.Score.Dropout && c.Dropout == 0:
		return fmt.Errorf("%s: with train.dropout 0 all passes are the same: choose a larger one", s)
	case s.Score.TrainsModule() && c.Batch < 2:
		return fmt.Errorf("%s: the slices of a mini-batch are compared in pairs: choose a train.batch of 2 or more", s)
	case s.Training.Pseudo.Mix == query.MixHalf && c.Batch < 2:
		return fmt.Errorf("%s: half of a mini-batch are slices with pseudo-labels, and of one slice there is no half: choose a train.batch of 2 or more, or mix=union", s)
	case s.Score.PredictedLoss && s.Strategy.Needs().NonNegative:
		return fmt.Errorf("%s: %v takes no negative scores, and a predicted loss can be negative: choose softmax or softrank", s, s.Strategy)
	case s.Score.Critic.Steps > 0 && s.Strategy.Needs().NonNegative:
		return fmt.Errorf("%s: %v takes no negative scores, and a logit can be negative: choose softmax or softrank", s, s.Strategy)
	case s.Score.Alpha > 0 && s.Strategy.Needs().NonNegative:
		return fmt.Errorf("%s: %v takes no negative scores, and a difference can be negative: choose softmax or softrank", s, s.Strategy)
	}
	return nil
}
