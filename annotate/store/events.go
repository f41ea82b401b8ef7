package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nextslice/nextslice/annotate/fault"
)

// Event is a line of the audit log.
type Event struct {
	At     time.Time
	Person string // "" is the program
	Event  string
	Item   *Item // Slice -1 for a whole case; nil where it concerns none
	Detail string
	Said   []fault.Message // Detail in codes; empty where it is a person's words, or of an older program
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
	said, err := packSaid(e.Said)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO events (at, person, event, case_name, slice, detail, said) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		s.stamp(), e.Person, e.Event, name, slice, e.Detail, said)
	return err
}

// packSaid writes messages as JSON, unpackSaid reads them; numbers are float64 then.
func packSaid(said []fault.Message) (string, error) {
	if len(said) == 0 {
		return "[]", nil
	}
	text, err := json.Marshal(said)
	return string(text), err
}

func unpackSaid(text string) (said []fault.Message, err error) {
	if err := json.Unmarshal([]byte(text), &said); err != nil {
		return nil, fmt.Errorf("%w: said %q: %w", ErrDamaged, text, err)
	}
	return said, nil
}

// Events returns the newest lines of the audit log, newest first.
func (s *Store) Events(ctx context.Context, limit int) ([]Event, error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT at, person, event, case_name, slice, detail, said FROM events ORDER BY id DESC LIMIT ?`, limit)
	return collect(rows, err, "read the audit log", func(scan scanner) (e Event, err error) {
		var at, said string
		var name sql.NullString
		var slice sql.NullInt64
		err = scan(&at, &e.Person, &e.Event, &name, &slice, &e.Detail, &said)
		if err == nil {
			e.Said, err = unpackSaid(said)
		}
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
