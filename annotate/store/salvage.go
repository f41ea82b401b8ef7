package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/nextslice/nextslice/annotate/store/seal"
	"github.com/nextslice/nextslice/internal/atomicfile"
	"github.com/nextslice/nextslice/internal/tempdir"

	"github.com/nextslice/nextslice/annotate/fault"
)

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

// copyDatabase copies a database file with its logs, those that are there, in place of what to is.
func copyDatabase(from, to string) error {
	for _, end := range []string{"", "-wal", "-journal"} {
		if err := remove(to + end); err != nil {
			return err
		}
		if err := copyFile(from+end, to+end); err != nil && (end == "" || !errors.Is(err, fs.ErrNotExist)) {
			return err
		}
	}
	return nil
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

// Begin makes the database of a project that is known by its ledger alone, without labels. Where there is an empty one, or a log alone, it goes to backups.
func Begin(ctx context.Context, dir string, l *Ledger, now func() time.Time) error {
	_, err := rebuild(ctx, dir, "replaced", now, func(s *Store) error {
		s.id = l.Project
		err := s.SetConfig(ctx, l.Name, l.Config)
		for name, c := range l.Cases {
			c.Case.Name = name
			if err == nil {
				err = s.AddCase(ctx, c.Case, nil)
			}
		}
		return err
	})
	return err
}

// rebuild makes the database of a project folder that nobody has open anew, and returns where the one before is now, as putAside does. Nothing is moved before the new one is whole:
// after an error the folder is as it was, unless there is a path of the one before.
func rebuild(ctx context.Context, dir, why string, now func() time.Time, fill func(*Store) error) (aside string, err error) {
	lock, err := lockDir(dir)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	temp, err := atomicfile.MkdirTemp(seal.Database(dir))
	if err != nil {
		return "", plain(err)
	}
	defer os.RemoveAll(temp)
	s, err := openStore(ctx, temp, now, false)
	if err != nil {
		return "", err
	}
	if err := fill(s); err != nil {
		s.Close()
		return "", err
	}
	if err := s.Close(); err != nil {
		return "", plain(err)
	}
	if err := checkCopy(ctx, seal.Database(temp)); err != nil {
		return "", fmt.Errorf("the new project.db: %w", plain(err))
	}
	if aside, err = putAside(dir, why, now()); err != nil {
		return aside, err
	}
	return aside, atomicfile.Rename(seal.Database(temp), seal.Database(dir))
}

// putAside moves the database of a project folder, whose lock the caller has, to backups, under a name that tells why and that nothing has, and returns where it is now; "" if there was
// none.
func putAside(dir, why string, now time.Time) (string, error) {
	to := Unused(filepath.Join(dir, "backups", why+"-"+now.UTC().Format("20060102T150405")), ".db")
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return "", err
	}
	moved := ""
	for _, end := range logs {
		err := atomicfile.Rename(seal.Database(dir)+end, to+end)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return moved, err
		}
		if end == "" {
			moved = to
		}
	}
	return moved, errors.Join(remove(sumPath(dir)), seal.Remove(dir))
}

// logs are the ends of the names of a database's files; the last is its log on a network file system.
var logs = []string{"", "-wal", "-shm", "-journal"}

// Unused returns a path that nothing is seen to have, stem and extension with -2, -3 … between them where that is needed, and that no log of a database has that would be called so. Where nothing
// can be seen, as in a folder that is gone, whoever makes the file is told.
func Unused(stem, extension string) string {
	for n := 1; ; n++ {
		path := stem + extension
		if n > 1 {
			path = fmt.Sprintf("%s-%d%s", stem, n, extension)
		}
		if !slices.ContainsFunc(logs, func(end string) bool { _, err := os.Lstat(path + end); return err == nil }) {
			return path
		}
	}
}

// PutBack makes a copy of a database that of a project folder that nobody has open, and returns where the one before is now, as putAside does. Nothing is moved before the copy is found
// to be one: a whole database, with its log where one lies beside it, in a format that this program knows, which holds a project: that of the ledger, or where there is no
// ledger that of the database before, if this can be read. The copy itself is only read.
func PutBack(ctx context.Context, dir, from string, l *Ledger, now time.Time) (aside string, err error) {
	info, err := os.Stat(from)
	if err != nil {
		return "", err
	}
	if there, err := os.Stat(seal.Database(dir)); err == nil && os.SameFile(info, there) {
		return "", fmt.Errorf("%s is the project.db that is there, and no copy", from)
	}
	if err := checkMagic(from, info); err != nil {
		return "", err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	temp, err := atomicfile.MkdirTemp(seal.Database(dir))
	if err != nil {
		return "", plain(err)
	}
	defer os.RemoveAll(temp)
	id, err := takeCopy(ctx, from, filepath.Join(temp, "copy.db"))
	if err != nil {
		return "", fmt.Errorf("%s: %w", from, err)
	}
	want, of := "", "project.db"
	if l != nil {
		want, of = l.Project, "labels"
	} else {
		want = identityOf(ctx, seal.Database(dir))
	}
	if want != "" && id != want {
		if id == "" {
			id = "without an identity, of an older program"
		}
		return "", fmt.Errorf("%s is that of another project (%s) than %s (%s)", from, id, of, want)
	}
	if aside, err = putAside(dir, "replaced", now); err != nil {
		return aside, err
	}
	return aside, atomicfile.Rename(filepath.Join(temp, "copy.db"), seal.Database(dir))
}

// checkMagic refuses what is no file of SQLite.
func checkMagic(path string, info fs.FileInfo) error {
	const magic = "SQLite format 3\x00"
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no file: want a copy of project.db", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	start := make([]byte, len(magic))
	if _, err := io.ReadFull(file, start); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	if string(start) != magic {
		return fmt.Errorf("%s is no copy of project.db, which is a file of SQLite", path)
	}
	return nil
}

// takeCopy copies a database with its log to one file, looks at it, and returns the identity of the project in it; "" of a project of an older program.
func takeCopy(ctx context.Context, from, to string) (id string, err error) {
	if err := copyDatabase(from, to); err != nil {
		return "", plain(err)
	}
	address, err := uri(to, url.Values{"mode": {"rw"}, "_pragma": {"journal_mode(DELETE)", "synchronous(FULL)"}}.Encode())
	if err != nil {
		return "", err
	}
	db, err := sql.Open("sqlite", address)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := quickCheck(ctx, db); errors.Is(err, ErrDamaged) {
		return "", errors.New("this copy is damaged: take another one")
	} else if err != nil {
		return "", err
	}
	return identity(ctx, db)
}

// identity returns that of the project in a database, "" of one of an older program, or an error where it holds none that this program can open.
func identity(ctx context.Context, db *sql.DB) (id string, err error) {
	var found int
	err = db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('project', 'cases', 'versions', 'labels')`).Scan(&found)
	if err == nil && found == 4 {
		err = db.QueryRowContext(ctx, `SELECT 4 * count(*) FROM project`).Scan(&found)
	}
	if err != nil {
		return "", err
	}
	if found != 4 {
		return "", errors.New("it holds no project")
	}
	if _, err := provider(ctx, db); err != nil {
		return "", err
	}
	err = db.QueryRowContext(ctx, `SELECT count(*) FROM pragma_table_info('project') WHERE name = 'id'`).Scan(&found)
	if err == nil && found == 1 {
		err = db.QueryRowContext(ctx, `SELECT id FROM project`).Scan(&id)
	}
	return id, err
}

// identityOf returns the identity of the project in a database file, "" where it cannot be read.
func identityOf(ctx context.Context, path string) string {
	address, err := uri(path, "mode=ro")
	if err != nil {
		return ""
	}
	db, err := sql.Open("sqlite", address)
	if err != nil {
		return ""
	}
	defer db.Close()
	id, err := identity(ctx, db)
	if err != nil {
		return ""
	}
	return id
}

// tables in the order in which rows can be put into an empty database.
var tables = []string{"project", "cases", "versions", "labels", "reviews", "skips", "queue", "models", "people", "events", "drafts", "notes", "contents"}

// salvaging is called with the new database before the first row is put into it: tests fill the disk here, or interrupt.
var salvaging = func(*sql.DB) {}

// Salvage makes the database of a project folder that nobody has open anew from all of its rows that can be read, and tells of how many it found in each table, and where the damaged one
// is now. Nothing is moved before the new one is whole: after an error the folder is as it was, unless there is a path of the damaged one. Leases, sessions and proposals are left behind:
// they make themselves again.
func Salvage(ctx context.Context, dir string, now func() time.Time) (found map[string]int, aside string, err error) {
	aside, err = rebuild(ctx, dir, "damaged", now, func(s *Store) (err error) {
		temp, drop, err := tempdir.Make("repair")
		if err != nil {
			return err
		}
		defer drop()
		if err := copyDatabase(seal.Database(dir), seal.Database(temp)); err != nil { // opening it would change it
			return fmt.Errorf("copy project.db to %s: %w", temp, plain(err))
		}
		old, err := openDatabase(seal.Database(temp))
		if err != nil {
			return err
		}
		defer old.Close()
		old.SetMaxOpenConns(1)
		if found, err = s.salvage(ctx, old); err == nil && found["project"] == 0 {
			err = errors.New("the project's configuration could not be read: put a copy of project.db back with nextslice project restore --from; nothing was moved")
		}
		return err
	})
	return found, aside, err
}

// salvage puts all rows into an empty database that can be read of a damaged one, and completes what then belongs to nothing.
func (s *Store) salvage(ctx context.Context, old *sql.DB) (found map[string]int, err error) {
	if _, err := s.db.ExecContext(ctx, `PRAGMA foreign_keys = 0`); err != nil {
		return nil, err
	}
	salvaging(s.db)
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, plain(err)
	}
	defer tx.Rollback()
	found = map[string]int{}
	for _, table := range tables {
		if found[table], err = salvageTable(ctx, old, tx, table); err != nil {
			return nil, fmt.Errorf("salvage %s: %w", table, plain(err))
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
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return nil, fmt.Errorf("salvage: %w", plain(err))
		}
	}
	return found, plain(tx.Commit())
}

// salvageTable copies the rows of one table: in one go, or one by one around those that cannot be read.
func salvageTable(ctx context.Context, old *sql.DB, tx *sql.Tx, table string) (n int, err error) {
	into, err := columns(ctx, tx, table)
	if err != nil {
		return 0, err
	}
	from, err := columns(ctx, old, table)
	if err != nil && ofMachine(err) {
		return 0, err
	}
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
	insert := `INSERT OR IGNORE INTO ` + table + ` (` + list + `) SELECT * FROM (SELECT ? AS ` + strings.Join(names, `, ? AS `) + `)`
	if table == "reviews" { // which are never deleted: not those of lost versions
		insert += ` WHERE (case_name, slice, version) IN (SELECT case_name, slice, version FROM versions)`
	}
	values := make([]any, len(names))
	dest := make([]any, len(names))
	for i := range values {
		dest[i] = &values[i]
	}
	// copyRows tells of whether all rows could be read. An error is one of the machine, or of the new database.
	copyRows := func(where string, args ...any) (all bool, err error) {
		unreadable := func(err error) (bool, error) {
			if ofMachine(err) {
				return false, err
			}
			return false, nil
		}
		rows, err := old.QueryContext(ctx, `SELECT `+list+` FROM `+table+where, args...)
		if err != nil {
			return unreadable(err)
		}
		defer rows.Close()
		for rows.Next() {
			if err := rows.Scan(dest...); err != nil {
				return unreadable(err)
			}
			r, err := tx.ExecContext(ctx, insert, values...)
			if breaksRule(err) {
				continue // it is no row of ours
			}
			if err != nil {
				return false, err
			}
			added, err := r.RowsAffected()
			if err != nil {
				return false, err
			}
			n += int(added)
		}
		if err := rows.Err(); err != nil {
			return unreadable(err)
		}
		return true, nil
	}
	all, err := copyRows("")
	if err != nil || all || table == "labels" { // which has no row numbers, and is completed from versions
		return n, err
	}
	last := int64(0)
	for _, order := range []string{" ORDER BY rowid DESC LIMIT 1", ""} {
		var id int64
		if old.QueryRowContext(ctx, `SELECT rowid FROM `+table+order).Scan(&id) == nil {
			last = max(last, id)
		}
	}
	last = max(last, 100_000) // the end may be what cannot be read
	for id := int64(1); id <= last; id++ {
		if _, err := copyRows(` WHERE rowid = ?`, id); err != nil {
			return n, err
		}
	}
	return n, ctx.Err()
}

// breaksRule reports whether an error says that a row breaks a rule of its table.
func breaksRule(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && (e.Code()&0xff == sqlite3.SQLITE_CONSTRAINT || e.Code()&0xff == sqlite3.SQLITE_MISMATCH)
}

func columns(ctx context.Context, db interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, table string) ([]string, error) {
	rows, err := db.QueryContext(ctx, `SELECT name FROM pragma_table_info(?)`, table)
	return collect(rows, err, "read the columns of "+table, func(scan scanner) (name string, err error) { return name, scan(&name) })
}

// Recovered is a label that came from elsewhere than a person on the page.
type Recovered struct {
	Item   Item
	Person string
	At     time.Time // zero: now
	Action string
	Mask   []uint8
	Review string // what a reviewer had said of it, "" for nothing
}

// Recover makes masks the labels of their items, as new versions, and keeps what reviewers had said of them.
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
			if m.Review == "" {
				continue
			}
			if err := s.addReview(tx, Review{Item: m.Item, Status: m.Review}, nil); err != nil {
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
