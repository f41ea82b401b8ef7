package store

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Errors that callers tell apart.
var (
	ErrNotFound = errors.New("not found")
	ErrConflict = errors.New("conflict")
	ErrFull     = errors.New("the disk is full: free some space; nothing that was saved before is lost")
	ErrReadOnly = errors.New("the project folder cannot be written to: check its permissions; nothing that was saved before is lost")
	ErrLocked   = errors.New("another nextslice serves this project")
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is an open project. Its methods may be called by several goroutines.
type Store struct {
	dir   string
	lock  *flock.Flock // goes with the process, however it ends
	db    *sql.DB      // one connection, for SQLite has one writer
	reads *sql.DB      // several, so that nobody waits for a long list
	now   func() time.Time
}

// Open opens the project in dir, or makes one in an empty or new folder. It takes the project's lock: a second process
// gets ErrLocked. A project of a newer program is refused. now is the clock of all records.
func Open(ctx context.Context, dir string, now func() time.Time) (_ *Store, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("open project %s: %w", dir, plain(err))
		}
	}()
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(dir, "lock"), flock.SetPermissions(0o666))
	if locked, err := lock.TryLock(); err != nil {
		return nil, err
	} else if !locked {
		return nil, ErrLocked
	}
	s := &Store{dir: dir, lock: lock, now: now}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	path := filepath.Join(dir, "project.db")
	if s.db, err = openDatabase(path); err != nil {
		return nil, err
	}
	if err := migrate(ctx, s.db); err != nil {
		return nil, err
	}
	s.reads, err = openDatabase(path, "query_only(1)")
	if err != nil {
		return nil, err
	}
	s.db.SetMaxOpenConns(1)
	s.reads.SetMaxOpenConns(4)
	return s, nil
}

// Exists reports whether there is a project in dir.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "project.db"))
	return err == nil
}

// makeDir makes the folder, but does not settle among a person's other files.
func makeDir(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return os.MkdirAll(dir, 0o777)
	case err != nil:
		return err
	}
	if len(entries) == 0 {
		return nil
	}
	for _, e := range entries {
		if e.Name() == "lock" || e.Name() == "project.db" {
			return nil
		}
	}
	return errors.New("the folder holds other files and no project: name a new folder with --project")
}

func openDatabase(path string, pragmas ...string) (*sql.DB, error) {
	journal := "WAL"
	if networkFile(filepath.Dir(path)) {
		journal = "DELETE" // the shared memory of a WAL does not work across machines
	}
	query := url.Values{"_txlock": {"immediate"}, "_pragma": append([]string{
		"busy_timeout(5000)", "journal_mode(" + journal + ")", "synchronous(FULL)", "foreign_keys(1)",
	}, pragmas...)}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	address := url.URL{Scheme: "file", Path: filepath.ToSlash(absolute), RawQuery: query.Encode()}
	return sql.Open("sqlite", address.String())
}

func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if current > target {
		return fmt.Errorf("it was made by a newer nextslice (format %d, this program knows %d): use that one", current, target)
	}
	_, err = p.Up(ctx)
	return err
}

// Close closes the project and gives up its lock.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.reads, s.db} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(append(errs, s.lock.Close())...)
}

// Dir returns the project's folder.
func (s *Store) Dir() string { return s.dir }

// write runs do in a transaction, which is on disk when write returns nil.
func (s *Store) write(ctx context.Context, what string, do func(tx *sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", what, plain(err))
	}
	defer tx.Rollback()
	if err := do(tx); err != nil {
		return fmt.Errorf("%s: %w", what, plain(err))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("%s: %w", what, plain(err))
	}
	return nil
}

// plain says what a person can do about an error of the database.
func plain(err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("%w (%w)", ErrReadOnly, err)
	}
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w (%w)", ErrFull, err)
	}
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w (%w)", ErrFull, err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("%w (%w)", ErrReadOnly, err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("project.db is damaged: put back a copy of the folder; the masks in labels/final are not affected (%w)", err)
	}
	return err
}

// stamp is the time of a record: UTC, and ordered as text.
func (s *Store) stamp() string { return formatTime(s.now()) }

const timeFormat = "2006-01-02T15:04:05.000Z"

func formatTime(t time.Time) string { return t.UTC().Format(timeFormat) }

func parseTime(text string) time.Time {
	t, err := time.Parse(timeFormat, text)
	if err != nil {
		return time.Time{}
	}
	return t
}

// Config returns the project's name and reads its configuration into config. A project that is new has none:
// ErrNotFound.
func (s *Store) Config(ctx context.Context, config any) (name string, err error) {
	var text string
	err = s.reads.QueryRowContext(ctx, `SELECT name, config FROM project`).Scan(&name, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return "", ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("read the project's configuration: %w", plain(err))
	}
	return name, json.Unmarshal([]byte(text), config)
}

// SetConfig stores the configuration.
func (s *Store) SetConfig(ctx context.Context, name string, config any) error {
	text, err := json.Marshal(config)
	if err != nil {
		return err
	}
	return s.write(ctx, "store the project's configuration", func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO project (one, name, made, config) VALUES (1, ?, ?, ?)
			ON CONFLICT (one) DO UPDATE SET name = excluded.name, config = excluded.config`, name, s.stamp(), string(text))
		return err
	})
}
