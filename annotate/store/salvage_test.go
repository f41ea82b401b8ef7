package store

import (
	"os"
	"path/filepath"
	"testing"
)

// A path that something has is passed over, as is one whose log something has; where nothing can be seen, the first one is given.
func TestUnused(t *testing.T) {
	dir := t.TempDir()
	stem := filepath.Join(dir, "copy")
	for _, name := range []string{"copy.db", "copy-2.db-wal", "file"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := Unused(stem, ".db"); got != stem+"-3.db" {
		t.Error(got)
	}
	inFile := filepath.Join(dir, "file", "copy")
	if got := Unused(inFile, ".db"); got != inFile+".db" {
		t.Error(got)
	}
}
