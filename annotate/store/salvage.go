package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nextslice/nextslice/annotate/store/seal"
	"github.com/nextslice/nextslice/internal/atomicfile"
	"github.com/nextslice/nextslice/internal/tempdir"

	"github.com/nextslice/nextslice/annotate/fault"
)

// Snapshot opens a copy of a project's database, as it is at this moment, in the format of this program; a server may have it open.
// faults are what SQLite finds wrong with it. The copy goes when the store is closed.
func Snapshot(ctx context.Context, dir string) (s *Store, faults []string, err error) {
	if info, err := os.Stat(seal.Database(dir)); err != nil || info.Size() == 0 {
		return nil, nil, checkMissing(dir)
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
		for _, path := range []string{seal.Path(temp), seal.Database(temp), seal.Database(temp) + "-wal"} {
			if err := remove(path); err != nil {
				return err
			}
			if err := copyFile(filepath.Join(dir, filepath.Base(path)), path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return seal.Check(temp)
	})
	if err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, seal.ErrSeal) {
		return s, nil, err
	}
	if s.db, err = openDatabase(seal.Database(temp)); err != nil {
		return s, nil, err
	}
	s.db.SetMaxOpenConns(1)
	for _, check := range []string{"integrity_check(20)", "foreign_key_check"} {
		var found []string
		if check == "foreign_key_check" {
			found, err = orphans(ctx, s.db)
		} else {
			found, err = pragma(ctx, s.db, check)
		}
		if err != nil {
			return s, []string{err.Error()}, nil
		}
		faults = append(faults, found...)
	}
	if err := s.migrate(ctx); err != nil {
		return s, append(faults, err.Error()), nil
	}
	if s.reads, err = openDatabase(seal.Database(temp), "query_only(1)"); err != nil {
		return s, nil, err
	}
	err = s.db.QueryRow(`SELECT coalesce(max(id), '') FROM project`).Scan(&s.id)
	return s, faults, err
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

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return errors.Join(out.Sync(), out.Close())
}

// OpenUnchecked opens a project that is to be repaired, under its lock.
func OpenUnchecked(ctx context.Context, dir string, now func() time.Time) (*Store, error) {
	s, err := openStore(ctx, dir, now, false)
	if err != nil {
		return nil, err
	}
	err = s.db.QueryRow(`SELECT coalesce(max(id), '') FROM project`).Scan(&s.id)
	return s, err
}

// Begin makes the database of a project that is known by its ledger alone, without labels.
func Begin(ctx context.Context, dir string, l *Ledger, now func() time.Time) error {
	s, err := openStore(ctx, dir, now, false)
	if err != nil {
		return err
	}
	s.id = l.Project
	err = s.SetConfig(ctx, l.Name, l.Config)
	for name, c := range l.Cases {
		c.Case.Name = name
		if err == nil {
			err = s.AddCase(ctx, c.Case, nil)
		}
	}
	return errors.Join(err, s.Close())
}

// PutAside moves the database of a project folder that nobody has open to backups, under a name that tells why, and returns where it is
// now; "" if there was none.
func PutAside(dir, why string, now time.Time) (string, error) {
	lock, err := lockDir(dir)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	to := filepath.Join(dir, "backups", why+"-"+now.UTC().Format("20060102T150405")+".db")
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return "", err
	}
	moved := ""
	for _, end := range []string{"", "-wal", "-shm"} {
		err := atomicfile.Rename(seal.Database(dir)+end, to+end)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		if end == "" {
			moved = to
		}
	}
	return moved, errors.Join(remove(sumPath(dir)), seal.Remove(dir))
}

// PutBack makes a copy of a database, which must be whole, that of a project folder that has none.
func PutBack(ctx context.Context, dir, from string) error {
	if err := checkCopy(ctx, from); err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	for _, end := range []string{"-wal", "-shm"} {
		if _, err := os.Lstat(seal.Database(dir) + end); err == nil {
			return fmt.Errorf("%s is in the way: put it aside", seal.Database(dir)+end)
		}
	}
	temp := seal.Database(dir) + ".new"
	if err := copyFile(from, temp); err != nil {
		return err
	}
	if err := errors.Join(remove(sumPath(dir)), seal.Remove(dir)); err != nil {
		return err
	}
	return atomicfile.Rename(temp, seal.Database(dir))
}

// tables in the order in which rows can be put into an empty database.
var tables = []string{"project", "cases", "versions", "labels", "reviews", "skips", "queue", "models", "people", "events", "drafts", "notes", "contents"}

// Salvage makes the database of a project folder anew from all rows of a damaged one that can be read, and tells of how many it found
// in each table. Leases, sessions and proposals are left behind: they make themselves again.
func Salvage(ctx context.Context, from, dir string, now func() time.Time) (found map[string]int, err error) {
	old, err := openDatabase(from)
	if err != nil {
		return nil, err
	}
	defer old.Close()
	old.SetMaxOpenConns(1)
	s, err := openStore(ctx, dir, now, false)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if _, err := s.db.Exec(`PRAGMA foreign_keys = 0`); err != nil {
		return nil, err
	}
	found = map[string]int{}
	for _, table := range tables {
		if found[table], err = s.salvage(ctx, old, table); err != nil {
			return found, fmt.Errorf("salvage %s: %w", table, err)
		}
	}
	for _, statement := range []string{
		`DELETE FROM labels WHERE NOT EXISTS (SELECT 1 FROM versions v WHERE (v.case_name, v.slice, v.version) = (labels.case_name, labels.slice, labels.version))`,
		// A label that was lost is the newest version that is none of two readings.
		`INSERT INTO labels (case_name, slice, version) SELECT case_name, slice, max(version) FROM versions v WHERE reading = 0
			AND NOT EXISTS (SELECT 1 FROM labels l WHERE l.case_name = v.case_name AND l.slice = v.slice) GROUP BY case_name, slice`,
		`INSERT OR IGNORE INTO cases (name, slices, height, width, role) SELECT case_name, max(slice) + 1, 1, 1, 'training' FROM versions
			WHERE case_name NOT IN (SELECT name FROM cases) GROUP BY case_name`,
		`DELETE FROM queue WHERE case_name NOT IN (SELECT name FROM cases)`,
		`DELETE FROM drafts WHERE case_name NOT IN (SELECT name FROM cases)`,
		`DELETE FROM skips WHERE case_name NOT IN (SELECT name FROM cases)`,
		`UPDATE cases SET written = 0`,
		`PRAGMA foreign_keys = 1`,
	} {
		if _, err := s.db.ExecContext(ctx, statement); err != nil {
			return found, fmt.Errorf("salvage: %w", plain(err))
		}
	}
	return found, nil
}

// salvage copies the rows of one table: in one go, or one by one around those that cannot be read.
func (s *Store) salvage(ctx context.Context, old *sql.DB, table string) (n int, err error) {
	into, err := columns(s.db, table)
	if err != nil {
		return 0, err
	}
	from, err := columns(old, table)
	if err != nil || len(from) == 0 {
		return 0, nil // a table that cannot be read, or that older programs did not have
	}
	var names []string
	for _, name := range into {
		for _, other := range from {
			if name == other {
				names = append(names, name)
			}
		}
	}
	list := strings.Join(names, ", ")
	insert := `INSERT OR IGNORE INTO ` + table + ` (` + list + `) VALUES (?` + strings.Repeat(", ?", len(names)-1) + `)`
	values := make([]any, len(names))
	dest := make([]any, len(names))
	for i := range values {
		dest[i] = &values[i]
	}
	copyRows := func(where string, args ...any) (ok bool) {
		rows, err := old.QueryContext(ctx, `SELECT `+list+` FROM `+table+where, args...)
		if err != nil {
			return false
		}
		defer rows.Close()
		for rows.Next() {
			if rows.Scan(dest...) != nil {
				return false
			}
			if r, err := s.db.ExecContext(ctx, insert, values...); err == nil { // one that breaks a rule is not a row of ours
				added, _ := r.RowsAffected()
				n += int(added)
			}
		}
		return rows.Err() == nil
	}
	if copyRows("") || table == "labels" { // which has no row numbers, and is completed from versions
		return n, ctx.Err()
	}
	last := int64(0)
	for _, order := range []string{" ORDER BY rowid DESC LIMIT 1", ""} {
		var id int64
		if old.QueryRowContext(ctx, `SELECT rowid FROM `+table+order).Scan(&id) == nil {
			last = max(last, id)
		}
	}
	last = max(last, 100_000) // the end may be what cannot be read
	for id := int64(1); id <= last && ctx.Err() == nil; id++ {
		copyRows(` WHERE rowid = ?`, id)
	}
	return n, ctx.Err()
}

func columns(db *sql.DB, table string) ([]string, error) {
	rows, err := db.Query(`SELECT name FROM pragma_table_info(?)`, table)
	return collect(rows, err, "read the columns of "+table, func(scan scanner) (name string, err error) { return name, scan(&name) })
}

// Recovered is a label that came from elsewhere than a person on the page.
type Recovered struct {
	Item   Item
	Person string
	At     time.Time // zero: now
	Action string
	Mask   []uint8
}

// Recover makes masks the labels of their items, as new versions.
func (s *Store) Recover(ctx context.Context, why string, masks []Recovered) error {
	return s.write(ctx, why, func(tx *sql.Tx) error {
		for _, m := range masks {
			v := version{Version: Version{Item: m.Item, Person: m.Person, Action: m.Action}, mask: m.Mask}
			if !m.At.IsZero() {
				v.when = formatTime(m.At)
			}
			if err := s.insert(tx, &v); err != nil {
				return err
			}
			if err := s.setLabel(tx, v); err != nil {
				return err
			}
			if _, err := tx.Exec(`UPDATE queue SET state = 'done' WHERE case_name = ? AND slice = ? AND state = 'waiting' AND readings < 2`, m.Item.Case, m.Item.Slice); err != nil {
				return err
			}
			detail := fmt.Sprintf("version %d, %s", v.Version.Version, m.Action)
			said := fault.Say(fault.OfVersion, "version", v.Version.Version, "action", m.Action)
			if err := s.log(tx, Event{Person: m.Person, Event: why, Item: &m.Item, Detail: detail, Said: []fault.Message{said}}); err != nil {
				return err
			}
		}
		return nil
	})
}

// NewestIntact returns the newest version of an item that can be read and is none of two readings, other than one number.
func (s *Store) NewestIntact(ctx context.Context, item Item, but int) ([]uint8, int, error) {
	versions, err := s.Versions(ctx, item)
	if err != nil {
		return nil, 0, err
	}
	for i := len(versions) - 1; i >= 0; i-- {
		if v := versions[i]; v.Reading == 0 && v.Version != but {
			if mask, err := s.VersionMask(ctx, item, v.Version); err == nil {
				return mask, v.Version, nil
			}
		}
	}
	return nil, 0, ErrNotFound
}

// Damaged returns the versions whose row or mask is not as it was written.
func (s *Store) Damaged(ctx context.Context) ([]Version, error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT `+versionColumns+`, v.mask, v.digest FROM versions v ORDER BY id`)
	list, err := collect(rows, err, "read versions", func(scan scanner) (damaged *Version, err error) {
		var blob, digest []byte
		v, err := scanVersion(scan, &blob, &digest)
		if err != nil {
			return nil, err
		}
		if _, err := v.open(blob, digest); err != nil {
			return &v, nil
		}
		return nil, nil
	})
	var damaged []Version
	for _, v := range list {
		if v != nil {
			damaged = append(damaged, *v)
		}
	}
	return damaged, err
}

// Recompute computes the sums that are stored anew from what they sum up.
func (s *Store) Recompute(ctx context.Context) error {
	return s.write(ctx, "recompute sums", func(tx *sql.Tx) error {
		for _, statement := range []string{
			`UPDATE skips SET seconds = max(0, min(seconds, ?1))`,
			`UPDATE models SET seconds = coalesce((SELECT sum(max(0, min(seconds, ?1))) FROM versions v WHERE v.at <= models.at), 0) +
				coalesce((SELECT sum(seconds) FROM skips k WHERE k.at <= models.at), 0)`,
		} {
			if _, err := tx.Exec(statement, mostWork); err != nil {
				return err
			}
		}
		return nil
	})
}
