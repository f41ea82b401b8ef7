package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nextslice/nextslice/annotate/fault"
)

// Model is one trained network.
type Model struct {
	Version  int // 1, 2 …
	Cycle    int
	Labelled int      // training labels that it saw
	Seconds  float64  // that people had spent on labels until then
	Dice     *float64 // on the validation labels of that time, nil without
	Previous *float64 // of the model in use before, on the same labels
	Adopted  bool     // whether it took that model's place
	Reason   string   // why, or why not
	At       time.Time
	Said     []fault.Message // Reason in codes; empty of an older program
	Copies   []Item          // labelled items that count once more in later trainings, see query.Copies
	Saw      map[Item]int    // the versions of the training labels; of the newest model alone, and asked for by Saw
}

// Models returns all models, oldest first.
func (s *Store) Models(ctx context.Context) ([]Model, error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT version, cycle, labelled, seconds, dice, previous, adopted, reason, at, copies, said FROM models ORDER BY version`)
	return collect(rows, err, "list models", func(scan scanner) (m Model, err error) {
		var at, copies, said string
		err = scan(&m.Version, &m.Cycle, &m.Labelled, &m.Seconds, &m.Dice, &m.Previous, &m.Adopted, &m.Reason, &at, &copies, &said)
		m.At = parseTime(at)
		if err == nil {
			m.Copies, err = unpackItems(copies)
		}
		if err == nil {
			m.Said, err = unpackSaid(said)
		}
		return m, err
	})
}

// packItems writes items as JSON, unpackItems reads them.
func packItems(items []Item) (string, error) {
	names := make([]string, len(items))
	for i, item := range items {
		names[i] = item.String()
	}
	text, err := json.Marshal(names)
	return string(text), err
}

func unpackItems(text string) (items []Item, err error) {
	var names []string
	if err := json.Unmarshal([]byte(text), &names); err != nil {
		return nil, fmt.Errorf("%w: copies %q: %w", ErrDamaged, text, err)
	}
	for _, name := range names {
		item, err := ParseItem(name)
		if err != nil {
			return nil, fmt.Errorf("%w: copies: %w", ErrDamaged, err)
		}
		items = append(items, item)
	}
	return items, nil
}

// Saw returns the versions of the training labels that a model saw. They are kept for the newest model alone: nil for an earlier one, and
// for one of a program that has not kept them.
func (s *Store) Saw(ctx context.Context, model int) (map[Item]int, error) {
	var text []byte
	err := s.reads.QueryRowContext(ctx, `SELECT value FROM notes WHERE name = 'saw'`).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	var note sawNote
	if err == nil {
		err = json.Unmarshal(text, &note)
	}
	if err != nil {
		return nil, fmt.Errorf("read what model %d saw: %w", model, plain(err))
	}
	if note.Model != model {
		return nil, nil
	}
	saw := map[Item]int{}
	for _, l := range note.Labels {
		saw[Item{l.Case, l.Slice}] = l.Version
	}
	return saw, nil
}

// sawNote is how what the newest model saw is noted, as JSON.
type sawNote struct {
	Model  int        `json:"model"`
	Labels []sawLabel `json:"labels"`
}

type sawLabel struct {
	Case    string `json:"case"`
	Slice   int    `json:"slice"`
	Version int    `json:"version"`
}

func noteSaw(tx *sql.Tx, m Model) error {
	note := sawNote{Model: m.Version, Labels: []sawLabel{}}
	for item, version := range m.Saw {
		note.Labels = append(note.Labels, sawLabel{item.Case, item.Slice, version})
	}
	text, err := json.Marshal(note)
	if err == nil {
		_, err = tx.Exec(`INSERT OR REPLACE INTO notes (name, value) VALUES ('saw', ?)`, text)
	}
	return err
}

// AddModel ends a cycle: it stores the model, withdraws the training items of earlier queries that nobody has begun, and
// queues the new query; all of it or nothing.
func (s *Store) AddModel(ctx context.Context, m Model, query []QueueRow) error {
	return s.write(ctx, "store model", func(tx *sql.Tx) error {
		copies, err := packItems(m.Copies)
		if err != nil {
			return err
		}
		said, err := packSaid(m.Said)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO models (version, cycle, labelled, seconds, dice, previous, adopted, reason, at, copies, said) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			m.Version, m.Cycle, m.Labelled, m.Seconds, known(m.Dice), known(m.Previous), m.Adopted, m.Reason, s.stamp(), copies, said)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE queue AS q SET state = 'withdrawn' WHERE state = 'waiting' AND purpose = 'training'
			AND NOT EXISTS (SELECT 1 FROM leases l WHERE l.case_name = q.case_name AND l.slice = q.slice AND l.until > ?)
			AND NOT EXISTS (SELECT 1 FROM drafts d WHERE d.case_name = q.case_name AND d.slice = q.slice)
			AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.asked = q.id)`, formatTime(s.steady()))
		if err != nil {
			return err
		}
		if err := errors.Join(noteSaw(tx, m), s.enqueue(tx, query)); err != nil {
			return err
		}
		return s.log(tx, Event{Event: "model", Detail: fmt.Sprintf("version %d on %d labels: %s", m.Version, m.Labelled, m.Reason),
			Said: append([]fault.Message{fault.Say(fault.OfModel, "version", m.Version, "n", m.Labelled)}, m.Said...)})
	})
}

// Seconds returns how long people have worked on labels and skipped items.
func (s *Store) Seconds(ctx context.Context) (seconds float64, err error) {
	err = s.reads.QueryRowContext(ctx, `SELECT coalesce((SELECT sum(min(seconds, ?1)) FROM versions), 0) + coalesce((SELECT sum(min(seconds, ?1)) FROM skips), 0)`, mostWork).Scan(&seconds)
	if err != nil {
		return 0, fmt.Errorf("sum up the time: %w", plain(err))
	}
	return seconds, nil
}
