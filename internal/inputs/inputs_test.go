package inputs

import (
	"os"
	"path/filepath"
	"testing"
)

// A file is an input by its other names too, and what is not there is none.
func TestAmong(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"a", "b"} {
		if err := os.WriteFile(at(name), []byte("same"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(at("a"), at("hard")); err != nil {
		t.Skip("no links here:", err)
	}
	if err := os.Symlink("a", at("soft")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	for name, want := range map[string]bool{"a": true, "./a": true, "hard": true, "soft": true, "b": false, "none": false} {
		file, is := Among(filepath.Join(dir, name), []string{"", at("none"), at("a")})
		if is != want || is && file != at("a") {
			t.Errorf("%s: %q, %v", name, file, is)
		}
	}
}
