package store

import (
	"context"
	"path/filepath"
	"testing"
	"time"
)

// Folders are called what people call them, and on Windows begin with a drive's letter.
func TestFolderNames(t *testing.T) {
	for _, name := range []string{"mit Leerzeichen", "Prüfung ß", "a%20b", "q?mode=ro#x", "日本"} {
		if filepath.Separator == '\\' && name == "q?mode=ro#x" {
			continue // no name there
		}
		dir := filepath.Join(t.TempDir(), name, "project")
		s, err := Open(context.Background(), dir, time.Now)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := s.Backup(t.Context(), filepath.Join(dir, "copy.db")); err != nil {
			t.Errorf("%s: backup: %v", name, err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !Exists(dir) {
			t.Errorf("%s: project.db is somewhere else", name)
		}
	}
}
