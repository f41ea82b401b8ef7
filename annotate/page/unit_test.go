package page_test

import (
	"os/exec"
	"testing"

	"github.com/nextslice/nextslice/annotate/page/bundle"
)

// TestUnits runs the unit tests src/**/*.test.ts with Node.js's test runner.
func TestUnits(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed")
	}
	scripts, err := bundle.Tests(".", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("node", append([]string{"--test"}, scripts...)...).CombinedOutput()
	if err != nil {
		t.Errorf("node --test: %v\n%s", err, out)
	}
	t.Logf("%s", out)
}
