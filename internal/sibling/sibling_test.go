package sibling

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// However a folder is spelled, what belongs to it is one path.
func TestPath(t *testing.T) {
	root := t.TempDir()
	scans := filepath.Join(root, "scans")
	if err := os.MkdirAll(filepath.Join(scans, "images"), 0o777); err != nil {
		t.Fatal(err)
	}
	is := func(spelled, want string) {
		t.Helper()
		got, err := Path(spelled, "-query", "--work")
		if err == nil {
			got, err = filepath.Abs(got)
		}
		if err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", spelled, got, err, want)
		}
	}
	for at, spellings := range map[string][]string{
		scans:                          {".", "./", "../scans", "../scans/", "images/..", scans, scans + "/."},
		root:                           {"scans", "./scans/", "scans/.", "scans/images/.."},
		filepath.Join(scans, "images"): {"..", "../.", "../../scans"},
	} {
		t.Chdir(at)
		for _, spelled := range spellings {
			is(spelled, scans+"-query")
		}
	}
	t.Chdir(root)
	is("missing", filepath.Join(root, "missing-query"))
	if got, err := Path("scans", "-query", "--work"); got != "scans-query" || err != nil { // as it is typed, for people to read
		t.Errorf("%s, %v", got, err)
	}
	if _, err := Path("/", "-query", "--work"); err == nil || !strings.Contains(err.Error(), "say with --work") {
		t.Error(err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	// The folder above a link's is not the one above what it leads to.
	if err := os.Symlink(filepath.Join(scans, "images"), filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	whole, err := filepath.EvalSymlinks(scans)
	if err != nil {
		t.Fatal(err)
	}
	is("link/..", whole+"-query")
	t.Chdir(filepath.Join(root, "link"))
	t.Setenv("PWD", filepath.Join(root, "link"))
	is("..", whole+"-query")
}

// What an earlier version named after . or .. is not left behind unseen.
func TestEarlierNames(t *testing.T) {
	root := t.TempDir()
	scans := filepath.Join(root, "scans")
	images := filepath.Join(scans, "images")
	for spelled, old := range map[string]string{".": filepath.Join(scans, ".-annotation"), "..": filepath.Join(images, "..-annotation")} {
		if err := os.MkdirAll(images, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(old, 0o777); err != nil {
			t.Fatal(err)
		}
		t.Chdir(map[string]string{".": scans, "..": images}[spelled])
		if got, err := Path(spelled, "-annotation", "--project"); err == nil || !strings.Contains(err.Error(), spelled+"-annotation was named by an earlier version") ||
			!strings.Contains(err.Error(), "move it to "+scans+"-annotation, or name it with --project") {
			t.Errorf("%s: %s, %v", spelled, got, err)
		}
		if _, err := Path(scans, "-annotation", "--project"); (err != nil) != (spelled == ".") { // that one is found however the folder is spelled now
			t.Errorf("%s by its whole path: %v", spelled, err)
		}
		if err := os.Remove(old); err != nil {
			t.Fatal(err)
		}
		if got, err := Path(spelled, "-annotation", "--project"); err != nil || got != scans+"-annotation" {
			t.Errorf("%s: %s, %v", spelled, got, err)
		}
	}
}
