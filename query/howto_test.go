package query_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestHowTo follows docs/how-to/add-a-strategy.md: with its file, its line in the list and its tests laid over the package, the
// package builds, the strategy passes, and its name is known.
func TestHowTo(t *testing.T) {
	text, err := os.ReadFile("../docs/how-to/add-a-strategy.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, block := range strings.Split(string(text), "```go\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		blocks = append(blocks, block)
	}
	if len(blocks) != 4 {
		t.Fatalf("the page has %d blocks of Go, want the file, the line in the list, the test and the example", len(blocks))
	}
	if n := strings.Count(strings.TrimSpace(blocks[1]), "\n"); n > 0 {
		t.Errorf("adding a strategy takes %d lines in the list, want 1", n+1)
	}
	names, err := os.ReadFile("names.go")
	if err != nil {
		t.Fatal(err)
	}
	const list = "var names = []entry{\n"
	if !strings.Contains(string(names), list) {
		t.Fatal("names.go has no list")
	}

	dir := t.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	lay := func(name, content string) {
		path, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		overlay.Replace[path] = filepath.Join(dir, name)
		if err := os.WriteFile(overlay.Replace[path], []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	lay("one_per_case.go", blocks[0])
	lay("names.go", strings.Replace(string(names), list, list+blocks[1], 1))
	lay("one_per_case_test.go", `package query_test

import (
	"fmt"
	"testing"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/query/querytest"
	"github.com/nextslice/nextslice/random"
)

`+blocks[2]+"\n"+blocks[3])
	file, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), file, 0o666); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-ldflags=-w", "-v", "-overlay", filepath.Join(dir, "overlay.json"),
		"-run", "^(TestOnePerCase|ExampleOnePerCase|TestListIsComplete)$", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"--- PASS: TestOnePerCase ", "--- PASS: ExampleOnePerCase ", "--- PASS: TestListIsComplete "} {
		if !strings.Contains(string(out), want) {
			t.Errorf("want %q in\n%s", want, out)
		}
	}
}
