package recipe

import (
	_ "embed"
	"fmt"

	"github.com/goccy/go-yaml"

	"github.com/nextslice/nextslice/preprocess"
)

// PresetsYAML is the file of presets as in the source, comments included.
//
//go:embed presets.yaml
var PresetsYAML []byte

// Preset is a named set of hyper-parameters.
type Preset struct {
	Name   string           `yaml:"-"`
	Canvas [2]int           `yaml:"canvas"` // height and width that slices are brought to
	Input  preprocess.Input `yaml:"input,omitempty"`
	Train  Config           `yaml:"train"`
}

// Presets returns the presets in the order of the file.
func Presets() []Preset {
	var file yaml.MapSlice
	if err := yaml.UnmarshalWithOptions(PresetsYAML, &file, yaml.UseOrderedMap()); err != nil {
		panic("recipe: presets.yaml: " + err.Error())
	}
	var byName map[string]Preset
	if err := yaml.UnmarshalWithOptions(PresetsYAML, &byName, yaml.Strict()); err != nil {
		panic("recipe: presets.yaml: " + err.Error())
	}
	presets := make([]Preset, len(file))
	for i, item := range file {
		name := item.Key.(string)
		presets[i] = byName[name]
		presets[i].Name = name
	}
	return presets
}

// FindPreset returns a preset by name. The error names those there are.
func FindPreset(name string) (Preset, error) {
	var names []string
	for _, p := range Presets() {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Preset{}, fmt.Errorf("unknown preset %q: want one of %v", name, names)
}
