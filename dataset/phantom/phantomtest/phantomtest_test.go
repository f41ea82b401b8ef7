package phantomtest

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/nextslice/nextslice/dataset/phantom"
)

// What tests get are the bytes that the program writes.
func TestSameAsPhantom(t *testing.T) {
	got, want := filepath.Join(t.TempDir(), "got"), filepath.Join(t.TempDir(), "want")
	for _, cases := range []int{1, 3} { // another test may want more or fewer
		if err := Write(t.TempDir(), cases, 3); err != nil {
			t.Fatal(err)
		}
	}
	if err := Write(got, 2, 3); err != nil {
		t.Fatal(err)
	}
	if err := phantom.Write(t.Context(), want, 2, 3, nil); err != nil {
		t.Fatal(err)
	}
	a, b := files(t, got), files(t, want)
	if names := slices.Sorted(maps.Keys(b)); len(names) != 5 || !slices.Equal(names, slices.Sorted(maps.Keys(a))) {
		t.Fatalf("files %v, want %v", slices.Sorted(maps.Keys(a)), names)
	}
	for name := range b {
		if a[name] != b[name] {
			t.Errorf("%s differs", name)
		}
	}
}

func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := fs.ReadFile(root, name)
		all[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
