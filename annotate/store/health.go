package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/nextslice/nextslice/annotate/store/seal"
	"github.com/nextslice/nextslice/internal/contents"
)

// sumPath is where an older program left the hash of the database.
func sumPath(dir string) string { return filepath.Join(dir, "project.sum") }

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// checkSum compares the database with the hash that an older program left when it closed it, or else with its seal.
func checkSum(dir string) error {
	text, err := os.ReadFile(sumPath(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return seal.Check(dir)
	}
	if err != nil {
		return err
	}
	if info, err := os.Stat(seal.Database(dir) + "-wal"); err == nil && info.Size() > 0 {
		return seal.ErrLog
	}
	seen, err := contents.Of(seal.Database(dir))
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(text)) != seen.SHA256 {
		return fmt.Errorf("%w (project.db is not as it was when it was closed: bits have flipped, or another file was put in its place)", ErrDamaged)
	}
	return nil
}

// CheckSeal compares the database of a folder with its seal, also while it is served. An error is a finding where Unsealed says so; with any other one it could not be compared.
func CheckSeal(dir string) error {
	return seal.Undisturbed(dir, func() error { return checkSum(dir) })
}

// Unsealed reports whether an error of CheckSeal says that the database, its log or its seal is not what was written.
func Unsealed(err error) bool {
	return errors.Is(err, ErrDamaged) || errors.Is(err, seal.ErrSeal) || errors.Is(err, seal.ErrLog)
}

// quickCheck asks SQLite whether the file is whole, and reads every mask that is a label.
func quickCheck(ctx context.Context, db *sql.DB) error {
	faults, err := pragma(ctx, db, "quick_check(5)")
	if err != nil {
		return err
	}
	if len(faults) > 0 {
		return fmt.Errorf("%w (%s)", ErrDamaged, strings.Join(faults, "; "))
	}
	return nil
}

// pragma runs one of SQLite's checks and returns its faults.
func pragma(ctx context.Context, db *sql.DB, check string) (faults []string, err error) {
	rows, err := db.QueryContext(ctx, `PRAGMA `+check)
	lines, err := collect(rows, err, "check the database", func(scan scanner) (line string, err error) { return line, scan(&line) })
	for _, line := range lines {
		if line != "ok" {
			faults = append(faults, line)
		}
	}
	return faults, err
}

// watched are the files that SQLite writes to, as they were when the project was opened. What is written to a file that somebody has
// deleted or replaced is lost when the process ends.
type watched map[string]fs.FileInfo

func watch(dir string) watched {
	w := watched{}
	for _, path := range []string{seal.Database(dir), seal.Database(dir) + "-wal"} {
		if info, err := os.Stat(path); err == nil {
			w[path] = info
		}
	}
	return w
}

// ErrGone says that the database was deleted or replaced while it was open.
var ErrGone = errors.New("project.db was deleted or replaced by another program while it is served: nothing is saved any more. Stop the server, and put it back with nextslice project restore")

func (w watched) check() error {
	for path, before := range w {
		now, err := os.Stat(path)
		if err != nil || !os.SameFile(before, now) {
			return ErrGone
		}
	}
	return nil
}

// there is check, and at the first time that the files have gone, a copy of what the process still has of them.
func (s *Store) there() error {
	err := s.files.check()
	if err == nil {
		return nil
	}
	s.rescue.Do(func() {
		path := Unused(filepath.Join(s.dir, "backups", "rescued-"+s.now().UTC().Format("20060102T150405")), ".db")
		if backup(context.Background(), s.db, path) == nil { // whose connection has the files open
			s.rescued = path
		}
	})
	if s.rescued != "" {
		return fmt.Errorf("%w. All that was saved is in %s", err, s.rescued)
	}
	return err
}
