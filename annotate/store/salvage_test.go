package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/nextslice/nextslice/annotate/store/seal"
)

// A database is made anew whole or not at all: on a full disk (max_page_count, which gives SQLITE_FULL as that does) and after an interruption everything is where it was, and the next try
// finds all of it.
func TestSalvageIsWhole(t *testing.T) {
	s, _ := open(t)
	if err := s.SetConfig(t.Context(), "scans", 1); err != nil {
		t.Fatal(err)
	}
	work(t, s, 60)
	if err := s.AddReview(t.Context(), Review{Item: Item{"A", 1}, Person: "eva", Status: ReviewAccepted}, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	contents := func() map[string]string {
		t.Helper()
		files := map[string]string{}
		if err := filepath.WalkDir(s.dir, func(path string, e os.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			files[path] = string(text)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return files
	}
	before := contents()
	defer func(was func(*sql.DB)) { salvaging = was }(salvaging)
	for _, pages := range []int{1, 45, 60} { // none more than there are, and some
		salvaging = func(db *sql.DB) {
			if _, err := db.Exec(fmt.Sprint(`PRAGMA max_page_count = `, pages)); err != nil {
				t.Error(err)
			}
		}
		if found, aside, err := Salvage(t.Context(), s.dir, time.Now); !errors.Is(err, ErrFull) || aside != "" {
			t.Errorf("%d pages: %v, found %v, moved to %q", pages, err, found, aside)
		}
		if after := contents(); !maps.Equal(before, after) {
			t.Fatalf("%d pages: %v", pages, slices.Sorted(maps.Keys(after)))
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	salvaging = func(*sql.DB) { cancel() }
	if _, aside, err := Salvage(ctx, s.dir, time.Now); !errors.Is(err, context.Canceled) || aside != "" || !maps.Equal(before, contents()) {
		t.Errorf("interrupted: %v, moved to %q", err, aside)
	}
	salvaging = func(*sql.DB) {}
	found, aside, err := Salvage(t.Context(), s.dir, time.Now)
	if err != nil || found["versions"] != 60 || found["labels"] != 5 || found["reviews"] != 1 || found["cases"] != 2 {
		t.Errorf("found %v, %v", found, err)
	}
	if text, err := os.ReadFile(aside); err != nil || string(text) != before[seal.Database(s.dir)] {
		t.Errorf("the one of before: %v", err)
	}
	again, err := Open(t.Context(), s.dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if mask, number, err := again.Label(t.Context(), Item{"A", 4}); err != nil || number != 12 || !slices.Equal(mask, crashMask(59)) {
		t.Errorf("version %d, %v", number, err)
	}
}

// Rows that break a rule of their table are none of the project's, and a review of a version that is lost goes with it: what is made anew has no fault of its own.
func TestSalvageLeavesOutWhatIsNone(t *testing.T) {
	s, _ := open(t)
	if err := s.SetConfig(t.Context(), "scans", 1); err != nil {
		t.Fatal(err)
	}
	work(t, s, 10)
	for k := range 2 {
		if err := s.AddReview(t.Context(), Review{Item: Item{"A", 1 + k}, Person: "eva", Status: ReviewAccepted}, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, statement := range []string{
		`PRAGMA foreign_keys = 0`, `PRAGMA ignore_check_constraints = 1`, `DROP TRIGGER versions_stay`,
		`DELETE FROM versions WHERE slice = 2`, `INSERT INTO cases VALUES ('C', 1, 1, 1, 'nothing of ours', 0)`,
	} {
		if _, err := s.db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	found, _, err := Salvage(t.Context(), s.dir, time.Now)
	if err != nil || found["versions"] != 8 || found["reviews"] != 1 || found["cases"] != 2 {
		t.Errorf("found %v, %v", found, err)
	}
	copied, faults, err := Snapshot(t.Context(), s.dir)
	if err != nil || len(faults) > 0 {
		t.Fatalf("%q, %v", faults, err)
	}
	copied.Close()
}

// Only what SQLite says of a file is damage. In a file that is known to be damaged other words of it are as well; an error of the machine never is.
func TestDamage(t *testing.T) {
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, noTable := db.Exec(`SELECT * FROM nothing`)
	_, full := db.Exec(`PRAGMA max_page_count = 1; CREATE TABLE x (y); CREATE TABLE z (y)`)
	if e, ok := errors.AsType[*sqlite.Error](full); !ok || e.Code() != sqlite3.SQLITE_FULL {
		t.Fatal(full)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, interrupted := db.ExecContext(ctx, `SELECT 1`)
	garbled := filepath.Join(t.TempDir(), "garbled.db")
	if err := os.WriteFile(garbled, []byte("this is not a database, but long enough to be looked at"), 0o600); err != nil {
		t.Fatal(err)
	}
	none, err := sql.Open("sqlite", garbled)
	if err != nil {
		t.Fatal(err)
	}
	defer none.Close()
	_, notADB := none.Exec(`SELECT * FROM sqlite_master`)
	for _, k := range []struct {
		err            error
		plain, damaged bool
	}{
		{nil, false, false}, {notADB, true, true}, {plain(fmt.Errorf("read: %w", notADB)), true, true}, {noTable, false, true}, {full, false, false}, {interrupted, false, false},
		{errors.New("made by a newer nextslice"), false, false},
	} {
		if p, d := isDamage(k.err, false), isDamage(k.err, true); p != k.plain || d != k.damaged {
			t.Errorf("%v: %v, of a damaged file %v", k.err, p, d)
		}
	}
}

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
