package record

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/dataset/phantom"
)

// Data without a mask, and data whose masks are empty, are refused, each with its own words.
func TestDataWithNothingToLearn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := phantom.Write(t.Context(), dir, 2, 1, nil); err != nil {
		t.Fatal(err)
	}
	c := Default()
	c.Data = dir
	_, done, err := c.OpenData(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	done()
	if err := os.RemoveAll(filepath.Join(dir, "labelsTr")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "dataset.json")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.OpenData(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "none of its 2 cases has a mask") {
		t.Errorf("without masks: %v", err)
	}
}
