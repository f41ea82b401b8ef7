package record

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/nextslice/nextslice/preprocess"
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
			if want && (c.Train.Deep || c.Train.Augment.Zoom != 0 || c.Input != preprocess.Input{}) {
				t.Errorf("%s: has deep supervision, zoom or an input that its file does not give", path)
			}
		}
	}
}
