package annotate_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate"
)

// A healthy database that could not be looked at, for an interruption or since it is of a newer program, is no damaged one: both commands end with that, and nothing is moved.
func TestRepairLooksFirst(t *testing.T) {
	o, want := labelled(t)
	before := tree(t, o.Dir)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if done, err := annotate.Repair(ctx, o.Dir, time.Now); !errors.Is(err, context.Canceled) || len(done) > 0 {
		t.Errorf("repair, interrupted: %v after %q", err, done)
	}
	if found, err := annotate.Check(ctx, o.Dir); !errors.Is(err, context.Canceled) || len(found.Faults) > 0 {
		t.Errorf("check, interrupted: %q, %v", found.Faults, err)
	}
	if after := tree(t, o.Dir); !maps.Equal(before, after) {
		t.Errorf("an interrupted repair has changed the project: %v", slices.Sorted(maps.Keys(after)))
	}

	execute(t, o.Dir, `UPDATE goose_db_version SET version_id = 99 WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`)
	os.Remove(filepath.Join(o.Dir, "project.seal"))
	before = tree(t, o.Dir)
	if done, err := annotate.Repair(t.Context(), o.Dir, time.Now); err == nil || !strings.Contains(err.Error(), "newer nextslice") || len(done) > 0 {
		t.Errorf("repair of a newer format: %v after %q", err, done)
	}
	if found, err := annotate.Check(t.Context(), o.Dir); err == nil || !strings.Contains(err.Error(), "newer nextslice") {
		t.Errorf("check of a newer format: %+v, %v", found, err)
	}
	if after := tree(t, o.Dir); !maps.Equal(before, after) {
		t.Errorf("a repair has changed a project of a newer program: %v", slices.Sorted(maps.Keys(after)))
	}
	execute(t, o.Dir, `DELETE FROM goose_db_version WHERE version_id = 99`, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (6, 1)`)
	has(t, open(t, o), want)
}

// A database that SQLite cannot read is checked without a panic, and made anew from what can be read; it stays where it is when its configuration cannot.
func TestRepairGarbledPages(t *testing.T) {
	o, want := labelled(t)
	path := filepath.Join(o.Dir, "project.db")
	whole := must(os.ReadFile(path))
	list := filepath.Join(o.Dir, "labels", "project.json")
	ledger := must(os.ReadFile(list))
	pages := map[string]int64{}
	db := must(sql.Open("sqlite", path))
	for _, name := range []string{"goose_db_version", "queue_open", "reviews_item", "events", "project"} {
		var page int64
		if err := db.QueryRow(`SELECT rootpage FROM sqlite_master WHERE name = ?`, name).Scan(&page); err != nil {
			t.Fatal(err)
		}
		pages[name] = page
	}
	db.Close()
	for name, page := range pages {
		garbled := slices.Clone(whole)
		copy(garbled[(page-1)*4096:page*4096], bytes.Repeat([]byte{0xa5}, 4096))
		for _, end := range []string{"-wal", "-shm"} {
			os.Remove(path + end)
		}
		os.Remove(filepath.Join(o.Dir, "project.seal"))
		if err := errors.Join(os.WriteFile(path, garbled, 0o600), os.WriteFile(list, ledger, 0o600)); err != nil {
			t.Fatal(err)
		}
		if found, err := annotate.Check(t.Context(), o.Dir); err != nil || len(found.Faults) == 0 {
			t.Errorf("%s: check: %+v, %v", name, found, err)
		}
		before := tree(t, o.Dir)
		done, err := annotate.Repair(t.Context(), o.Dir, time.Now)
		if name == "project" {
			if after := tree(t, o.Dir); err == nil || !strings.Contains(err.Error(), "configuration could not be read") || !maps.Equal(before, after) {
				t.Errorf("%s: %v after %q: %v", name, err, done, slices.Sorted(maps.Keys(after)))
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v after %q", name, err, done)
			continue
		}
		if found, err := annotate.Check(t.Context(), o.Dir); err != nil || len(found.Faults) > 0 {
			t.Errorf("%s: check after %q: %+v, %v", name, done, found, err)
		}
		p := open(t, o)
		has(t, p, want)
		p.close()
	}
}
