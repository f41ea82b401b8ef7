package annotate

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/train/recipe"
	"github.com/nextslice/nextslice/volume"
)

// Cold starts: how the first items are chosen, when there is no model yet.
const (
	ColdRandom    = active.InitialRandom    // every set of items is equally likely: what a simulation begins with
	ColdStrided   = active.InitialStrided   // spread over cases and slices, see query.Strided
	ColdTypiClust = active.InitialTypiClust // typical slices of different kinds, see query.TypiClust
)

// What is done with masks that are there before the project.
const (
	MasksAll        = "all"        // every slice of a mask counts as labelled
	MasksForeground = "foreground" // only slices with foreground do: masks that were begun and not finished
	MasksIgnore     = "ignore"     // none
)

// Class is a label value's name and colour.
type Class struct {
	Value int    `json:"value"`
	Name  string `json:"name"`
	Color string `json:"color"` // "#rrggbb"
}

// Unsure is the value in masks of pixels that a person has seen and cannot tell the class of: they carry no loss, and do not count
// where masks are compared. It is for projects with Config.Unsure.
const Unsure = volume.Ignored

// Config is what a project depends on. It is stored with it.
type Config struct {
	Seed        uint64 `json:"seed"`         // of everything random
	Strategy    string `json:"strategy"`     // query strategy, see `nextslice strategies`
	InitialSize int    `json:"initial_size"` // training items labelled before the first training
	QuerySize   int    `json:"query_size"`   // training items per query
	ColdStart   string `json:"cold_start"`   // how these are chosen, see active.InitialRule

	// Lockstep makes every training wait until the whole query is answered: cycles, picks and models are then those of
	// a simulation with this seed and these labels. Else training begins with half of the answers and nobody waits.
	Lockstep bool `json:"lockstep"`

	Channel  int               `json:"channel,omitempty"`  // that is read of images with several, from 0
	Channels dataset.Selection `json:"channels,omitempty"` // that are read together, instead of Channel; see dataset.UseChannels
	Resample bool              `json:"resample,omitempty"` // channels on another grid than the first of their case
	Patient  string            `json:"patient,omitempty"`  // pattern of case names that tells the patient; see dataset.UsePatients
	Ignore   int               `json:"ignore,omitempty"`   // value in the data's masks that stands for no class, see dataset.OpenOptions
	Classes  []Class           `json:"classes"`
	Unsure   bool              `json:"unsure,omitempty"` // people may label pixels Unsure
	// UnsureValue stands for Unsure in exported NIfTI masks, above the values of all classes; 0 is Unsure itself.
	UnsureValue int               `json:"unsure_value,omitempty"`
	Preprocess  preprocess.Config `json:"preprocess"`
	Preset      string            `json:"preset"` // where Train comes from
	Train       recipe.Config     `json:"train"`

	Masks           string   `json:"masks"`            // all, foreground or ignore
	ValidationCases []string `json:"validation_cases"` // if given: these and no others, and their masks are taken over
	ValidationShare float64  `json:"validation_share"` // of the cases, and of the labels

	DoubleReading float64 `json:"double_reading"` // share of the queried items that two people label
	Agreement     float64 `json:"agreement"`      // Dice of two readings from which on the first one is the label
	LeaseMinutes  float64 `json:"lease_minutes"`  // how long an item is kept for one person
}

// Default returns the configuration of a new project, without what depends on the data.
func Default() Config {
	return Config{
		Strategy: query.Recommended, InitialSize: 10, QuerySize: 10, ColdStart: ColdRandom,
		Preset: "workstation", Masks: MasksAll, ValidationShare: 0.2, Agreement: 0.8, LeaseMinutes: 20,
	}
}

// Validate returns all faults of c at once, or nil.
func (c Config) Validate() error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	if spec, err := query.Parse(c.Strategy); err != nil {
		faults = append(faults, err)
	} else if err := canServe(spec); err != nil {
		faults = append(faults, fmt.Errorf("strategy %q: %w", c.Strategy, err))
	} else if err := cmp.Or(record.CheckStrategy(spec, c.Train), spec.CheckClasses(c.Train.Loss.Kind == recipe.Sigmoid, len(c.Classes))); err != nil {
		faults = append(faults, fmt.Errorf("strategy %w", err))
	}
	_, err := regexp.Compile(c.Patient)
	check(err == nil, "patient: %v", err)
	check(c.Channel == 0 || len(c.Channels) == 0, "channels: give them or channel, not both")
	check(c.InitialSize >= 1, "initial size: want at least 1, got %d", c.InitialSize)
	check(c.QuerySize >= 1 && c.QuerySize <= 1000, "query size: want 1 to 1000, got %d", c.QuerySize)
	if _, err := active.InitialRule(c.ColdStart); err != nil || c.ColdStart == "" {
		faults = append(faults, fmt.Errorf("cold start: %w", cmp.Or(err, errors.New("a rule is missing"))))
	}
	check(len(c.Classes) >= 2 && len(c.Classes) <= 256, "classes: want background and 1 to 255 more; name them with --classes")
	faults = append(faults, c.Train.CheckClasses(len(c.Classes)))
	check(!c.Unsure || len(c.Classes) <= Unsure, "unsure: want at most %d classes, got %d", Unsure, len(c.Classes))
	check(c.UnsureValue == 0 || c.UnsureValue >= len(c.Classes) && c.UnsureValue <= 255, "unsure value: want one above those of all classes, %d to 255, got %d", len(c.Classes), c.UnsureValue)
	check(slices.Contains([]string{MasksAll, MasksForeground, MasksIgnore}, c.Masks), "masks: want %s, %s or %s, got %q", MasksAll, MasksForeground, MasksIgnore, c.Masks)
	check(c.ValidationShare >= 0 && c.ValidationShare < 1, "validation share: want 0 or more and less than 1, got %v", c.ValidationShare)
	check(c.DoubleReading >= 0 && c.DoubleReading <= 1, "double reading: want a share of 0 to 1, got %v", c.DoubleReading)
	check(c.Agreement >= 0 && c.Agreement <= 1, "agreement: want a Dice of 0 to 1, got %v", c.Agreement)
	check(c.LeaseMinutes > 0 && c.LeaseMinutes <= 24*60, "lease: want more than 0 minutes and at most a day, got %v", c.LeaseMinutes)
	check(!c.Lockstep || c.DoubleReading == 0, "double reading: not in lockstep, where a query is answered as in a simulation")
	faults = append(faults, c.Preprocess.Validate(), c.Train.Validate())
	return errors.Join(faults...)
}

// apply chooses the channels of a data set and groups its cases by patient.
func (c Config) apply(d *dataset.Dataset) error {
	if err := d.Choose(c.Channel, c.Channels, c.Resample); err != nil {
		return &ConfigError{err}
	}
	if c.Patient == "" {
		return nil
	}
	if err := d.UsePatients(c.Patient); err != nil {
		return &ConfigError{err}
	}
	return nil
}

// fixed returns an error if b changes what the labels or the picks of a project rest on: all that flags for new projects set. More classes can be
// named as long as nothing is labelled: what was labelled and trained before would say that they are nowhere.
func (c Config) fixed(b Config, data *dataset.Dataset, labelled bool) error {
	var names []string
	differ := func(name string, same bool) {
		if !same {
			names = append(names, name)
		}
	}
	differ("seed", c.Seed == b.Seed)
	differ("channel", c.Channel == b.Channel)
	differ("choice of channels", slices.Equal(c.Channels, b.Channels) && c.Resample == b.Resample)
	differ("ignore", c.Ignore == b.Ignore)
	differ("patient", c.Patient == b.Patient || !c.groups(data)) // older programs stored patterns that they could not apply
	differ("nan", reflect.DeepEqual(c.Preprocess.NaN, b.Preprocess.NaN))
	differ("axis", c.Preprocess.Axis == b.Preprocess.Axis)
	differ("cold start", c.ColdStart == b.ColdStart)
	differ("initial size", c.InitialSize == b.InitialSize)
	differ("lockstep", c.Lockstep == b.Lockstep)
	differ("masks", c.Masks == b.Masks)
	differ("validation cases", slices.Equal(c.ValidationCases, b.ValidationCases))
	differ("classes", (len(c.Classes) == len(b.Classes) || !labelled) && b.begins(c.names()))
	if len(names) > 0 {
		return fmt.Errorf("the project was begun with a different %s: leave the flag out, or begin another project with --project", strings.Join(names, ", "))
	}
	return nil
}

// begins reports whether the classes begin with those of these names.
func (c Config) begins(names []string) bool {
	return len(names) <= len(c.Classes) && slices.Equal(names, c.names()[:len(names)])
}

// groups reports whether the pattern of patients fits the cases of a data set.
func (c Config) groups(data *dataset.Dataset) bool {
	cases := dataset.Dataset{Cases: slices.Clone(data.Cases)}
	return c.Patient == "" || cases.UsePatients(c.Patient) == nil
}

// keepNames gives classes the names that the project has where these differ in the blanks around them alone, which older programs kept.
func (c Config) keepNames(classes []Class) {
	for i := range min(len(classes), len(c.Classes)) {
		if strings.TrimSpace(classes[i].Name) == strings.TrimSpace(c.Classes[i].Name) {
			classes[i].Name = c.Classes[i].Name
		}
	}
}

// Lease returns how long an item is kept for one person.
func (c Config) Lease() time.Duration { return time.Duration(c.LeaseMinutes * float64(time.Minute)) }

// spec returns the query strategy, which is valid.
func (c Config) spec() query.Spec {
	s, err := query.Parse(c.Strategy)
	if err != nil {
		panic("annotate: Config: " + err.Error())
	}
	return s
}

// streams returns the random streams that a project has in common with a simulation.
func (c Config) streams() active.Streams {
	return active.Streams{Seed: c.Seed, Set: 1, Strategy: c.spec().String(), SameInit: c.Train.SameInit}
}

// names returns the classes' names, background first.
func (c Config) names() []string {
	names := make([]string, len(c.Classes))
	for i, class := range c.Classes {
		names[i] = class.Name
	}
	return names
}

// palette are colours that differ for most colour-blind eyes (Okabe, Ito 2008).
var palette = []string{"#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#999999"}

// color returns the colour of a class by its value, from 1. Those after the palette are further along the circle of hues by the golden
// angle, so that no two are alike, in turns of three of lightness.
func color(class int) string {
	if class <= len(palette) {
		return palette[class-1]
	}
	n := class - len(palette)
	hue, light := math.Mod(float64(n)*137.508, 360), []float64{0.62, 0.48, 0.78}[n%3]
	channel := func(shift float64) uint8 { // CSS Color 4, section 7.1
		k := math.Mod(shift+hue/30, 12)
		return uint8(math.Round(255 * (light - 0.75*min(light, 1-light)*max(-1, min(k-3, 9-k, 1)))))
	}
	return fmt.Sprintf("#%02x%02x%02x", channel(0), channel(8), channel(4))
}

// Guessed is the class of a new project whose data names none.
const Guessed = "structure"

// MakeClasses gives classes their values and colours. names[0] is the background.
func MakeClasses(names []string) []Class {
	classes := make([]Class, len(names))
	for i, name := range names {
		classes[i] = Class{Value: i, Name: name, Color: "#000000"}
		if i > 0 {
			classes[i].Color = color(i)
		}
	}
	return classes
}

// drawn returns the classes that people draw with: Unsure is the last where the project has it.
func (c Config) drawn() []Class {
	if !c.Unsure {
		return c.Classes
	}
	return append(slices.Clone(c.Classes), Class{Value: Unsure, Name: "unsure", Color: "#808080"})
}

// isClass reports whether a value of a mask is that of a class, or Unsure where the project has it.
func (c Config) isClass(value uint8) bool {
	return int(value) < len(c.Classes) || c.Unsure && value == Unsure
}

// isForeground reports whether a value of a mask is that of a class beside the background.
func (c Config) isForeground(value uint8) bool { return value > 0 && int(value) < len(c.Classes) }
