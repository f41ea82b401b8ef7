package annotate_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
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

// labelled makes a project with labels of three cases, closed, and returns the options it opens with. The mask of slice k holds its number's
// parity, so that each can be told.
func labelled(t *testing.T) (o annotate.Options, want map[annotate.Item][]uint8) {
	t.Helper()
	o = annotate.Options{Data: annotatetest.Data(t, 4), Dir: filepath.Join(t.TempDir(), "project"), Change: small, Axis: 2}
	p := open(t, o)
	want = map[annotate.Item][]uint8{}
	for n := range 3 {
		for k := range 5 {
			item := annotate.Item{Case: fmt.Sprintf("c%d", n), Slice: k}
			want[item] = p.mask(item)
			save(t, p, item, want[item])
		}
	}
	p.close()
	return o, want
}

func save(t *testing.T, p *project, item annotate.Item, mask []uint8) {
	t.Helper()
	if _, err := p.Labels.Save(t.Context(), ana, annotate.Answer{Item: item, Mask: mask, Action: annotate.Edited, Seconds: 3}); err != nil {
		t.Fatal(err)
	}
}

// has compares the labels of an opened project with those that were acknowledged.
func has(t *testing.T, p *project, want map[annotate.Item][]uint8) {
	t.Helper()
	for item, mask := range want {
		got, _, err := p.Labels.Label(t.Context(), ana, item)
		if err != nil || !slices.Equal(got, mask) {
			t.Errorf("%s: %v", item, err)
		}
	}
}

func copyTo(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func tryOpen(t *testing.T, o annotate.Options) error {
	t.Helper()
	p, err := annotate.Open(t.Context(), o)
	if err == nil {
		p.Close()
	}
	return err
}

func change(t *testing.T, path string, how func([]byte) []byte) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, how(text), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A database that is missing, empty, older or another one than the mask files is refused, whatever way that came about, and all labels come
// back by what the message names.
func TestLastCopyIsNotErased(t *testing.T) {
	type kind struct {
		name  string
		spoil func(t *testing.T, db, old string)
	}
	for _, k := range []kind{
		{"missing", func(t *testing.T, db, _ string) { os.Remove(db) }},
		{"empty", func(t *testing.T, db, _ string) { change(t, db, func([]byte) []byte { return nil }) }},
		{"older copy", func(t *testing.T, db, old string) { copyTo(t, old, db) }},
		{"older copy, seal deleted", func(t *testing.T, db, old string) {
			copyTo(t, old, db)
			os.Remove(strings.TrimSuffix(db, ".db") + ".seal")
		}},
		{"of another project", func(t *testing.T, db, _ string) {
			other, _ := labelled(t)
			copyTo(t, filepath.Join(other.Dir, "project.db"), db)
			os.Remove(strings.TrimSuffix(db, ".db") + ".seal")
		}},
		{"folder without all but labels", func(t *testing.T, db, _ string) {
			for _, name := range []string{"project.db", "project.seal", "lock", "backups"} {
				os.RemoveAll(filepath.Join(filepath.Dir(db), name))
			}
		}},
	} {
		t.Run(k.name, func(t *testing.T) {
			o, want := labelled(t)
			db, old := filepath.Join(o.Dir, "project.db"), filepath.Join(t.TempDir(), "old.db")
			copyTo(t, db, old)
			p := open(t, o)
			for s := range 3 {
				item := annotate.Item{Case: "c3", Slice: s + 1}
				want[item] = p.mask(item)
				save(t, p, item, want[item])
			}
			changed := annotate.Item{Case: "c0", Slice: 2}
			want[changed] = slices.Repeat([]uint8{1}, 120)
			save(t, p, changed, want[changed])
			p.close()
			os.RemoveAll(filepath.Join(o.Dir, "backups")) // the hardest case
			final, err := os.ReadFile(filepath.Join(o.Dir, "labels", "final", "c3.nii.gz"))
			if err != nil {
				t.Fatal(err)
			}
			k.spoil(t, db, old)

			if err := tryOpen(t, o); err == nil || !strings.Contains(err.Error(), "nextslice project") {
				t.Fatalf("served: %v", err)
			}
			if now, err := os.ReadFile(filepath.Join(o.Dir, "labels", "final", "c3.nii.gz")); err != nil || !bytes.Equal(now, final) {
				t.Fatal("a mask file was overwritten")
			}
			if found, err := annotate.Check(t.Context(), o.Dir); err != nil || len(found.Faults) == 0 {
				t.Errorf("check: %+v, %v", found, err)
			}
			from := ""
			if k.name == "of another project" {
				if done, err := annotate.Restore(t.Context(), o.Dir, "", time.Now); err == nil {
					t.Errorf("restored from another project: %q", done)
				}
				from = old
			}
			done, err := annotate.Restore(t.Context(), o.Dir, from, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			if found, err := annotate.Check(t.Context(), o.Dir); err != nil || len(found.Faults) > 0 {
				t.Errorf("check after %q: %+v, %v", done, found, err)
			}
			p = open(t, annotate.Options{Data: o.Data, Dir: o.Dir})
			has(t, p, want)
			if p.Config.InitialSize != 4 {
				t.Errorf("configuration: %+v", p.Config)
			}
		})
	}
}

// No database with flipped bits is served as if it were whole, and repair brings the labels back.
func TestFlippedBits(t *testing.T) {
	o, want := labelled(t)
	db := filepath.Join(o.Dir, "project.db")
	whole, err := os.ReadFile(db)
	if err != nil {
		t.Fatal(err)
	}
	seal := filepath.Join(o.Dir, "project.seal")
	hash, err := os.ReadFile(seal)
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(o.Dir, "labels", "project.json")
	ledger, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	if err := tryOpen(t, o); err != nil { // else nothing is tested
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 60))
	served, repaired := 0, 0
	for round := range 60 {
		damaged := slices.Clone(whole)
		for range 1 + round%4 {
			damaged[rng.IntN(len(damaged))] ^= 1 << rng.IntN(8)
		}
		for _, end := range []string{"-wal", "-shm"} {
			os.Remove(db + end)
		}
		for path, text := range map[string][]byte{db: damaged, seal: hash, list: ledger} {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := tryOpen(t, o); err == nil {
			served++
		}
		if round%10 != 0 {
			continue
		}
		done, err := annotate.Repair(t.Context(), o.Dir, time.Now)
		if err != nil { // the configuration's own page: put a copy back
			copyTo(t, db, filepath.Join(t.TempDir(), "x.db"))
			continue
		}
		p, err := annotate.Open(t.Context(), annotate.Options{Data: o.Data, Dir: o.Dir, Axis: 2})
		if err != nil {
			t.Errorf("round %d: after %q: %v", round, done, err)
			continue
		}
		repaired++
		for item, mask := range want {
			if got, _, err := p.Labels.Label(t.Context(), ana, item); err != nil || !slices.Equal(got, mask) {
				t.Errorf("round %d: %s: %v after %q", round, item, err, done)
			}
		}
		p.Close()
		for _, end := range []string{"-wal", "-shm"} {
			os.Remove(db + end)
		}
	}
	if served > 0 {
		t.Errorf("%d of 60 were served", served)
	}
	if repaired < 4 {
		t.Errorf("only %d of 6 could be repaired", repaired)
	}
}

// A label whose mask is damaged in the database comes back from its file, or else as the newest version that is whole.
func TestRepairLabels(t *testing.T) {
	o, want := labelled(t)
	p := open(t, o)
	first, second := annotate.Item{Case: "c0", Slice: 2}, annotate.Item{Case: "c1", Slice: 2}
	other := slices.Repeat([]uint8{1}, 120)
	save(t, p, second, other)
	p.close()
	execute(t, o.Dir, `UPDATE versions SET mask = x'00' WHERE case_name = 'c0' AND slice = 2`,
		`UPDATE versions SET seconds = 9 WHERE case_name = 'c1' AND slice = 2 AND version = 2`, `UPDATE skips SET seconds = 1e300`)
	if err := os.Remove(filepath.Join(o.Dir, "labels", "final", "c1.nii.gz")); err != nil {
		t.Fatal(err)
	}
	found, err := annotate.Check(t.Context(), o.Dir)
	if err != nil || len(found.Faults) < 2 {
		t.Errorf("check: %+v, %v", found, err)
	}
	done, err := annotate.Repair(t.Context(), o.Dir, time.Now)
	if err != nil || len(done) != 4 {
		t.Fatal(done, err)
	}
	p = open(t, annotate.Options{Data: o.Data, Dir: o.Dir})
	has(t, p, want) // of the second the first version
	_ = first
}

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
	if err := p.Labels.SaveDraft(t.Context(), ben, drafted, p.mask(drafted)); err != nil {
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

// Mask files that are deleted or garbled are written again; one that another program has changed is reported, kept, and can be taken over.
func TestMaskFilesAreLookedAfter(t *testing.T) {
	o, want := labelled(t)
	path := func(name string) string { return filepath.Join(o.Dir, "labels", "final", name+".nii.gz") }
	if err := os.Remove(path("c0")); err != nil {
		t.Fatal(err)
	}
	change(t, path("c1"), func(b []byte) []byte { return b[:len(b)/2] })
	m, err := volume.ReadMask(path("c2"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range m.Data[2*120 : 3*120] {
		m.Data[2*120+i] = uint8(i % 2)
	}
	if err := volume.WriteMask(path("c2"), m); err != nil {
		t.Fatal(err)
	}
	edited := slices.Clone(m.Data)
	o.Change = nil
	p := open(t, o)
	whole := func(name string) bool {
		m, err := volume.ReadMask(path(name))
		return err == nil && slices.Equal(m.Slice(2, 2), want[annotate.Item{Case: name, Slice: 2}])
	}
	until(t, "the files are there again", func() bool { return whole("c0") && whole("c1") })
	until(t, "the edit is reported", func() bool {
		return slices.ContainsFunc(p.Events.Problems(), func(text string) bool { return strings.Contains(text, "take-over") })
	})
	if m, err := volume.ReadMask(path("c2")); err != nil || !slices.Equal(m.Data, edited) {
		t.Error("the edited file was overwritten")
	}
	p.close()
	if n, err := annotate.TakeOver(t.Context(), o.Dir, []string{"c2"}, time.Now); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	p = open(t, o)
	item := annotate.Item{Case: "c2", Slice: 2}
	versions := must(p.Labels.Versions(t.Context(), ana, item))
	if last := versions[len(versions)-1]; len(versions) != 2 || last.Action != "outside" {
		t.Errorf("versions: %+v", versions)
	}
	want[item] = edited[2*120 : 3*120]
	has(t, p, want)
	if problems := p.Events.Problems(); len(problems) > 0 {
		t.Errorf("problems: %q", problems)
	}

	until(t, "the files are up to date", func() bool { return len(must(p.Store().Stale(t.Context()))) == 0 })
	// Edited once more, and then labelled on the page: the edit is kept aside.
	m.Data[0] = 1
	if err := volume.WriteMask(path("c2"), m); err != nil {
		t.Fatal(err)
	}
	save(t, p, annotate.Item{Case: "c2", Slice: 4}, make([]uint8, 120))
	until(t, "the edit is kept", func() bool {
		kept, _ := filepath.Glob(filepath.Join(o.Dir, "labels", "outside", "c2-*.nii.gz"))
		return len(kept) == 1
	})
}

// A kill between the list of the mask files and a file leaves the file of before: it is the project's own, and is replaced, also where more is saved
// at once.
func TestKilledBetweenListAndFile(t *testing.T) {
	o, want := labelled(t)
	path := filepath.Join(o.Dir, "labels", "final", "c0.nii.gz")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	o.Change = nil
	item := annotate.Item{Case: "c0", Slice: 2}
	written := func(p *project) bool { return len(must(p.Store().Stale(t.Context()))) == 0 }
	p := open(t, o)
	want[item] = slices.Repeat([]uint8{1}, 120)
	save(t, p, item, want[item])
	until(t, "the file is written", func() bool { return written(p) })
	p.close()
	execute(t, o.Dir, `UPDATE cases SET written = 0 WHERE name = 'c0'`) // which comes after the file
	os.Remove(filepath.Join(o.Dir, "project.seal"))
	if err := os.WriteFile(path, before, 0o600); err != nil {
		t.Fatal(err)
	}
	p = open(t, o)
	item.Slice = 3
	want[item] = slices.Repeat([]uint8{1, 0}, 60)
	save(t, p, item, want[item])
	until(t, "the file is written again", func() bool { return written(p) })
	if aside, _ := filepath.Glob(filepath.Join(o.Dir, "labels", "outside", "*")); len(aside) > 0 {
		t.Errorf("taken for another program's: %v", aside)
	}
	if m, err := volume.ReadMask(path); err != nil || !slices.Equal(m.Slice(2, 2), want[annotate.Item{Case: "c0", Slice: 2}]) || !slices.Equal(m.Slice(2, 3), want[item]) {
		t.Errorf("the file does not hold the labels: %v", err)
	}
	has(t, p, want)
}

// A folder that cannot be written to stops neither the start nor a save; it is shown as long as it lasts, and tried again.
func TestUnwritableMaskFolder(t *testing.T) {
	o, want := labelled(t)
	final := filepath.Join(o.Dir, "labels", "final")
	if err := errors.Join(os.RemoveAll(final), os.WriteFile(final, []byte("in the way"), 0o600)); err != nil {
		t.Fatal(err)
	}
	o.Change = nil
	p := open(t, o)
	item := annotate.Item{Case: "c3", Slice: 1}
	want[item] = p.mask(item)
	save(t, p, item, want[item])
	until(t, "the page says so", func() bool { return len(must(p.Dashboard.Summary(t.Context())).Problems) > 0 })
	if err := os.Remove(final); err != nil {
		t.Fatal(err)
	}
	until(t, "it is tried again", func() bool { _, err := os.Stat(filepath.Join(final, "c3.nii.gz")); return err == nil })
	until(t, "all is well", func() bool { return len(must(p.Dashboard.Summary(t.Context())).Problems) == 0 })
	has(t, p, want)
}

// An image or a mask of the data with other bytes, though of the same size, is reported as long as it is there.
func TestDataReplaced(t *testing.T) {
	for _, name := range []string{"images/c1.nii.gz", "labels/c2.nii.gz"} {
		o := annotate.Options{Data: annotatetest.Data(t, 4), Dir: filepath.Join(t.TempDir(), "project")}
		p := open(t, o)
		until(t, "the data were looked at", func() bool {
			seen, err := p.Store().Seen(t.Context())
			return err == nil && len(seen) == 4
		})
		p.close()
		path := filepath.Join(o.Data, filepath.FromSlash(name))
		kept, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		copyTo(t, strings.NewReplacer("c1", "c3", "c2", "c3").Replace(path), path)
		reported := func(p *project) bool {
			return slices.ContainsFunc(p.Events.Problems(), func(text string) bool { return strings.Contains(text, filepath.Base(path)) })
		}
		for range 2 {
			p = open(t, o)
			until(t, "it is reported", func() bool { return reported(p) })
			p.close()
		}
		if err := os.WriteFile(path, kept, 0o600); err != nil {
			t.Fatal(err)
		}
		p = open(t, o)
		until(t, "today's copy, which is made after the look", func() bool {
			copies, _ := filepath.Glob(filepath.Join(o.Dir, "backups", "*.db"))
			return len(copies) > 0
		})
		if reported(p) {
			t.Errorf("%s: reported though it is back", name)
		}
	}
}

// execute changes a closed database behind the program's back.
func execute(t *testing.T, dir string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "project.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range append([]string{`DROP TRIGGER IF EXISTS versions_keep`}, statements...) {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
}

// What a project holds is for its owner alone.
func TestProjectIsPrivate(t *testing.T) {
	o, _ := labelled(t)
	p := open(t, o)
	until(t, "a copy", func() bool { _, err := os.Stat(filepath.Join(o.Dir, "backups")); return err == nil })
	p.close()
	err := filepath.WalkDir(o.Dir, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
