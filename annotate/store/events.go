package store

import (
	"context"
	"database/sql"
	"time"
)

// Event is a line of the audit log.
type Event struct {
	At     time.Time
	Person string // "" is the program
	Event  string
	Item   *Item // Slice -1 for a whole case; nil where it concerns none
	Detail string
}

// Log adds a line to the audit log.
func (s *Store) Log(ctx context.Context, e Event) error {
	return s.write(ctx, "write the audit log", func(tx *sql.Tx) error { return s.log(tx, e) })
}

func (s *Store) log(tx *sql.Tx, e Event) error {
	var name, slice any
	if e.Item != nil {
		name = e.Item.Case
		if e.Item.Slice >= 0 {
			slice = e.Item.Slice
		}
	}
	_, err := tx.Exec(`INSERT INTO events (at, person, event, case_name, slice, detail) VALUES (?, ?, ?, ?, ?, ?)`,
		s.stamp(), e.Person, e.Event, name, slice, e.Detail)
	return err
}

// Events returns the newest lines of the audit log, newest first.
func (s *Store) Events(ctx context.Context, limit int) ([]Event, error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT at, person, event, case_name, slice, detail FROM events ORDER BY id DESC LIMIT ?`, limit)
	return collect(rows, err, "read the audit log", func(scan scanner) (e Event, err error) {
		var at string
		var name sql.NullString
		var slice sql.NullInt64
		err = scan(&at, &e.Person, &e.Event, &name, &slice, &e.Detail)
		e.At = parseTime(at)
		if name.Valid {
			e.Item = &Item{name.String, -1}
			if slice.Valid {
				e.Item.Slice = int(slice.Int64)
			}
		}
		return e, err
	})
}
