package record

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/train/recipe"
)

// The configurations that stand with records are complete: they mean the same whatever has become of the preset that they name. Those
// that people write take from the preset what they do not give.
func TestRecordsAreComplete(t *testing.T) {
	records, _ := filepath.Glob("../studies/*/record/config.yaml")
	written, _ := filepath.Glob("../studies/*/experiment.yaml")
	if len(records) == 0 || len(written) == 0 {
		t.Fatal("no files")
	}
	for want, paths := range map[bool][]string{true: records, false: written} {
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if complete(text) != want {
				t.Errorf("%s: complete %v, want %v", path, !want, want)
			}
			c, err := parseConfig(path, text, nil)
			if err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			if _, err := parseConfig(path, text, func(own *Config) { own.Preset = c.Preset }); err != nil {
				t.Errorf("%s: with its own preset: %v", path, err)
			}
			for _, preset := range recipe.Presets() {
				if !want || preset.Name == c.Preset {
					continue
				}
				renamed := bytes.Replace(text, []byte("preset: "+c.Preset), []byte("preset: "+preset.Name), 1)
				other, err := parseConfig(path, renamed, nil)
				if err != nil || other.Preset != preset.Name || !reflect.DeepEqual(other.Train, c.Train) || other.Input != c.Input {
					t.Errorf("%s: of preset %s it has what its file does not give: %+v, %v", path, preset.Name, other.Train, err)
				}
				// A preset of the command line would only change what the record says of itself.
				if _, err := parseConfig(path, text, func(c *Config) { c.Preset = preset.Name }); err == nil || !strings.Contains(err.Error(), "gives every value of the training itself") {
					t.Errorf("%s: with --preset %s: %v", path, preset.Name, err)
				}
			}
		}
	}
}

// The block of a preset, as `nextslice presets` prints it, with one value changed, is that preset with one value changed, whichever keys it leaves out.
func TestPastedPresets(t *testing.T) {
	blocks := regexp.MustCompile(`(?m)^([a-z]+):\n(?:  .*\n)*?(  train:\n(?:    .*\n)+)`).FindAllStringSubmatch(string(recipe.PresetsYAML), -1)
	if len(blocks) != len(recipe.Presets()) {
		t.Fatalf("%d blocks of %d presets", len(blocks), len(recipe.Presets()))
	}
	steps := regexp.MustCompile(`steps: \d+`)
	for i, want := range recipe.Presets() {
		block := steps.ReplaceAllString(blocks[i][2], "steps: 7")
		text := "preset: " + want.Name + "\n" + strings.ReplaceAll("\n"+block, "\n  ", "\n")
		c := parse(t, text)
		want.Train.Steps = 7
		if c.Input != want.Input || !reflect.DeepEqual(c.Train, want.Train) {
			t.Errorf("%s\ngot  %+v %+v\nwant %+v %+v", text, c.Input, c.Train, want.Input, want.Train)
		}
		// Nor do mappings in it have to be whole.
		text = regexp.MustCompile(`augment: .*`).ReplaceAllString(text, "augment: {rotate: 20}")
		c = parse(t, regexp.MustCompile(`learning-rate: {first.*`).ReplaceAllString(text, "learning-rate: {peak: 1e-3}"))
		want.Train.Augment.Rotate, want.Train.LearningRate.Peak = 20, 1e-3
		if c.Input != want.Input || !reflect.DeepEqual(c.Train, want.Train) {
			t.Errorf("%s\ngot  %+v %+v\nwant %+v %+v", text, c.Input, c.Train, want.Input, want.Train)
		}
	}
}

// A complete file that lost a key, at whatever depth, is no longer complete: what it does not give is that of its preset.
func TestOneKeyLess(t *testing.T) {
	whole := string(parse(t, "preset: quick\n").YAML())
	if !complete([]byte(whole)) {
		t.Fatalf("not complete:\n%s", whole)
	}
	for _, line := range []string{"seed: 0\n", "canvas: []\n", "  validation: 0.1\n", "  steps: 4000\n", "    gamma: 0.3\n", "    momentum: 0.9\n"} {
		less := strings.Replace(whole, line, "", 1)
		if less == whole {
			t.Fatalf("%q is not in\n%s", line, whole)
		}
		if complete([]byte(less)) {
			t.Errorf("complete without %q", line)
		}
		if got := string(parse(t, less).YAML()); got != whole {
			t.Errorf("without %q:\n%s", line, got)
		}
	}
}
