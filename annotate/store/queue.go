package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/nextslice/nextslice/annotate/fault"
)

// State is that of an item in the queue.
type State string

const (
	Waiting   State = "waiting"
	Disputed  State = "disputed" // two readings differ; waits for an adjudicator
	Done      State = "done"
	Skipped   State = "skipped"
	Withdrawn State = "withdrawn" // a later query took its place
)

// Purpose says what the label of a queued item is for.
type Purpose string

const (
	ForTraining   Purpose = "training"
	ForValidation Purpose = "validation"
	ForReading    Purpose = "reading"    // a second reading of a label
	ForCorrection Purpose = "correction" // a label that a reviewer has sent back
)

// Kinds of queue rows.
const (
	KindQuery = "query" // picked by the query strategy or the cold start
	KindFill  = "fill"  // picked between two queries, so that nobody waits
)

// QueueRow is an item in the queue.
type QueueRow struct {
	Item     Item
	Cycle    int // whose model asked for it; -1 is the initial set
	Purpose  Purpose
	Kind     string
	Score    *float64
	Readings int
	State    State
	Lease    *Lease // that has not lapsed
	Read     bool   // one of two readings is there

	id      int64
	readers []string // who has read it
}

// Open reports whether the item waits for a label or a decision.
func (q QueueRow) Open() bool { return q.State == Waiting || q.State == Disputed }

// Lease gives an item to one person until a time.
type Lease struct {
	Person string
	Until  time.Time
}

const queueColumns = `q.id, q.case_name, q.slice, q.cycle, q.purpose, q.kind, q.score, q.readings, q.state,
	q.readings > 1 AND EXISTS (SELECT 1 FROM versions v WHERE v.asked = q.id AND v.reading > 0), l.person, l.until`
const queueTables = `queue q LEFT JOIN leases l USING (case_name, slice)`

func (s *Store) scanQueue(scan scanner) (q QueueRow, err error) {
	var person, until sql.NullString
	err = scan(&q.id, &q.Item.Case, &q.Item.Slice, &q.Cycle, &q.Purpose, &q.Kind, &q.Score, &q.Readings, &q.State, &q.Read, &person, &until)
	if person.Valid {
		if t := parseTime(until.String); t.After(s.steady()) {
			q.Lease = &Lease{person.String, t}
		}
	}
	return q, err
}

// Queue returns the items that wait for a label or a decision, in the order in which they are offered, or all that were
// ever queued.
func (s *Store) Queue(ctx context.Context, all bool) ([]QueueRow, error) {
	where := `WHERE q.state IN ('waiting', 'disputed')`
	if all {
		where = ``
	}
	rows, err := s.reads.QueryContext(ctx, `SELECT `+queueColumns+` FROM `+queueTables+` `+where+` ORDER BY q.id`)
	return collect(rows, err, "read the queue", s.scanQueue)
}

// Row returns the row of an item that waits, or ErrNotFound.
func (s *Store) Row(item Item) (QueueRow, error) {
	q, err := s.openRow(s.reads, item)
	if err != nil && !errors.Is(err, ErrNotFound) {
		err = fmt.Errorf("read the queue: %w", plain(err))
	}
	return q, err
}

func (s *Store) openRow(from queryer, item Item) (QueueRow, error) {
	q, err := s.scanQueue(from.QueryRow(`SELECT `+queueColumns+` FROM `+queueTables+`
		WHERE case_name = ? AND slice = ? AND q.state IN ('waiting', 'disputed')`, item.Case, item.Slice).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return q, err
}

func setState(tx *sql.Tx, id int64, state State) error {
	_, err := tx.Exec(`UPDATE queue SET state = ? WHERE id = ?`, state, id)
	return err
}

// Enqueue adds items at the end of the queue. Items that wait there already, or were labelled or skipped in the
// meantime, are left out.
func (s *Store) Enqueue(ctx context.Context, rows []QueueRow) error {
	return s.write(ctx, "queue items", func(tx *sql.Tx) error { return s.enqueue(tx, rows) })
}

func (s *Store) enqueue(tx *sql.Tx, rows []QueueRow) error {
	for _, q := range rows {
		_, err := tx.Exec(`INSERT INTO queue (case_name, slice, cycle, purpose, kind, score, readings) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
			WHERE NOT EXISTS (SELECT 1 FROM labels WHERE case_name = ?1 AND slice = ?2)
			AND NOT EXISTS (SELECT 1 FROM skips WHERE case_name = ?1 AND slice = ?2)
			ON CONFLICT DO NOTHING`, q.Item.Case, q.Item.Slice, q.Cycle, q.Purpose, q.Kind, q.Score, max(1, q.Readings))
		if err != nil {
			return err
		}
	}
	return nil
}

// Want says what a person may be offered.
type Want struct {
	Person      string
	Adjudicator bool
	After       *Item           // offer what comes after this item, then begin again; else what the person holds comes first
	Refuse      map[string]bool // cases that cannot be shown
	Lease       time.Duration
	Most        int // leases of one person at a time
}

// Next leases the next item of the queue to a person, or returns ErrNotFound.
func (s *Store) Next(ctx context.Context, want Want) (q QueueRow, err error) {
	err = s.write(ctx, "lease the next item", func(tx *sql.Tx) error {
		rows, err := tx.Query(`SELECT ` + queueColumns + ` FROM ` + queueTables + ` WHERE q.state IN ('waiting', 'disputed') ORDER BY q.id`)
		queue, err := collect(rows, err, "read the queue", s.scanQueue)
		if err != nil {
			return err
		}
		if err := addReaders(tx, queue); err != nil {
			return err
		}
		drafted, err := othersDrafts(tx, want.Person)
		if err != nil {
			return err
		}
		i := choose(queue, want, drafted)
		if i < 0 {
			return ErrNotFound
		}
		q = queue[i]
		return s.lease(tx, &q, want)
	})
	return q, err
}

// choose returns the index of the row to offer, -1 if there is none. What was sent back comes before what is new, except after something
// else that was sent back, which the person has left; what others have begun to draw comes last.
func choose(queue []QueueRow, want Want, drafted map[Item]bool) int {
	start, corrections := 0, true
	if want.After != nil {
		for i, q := range queue {
			if q.Item == *want.After {
				start, corrections = i+1, q.Purpose != ForCorrection
			}
		}
	}
	best, begun := -1, -1
	for n := range queue {
		i := (start + n) % len(queue)
		q := queue[i]
		theirs := q.Lease != nil && q.Lease.Person == want.Person
		switch {
		case want.Refuse[q.Item.Case], q.Lease != nil && !theirs, q.readBy(want.Person):
		case q.State == Disputed && !want.Adjudicator:
		case want.After != nil && q.Item == *want.After:
		case want.After == nil && (theirs || q.State == Disputed), q.Purpose == ForCorrection && corrections:
			return i
		case drafted[q.Item] && begun < 0:
			begun = i
		case best < 0 && !drafted[q.Item]:
			best = i
		}
	}
	if best < 0 {
		return begun
	}
	return best
}

func (q QueueRow) readBy(person string) bool {
	if q.State != Waiting {
		return false
	}
	for _, reader := range q.readers {
		if reader == person {
			return true
		}
	}
	return false
}

// addReaders fills in who has read the items that are read twice.
func addReaders(tx *sql.Tx, queue []QueueRow) error {
	for i := range queue {
		if queue[i].Readings < 2 {
			continue
		}
		rows, err := tx.Query(`SELECT DISTINCT person FROM versions WHERE asked = ? AND reading > 0`, queue[i].id)
		queue[i].readers, err = collect(rows, err, "list readers", func(scan scanner) (p string, err error) { return p, scan(&p) })
		if err != nil {
			return err
		}
	}
	return nil
}

// lease gives an item to a person, who gives back other leases beyond want.Most, those that end first.
func (s *Store) lease(tx *sql.Tx, q *QueueRow, want Want) error {
	until := s.steady().Add(want.Lease)
	_, err := tx.Exec(`INSERT INTO leases (case_name, slice, person, until) VALUES (?, ?, ?, ?)
		ON CONFLICT (case_name, slice) DO UPDATE SET person = excluded.person, until = excluded.until`,
		q.Item.Case, q.Item.Slice, want.Person, formatTime(until))
	if err != nil {
		return err
	}
	_, err = tx.Exec(`DELETE FROM leases WHERE person = ?1 AND NOT (case_name = ?3 AND slice = ?4) AND (case_name, slice) NOT IN
		(SELECT case_name, slice FROM leases WHERE person = ?1 ORDER BY until DESC LIMIT ?2)`, want.Person, max(1, want.Most), q.Item.Case, q.Item.Slice)
	q.Lease = &Lease{want.Person, until}
	return err
}

// longestLease is the longest that a configuration may give.
const longestLease = 24 * time.Hour

// boundLeases ends the leases that a clock has made which was wrong then.
func (s *Store) boundLeases(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM leases WHERE until > ?`, formatTime(s.steady().Add(longestLease+time.Minute)))
	return err
}

// Renew prolongs a person's lease of an item, if there is one.
func (s *Store) Renew(ctx context.Context, item Item, person string, lease time.Duration) error {
	return s.write(ctx, "renew lease", func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE leases SET until = ? WHERE case_name = ? AND slice = ? AND person = ?`,
			formatTime(s.steady().Add(lease)), item.Case, item.Slice, person)
		return err
	})
}

// Release ends the lease of an item, if there is one and allow does not refuse it.
func (s *Store) Release(ctx context.Context, item Item, person string, allow Allow) error {
	return s.write(ctx, "release "+item.String(), func(tx *sql.Tx) error {
		if err := allow.check(s, tx, item); err != nil {
			return err
		}
		var holder string
		err := tx.QueryRow(`DELETE FROM leases WHERE case_name = ? AND slice = ? RETURNING person`, item.Case, item.Slice).Scan(&holder)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err == nil && holder != person {
			err = s.log(tx, Event{Person: person, Event: "lease freed", Item: &item, Detail: "of " + holder, Said: []fault.Message{fault.Say(fault.OfHolder, "who", holder)}})
		}
		return err
	})
}

// ItemState is what rights over an item depend on.
type ItemState struct {
	Row     *QueueRow // that is open, nil if the item does not wait
	Readers []string  // who has read it, where two people read it and that is not decided yet
	Label   *Version  // nil if it has none
	Lease   *Lease    // that has not lapsed
	Decided bool      // by an adjudicator, now or before
}

// Allow decides whether something may be done with an item in a state. It is called in the transaction that does it; nil allows all.
type Allow func(ItemState) error

func (allow Allow) check(s *Store, tx queryer, item Item) error {
	if allow == nil {
		return nil
	}
	state, err := s.state(tx, item)
	if err != nil {
		return err
	}
	return allow(state)
}

// State returns the state of an item.
func (s *Store) State(item Item) (ItemState, error) {
	state, err := s.state(s.reads, item)
	if err != nil {
		err = fmt.Errorf("read the state of %s: %w", item, plain(err))
	}
	return state, err
}

type queryer interface {
	QueryRow(query string, args ...any) *sql.Row
	Query(query string, args ...any) (*sql.Rows, error)
}

func (s *Store) state(from queryer, item Item) (state ItemState, err error) {
	row, err := s.openRow(from, item)
	switch {
	case err == nil:
		state.Row = &row
		rows, err := from.Query(`SELECT DISTINCT person FROM versions WHERE asked = ? AND reading > 0`, row.id)
		if state.Readers, err = collect(rows, err, "list readers", func(scan scanner) (p string, err error) { return p, scan(&p) }); err != nil {
			return state, err
		}
	case !errors.Is(err, ErrNotFound):
		return state, err
	}
	v, err := scanVersion(from.QueryRow(`SELECT `+versionColumns+` FROM labels JOIN versions USING (case_name, slice, version)
		WHERE case_name = ? AND slice = ?`, item.Case, item.Slice).Scan)
	if err == nil {
		state.Label = &v
	} else if !errors.Is(err, sql.ErrNoRows) {
		return state, err
	}
	if err := from.QueryRow(`SELECT EXISTS (SELECT 1 FROM versions WHERE case_name = ? AND slice = ? AND action = 'adjudicated')`,
		item.Case, item.Slice).Scan(&state.Decided); err != nil {
		return state, err
	}
	var l Lease
	var until string
	err = from.QueryRow(`SELECT person, until FROM leases WHERE case_name = ? AND slice = ?`, item.Case, item.Slice).Scan(&l.Person, &until)
	if l.Until = parseTime(until); err == nil && l.Until.After(s.steady()) {
		state.Lease = &l
	}
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return state, err
}

// free returns ErrConflict if somebody else holds an item.
func (s *Store) free(tx *sql.Tx, item Item, person string) error {
	var holder string
	err := tx.QueryRow(`SELECT person FROM leases WHERE case_name = ? AND slice = ? AND person <> ? AND until > ?`,
		item.Case, item.Slice, person, formatTime(s.steady())).Scan(&holder)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		return fault.With(fmt.Errorf("%w: %s is working on %s", ErrConflict, holder, item), fault.Held, "who", holder, "item", item)
	}
	return err
}

// Skip takes an item out of the pool, with a reason. Saving a label brings it back.
func (s *Store) Skip(ctx context.Context, item Item, person, reason string, seconds float64, allow Allow) error {
	return s.write(ctx, "skip "+item.String(), func(tx *sql.Tx) error {
		if err := allow.check(s, tx, item); err != nil {
			return err
		}
		if err := s.free(tx, item, person); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO skips (case_name, slice, person, at, reason, seconds) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
			ON CONFLICT (case_name, slice) DO UPDATE SET person = excluded.person, at = excluded.at, reason = excluded.reason,
				seconds = min(skips.seconds + excluded.seconds, ?7)`, item.Case, item.Slice, person, s.stamp(), reason, worked(seconds), mostWork)
		if err != nil {
			return err
		}
		for _, statement := range []string{
			`UPDATE queue SET state = 'skipped' WHERE case_name = ? AND slice = ? AND state IN ('waiting', 'disputed')`,
			`DELETE FROM leases WHERE case_name = ? AND slice = ?`,
		} {
			if _, err := tx.Exec(statement, item.Case, item.Slice); err != nil {
				return err
			}
		}
		return s.log(tx, Event{Person: person, Event: "skip", Item: &item, Detail: reason})
	})
}

// Skipped returns the items that were skipped and have no label, which older programs let be skipped too.
func (s *Store) Skipped(ctx context.Context) ([]Item, error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT case_name, slice FROM skips s
		WHERE NOT EXISTS (SELECT 1 FROM labels l WHERE l.case_name = s.case_name AND l.slice = s.slice) ORDER BY case_name, slice`)
	return collect(rows, err, "list skipped items", func(scan scanner) (i Item, err error) { return i, scan(&i.Case, &i.Slice) })
}
