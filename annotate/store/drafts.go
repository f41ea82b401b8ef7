package store

import (
	"context"
	"database/sql"
	"time"
)

// Draft is an unfinished mask that somebody has.
type Draft struct {
	Item   Item
	Person string
	At     time.Time
	Base   int // the newest version of the label that the person knew, 0 for none
}

// Drafts returns all unfinished masks, the newest first.
func (s *Store) Drafts(ctx context.Context) ([]Draft, error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT case_name, slice, person, at, base FROM drafts ORDER BY at DESC, case_name, slice`)
	return collect(rows, err, "list drafts", func(scan scanner) (d Draft, err error) {
		var at string
		err = scan(&d.Item.Case, &d.Item.Slice, &d.Person, &at, &d.Base)
		d.At = parseTime(at)
		return d, err
	})
}

// dropDraft forgets a person's unfinished mask of an item.
func dropDraft(tx *sql.Tx, item Item, person string) error {
	_, err := tx.Exec(`DELETE FROM drafts WHERE case_name = ? AND slice = ? AND person = ?`, item.Case, item.Slice, person)
	return err
}

// othersDrafts returns the items of which others than a person have unfinished masks.
func othersDrafts(tx *sql.Tx, person string) (map[Item]bool, error) {
	rows, err := tx.Query(`SELECT DISTINCT case_name, slice FROM drafts WHERE person <> ?`, person)
	items, err := collect(rows, err, "list drafts", func(scan scanner) (i Item, err error) { return i, scan(&i.Case, &i.Slice) })
	out := map[Item]bool{}
	for _, i := range items {
		out[i] = true
	}
	return out, err
}

// Hold leases an item to a person, or prolongs the lease. An item that somebody else holds is ErrConflict.
func (s *Store) Hold(ctx context.Context, item Item, want Want, allow Allow) (Lease, error) {
	q := QueueRow{Item: item}
	err := s.write(ctx, "lease "+item.String(), func(tx *sql.Tx) error {
		if err := allow.check(s, tx, item); err != nil {
			return err
		}
		if err := s.free(tx, item, want.Person); err != nil {
			return err
		}
		return s.lease(tx, &q, want)
	})
	if err != nil {
		return Lease{}, err
	}
	return *q.Lease, nil
}

// Proposed returns the items that a model has segmented and nobody has labelled.
func (s *Store) Proposed(ctx context.Context, model int) ([]Item, error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT case_name, slice FROM proposals p WHERE model = ?
		AND NOT EXISTS (SELECT 1 FROM labels l WHERE l.case_name = p.case_name AND l.slice = p.slice) ORDER BY case_name, slice`, model)
	return collect(rows, err, "list proposals", func(scan scanner) (i Item, err error) { return i, scan(&i.Case, &i.Slice) })
}
