package store

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/nextslice/nextslice/annotate/store/seal"
	"github.com/nextslice/nextslice/internal/atomicfile"
	"github.com/nextslice/nextslice/internal/syserr"
)

// Errors that callers tell apart.
var (
	ErrNotFound = errors.New("not found")
	ErrConflict = errors.New("conflict")
	ErrFull     = errors.New("the disk is full: free some space; nothing that was saved before is lost")
	ErrReadOnly = errors.New("the project folder cannot be written to: check its permissions; nothing that was saved before is lost")
	ErrLocked   = errors.New("another nextslice serves this project")
	ErrDamaged  = seal.ErrDamaged
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

	id     string
	files  watched
	seal   seal.Keeper
	steady func() time.Time // the clock of leases: it goes on evenly however the machine's clock is set

	rescue  sync.Once
	rescued string
	healthy bool // was opened without a fault

	added    []Item     // that the transaction in work has labelled
	listed   sync.Mutex // of labelled
	labelled []Item     // see LabelledItems; nil until it is asked for

	remove func() // of a copy, which goes when it is closed
}

// Open opens the project in dir, or makes one in an empty or new folder. It takes the project's lock: a second process
// gets ErrLocked. Refused are a project of a newer program, a database that is damaged, and one that is not that of the folder's mask
// files, or older: see Ledger. now is the clock of all records.
func Open(ctx context.Context, dir string, now func() time.Time) (*Store, error) {
	return openStore(ctx, dir, now, true)
}

// openStore opens a project; without checks one that is to be repaired.
func openStore(ctx context.Context, dir string, now func() time.Time, checked bool) (_ *Store, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("open project %s: %w", dir, plain(err))
		}
	}()
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir, lock: lock, now: now, steady: steady(now)}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	atomicfile.Sweep(dir)
	path := seal.Database(dir)
	if checked {
		if err := checkMissing(dir); err != nil {
			return nil, err
		}
		if err := checkSum(dir); err != nil {
			return nil, err
		}
	}
	if err := private(path); err != nil {
		return nil, err
	}
	if err := s.seal.Opening(dir); err != nil {
		return nil, err
	}
	if s.db, err = openDatabase(path); err != nil {
		return nil, err
	}
	s.db.SetMaxOpenConns(1)
	if err := s.seal.Begin(ctx, s.db); err != nil {
		return nil, err
	}
	if checked {
		if err := quickCheck(ctx, s.db); err != nil {
			return nil, err
		}
	}
	if err := s.migrate(ctx); err != nil {
		return nil, err
	}
	if checked {
		if err := s.checkLedger(); err != nil {
			return nil, err
		}
	}
	s.files = watch(dir)
	if s.reads, err = openReads(path, s.files.check); err != nil {
		return nil, err
	}
	s.reads.SetMaxOpenConns(4)
	s.reads.SetMaxIdleConns(4)
	if err := remove(sumPath(dir)); err != nil {
		return nil, err
	}
	if err := s.boundLeases(ctx); err != nil {
		return nil, err
	}
	s.healthy = true
	return s, nil
}

// steady returns a clock that begins with now and goes on with the machine's monotonic one. A test's clock is taken as it is.
func steady(now func() time.Time) func() time.Time {
	begin := now()
	if begin == begin.Round(0) { // has no monotonic reading
		return now
	}
	return func() time.Time { return begin.Add(time.Since(begin)) }
}

func lockDir(dir string) (*flock.Flock, error) {
	lock := flock.New(filepath.Join(dir, "lock"), flock.SetPermissions(0o600))
	if locked, err := lock.TryLock(); err != nil {
		return nil, err
	} else if !locked {
		return nil, ErrLocked
	}
	return lock, nil
}

// private makes a file that its owner alone can read, if it is not there: SQLite gives its other files the same permissions.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// Exists reports whether there is a project in dir, or was one.
func Exists(dir string) bool {
	_, err := os.Stat(seal.Database(dir))
	return err == nil || checkMissing(dir) != nil
}

// HasDatabase reports whether there is a database in a folder that is not empty.
func HasDatabase(dir string) (bool, error) {
	info, err := os.Stat(seal.Database(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && info.Size() > 0, err
}

// CheckFolder refuses a folder that is none of a project, nor of what is left of one. An empty one passes. Masks in labels/final alone are what is left of a project only where
// nothing else is there: data sets have them too.
func CheckFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 || isProject(entries) {
		return err
	}
	copies, _ := filepath.Glob(filepath.Join(dir, "backups", "*.db"))
	for _, path := range append(copies, ledgerPath(dir), seal.Path(dir), sumPath(dir)) {
		if _, err := os.Lstat(path); err == nil {
			return nil
		}
	}
	for _, e := range entries {
		if ours := []string{"labels", "backups", "models", "record"}; !slices.Contains(ours, e.Name()) && !strings.HasPrefix(e.Name(), ".") {
			return fmt.Errorf("%s holds other files (%s) and no project: name the folder of the project", dir, e.Name())
		}
	}
	return nil
}

// isProject reports whether a folder with these entries is one that a project was opened in.
func isProject(entries []fs.DirEntry) bool {
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == "lock" || e.Name() == "project.db" })
}

// makeDir makes the folder, but does not settle among a person's other files.
func makeDir(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return os.MkdirAll(dir, 0o700)
	case err != nil:
		return err
	}
	if len(entries) == 0 || isProject(entries) {
		return nil
	}
	return cmp.Or(checkMissing(dir), errors.New("the folder holds other files and no project: name a new folder with --project"))
}

func openDatabase(path string, pragmas ...string) (*sql.DB, error) {
	address, err := addressOf(path, pragmas...)
	if err != nil {
		return nil, err
	}
	return sql.Open("sqlite", address)
}

// guarded opens connections to a file only as long as check allows it.
type guarded struct {
	driver.Connector
	check func() error
}

func (g guarded) Connect(ctx context.Context) (driver.Conn, error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	return g.Connector.Connect(ctx)
}

// openReads opens a database that the process has open already, for reading. Once another file has its name no connection is opened any more: SQLite
// would take the log of the file that has gone, which lies there still, for the new one's, and destroy it.
func openReads(path string, check func() error) (*sql.DB, error) {
	address, err := addressOf(path, "query_only(1)")
	if err != nil {
		return nil, err
	}
	c, err := sqlite.NewConnector(address)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(guarded{c, check}), nil
}

func addressOf(path string, pragmas ...string) (string, error) {
	journal := "WAL"
	if networkFile(filepath.Dir(path)) {
		journal = "DELETE" // the shared memory of a WAL does not work across machines
	}
	query := url.Values{"mode": {"rw"}, "_txlock": {"immediate"}, "_pragma": append([]string{
		"busy_timeout(5000)", "journal_mode(" + journal + ")", "synchronous(FULL)", "foreign_keys(1)",
		"wal_autocheckpoint(0)", // see seal.Keeper
	}, pragmas...)}
	return uri(path, query.Encode())
}

// provider returns what knows the formats of a database, which is none of a newer program.
func provider(ctx context.Context, db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, err
	}
	current, target, err := p.GetVersions(ctx)
	if err == nil && current > target {
		err = fmt.Errorf("it was made by a newer nextslice (format %d, this program knows %d): use that one", current, target)
	}
	return p, err
}

// migrate brings the database to the format of this program, with a copy of it as it was.
func (s *Store) migrate(ctx context.Context) error {
	p, err := provider(ctx, s.db)
	if err != nil {
		return err
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if current > 0 && current < target {
		path := filepath.Join(s.dir, "backups", fmt.Sprintf("format-%d.db", current))
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			if err := backup(ctx, s.db, path); err != nil {
				return err
			}
		}
	}
	_, err = p.Up(ctx)
	return err
}

// Close closes the project and gives up its lock.
func (s *Store) Close() error {
	var errs []error
	inPlace := s.files.check() == nil
	if s.reads != nil {
		errs = append(errs, s.reads.Close())
	}
	if s.db != nil {
		if inPlace {
			errs = append(errs, s.seal.Closing(s.db))
		}
		errs = append(errs, s.db.Close())
	}
	if s.remove != nil {
		s.remove()
		return errors.Join(errs...)
	}
	errs = append(errs, s.seal.Closed(s.healthy && inPlace && errors.Join(errs...) == nil))
	return errors.Join(append(errs, s.lock.Close())...)
}

// Dir returns the project's folder.
func (s *Store) Dir() string { return s.dir }

// write runs do in a transaction, which is on disk when write returns nil.
func (s *Store) write(ctx context.Context, what string, do func(tx *sql.Tx) error) error {
	if err := s.there(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", what, plain(err))
	}
	defer tx.Rollback()
	s.added = nil // the connection is this transaction's alone
	if err := do(tx); err != nil {
		return fmt.Errorf("%s: %w", what, plain(err))
	}
	added := s.added
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("%s: %w", what, plain(err))
	}
	s.addLabelled(added)
	if s.seal.Note() {
		_ = s.seal.Checkpoint(context.WithoutCancel(ctx), s.db) // on a full disk the log goes on growing, and it is tried again
	}
	if err := s.there(); err != nil { // it went in the meantime
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// plain says what a person can do about an error of the database.
func plain(err error) error {
	if errors.Is(err, fs.ErrPermission) || syserr.ReadOnly(err) {
		return fmt.Errorf("%w (%w)", ErrReadOnly, err)
	}
	if syserr.DiskFull(err) {
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
		return fmt.Errorf("project.db is damaged; the masks in labels/final are not affected: see nextslice project check, and project repair (%w) (%w)", ErrDamaged, err)
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
		_, err := tx.Exec(`INSERT INTO project (one, name, made, config, id) VALUES (1, ?, ?, ?, ?)
			ON CONFLICT (one) DO UPDATE SET name = excluded.name, config = excluded.config`, name, s.stamp(), string(text), s.id)
		return err
	})
}
