package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/nextslice/nextslice/annotate/fault"
)

// NextCase leases all items of one case that wait for a person, and returns their rows by slice: of the case with the most of them, of
// several with as many that which waits longest. The case after, which the person lays aside, comes last and is given back when
// there is another. What is disputed, and what others have begun to draw, is left out. ErrNotFound: nothing waits.
func (s *Store) NextCase(ctx context.Context, want Want, after string) (rows []QueueRow, err error) {
	err = s.write(ctx, "lease the next case", func(tx *sql.Tx) error {
		found, err := tx.Query(`SELECT ` + queueColumns + ` FROM ` + queueTables + ` WHERE q.state = 'waiting' ORDER BY q.id`)
		queue, err := collect(found, err, "read the queue", s.scanQueue)
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
		byCase, order := map[string][]QueueRow{}, []string{}
		for _, q := range queue {
			name := q.Item.Case
			if want.Refuse[name] || q.Lease != nil && q.Lease.Person != want.Person || q.readBy(want.Person) || drafted[q.Item] {
				continue
			}
			if byCase[name] == nil {
				order = append(order, name)
			}
			byCase[name] = append(byCase[name], q)
		}
		best := ""
		for _, name := range order {
			if name != after && (best == "" || len(byCase[name]) > len(byCase[best])) {
				best = name
			}
		}
		if best == "" {
			best = after
		} else if after != "" {
			if _, err := tx.Exec(`DELETE FROM leases WHERE person = ?1 AND case_name = ?2
				AND slice NOT IN (SELECT slice FROM drafts WHERE person = ?1 AND case_name = ?2)`, want.Person, after); err != nil {
				return err
			}
		}
		if rows = byCase[best]; len(rows) == 0 {
			return ErrNotFound
		}
		want.Most += len(rows)
		want.Lease = min(want.Lease*time.Duration(len(rows)), longestLease)
		numbers, shown := []string{}, []string{} // people count from 1
		for i := range rows {
			if err := s.lease(tx, &rows[i], want); err != nil {
				return err
			}
			numbers, shown = append(numbers, fmt.Sprint(rows[i].Item.Slice)), append(shown, fmt.Sprint(rows[i].Item.Slice+1))
		}
		return s.log(tx, Event{Person: want.Person, Event: "case leased", Item: &Item{best, -1}, Detail: "slices " + strings.Join(numbers, ", "),
			Said: []fault.Message{fault.Say(fault.OfSlices, "slices", strings.Join(shown, ", "))}})
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}
