package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/nextslice/nextslice/annotate/store/seal"
	"github.com/nextslice/nextslice/internal/tempdir"
)

// Snapshot opens a copy of a project's database, as it is at this moment, in the format of this program; a server may have it open. faults are what SQLite finds wrong with it. The copy
// goes when the store is closed. An error that is ErrDamaged means that SQLite cannot read the database, with a line of faults that says why; any other one, such as an interruption, a
// full disk or the format of a newer program, that it could not be looked at, which tells nothing about it. There is no store with an error, nor where dir holds no project.
func Snapshot(ctx context.Context, dir string) (s *Store, faults []string, err error) {
	if there, err := HasDatabase(dir); err != nil || !there {
		return nil, nil, cmp.Or(err, checkMissing(dir))
	}
	temp, drop, err := tempdir.Make("check")
	if err != nil {
		return nil, nil, err
	}
	s = &Store{dir: temp, now: time.Now, steady: time.Now, remove: drop}
	defer func() {
		if err != nil {
			s.Close()
			s = nil
		}
	}()
	// The files themselves: an online copy of a damaged database would fail. What a server writes meanwhile must not be in one of them alone.
	err = seal.Undisturbed(dir, func() error {
		if err := remove(seal.Path(temp)); err != nil {
			return err
		}
		if err := copyFile(seal.Path(dir), seal.Path(temp)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := copyDatabase(seal.Database(dir), seal.Database(temp)); err != nil {
			return err
		}
		return seal.Check(temp)
	})
	unsealed := errors.Is(err, ErrDamaged)
	if err != nil && !unsealed && !errors.Is(err, seal.ErrSeal) {
		return s, nil, fmt.Errorf("look at a copy of project.db in %s: %w", temp, plain(err))
	}
	if s.db, err = openDatabase(seal.Database(temp)); err != nil {
		return s, nil, err
	}
	s.db.SetMaxOpenConns(1)
	told := func(err error) error {
		if !isDamage(err, unsealed || len(faults) > 0) {
			return fmt.Errorf("look at project.db: %w", plain(err))
		}
		e, _ := errors.AsType[*sqlite.Error](err)
		faults = append(faults, fmt.Sprintf("SQLite cannot read it: %v", e))
		return fmt.Errorf("%w (%w)", ErrDamaged, err)
	}
	lines, err := pragma(ctx, s.db, "integrity_check(20)")
	if faults = lines; err != nil {
		err = told(err)
		return s, faults, err
	}
	lines, err = orphans(ctx, s.db)
	if faults = append(faults, lines...); err != nil {
		err = told(err)
		return s, faults, err
	}
	if err := s.migrate(ctx); err != nil {
		err = told(err)
		return s, faults, err
	}
	if s.reads, err = openDatabase(seal.Database(temp), "query_only(1)"); err != nil {
		return s, nil, err
	}
	if err := s.db.QueryRowContext(ctx, `SELECT coalesce(max(id), '') FROM project`).Scan(&s.id); err != nil {
		err = told(err)
		return s, faults, err
	}
	return s, faults, nil
}

// isDamage reports whether an error says that a database file is damaged. Of one that is known to be, by its seal or by integrity_check, every error of SQLite says so that is none of the
// machine: in such a file the names of tables can be wrong as well.
func isDamage(err error, known bool) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return false
	}
	code := e.Code() & 0xff
	return code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB || known && !ofMachine(err)
}

// ofMachine reports whether an error says that something could not be done here and now, and nothing about what is in a file: a disk that is full or fails, no memory, no permission, an
// interruption.
func ofMachine(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && slices.Contains([]int{
		sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY,
		sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOLFS,
	}, e.Code()&0xff)
}

func orphans(ctx context.Context, db *sql.DB) ([]string, error) {
	rows, err := db.QueryContext(ctx, `PRAGMA foreign_key_check`)
	return collect(rows, err, "check the database", func(scan scanner) (string, error) {
		var table, parent string
		var row, key sql.NullInt64
		err := scan(&table, &row, &parent, &key)
		return fmt.Sprintf("row %d of %s belongs to nothing in %s", row.Int64, table, parent), err
	})
}
