package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"modernc.org/sqlite"

	"github.com/nextslice/nextslice/annotate/store/seal"
	"github.com/nextslice/nextslice/internal/atomicfile"
)

// Backup copies the database, as it is at this moment, to a new file, while others read and write it. The copy is synced and checked before
// it gets its name; a file of that name is not replaced.
func (s *Store) Backup(ctx context.Context, path string) error { return backup(ctx, s.reads, path) }

// backup is SQLite's online backup (sqlite.org/backup.html).
func backup(ctx context.Context, db *sql.DB, path string) (err error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already: choose another name", path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	dir, err := atomicfile.MkdirTemp(path)
	if err != nil {
		return plain(err)
	}
	defer os.RemoveAll(dir)
	temp := filepath.Join(dir, "copy.db")
	if err := os.WriteFile(temp, nil, 0o600); err != nil {
		return plain(err)
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return plain(err)
	}
	defer conn.Close()
	err = conn.Raw(func(c any) error {
		address, err := uri(temp, "")
		if err != nil {
			return err
		}
		b, err := c.(interface {
			NewBackup(string) (*sqlite.Backup, error)
		}).NewBackup(address)
		if err != nil {
			return err
		}
		for more := true; more && err == nil; {
			if err = ctx.Err(); err == nil {
				more, err = b.Step(4096)
			}
		}
		return errors.Join(err, b.Finish())
	})
	if err != nil {
		return fmt.Errorf("copy project.db: %w", plain(err))
	}
	if err := checkCopy(ctx, temp); err != nil {
		return fmt.Errorf("the copy of project.db: %w", err)
	}
	file, err := os.OpenFile(temp, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return plain(err)
	}
	return atomicfile.Rename(temp, path)
}

// checkCopy looks at a new copy, and makes it one file.
func checkCopy(ctx context.Context, path string) error {
	address, err := uri(path, "mode=rw&_pragma=journal_mode(DELETE)")
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", address)
	if err != nil {
		return err
	}
	defer db.Close()
	return quickCheck(ctx, db)
}

// uri returns the address of a file as SQLite takes it, which has no relative ones.
func uri(path, query string) (string, error) {
	absolute, err := filepath.Abs(path)
	absolute = filepath.ToSlash(absolute)
	if !strings.HasPrefix(absolute, "/") {
		absolute = "/" + absolute // a drive's letter would be taken for a host
	}
	return (&url.URL{Scheme: "file", Path: absolute, RawQuery: query}).String(), err
}

// DailyBackup makes today's copy in the folder backups, if there is none yet, and keeps the newest of them, so many. Copies of days to come, which a wrong clock has named, neither count nor
// go.
func (s *Store) DailyBackup(ctx context.Context, keep int) error {
	if keep < 1 {
		return nil
	}
	dir := filepath.Join(s.dir, "backups")
	today := filepath.Join(dir, s.now().Format("2006-01-02")+".db")
	if _, err := os.Lstat(today); errors.Is(err, fs.ErrNotExist) {
		if err := s.there(); err != nil {
			return err
		}
		if err := s.Backup(ctx, today); err != nil {
			return err
		}
	}
	copies, err := filepath.Glob(filepath.Join(dir, "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9].db"))
	if err != nil {
		return err
	}
	copies = slices.DeleteFunc(copies, func(path string) bool { return path > today }) // names are as long as each other
	slices.Sort(copies)
	for _, old := range copies[:max(0, len(copies)-keep)] {
		if err := os.Remove(old); err != nil {
			return err
		}
	}
	return nil
}

// BackupFolder copies the database of a project folder, also while a server has it open.
func BackupFolder(ctx context.Context, dir, path string) error {
	if there, err := HasDatabase(dir); err != nil {
		return err
	} else if !there {
		return fmt.Errorf("%s holds no project.db", dir)
	}
	// Read-only: whoever closes a database last copies its log into it, which after a kill only the next server may do (see seal.Keeper).
	address, err := uri(seal.Database(dir), url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(5000)"}}.Encode())
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", address)
	if err != nil {
		return err
	}
	defer db.Close()
	return backup(ctx, db, path)
}
