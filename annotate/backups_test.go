package annotate_test

import (
	"errors"
	"fmt"
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

// The database that goes while it is served is noticed by the next save, which is not acknowledged; what was is in a copy.
func TestDatabaseGoesWhileServed(t *testing.T) {
	for name, do := range map[string]func(db string) error{
		"deleted":  func(db string) error { return os.Remove(db) },
		"replaced": func(db string) error { return errors.Join(os.Rename(db, db+".x"), os.WriteFile(db, nil, 0o600)) },
		"log gone": func(db string) error { return os.Remove(db + "-wal") },
	} {
		t.Run(name, func(t *testing.T) {
			o := annotate.Options{Data: annotatetest.Data(t, 4), Dir: filepath.Join(t.TempDir(), "project"), Change: small}
			p := open(t, o)
			want := map[annotate.Item][]uint8{}
			for k := range 5 {
				item := annotate.Item{Case: "c1", Slice: k}
				want[item] = p.mask(item)
				save(t, p, item, want[item])
			}
			if err := do(filepath.Join(o.Dir, "project.db")); err != nil {
				t.Fatal(err)
			}
			_, err := p.Labels.Save(t.Context(), ana, annotate.Answer{Item: annotate.Item{Case: "c2", Slice: 1}, Mask: make([]uint8, 120)})
			if !errors.Is(err, annotate.ErrLost) {
				t.Fatalf("acknowledged: %v", err)
			}
			copies, _ := filepath.Glob(filepath.Join(o.Dir, "backups", "rescued-*.db"))
			if len(copies) != 1 {
				t.Fatalf("copies: %v", copies)
			}
			p.stop()
			if _, err := annotate.Restore(t.Context(), o.Dir, copies[0], time.Now); err != nil {
				t.Fatal(err)
			}
			has(t, open(t, annotate.Options{Data: o.Data, Dir: o.Dir}), want)
		})
	}
}

// Copies are made every day, are whole, and only so many are kept.
func TestDailyBackups(t *testing.T) {
	o, want := labelled(t)
	day := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	o.Backups = 2
	os.RemoveAll(filepath.Join(o.Dir, "backups"))
	for n := range 4 {
		o.Now = func() time.Time { return day.AddDate(0, 0, n) }
		p := open(t, o)
		today := filepath.Join(o.Dir, "backups", o.Now().Format("2006-01-02")+".db")
		until(t, "today's copy", func() bool { _, err := os.Stat(today); return err == nil })
		p.close()
	}
	copies, _ := filepath.Glob(filepath.Join(o.Dir, "backups", "2026-*.db"))
	if len(copies) != 2 || filepath.Base(copies[1]) != "2026-03-04.db" {
		t.Errorf("copies: %v", copies)
	}
	if info, err := os.Stat(copies[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("permissions: %v, %v", info.Mode(), err)
	}
	if err := os.Remove(filepath.Join(o.Dir, "project.db")); err != nil {
		t.Fatal(err)
	}
	o.Now = nil
	if err := tryOpen(t, o); err == nil {
		t.Fatal("begun anew")
	}
	if _, err := annotate.Restore(t.Context(), o.Dir, "", time.Now); err != nil {
		t.Fatal(err)
	}
	has(t, open(t, o), want)
}

// A copy is made while people save, and is the project at one moment.
func TestBackupWhileServed(t *testing.T) {
	o := annotate.Options{Data: annotatetest.Data(t, 4), Dir: filepath.Join(t.TempDir(), "project"), Change: small}
	p := open(t, o)
	item := annotate.Item{Case: "c1", Slice: 2}
	for n := range 20 {
		save(t, p, item, slices.Repeat([]uint8{uint8(n % 2)}, 120))
		if n == 10 {
			if err := annotate.Backup(t.Context(), o.Dir, filepath.Join(o.Dir, "..", "copy.db")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := annotate.Backup(t.Context(), o.Dir, filepath.Join(o.Dir, "..", "copy.db")); err == nil {
		t.Error("a copy was overwritten")
	}
	p.close()
	if _, err := annotate.Restore(t.Context(), o.Dir, filepath.Join(o.Dir, "..", "copy.db"), time.Now); err != nil {
		t.Fatal(err)
	}
	p = open(t, o)
	has(t, p, map[annotate.Item][]uint8{item: slices.Repeat([]uint8{1}, 120)}) // the newest came from labels/final
}

// A copy of project.db is all that people have made: put into an empty folder it is the project again. The program makes the mask files and the
// record anew; models are not in it, and the next training makes one.
func TestBackupIsEnough(t *testing.T) {
	learner := &annotatetest.Learner{}
	o := annotate.Options{Data: annotatetest.Data(t, 5), Dir: filepath.Join(t.TempDir(), "project"), Change: func(c *annotate.Config) { small(c); c.ValidationShare = 0 }, Learner: learner.New}
	p := open(t, o)
	want := map[annotate.Item][]uint8{}
	add := func(p *project, n int) {
		for range n {
			task := p.next(ana)
			item := must(p.Cases.Item(task.Item))
			want[item] = p.mask(item)
			save(t, p, item, want[item])
		}
	}
	add(p, 4)
	until(t, "a model", func() bool { return p.next(ana).Model != nil })
	drafted := must(p.Cases.Item(p.next(ben).Item))
	if err := p.Labels.SaveDraft(t.Context(), ben, drafted, p.mask(drafted), 0); err != nil {
		t.Fatal(err)
	}
	until(t, "the files are written", func() bool { return len(must(p.Store().Stale(t.Context()))) == 0 })
	file := filepath.Join(t.TempDir(), "copy.db")
	if err := annotate.Backup(t.Context(), o.Dir, file); err != nil {
		t.Fatal(err)
	}
	history, queue := must(p.Store().History(t.Context())), must(p.Queue.List(t.Context()))
	p.close()

	elsewhere := t.TempDir()
	if _, err := annotate.Restore(t.Context(), elsewhere, file, time.Now); err != nil {
		t.Fatal(err)
	}
	p = open(t, annotate.Options{Data: o.Data, Dir: elsewhere, Learner: learner.New})
	has(t, p, want)
	if p.ID() == "" || len(must(p.Store().History(t.Context()))) != len(history) || len(must(p.Queue.List(t.Context()))) != len(queue) {
		t.Error("the history or the queue is another one")
	}
	if mask, err := p.Labels.Draft(t.Context(), ben, drafted); err != nil || !slices.Equal(mask, p.mask(drafted)) {
		t.Errorf("ben's draft: %v", err)
	}
	for item := range want {
		until(t, "its file", func() bool {
			m, err := volume.ReadMask(filepath.Join(elsewhere, "labels", "final", item.Case+".nii.gz"))
			return err == nil && slices.Equal(m.Slice(2, item.Slice), want[item])
		})
	}
	if _, err := os.Stat(filepath.Join(elsewhere, "record", "config.yaml")); err != nil {
		t.Error(err)
	}
	add(p, 2) // half a query
	until(t, "the next model", func() bool {
		_, err := os.Stat(filepath.Join(elsewhere, "models", "0002.safetensors"))
		return err == nil
	})
	until(t, "it is in use", func() bool { m := p.next(ana).Model; return m != nil && *m == 2 })
	has(t, p, want)
}

// Copies that a wrong clock has named after days to come take no place among the daily ones, stay, and are the last choice.
func TestBackupsOfTheFuture(t *testing.T) {
	o, want := labelled(t)
	backups := filepath.Join(o.Dir, "backups")
	os.RemoveAll(backups)
	o.Backups = 2
	day := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	visit := func(at time.Time) {
		t.Helper()
		o.Now = func() time.Time { return at }
		p := open(t, o)
		until(t, "today's copy", func() bool {
			_, err := os.Stat(filepath.Join(backups, at.Format("2006-01-02")+".db"))
			return err == nil
		})
		p.close()
	}
	for n := range 2 {
		visit(time.Date(2036, 3, 1+n, 9, 0, 0, 0, time.UTC))
	}
	for n := range 3 {
		visit(day.AddDate(0, 0, n))
	}
	var names []string
	for _, path := range must(filepath.Glob(filepath.Join(backups, "20*.db"))) {
		names = append(names, filepath.Base(path))
	}
	if got := fmt.Sprint(names); got != "[2026-03-02.db 2026-03-03.db 2036-03-01.db 2036-03-02.db]" {
		t.Errorf("copies: %s", got)
	}
	for _, path := range must(filepath.Glob(filepath.Join(backups, "*.db"))) {
		at := must(time.Parse("2006-01-02", strings.TrimSuffix(filepath.Base(path), ".db")))
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if found := must(annotate.Check(t.Context(), o.Dir)); strings.Count(strings.Join(found.Notes, "\n"), "still to come") != 2 {
		t.Errorf("check: %q", found.Notes)
	}
	now := func() time.Time { return day.AddDate(0, 0, 5) }
	for _, from := range []string{"2026-03-03.db", "2036-03-02.db"} {
		os.Remove(filepath.Join(o.Dir, "project.db"))
		done, err := annotate.Restore(t.Context(), o.Dir, "", now)
		if err != nil || !slices.ContainsFunc(done, func(text string) bool {
			return strings.HasSuffix(text, "is now the copy "+filepath.Join(backups, from))
		}) {
			t.Errorf("want %s, told %q, %v", from, done, err)
		}
		if passed := strings.Count(strings.Join(done, "\n"), "passed over"); passed != map[string]int{"2026-03-03.db": 2}[from] {
			t.Errorf("told %q", done)
		}
		for _, path := range must(filepath.Glob(filepath.Join(backups, "2026-*.db"))) {
			os.Remove(path)
		}
	}
	o.Now = nil
	has(t, open(t, o), want)
}
