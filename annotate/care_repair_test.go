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
	"github.com/nextslice/nextslice/annotate/annotatetest"
	"github.com/nextslice/nextslice/volume"
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

// A label of labels/final has the name of a person where the file is the one that the list speaks of, and there alone: of the file that a kill has left, or of another program, an empty
// slice is no label, and what cannot be a label of the case is none. What is lost is told.
func TestRestoreByTheList(t *testing.T) {
	at := annotate.Item{Case: "c0", Slice: 2}
	full := slices.Repeat([]uint8{1}, 120)
	shape := func(m *volume.Mask) (int, int, int) { return m.Size[0], m.Size[1], m.Size[2] }
	for _, k := range []struct {
		name    string
		spoil   func(t *testing.T, final, prepared string, before []byte)
		label   []uint8 // of c0/2 after that; nil: none
		person  string
		told    string
		drawn   int // of the other four slices, how many are labels
		nobodys bool
	}{
		{"as it was written", func(t *testing.T, final, prepared string, before []byte) {}, full, "ana", "", 4, false},
		{"killed before the file had its name", func(t *testing.T, final, prepared string, before []byte) {
			if err := errors.Join(os.MkdirAll(filepath.Dir(prepared), 0o700), os.Rename(final, prepared), os.WriteFile(final, before, 0o600)); err != nil {
				t.Fatal(err)
			}
		}, full, "ana", "", 4, false},
		{"the file of before", func(t *testing.T, final, prepared string, before []byte) {
			if err := os.WriteFile(final, before, 0o600); err != nil {
				t.Fatal(err)
			}
		}, nil, "", "labels are lost", 0, true},
		{"of another size", func(t *testing.T, final, prepared string, before []byte) {
			m := must(volume.ReadMask(final))
			x, y, z := shape(m)
			m.Size[0], m.Data = x+1, make([]uint8, (x+1)*y*z)
			for i := range m.Data {
				m.Data[i] = 1
			}
			if err := volume.WriteMask(final, m); err != nil {
				t.Fatal(err)
			}
		}, nil, "", "another size than the case", 0, false},
		{"of other values", func(t *testing.T, final, prepared string, before []byte) {
			m := must(volume.ReadMask(final))
			for i := range m.Data {
				m.Data[i] = 200
			}
			if err := volume.WriteMask(final, m); err != nil {
				t.Fatal(err)
			}
		}, nil, "", "no class of the project", 0, false},
		{"missing", func(t *testing.T, final, prepared string, before []byte) { os.Remove(final) }, nil, "", "5 labels are lost", 0, false},
	} {
		t.Run(k.name, func(t *testing.T) {
			o, want := labelled(t)
			final := filepath.Join(o.Dir, "labels", "final", "c0.nii.gz")
			m := must(volume.ReadMask(final))
			// A file of before in which slice 2 is not labelled yet.
			m.SetSlice(2, 2, make([]uint8, 120))
			early := filepath.Join(t.TempDir(), "c0.nii.gz")
			if err := volume.WriteMask(early, m); err != nil {
				t.Fatal(err)
			}
			before := must(os.ReadFile(early))
			p := open(t, o)
			save(t, p, at, full)
			until(t, "the file is written", func() bool { return len(must(p.Store().Stale(t.Context()))) == 0 })
			p.close()
			k.spoil(t, final, filepath.Join(o.Dir, "labels", ".new", "c0.nii.gz"), before)
			for _, name := range []string{"project.db", "project.seal", "backups"} {
				os.RemoveAll(filepath.Join(o.Dir, name))
			}
			done, err := annotate.Restore(t.Context(), o.Dir, "", time.Now)
			if err != nil {
				t.Fatal(err)
			}
			if text := strings.Join(done, "\n"); k.told == "" && strings.Contains(text, "lost,") || !strings.Contains(text, k.told) {
				t.Errorf("told: %q", done)
			}
			p = open(t, annotate.Options{Data: o.Data, Dir: o.Dir})
			delete(want, at)
			for item, mask := range want {
				got, _, err := p.Labels.Label(t.Context(), ana, item)
				switch drawn := slices.Contains(mask, 1); {
				case item.Case != "c0" || k.drawn == 4 || k.nobodys && drawn:
					if err != nil || !slices.Equal(got, mask) {
						t.Errorf("%s: %v after %q", item, err, done)
					}
				case !errors.Is(err, annotate.ErrNotFound):
					t.Errorf("%s: made a label of nothing, %v", item, err)
				}
			}
			got, _, err := p.Labels.Label(t.Context(), ana, at)
			if k.label == nil != errors.Is(err, annotate.ErrNotFound) || k.label != nil && !slices.Equal(got, k.label) {
				t.Errorf("%s: %v", at, err)
			}
			for _, l := range must(p.Store().LabelList(t.Context(), "")) {
				if person := map[bool]string{true: "", false: "ana"}[l.Item.Case == "c0" && k.nobodys]; l.Person != person {
					t.Errorf("%s is by %q, want %q", l.Item, l.Person, person)
				}
			}
		})
	}
}

// The list speaks of what the files hold: not of labels that a repair found in the database and no file holds yet, nor of one whose mask is damaged.
func TestListIsTrue(t *testing.T) {
	o := annotate.Options{Data: annotatetest.Data(t, 4), Dir: filepath.Join(t.TempDir(), "project"), Change: small, Axis: 2}
	item := func(k int) annotate.Item { return annotate.Item{Case: "c0", Slice: k} }
	full, half := slices.Repeat([]uint8{1}, 120), slices.Repeat([]uint8{1, 0}, 60)
	p := open(t, o)
	save(t, p, item(0), half)
	save(t, p, item(1), half)
	p.close()
	labels := filepath.Join(o.Dir, "labels")
	kept := filepath.Join(t.TempDir(), "labels")
	if err := os.CopyFS(kept, os.DirFS(labels)); err != nil {
		t.Fatal(err)
	}
	p = open(t, o)
	save(t, p, item(1), full)
	save(t, p, item(2), full)
	p.close()
	if err := errors.Join(os.RemoveAll(labels), os.CopyFS(labels, os.DirFS(kept))); err != nil { // as a kill leaves it before they are written
		t.Fatal(err)
	}
	if _, err := annotate.Repair(t.Context(), o.Dir, time.Now); err != nil {
		t.Fatal(err)
	}
	lose := func() {
		t.Helper()
		for _, name := range []string{"project.db", "project.seal", "backups"} {
			os.RemoveAll(filepath.Join(o.Dir, name))
		}
		if done, err := annotate.Restore(t.Context(), o.Dir, "", time.Now); err != nil {
			t.Fatalf("%v after %q", err, done)
		}
	}
	lose()
	p = open(t, annotate.Options{Data: o.Data, Dir: o.Dir})
	has(t, p, map[annotate.Item][]uint8{item(0): half, item(1): half})
	for _, l := range must(p.Store().LabelList(t.Context(), "")) {
		if l.Person != "ana" || l.Item.Slice > 1 {
			t.Errorf("%s, by %q", l.Item, l.Person)
		}
	}
	p.close()

	// A damaged label that no file holds is written to none, and the list does not say so.
	execute(t, o.Dir, `UPDATE versions SET mask = x'00' WHERE slice = 1`, `UPDATE cases SET written = 0`)
	os.Remove(filepath.Join(o.Dir, "project.seal"))
	if err := os.RemoveAll(filepath.Join(labels, "final")); err != nil {
		t.Fatal(err)
	}
	p = open(t, annotate.Options{Data: o.Data, Dir: o.Dir})
	until(t, "the files are written", func() bool { return len(must(p.Store().Stale(t.Context()))) == 0 })
	p.close()
	lose()
	p = open(t, annotate.Options{Data: o.Data, Dir: o.Dir})
	if _, _, err := p.Labels.Label(t.Context(), ana, item(1)); !errors.Is(err, annotate.ErrNotFound) {
		t.Errorf("a damaged label that no file holds came back: %v", err)
	}
}

// A file that nobody else has changed is not taken over: it may be that of before a kill, older than the labels.
func TestTakeOverOfUnchanged(t *testing.T) {
	o, want := labelled(t)
	final := filepath.Join(o.Dir, "labels", "final", "c0.nii.gz")
	before := must(os.ReadFile(final))
	item := annotate.Item{Case: "c0", Slice: 2}
	p := open(t, o)
	want[item] = slices.Repeat([]uint8{1}, 120)
	save(t, p, item, want[item])
	p.close()
	if err := os.WriteFile(final, before, 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := annotate.TakeOver(t.Context(), o.Dir, []string{"c0"}, time.Now); err != nil || n != 0 {
		t.Errorf("%d slices taken over, %v", n, err)
	}
	has(t, open(t, o), want)
}
