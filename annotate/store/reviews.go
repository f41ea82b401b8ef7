package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/nextslice/nextslice/annotate/fault"
)

// Statuses of a review.
const (
	ReviewAccepted = "accepted"
	ReviewRejected = "rejected" // the label is not learnt from, and judges no model
	ReviewDiscuss  = "discuss"  // to be discussed
	ReviewReturned = "returned" // sent back: the item is asked for again
)

// Review is what a reviewer has said of a label.
type Review struct {
	Item    Item
	Version int // of the label that the reviewer saw; 0 in a new review for the one that there is
	Person  string
	At      time.Time
	Status  string
	Note    string
}

// AddReviews stores reviews, all or nothing. Items that are returned wait in the queue again; those that get another status wait no longer
// for a correction. ErrConflict: an item has no label, or another one by now. allow decides about each.
func (s *Store) AddReviews(ctx context.Context, reviews []Review, allow func(Item) Allow) error {
	return s.write(ctx, "review", func(tx *sql.Tx) error {
		for _, r := range reviews {
			if err := allow(r.Item).check(s, tx, r.Item); err != nil {
				return err
			}
			if err := s.addReview(tx, r); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) addReview(tx *sql.Tx, r Review) error {
	var number int
	err := tx.QueryRow(`SELECT version FROM labels WHERE case_name = ? AND slice = ?`, r.Item.Case, r.Item.Slice).Scan(&number)
	if errors.Is(err, sql.ErrNoRows) {
		return fault.With(fmt.Errorf("%w: %s is not labelled yet", ErrConflict, r.Item), fault.NotLabelled, "item", r.Item)
	}
	if err != nil {
		return err
	}
	if r.Version > 0 && r.Version != number {
		return fault.With(fmt.Errorf("%w: version %d of %s is the label by now; look at it and decide again", ErrConflict, number, r.Item), fault.ReviewedMeanwhile, "version", number, "item", r.Item)
	}
	if _, err := tx.Exec(`INSERT INTO reviews (case_name, slice, version, person, at, status, note) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		r.Item.Case, r.Item.Slice, number, r.Person, s.stamp(), r.Status, r.Note); err != nil {
		return err
	}
	if r.Status == ReviewReturned {
		_, err = tx.Exec(`INSERT INTO queue (case_name, slice, cycle, purpose, kind) VALUES (?1, ?2, (SELECT coalesce(max(cycle), -1) FROM models), 'correction', 'fill')
			ON CONFLICT DO NOTHING`, r.Item.Case, r.Item.Slice)
	} else {
		_, err = tx.Exec(`UPDATE queue SET state = 'withdrawn' WHERE case_name = ? AND slice = ? AND state = 'waiting' AND purpose = 'correction'`, r.Item.Case, r.Item.Slice)
	}
	if err != nil {
		return err
	}
	detail := fmt.Sprintf("version %d, %s", number, r.Status)
	said := []fault.Message{fault.Say(fault.OfReview, "version", number, "status", r.Status)}
	if r.Note != "" {
		detail += ": " + r.Note
		said = append(said, fault.Say(fault.OfNote, "text", r.Note))
	}
	return s.log(tx, Event{Person: r.Person, Event: "review", Item: &r.Item, Detail: detail, Said: said})
}

// Reviews returns the newest review of each item of a case, or of all cases for "", by case and slice. It is of an earlier version than the
// label where somebody has saved since.
func (s *Store) Reviews(ctx context.Context, name string) ([]Review, error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT case_name, slice, version, person, at, status, note FROM reviews
		WHERE id IN (SELECT max(id) FROM reviews WHERE ?1 = '' OR case_name = ?1 GROUP BY case_name, slice) ORDER BY case_name, slice`, name)
	return collect(rows, err, "list reviews", func(scan scanner) (r Review, err error) {
		var at string
		err = scan(&r.Item.Case, &r.Item.Slice, &r.Version, &r.Person, &at, &r.Status, &r.Note)
		r.At = parseTime(at)
		return r, err
	})
}

// newestReview joins the newest review of each item to labels l, so that both are of one moment.
const (
	newestReview = `LEFT JOIN (SELECT id AS review, version AS reviewed, person AS reviewer, at AS reviewed_at, status, note FROM reviews) r
		ON r.review = (SELECT max(id) FROM reviews n WHERE n.case_name = l.case_name AND n.slice = l.slice) `
	newestColumns = `r.reviewed, r.reviewer, r.reviewed_at, r.status, r.note`
)

// newest is a row of newestColumns.
type newest struct {
	version                  sql.NullInt64
	person, at, status, note sql.NullString
}

func (n newest) of(item Item) *Review {
	if !n.version.Valid {
		return nil
	}
	return &Review{item, int(n.version.Int64), n.person.String, parseTime(n.at.String), n.status.String, n.note.String}
}

// Status returns what the newest review says of the label as it is; "" where there is none, or it is of another version.
func (l Labelled) Status() string {
	if l.Review == nil || l.Review.Version != l.Version.Version {
		return ""
	}
	return l.Review.Status
}

// Learnable returns the version that is the label of each item, but of those whose label a reviewer has rejected.
func (s *Store) Learnable(ctx context.Context) (map[Item]int, error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT l.case_name, l.slice, l.version FROM labels l `+newestReview+`WHERE r.status IS NOT 'rejected' OR r.reviewed <> l.version`)
	versions := map[Item]int{}
	_, err = collect(rows, err, "list labels", func(scan scanner) (_ struct{}, err error) {
		var item Item
		var version int
		err = scan(&item.Case, &item.Slice, &version)
		versions[item] = version
		return struct{}{}, err
	})
	return versions, err
}
