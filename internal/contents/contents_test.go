package contents

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Other bytes are noticed, also of the same size; the same bytes at another time are not, and nothing is read where nothing moved.
func TestNow(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, at int64) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Unix(at, 0)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, other := range map[string]string{"a.nii": "a.nii", "b.mhd": "b.raw", "series": "series/2.dcm"} {
		write("a.nii", "one", 1)
		write("b.mhd", "head", 1)
		write("b.raw", "one", 1)
		write("series/1.dcm", "one", 1)
		write("series/2.dcm", "one", 1)
		path := filepath.Join(dir, name)
		before, err := Of(path)
		if err != nil {
			t.Fatal(err)
		}
		check := func(what string, want bool) {
			t.Helper()
			if _, changed, err := before.Now(path); err != nil || changed != want {
				t.Errorf("%s: %s: changed %v, %v", name, what, changed, err)
			}
		}
		check("untouched", false)
		write(other, "one", 2)
		check("the same bytes written again", false)
		write(other, "two", 3)
		check("other bytes of the same size", true)
		write(other, "two", 1)
		check("size and time as before: not read", false)
	}
	if _, _, err := (Seen{}).Now(filepath.Join(dir, "nothing")); !os.IsNotExist(err) {
		t.Errorf("a missing file: %v", err)
	}
}
