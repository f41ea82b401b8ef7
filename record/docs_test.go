package record

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/dataset"
)

// The examples in the reference of experiment files are valid, and no key is missing.
func TestReferenceOfExperimentFiles(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "docs", "reference", "experiments.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) != 3 {
		t.Fatalf("%d examples", len(blocks))
	}
	for _, block := range blocks {
		c, err := parseConfig("experiments.md", []byte(block[1]), nil)
		if err == nil {
			err = c.Validate()
		}
		if err != nil {
			t.Errorf("%v in\n%s", err, block[1])
		}
	}
	for _, key := range append(keys(reflect.TypeFor[Config]()), keys(reflect.TypeFor[dataset.SplitConfig]())...) {
		if !strings.Contains("\n"+blocks[0][1]+blocks[1][1], "\n"+key+":") && !strings.Contains(blocks[0][1], "\n  "+key+":") {
			t.Errorf("the key %s is not in the examples", key)
		}
	}
}
