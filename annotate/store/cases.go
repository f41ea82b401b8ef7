package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/nextslice/nextslice/internal/contents"

	"github.com/nextslice/nextslice/annotate/fault"
)

// Role says what the labels of a case are for.
type Role string

const (
	Training   Role = "training"
	Validation Role = "validation" // never trained on
)

// Case is a case as the project knows it.
type Case struct {
	Name   string `json:"-"`
	Slices int    `json:"slices"`
	Height int    `json:"height"`
	Width  int    `json:"width"`
	Role   Role   `json:"role"`
}

// Cases returns all cases that ever belonged to the project, by name.
func (s *Store) Cases(ctx context.Context) ([]Case, error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT name, slices, height, width, role FROM cases ORDER BY name`)
	return collect(rows, err, "list cases", func(scan scanner) (c Case, err error) {
		return c, scan(&c.Name, &c.Slices, &c.Height, &c.Width, &c.Role)
	})
}

// Adopted is a mask of a slice that was there before the project.
type Adopted struct {
	Slice int
	Mask  []uint8
}

// Added is a case with the masks that it comes with.
type Added struct {
	Case
	Masks []Adopted
}

// AddCase adds a case with the masks that it comes with, all or nothing.
func (s *Store) AddCase(ctx context.Context, c Case, masks []Adopted) error {
	return s.AddCases(ctx, []Added{{c, masks}})
}

// AddCases adds cases, all or nothing.
func (s *Store) AddCases(ctx context.Context, cases []Added) error {
	return s.write(ctx, "add cases", func(tx *sql.Tx) error {
		for _, c := range cases {
			if err := s.addCase(tx, c.Case, c.Masks); err != nil {
				return fmt.Errorf("%s: %w", c.Name, err)
			}
		}
		return nil
	})
}

func (s *Store) addCase(tx *sql.Tx, c Case, masks []Adopted) error {
	if _, err := tx.Exec(`INSERT INTO cases (name, slices, height, width, role) VALUES (?, ?, ?, ?, ?)`,
		c.Name, c.Slices, c.Height, c.Width, c.Role); err != nil {
		return err
	}
	for _, m := range masks {
		v := version{Version: Version{Item: Item{c.Name, m.Slice}, Action: ActionAdopted}, mask: m.Mask}
		if err := s.insert(tx, &v); err != nil {
			return err
		}
		if err := s.setLabel(tx, v); err != nil {
			return err
		}
	}
	detail := fmt.Sprintf("%d slices, %s", c.Slices, c.Role)
	said := []fault.Message{fault.Say(fault.OfCase, "n", c.Slices, "use", string(c.Role))}
	if len(masks) > 0 {
		detail += fmt.Sprintf(", %d masks taken over", len(masks))
		said = append(said, fault.Say(fault.OfMasks, "n", len(masks)))
	}
	return s.log(tx, Event{Event: "case added", Item: &Item{c.Name, -1}, Detail: detail, Said: said})
}

// Stale returns the cases whose mask files do not hold the newest labels.
func (s *Store) Stale(ctx context.Context) ([]string, error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT c.name FROM cases c WHERE c.written <
		(SELECT coalesce(max(v.id), 0) FROM labels l JOIN versions v USING (case_name, slice, version) WHERE l.case_name = c.name)
		ORDER BY c.name`)
	return collect(rows, err, "list changed cases", func(scan scanner) (name string, err error) {
		return name, scan(&name)
	})
}

// Written notes that the mask files of cases hold all labels up to the versions with these IDs.
func (s *Store) Written(ctx context.Context, ids map[string]int64) error {
	return s.write(ctx, "note written masks", func(tx *sql.Tx) error {
		for name, id := range ids {
			if _, err := tx.Exec(`UPDATE cases SET written = max(written, ?) WHERE name = ?`, id, name); err != nil {
				return err
			}
		}
		return nil
	})
}

// Rewrite notes that the mask files of cases are to be written again, of all of them without names.
func (s *Store) Rewrite(ctx context.Context, names ...string) error {
	return s.write(ctx, "note lost masks", func(tx *sql.Tx) error {
		if len(names) == 0 {
			_, err := tx.Exec(`UPDATE cases SET written = 0`)
			return err
		}
		for _, name := range names {
			if _, err := tx.Exec(`UPDATE cases SET written = 0 WHERE name = ?`, name); err != nil {
				return err
			}
		}
		return nil
	})
}

// Seen returns what is noted of the contents of the data's files, by case and path. What a path is, its callers know.
func (s *Store) Seen(ctx context.Context) (map[string]map[string]contents.Seen, error) {
	type row struct {
		name, path string
		seen       contents.Seen
	}
	rows, err := s.reads.QueryContext(ctx, `SELECT case_name, path, seen FROM contents`)
	list, err := collect(rows, err, "read contents", func(scan scanner) (r row, err error) {
		var text string
		if err := scan(&r.name, &r.path, &text); err != nil {
			return r, err
		}
		return r, json.Unmarshal([]byte(text), &r.seen)
	})
	all := map[string]map[string]contents.Seen{}
	for _, r := range list {
		if all[r.name] == nil {
			all[r.name] = map[string]contents.Seen{}
		}
		all[r.name][r.path] = r.seen
	}
	return all, err
}

// NoteSeen stores what Seen returns of one case.
func (s *Store) NoteSeen(ctx context.Context, name string, files map[string]contents.Seen) error {
	return s.write(ctx, "note contents", func(tx *sql.Tx) error {
		for path, seen := range files {
			text, err := json.Marshal(seen)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(`INSERT OR REPLACE INTO contents (case_name, path, seen) VALUES (?, ?, ?)`, name, path, string(text)); err != nil {
				return err
			}
		}
		return nil
	})
}

// ForgetContents makes the data's files, as they are when they are next seen, the right ones.
func (s *Store) ForgetContents(ctx context.Context) error {
	return s.write(ctx, "forget contents", func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM contents`)
		return err
	})
}

// NewestID returns the ID of the newest version, 0 for none.
func (s *Store) NewestID(ctx context.Context) (id int64, err error) {
	err = s.reads.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) FROM versions`).Scan(&id)
	return id, err
}

type scanner func(dest ...any) error

// collect reads all rows of a query.
func collect[T any](rows *sql.Rows, err error, what string, read func(scanner) (T, error)) ([]T, error) {
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, plain(err))
	}
	defer rows.Close()
	list := []T{}
	for rows.Next() {
		one, err := read(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, plain(err))
		}
		list = append(list, one)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", what, plain(err))
	}
	return list, nil
}
