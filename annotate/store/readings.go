package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/nextslice/nextslice/annotate/fault"
)

// read stores one of the two readings of an item. The second decides: readings that agree make the first the label,
// others are left to an adjudicator.
func (s *Store) read(tx *sql.Tx, row QueueRow, v version, save Save) (Saved, error) {
	first, err := otherReading(tx, row.id, v.Person)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Saved{}, err
	}
	v.asked, v.Reading = &row.id, 1
	if err == nil {
		v.Reading = 2
		agreement := save.Agree(first.mask, v.mask)
		v.Agreement = &agreement
	}
	if err := s.insert(tx, &v); err != nil {
		return Saved{}, err
	}
	saved := Saved{Version: v.Version.Version, Agreement: v.Agreement}
	detail := fmt.Sprintf("version %d, reading %d", v.Version.Version, v.Reading)
	said := fault.Say(fault.OfReading, "version", v.Version.Version, "reading", v.Reading)
	if v.Agreement != nil {
		detail += fmt.Sprintf(", agreement %.3f", *v.Agreement)
		said = fault.Say(fault.OfReadings, "version", v.Version.Version, "reading", v.Reading, "agreement", *v.Agreement)
	}
	if err := s.log(tx, Event{Person: v.Person, Event: "reading", Item: &v.Item, Detail: detail, Said: []fault.Message{said}}); err != nil || v.Agreement == nil {
		return saved, err
	}
	if *v.Agreement < save.Agreement {
		return saved, setState(tx, row.id, Disputed)
	}
	if err := setState(tx, row.id, Done); err != nil {
		return Saved{}, err
	}
	label := first
	label.Action, label.Reading, label.asked, label.Agreement, label.Seconds = ActionAgreed, 0, nil, v.Agreement, 0
	labelled, err := s.label(tx, &label)
	labelled.Agreement = v.Agreement
	return labelled, err
}

// otherReading returns the newest reading of a queue row by anybody else.
func otherReading(tx *sql.Tx, row int64, person string) (v version, err error) {
	var blob, digest []byte
	v.Version, err = scanVersion(tx.QueryRow(`SELECT `+versionColumns+`, mask, digest FROM versions
		WHERE asked = ? AND reading > 0 AND person <> ? ORDER BY id DESC LIMIT 1`, row, person).Scan, &blob, &digest)
	if errors.Is(err, sql.ErrNoRows) {
		return v, ErrNotFound
	}
	if err != nil {
		return v, err
	}
	v.mask, err = v.Version.open(blob, digest)
	return v, err
}

// AskReading puts a labelled item back into the queue for a second person; its label counts as the first reading.
func (s *Store) AskReading(ctx context.Context, item Item, person string, allow Allow) error {
	return s.write(ctx, "ask for a second reading of "+item.String(), func(tx *sql.Tx) error {
		if err := allow.check(s, tx, item); err != nil {
			return err
		}
		var number int
		err := tx.QueryRow(`SELECT version FROM labels WHERE case_name = ? AND slice = ?`, item.Case, item.Slice).Scan(&number)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.With(fmt.Errorf("%w: %s is not labelled yet", ErrConflict, item), fault.NotLabelled, "item", item)
		}
		if err != nil {
			return err
		}
		if _, err := s.openRow(tx, item); err == nil {
			return fault.With(fmt.Errorf("%w: %s is in the queue already", ErrConflict, item), fault.Queued, "item", item)
		}
		first, err := readVersion(tx, item, number)
		if err != nil {
			return err
		}
		var cycle int
		if err := tx.QueryRow(`SELECT coalesce(max(cycle), -1) FROM models`).Scan(&cycle); err != nil {
			return err
		}
		result, err := tx.Exec(`INSERT INTO queue (case_name, slice, cycle, purpose, kind, readings) VALUES (?, ?, ?, 'reading', 'fill', 2)`,
			item.Case, item.Slice, cycle)
		if err != nil {
			return err
		}
		row, err := result.LastInsertId()
		if err != nil {
			return err
		}
		first.asked, first.Reading, first.Seconds = &row, 1, 0
		if err := s.insert(tx, &first); err != nil {
			return err
		}
		return s.log(tx, Event{Person: person, Event: "second reading asked", Item: &item})
	})
}
