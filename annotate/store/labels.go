package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/nextslice/nextslice/annotate/fault"
)

// How a version came about.
const (
	ActionEdited      = "edited"      // drawn, or a proposal corrected
	ActionAccepted    = "accepted"    // the proposal as it was
	ActionEmpty       = "empty"       // nothing there
	ActionAdopted     = "adopted"     // found with the data
	ActionRestored    = "restored"    // an earlier version
	ActionAgreed      = "agreed"      // the first of two readings that agree
	ActionAdjudicated = "adjudicated" // decided after two readings that do not
	ActionRecovered   = "recovered"   // from labels/final, after its database was lost
	ActionOutside     = "outside"     // changed in labels/final by another program
)

// Version is one saved mask of an item, without its voxels.
type Version struct {
	Item      Item
	Version   int
	Reading   int // 1 or 2 for one of two independent readings, which are not the label; else 0
	Person    string
	At        time.Time
	Seconds   float64 // that the person worked on it
	Action    string
	Proposal  *int     // model whose proposal the person saw
	Dice      *float64 // with that proposal; nil where both are empty
	Agreement *float64 // of two readings
	Restored  *int

	at string // as it is stored
}

type version struct {
	Version
	id    int64
	asked *int64
	mask  []uint8
	when  string // as it is stored, "" for now
}

// Save is a mask to be saved.
type Save struct {
	Item     Item
	Person   string
	Seconds  float64 // counted up to 4 hours
	Action   string
	Proposal *int
	Dice     *float64
	Mask     []uint8
	// Base is the newest version of the label that the person knows, 0 for none: a newer one, whoever saved it, is not replaced. nil skips
	// that check.
	Base *int

	Allow       Allow
	Adjudicator bool                       // whether the person may decide between readings
	Agree       func(a, b []uint8) float64 // compares two readings
	Agreement   float64                    // from this value on the first reading becomes the label
}

// Saved says what became of a mask.
type Saved struct {
	Version   int
	Labelled  bool     // the item has a label now; false for a reading that waits for a second or for an adjudicator
	Agreement *float64 // of the two readings, after the second
}

// Save stores a mask as a new version and gives up the person's lease and draft. An item that somebody else holds, or
// whose label is newer than s.Base, is ErrConflict; the same mask by the same person once more is not: an answer that was lost is asked for again.
func (s *Store) Save(ctx context.Context, save Save) (saved Saved, err error) {
	err = s.write(ctx, "save "+save.Item.String(), func(tx *sql.Tx) error {
		saved, err = s.save(tx, save)
		return err
	})
	return saved, err
}

// SaveAll stores several masks as Save does, all or nothing.
func (s *Store) SaveAll(ctx context.Context, saves []Save) (saved []Saved, err error) {
	err = s.write(ctx, fmt.Sprintf("save %d masks", len(saves)), func(tx *sql.Tx) error {
		for _, save := range saves {
			one, err := s.save(tx, save)
			if err != nil {
				return err
			}
			saved = append(saved, one)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return saved, nil
}

func (s *Store) save(tx *sql.Tx, save Save) (Saved, error) {
	if err := s.free(tx, save.Item, save.Person); err != nil {
		return Saved{}, err
	}
	if err := save.Allow.check(s, tx, save.Item); err != nil {
		return Saved{}, err
	}
	if err := checkBase(tx, save.Item, save.Person, save.Mask, save.Base); err != nil {
		return Saved{}, err
	}
	v := version{
		Version: Version{Item: save.Item, Person: save.Person, Seconds: save.Seconds, Action: save.Action, Proposal: save.Proposal, Dice: save.Dice},
		mask:    save.Mask,
	}
	saved, err := s.answer(tx, v, save)
	if err != nil {
		return Saved{}, err
	}
	for _, statement := range []string{
		`DELETE FROM leases WHERE case_name = ? AND slice = ?`,
		`DELETE FROM skips WHERE case_name = ? AND slice = ?`,
	} {
		if _, err := tx.Exec(statement, save.Item.Case, save.Item.Slice); err != nil {
			return Saved{}, err
		}
	}
	return saved, dropDraft(tx, save.Item, save.Person)
}

// answer stores a version according to what was asked about its item.
func (s *Store) answer(tx *sql.Tx, v version, save Save) (Saved, error) {
	row, err := s.openRow(tx, v.Item)
	switch {
	case errors.Is(err, ErrNotFound):
		return s.label(tx, &v)
	case err != nil:
		return Saved{}, err
	case row.State == Disputed:
		if !save.Adjudicator {
			return Saved{}, fault.With(fmt.Errorf("%w: two readings of %s differ: an adjudicator decides", ErrConflict, v.Item), fault.Disputed, "item", v.Item)
		}
		v.Action = ActionAdjudicated
		if err := setState(tx, row.id, Done); err != nil {
			return Saved{}, err
		}
		return s.label(tx, &v)
	case row.Readings == 2:
		return s.read(tx, row, v, save)
	}
	if err := setState(tx, row.id, Done); err != nil {
		return Saved{}, err
	}
	return s.label(tx, &v)
}

// label stores a version as the item's label.
func (s *Store) label(tx *sql.Tx, v *version) (Saved, error) {
	if err := s.insert(tx, v); err != nil {
		return Saved{}, err
	}
	if err := s.setLabel(tx, *v); err != nil {
		return Saved{}, err
	}
	err := s.log(tx, Event{Person: v.Person, Event: "label", Item: &v.Item, Detail: fmt.Sprintf("version %d, %s", v.Version.Version, v.Action),
		Said: []fault.Message{fault.Say(fault.OfVersion, "version", v.Version.Version, "action", v.Action)}})
	return Saved{Version: v.Version.Version, Labelled: true}, err
}

// Restore makes an earlier version the label again, as a new version, and gives up the person's draft: what they see next is what they have
// brought back. base is the newest version that they know, as Save.Base.
func (s *Store) Restore(ctx context.Context, item Item, number int, person string, base *int, allow Allow) (saved Saved, err error) {
	err = s.write(ctx, "restore "+item.String(), func(tx *sql.Tx) error {
		if err := allow.check(s, tx, item); err != nil {
			return err
		}
		if err := s.free(tx, item, person); err != nil {
			return err
		}
		if row, err := s.openRow(tx, item); err == nil && (row.Readings == 2 || row.State == Disputed) {
			return fault.With(fmt.Errorf("%w: %s is being read twice", ErrConflict, item), fault.Twice, "item", item)
		}
		old, err := readVersion(tx, item, number)
		if err != nil {
			return err
		}
		if err := checkBase(tx, item, person, old.mask, base); err != nil {
			return err
		}
		v := version{
			Version: Version{Item: item, Person: person, Action: ActionRestored, Proposal: old.Proposal, Dice: old.Dice, Restored: &number},
			mask:    old.mask,
		}
		saved, err = s.label(tx, &v)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE queue SET state = 'done' WHERE case_name = ? AND slice = ? AND state = 'waiting'`, item.Case, item.Slice); err != nil {
			return err
		}
		return dropDraft(tx, item, person)
	})
	return saved, err
}

// checkBase returns ErrConflict if the item has a newer version than the one the person knew. It may be the person's own, from another window or
// another program; only the same mask once more, which replaces nothing, is let through.
func checkBase(tx *sql.Tx, item Item, person string, mask []uint8, base *int) error {
	if base == nil {
		return nil
	}
	var newest int
	var by string
	err := tx.QueryRow(`SELECT version, person FROM versions WHERE case_name = ? AND slice = ? AND reading = 0 ORDER BY version DESC LIMIT 1`,
		item.Case, item.Slice).Scan(&newest, &by)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil && newest > *base {
		if by == person {
			if v, err := readVersion(tx, item, newest); err == nil && bytes.Equal(v.mask, mask) {
				return nil
			}
		}
		return fault.With(fmt.Errorf("%w: %s has saved version %d of %s in the meantime; look at it and save again", ErrConflict, by, newest, item), fault.SavedMeanwhile, "who", by, "version", newest, "item", item)
	}
	return err
}

// insert stores v under the next number of its item, which it fills in.
func (s *Store) insert(tx *sql.Tx, v *version) error {
	err := tx.QueryRow(`SELECT coalesce(max(version), 0) + 1 FROM versions WHERE case_name = ? AND slice = ?`,
		v.Item.Case, v.Item.Slice).Scan(&v.Version.Version)
	if err != nil {
		return err
	}
	v.Seconds, v.Dice, v.Agreement = worked(v.Seconds), known(v.Dice), known(v.Agreement)
	at := cmp.Or(v.when, s.stamp())
	result, err := tx.Exec(`INSERT INTO versions (case_name, slice, version, reading, person, at, seconds, action, proposal, dice, agreement, restored, asked, mask, digest)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		v.Item.Case, v.Item.Slice, v.Version.Version, v.Reading, v.Person, at, v.Seconds, v.Action, v.Proposal, v.Dice, v.Agreement, v.Restored, v.asked, pack(v.mask),
		v.digest(at, v.mask))
	if err != nil {
		return err
	}
	v.id, err = result.LastInsertId()
	return err
}

// setLabel makes a version the label of its item, which is skipped no longer.
func (s *Store) setLabel(tx *sql.Tx, v version) error {
	s.added = append(s.added, v.Item)
	if _, err := tx.Exec(`DELETE FROM skips WHERE case_name = ? AND slice = ?`, v.Item.Case, v.Item.Slice); err != nil {
		return err
	}
	_, err := tx.Exec(`INSERT INTO labels (case_name, slice, version) VALUES (?, ?, ?)
		ON CONFLICT (case_name, slice) DO UPDATE SET version = excluded.version`, v.Item.Case, v.Item.Slice, v.Version.Version)
	return err
}

const versionColumns = `case_name, slice, version, reading, person, at, seconds, action, proposal, dice, agreement, restored`

func scanVersion(scan scanner, more ...any) (v Version, err error) {
	dest := []any{&v.Item.Case, &v.Item.Slice, &v.Version, &v.Reading, &v.Person, &v.at, &v.Seconds, &v.Action, &v.Proposal, &v.Dice, &v.Agreement, &v.Restored}
	err = scan(append(dest, more...)...)
	v.At = parseTime(v.at)
	return v, err
}

func readVersion(tx *sql.Tx, item Item, number int) (v version, err error) {
	var blob, digest []byte
	row := tx.QueryRow(`SELECT `+versionColumns+`, mask, digest FROM versions WHERE case_name = ? AND slice = ? AND version = ?`, item.Case, item.Slice, number)
	v.Version, err = scanVersion(row.Scan, &blob, &digest)
	if errors.Is(err, sql.ErrNoRows) {
		return v, fault.With(fmt.Errorf("%s has no version %d: %w", item, number, ErrNotFound), fault.NoVersion, "item", item, "version", number)
	}
	if err != nil {
		return v, err
	}
	v.mask, err = v.Version.open(blob, digest)
	return v, err
}

// mostWork is the longest time that counts as work on one item: a browser left open overnight is none.
const mostWork = 4 * 3600

// worked returns a number of seconds of work that sums can bear, whatever a request says.
func worked(seconds float64) float64 {
	if !(seconds > 0) { // NaN too
		return 0
	}
	return min(seconds, mostWork)
}

// known returns a measure, nil where it is none.
func known(v *float64) *float64 {
	if v == nil || math.IsNaN(*v) || math.IsInf(*v, 0) {
		return nil
	}
	return v
}
