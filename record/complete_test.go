package record

import (
	"os"
	"path/filepath"
	"reflect"
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
			}
			for _, preset := range recipe.Presets() {
				other, err := parseConfig(path, text, func(c *Config) { c.Preset = preset.Name })
				if same := err == nil && reflect.DeepEqual(other.Train, c.Train) && other.Input == c.Input; want && !same {
					t.Errorf("%s: with preset %s it has what its file does not give: %+v, %v", path, preset.Name, other.Train, err)
				}
			}
		}
	}
}
