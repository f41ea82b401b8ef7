package annotate_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/annotatetest"
	"github.com/nextslice/nextslice/annotate/store"
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

// Nothing is moved for a file that is no copy of the project, and the project goes on as it was.
func TestRestoreLooksFirst(t *testing.T) {
	o, want := labelled(t)
	db := filepath.Join(o.Dir, "project.db")
	now := func() time.Time { return time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC) }
	elsewhere := t.TempDir()
	at := func(name string) string { return filepath.Join(elsewhere, name) }
	write := func(name, text string) string {
		t.Helper()
		if err := os.WriteFile(at(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return at(name)
	}
	other, _ := labelled(t)
	if err := annotate.Backup(t.Context(), other.Dir, at("other.db")); err != nil {
		t.Fatal(err)
	}
	if err := annotate.Backup(t.Context(), o.Dir, at("copy.db")); err != nil {
		t.Fatal(err)
	}
	whole := string(must(os.ReadFile(at("copy.db"))))
	sqlite := func(name string, statements ...string) string {
		t.Helper()
		db, err := sql.Open("sqlite", at(name))
		for _, statement := range statements {
			if err == nil {
				_, err = db.Exec(statement)
			}
		}
		if err = errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		return at(name)
	}
	if err := os.Symlink(db, at("link.db")); err != nil {
		t.Fatal(err)
	}
	write("newer.db", whole)
	write("unnamed.db", whole)
	write("unset.db", whole)
	before := tree(t, o.Dir)
	for from, want := range map[string]string{
		at("nowhere.db"): "no such file", db: "is the project.db that is there", at("link.db"): "is the project.db that is there", elsewhere: "is no file",
		write("s.csv", "case,slice\nc0,1\n"): "is no copy of project.db", write("empty.db", ""): "is no copy of project.db", write("short.db", whole[:len(whole)/2]): "short.db: ",
		write("garbled.db", whole[:2000]+strings.Repeat("x", 9000)+whole[11000:]): "garbled.db: this copy is damaged",
		sqlite("sheet.db", `CREATE TABLE project (x)`):                            "it holds no project",
		sqlite("unset.db", `DELETE FROM project`):                                 "it holds no project",
		sqlite("newer.db", `UPDATE goose_db_version SET version_id = 99 WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`): "made by a newer nextslice",
		sqlite("unnamed.db", `UPDATE project SET id = ''`): "is that of another project (without an identity",
		at("other.db"): "is that of another project",
	} {
		done, err := annotate.Restore(t.Context(), o.Dir, from, now)
		if err == nil || !strings.Contains(err.Error(), want) || len(done) > 0 {
			t.Errorf("%s: want %q, got %v after %q", filepath.Base(from), want, err, done)
		}
		if after := tree(t, o.Dir); !maps.Equal(before, after) {
			t.Fatalf("%s has changed the project: %v", from, slices.Sorted(maps.Keys(after)))
		}
		if _, err := os.Stat(at("nowhere.db")); err == nil {
			t.Fatal("the file that was not there was made")
		}
	}
	if _, err := annotate.Restore(t.Context(), o.Data, at("copy.db"), now); err == nil || !strings.Contains(err.Error(), "holds other files (images) and no project") {
		t.Errorf("a data folder: %v", err)
	}
	if err := os.CopyFS(at("monai"), os.DirFS(filepath.Join(o.Data, "images"))); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(at("monai/labels/final"), os.DirFS(filepath.Join(o.Data, "labels"))); err != nil {
		t.Fatal(err)
	}
	data := tree(t, at("monai"))
	if _, err := annotate.Restore(t.Context(), at("monai"), at("copy.db"), now); err == nil || !strings.Contains(err.Error(), "holds other files (c0.nii.gz) and no project") || !maps.Equal(data, tree(t, at("monai"))) {
		t.Errorf("a data folder with masks in labels/final: %v", err)
	}

	// Without a list of mask files the database that is there says whose the folder is.
	if err := os.Rename(filepath.Join(o.Dir, "labels"), at("labels")); err != nil {
		t.Fatal(err)
	}
	if _, err := annotate.Restore(t.Context(), o.Dir, at("other.db"), now); err == nil || !strings.Contains(err.Error(), "is that of another project") {
		t.Errorf("another project, without a list: %v", err)
	}
	if err := os.Rename(at("labels"), filepath.Join(o.Dir, "labels")); err != nil {
		t.Fatal(err)
	}

	// A copy in use, with a log beside it, is copied with it and stays as it is. Within one second every database of before is kept.
	inUse := write("in-use.db", whole)
	use, err := sql.Open("sqlite", inUse)
	if err != nil {
		t.Fatal(err)
	}
	defer use.Close()
	for _, statement := range []string{`PRAGMA journal_mode = WAL`, `PRAGMA wal_autocheckpoint = 0`, `UPDATE project SET name = 'in the log'`} {
		if _, err := use.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	log := string(must(os.ReadFile(inUse + "-wal")))
	for n, from := range []string{at("copy.db"), inUse, at("copy.db")} {
		if done, err := annotate.Restore(t.Context(), o.Dir, from, now); err != nil {
			t.Fatalf("after %q: %v", done, err)
		}
		s := must(store.Open(t.Context(), o.Dir, time.Now))
		var c annotate.Config
		name := must(s.Config(t.Context(), &c))
		s.Close()
		if (name == "in the log") != (n == 1) {
			t.Errorf("restore %d: the project is called %q", n+1, name)
		}
	}
	if now := string(must(os.ReadFile(inUse + "-wal"))); now != log {
		t.Error("the copy's log was changed")
	}
	replaced, _ := filepath.Glob(filepath.Join(o.Dir, "backups", "replaced-20260301T090000*.db"))
	if len(replaced) != 3 {
		t.Errorf("kept: %v", replaced)
	}
	has(t, open(t, o), want)
}

// tree returns the contents of all files of a folder by their paths.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// A project that cannot be looked into is not said to hold none.
func TestBackupWithoutPermission(t *testing.T) {
	file := filepath.Join(t.TempDir(), "project")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "copy.db")
	if err := annotate.Backup(t.Context(), file, to); err == nil || runtime.GOOS != "windows" && !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("a file: %v", err)
	}
	if err := annotate.Backup(t.Context(), t.TempDir(), to); err == nil || !strings.Contains(err.Error(), "holds no project.db") {
		t.Errorf("an empty folder: %v", err)
	}
	o, _ := labelled(t)
	if err := os.Chmod(o.Dir, 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(o.Dir, 0o700)
	if _, err := os.ReadDir(o.Dir); err == nil {
		t.Skip("the folder can be read all the same")
	}
	if err := annotate.Backup(t.Context(), o.Dir, to); !errors.Is(err, os.ErrPermission) {
		t.Errorf("without permission: %v", err)
	}
	if _, err := annotate.Restore(t.Context(), o.Dir, "", time.Now); !errors.Is(err, os.ErrPermission) {
		t.Errorf("restored without permission: %v", err)
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
