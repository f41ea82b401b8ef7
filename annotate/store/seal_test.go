package store

import (
	crand "crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate/store/seal"
)

// killed returns what a kill would leave at this moment: the files of a project that is open.
func killed(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, name := range []string{"project.db", "project.db-wal", "project.seal"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		files[name] = text
	}
	return files
}

// lay writes such files, in new folder.
func lay(t *testing.T, files map[string][]byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range files {
		if text == nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func with(files map[string][]byte, name string, text []byte) map[string][]byte {
	changed := map[string][]byte{}
	for n, b := range files {
		changed[n] = b
	}
	changed[name] = text
	return changed
}

// dump returns all rows of all tables.
func dump(t *testing.T, s *Store) string {
	t.Helper()
	var b strings.Builder
	for _, table := range append([]string{"sqlite_schema", "leases", "sessions", "proposals"}, tables...) {
		rows, err := s.db.Query(`SELECT * FROM ` + table + ` ORDER BY 1, 2`)
		if err != nil {
			t.Fatal(err)
		}
		names, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		values, dest := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			dest[i] = &values[i]
		}
		for rows.Next() {
			if err := rows.Scan(dest...); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "%s %q\n", table, values)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// opened opens what a kill left and returns all that is in it, "" where it is refused.
func opened(t *testing.T, files map[string][]byte) (all string, err error) {
	t.Helper()
	s, err := Open(t.Context(), lay(t, files), time.Now)
	if err != nil {
		return "", err
	}
	defer s.Close()
	return dump(t, s), nil
}

// work saves labels and drafts, logs people in, and queues: something in every table.
func work(t *testing.T, s *Store, n int) {
	t.Helper()
	ctx := t.Context()
	for i := range n {
		item := Item{"A", i % 5}
		must[Saved](t)(s.Save(ctx, Save{Item: item, Person: "ana", Action: ActionEdited, Mask: crashMask(uint64(i))}))
		if err := errors.Join(
			s.SaveDraft(ctx, Item{"B", i % 5}, "ben", crashMask(uint64(i)), 0),
			s.StartSession(ctx, crand.Text(), "ana"),
		); err != nil {
			t.Fatal(err)
		}
	}
}

// What a kill leaves is served with all that was acknowledged; with any bit flipped in the database or in its log it is not served, or is
// what it was.
func TestFlippedBitsAfterKill(t *testing.T) {
	for _, size := range []int{3, 150, 190} { // all in the log; in both; most of it copied, the log begun anew
		s, _ := open(t)
		if err := s.SetConfig(t.Context(), "test", map[string]int{"a": 1}); err != nil {
			t.Fatal(err)
		}
		if err := s.SetAccounts(t.Context(), []Account{{"ana", Annotator, "secret"}}); err != nil {
			t.Fatal(err)
		}
		work(t, s, size)
		want, files := dump(t, s), killed(t, s.dir)
		if got, err := opened(t, files); err != nil || got != want {
			t.Fatalf("%d: as it was left: %v", size, err)
		}
		rng := rand.New(rand.NewPCG(uint64(size), 60))
		served := 0
		for round := range 120 {
			name := []string{"project.db", "project.db-wal"}[round%2]
			damaged := slices.Clone(files[name])
			at := rng.IntN(len(damaged))
			damaged[at] ^= 1 << rng.IntN(8)
			got, err := opened(t, with(files, name, damaged))
			switch {
			case err != nil && !errors.Is(err, ErrDamaged):
				t.Errorf("%d: byte %d of %s: %v", size, at, name, err)
			case err == nil && got != want:
				t.Errorf("%d: byte %d of %s: served with other contents", size, at, name)
			case err == nil:
				served++ // the log holds that page, or the database holds that of the log
			}
		}
		t.Logf("%d labels: database of %d pages, log of %d bytes: %d of 120 served, as they were", size, len(files["project.db"])/4096, len(files["project.db-wal"]), served)
		log := files["project.db-wal"]
		for _, cut := range []int{0, 20, 32, len(log) / 2, len(log) - 4096} {
			if got, err := opened(t, with(files, "project.db-wal", log[:cut])); err == nil && got != want {
				t.Errorf("%d: log cut at %d: served without what was saved last", size, cut)
			}
		}
	}
}

// A checkpoint that a kill cuts leaves pages of before and of after in the database, in any mixture: the project is as it was.
func TestKillInsideCheckpoint(t *testing.T) {
	s, _ := open(t)
	work(t, s, 40)
	want, before := dump(t, s), killed(t, s.dir)
	if err := s.seal.Checkpoint(t.Context(), s.db); err != nil {
		t.Fatal(err)
	}
	after := killed(t, s.dir)
	if slices.Equal(before["project.db"], after["project.db"]) {
		t.Fatal("nothing was copied")
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 10 {
		mixed := slices.Clone(after["project.db"])
		for page := 0; page < len(mixed); page += 4096 {
			if rng.IntN(2) == 0 {
				copy(mixed[page:page+4096], make([]byte, 4096))
				if page < len(before["project.db"]) {
					copy(mixed[page:page+4096], before["project.db"][page:])
				}
			}
		}
		mixed = mixed[:max(len(before["project.db"]), rng.IntN(len(mixed)))]
		if got, err := opened(t, with(after, "project.db", mixed)); err != nil || got != want {
			t.Errorf("cut: %v", err)
		}
	}
	if got, err := opened(t, with(before, "project.seal", after["project.seal"])); err != nil || got != want {
		t.Errorf("before the first page: %v", err)
	}
	work(t, s, 1) // begins the log anew
	last := killed(t, s.dir)
	if got, err := opened(t, last); err != nil || got != dump(t, s) {
		t.Errorf("the log begun anew: %v", err)
	}
	if got, err := opened(t, with(last, "project.seal", after["project.seal"])); err != nil || got != dump(t, s) { // the mark was not written yet
		t.Errorf("without the mark: %v", err)
	}
	if _, err := opened(t, with(last, "project.db-wal", before["project.db-wal"])); !errors.Is(err, ErrDamaged) {
		t.Errorf("with an old log: %v", err)
	}
	if _, err := opened(t, with(last, "project.db", before["project.db"])); !errors.Is(err, ErrDamaged) {
		t.Errorf("with an old database: %v", err)
	}
}

// Pages that were copied from the log into the database before it was begun anew are checked.
func TestSealAfterManyCheckpoints(t *testing.T) {
	s, _ := open(t)
	for range 4 {
		work(t, s, 60)
		if err := CheckSeal(s.dir); err != nil { // as nextslice project check does while it is served
			t.Fatal(err)
		}
		if got, err := opened(t, killed(t, s.dir)); err != nil || got != dump(t, s) {
			t.Fatal(err)
		}
	}
	files := killed(t, s.dir)
	for at := 100; at < len(files["project.db"]); at += 4096 * 7 {
		damaged := slices.Clone(files["project.db"])
		damaged[at] ^= 4
		if got, err := opened(t, with(files, "project.db", damaged)); err == nil && got != dump(t, s) {
			t.Errorf("byte %d: served", at)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	closed := killed(t, s.dir)
	if len(closed["project.db-wal"]) > 0 {
		t.Fatal("a log is left")
	}
	for at := 100; at < len(closed["project.db"]); at += 4096 * 7 {
		damaged := slices.Clone(closed["project.db"])
		damaged[at] ^= 4
		if _, err := opened(t, with(closed, "project.db", damaged)); !errors.Is(err, ErrDamaged) {
			t.Errorf("byte %d of a database that was closed in order: %v", at, err)
		}
	}
	for at := range closed["project.seal"] {
		damaged := slices.Clone(closed["project.seal"])
		damaged[at] ^= 4
		mark := at >= 48 && at < 48+2*32 // of which there are two
		if err := seal.Check(lay(t, with(closed, "project.seal", damaged))); mark != (err == nil) {
			t.Errorf("byte %d of the seal: %v", at, err)
		}
	}
	if _, err := opened(t, with(closed, "project.db-wal", files["project.db-wal"])); err == nil {
		t.Error("served with a log that is not its own")
	}
	if _, err := opened(t, with(closed, "project.seal", nil)); err != nil { // made by an older program
		t.Errorf("without a seal: %v", err)
	}
}

// A copy of what a kill left leaves it as it is.
func TestBackupAfterKill(t *testing.T) {
	s, _ := open(t)
	if err := s.SetConfig(t.Context(), "scans", 1); err != nil {
		t.Fatal(err)
	}
	work(t, s, 40)
	dir := lay(t, killed(t, s.dir))
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := BackupFolder(t.Context(), dir, copied); err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
	restored := t.TempDir()
	if _, err := PutBack(t.Context(), restored, copied, nil, time.Now()); err != nil {
		t.Fatal(err)
	}
	s2, err := Open(t.Context(), restored, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer s2.Close()
	if dump(t, s2) != dump(t, s) {
		t.Error("the copy holds something else")
	}
}

// While another file has the name of the database, nobody opens it: the log that lies beside it is that of the file which is open.
func TestReplacedIsNotOpened(t *testing.T) {
	s, _ := open(t)
	if err := s.SetConfig(t.Context(), "scans", 1); err != nil {
		t.Fatal(err)
	}
	work(t, s, 30)
	want := dump(t, s)
	path := seal.Database(s.dir)
	if err := errors.Join(os.Rename(path, path+".x"), os.WriteFile(path, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	var busy []*sql.Rows
	for range 4 { // more than are open by now
		rows, err := s.reads.Query(`SELECT name FROM cases`)
		if err != nil {
			if !errors.Is(err, ErrGone) {
				t.Errorf("a connection to the new file: %v", err)
			}
			break
		}
		busy = append(busy, rows)
	}
	for _, rows := range busy {
		rows.Close()
	}
	if info, err := os.Stat(path); err != nil || info.Size() != 0 {
		t.Errorf("the new file was written to: %v, %v", info, err)
	}
	if err := s.there(); !errors.Is(err, ErrGone) || s.rescued == "" {
		t.Fatal(err)
	}
	restored := t.TempDir()
	if _, err := PutBack(t.Context(), restored, s.rescued, nil, time.Now()); err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), restored, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if dump(t, again) != want {
		t.Error("the copy holds something else")
	}
}

// A project that is served, and written to without a pause, is checked without a fault.
func TestCheckWhileWrittenTo(t *testing.T) {
	s, _ := open(t)
	calls := 0
	if err := seal.Undisturbed(s.dir, func() error {
		if calls++; calls == 1 { // something is saved in the middle of it
			return errors.Join(s.SaveDraft(t.Context(), Item{"A", 0}, "ana", crashMask(0), 0), ErrDamaged)
		}
		return nil
	}); err != nil || calls != 2 {
		t.Errorf("%d tries, %v", calls, err)
	}
	calls = 0
	if err := seal.Undisturbed(s.dir, func() error { calls++; return ErrDamaged }); !errors.Is(err, ErrDamaged) || calls != 1 {
		t.Errorf("nobody writes: %d tries, %v", calls, err)
	}
	work(t, s, 50)
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for n := uint64(0); ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := s.SaveDraft(t.Context(), Item{"A", int(n % 5)}, fmt.Sprint("p", n%50), crashMask(n), 0); err != nil {
				t.Error(err)
				return
			}
			if n%4 == 0 {
				if err := s.seal.Checkpoint(t.Context(), s.db); err != nil {
					t.Error(err)
				}
			}
		}
	}()
	for range 20 {
		if err := CheckSeal(s.dir); err != nil {
			t.Error(err)
		}
		copied, faults, err := Snapshot(t.Context(), s.dir)
		if err != nil || len(faults) > 0 {
			t.Errorf("%q, %v", faults, err)
		}
		if copied != nil {
			copied.Close()
		}
	}
	close(stop)
	<-ended
}

// A database that an older program has closed, which left a hash of all of it and knows no seal, is opened if it is that one.
func TestSumOfOlderProgram(t *testing.T) {
	s, _ := open(t)
	work(t, s, 5)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files := killed(t, s.dir)
	older := slices.Clone(files["project.db"])
	older[99] ^= 1 // the version of SQLite that wrote it last
	hash := sha256.Sum256(older)
	dir := lay(t, with(with(files, "project.db", older), "project.sum", []byte(hex.EncodeToString(hash[:])+"\n")))
	if err := CheckSeal(dir); err != nil {
		t.Errorf("refused by the seal of before: %v", err)
	}
	again, err := Open(t.Context(), dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(sumPath(dir)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the hash is left: %v", err)
	}
	if err := CheckSeal(dir); err != nil {
		t.Errorf("sealed anew: %v", err)
	}
	dir = lay(t, with(files, "project.sum", []byte(hex.EncodeToString(hash[:])+"\n")))
	if _, err := Open(t.Context(), dir, time.Now); !errors.Is(err, ErrDamaged) {
		t.Errorf("another database than was closed: %v", err)
	}
}
