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

// AddReview stores a review. An item that is returned waits in the queue again; one that gets another status waits no longer for a correction.
// ErrConflict: the item has no label, or another one by now.
func (s *Store) AddReview(ctx context.Context, r Review, allow Allow) error {
	return s.write(ctx, "review", func(tx *sql.Tx) error { return s.addReview(tx, r, allow) })
}

// AddReviews stores reviews, each as AddReview does, of those labels that are still the version that the reviewer saw and wait for a review, and of those that
// are to be discussed where settles says so, all or nothing; it returns how many. What somebody has saved since, and what has a review as
// it is, stays as it is. allow decides about each that is reviewed.
func (s *Store) AddReviews(ctx context.Context, reviews []Review, settles bool, allow func(Item) Allow) (n int, err error) {
	err = s.write(ctx, "review", func(tx *sql.Tx) error {
		for _, r := range reviews {
			var waits bool
			err := tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM labels l `+newestReview+`WHERE l.case_name = ?1 AND l.slice = ?2 AND l.version = ?3
				AND (r.status IS NULL OR r.reviewed <> l.version OR ?4 AND r.status = 'discuss'))`, r.Item.Case, r.Item.Slice, r.Version, settles).Scan(&waits)
			if err != nil {
				return err
			}
			if !waits {
				continue
			}
			if err := s.addReview(tx, r, allow(r.Item)); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

func (s *Store) addReview(tx *sql.Tx, r Review, allow Allow) error {
	if err := allow.check(s, tx, r.Item); err != nil {
		return err
	}
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
