package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Label returns the mask of an item's label and its version number, or ErrNotFound.
func (s *Store) Label(ctx context.Context, item Item) (mask []uint8, number int, err error) {
	mask, err = s.mask(ctx, `SELECT v.mask, v.version FROM labels l JOIN versions v USING (case_name, slice, version)
		WHERE l.case_name = ? AND l.slice = ?`, []any{&number}, item.Case, item.Slice)
	return mask, number, err
}

// LabelVersion returns the number of the version that is an item's label, or ErrNotFound.
func (s *Store) LabelVersion(ctx context.Context, item Item) (number int, err error) {
	err = s.reads.QueryRowContext(ctx, `SELECT version FROM labels WHERE case_name = ? AND slice = ?`, item.Case, item.Slice).Scan(&number)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, ErrNotFound
	}
	if err != nil {
		return 0, fmt.Errorf("read label: %w", plain(err))
	}
	return number, nil
}

// LabelledSlices returns which slices of a case are labelled, in increasing order.
func (s *Store) LabelledSlices(ctx context.Context, name string) ([]int, error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT slice FROM labels WHERE case_name = ? ORDER BY slice`, name)
	return collect(rows, err, "list labelled slices", func(scan scanner) (slice int, err error) { return slice, scan(&slice) })
}

// LabelledItems returns which items are labelled, by case and slice.
func (s *Store) LabelledItems(ctx context.Context) ([]Item, error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT case_name, slice FROM labels ORDER BY case_name, slice`)
	return collect(rows, err, "list labelled items", func(scan scanner) (i Item, err error) { return i, scan(&i.Case, &i.Slice) })
}

// VersionMask returns the mask of one version, or ErrNotFound.
func (s *Store) VersionMask(ctx context.Context, item Item, number int) ([]uint8, error) {
	return s.mask(ctx, `SELECT mask FROM versions WHERE case_name = ? AND slice = ? AND version = ?`, nil, item.Case, item.Slice, number)
}

// Draft returns a person's unfinished mask, or ErrNotFound.
func (s *Store) Draft(ctx context.Context, item Item, person string) ([]uint8, error) {
	return s.mask(ctx, `SELECT mask FROM drafts WHERE case_name = ? AND slice = ? AND person = ?`, nil, item.Case, item.Slice, person)
}

// Proposal returns a model's mask of an item, or ErrNotFound.
func (s *Store) Proposal(ctx context.Context, item Item, model int) ([]uint8, error) {
	return s.mask(ctx, `SELECT mask FROM proposals WHERE case_name = ? AND slice = ? AND model = ?`, nil, item.Case, item.Slice, model)
}

// mask runs a query of one row that begins with a packed mask.
func (s *Store) mask(ctx context.Context, query string, more []any, args ...any) ([]uint8, error) {
	var blob []byte
	err := s.reads.QueryRowContext(ctx, query, args...).Scan(append([]any{&blob}, more...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read mask: %w", plain(err))
	}
	return unpack(blob)
}

// SaveDraft stores a person's unfinished mask, in place of the one before. An item that somebody else holds is
// ErrConflict.
func (s *Store) SaveDraft(ctx context.Context, item Item, person string, mask []uint8) error {
	return s.write(ctx, "save draft of "+item.String(), func(tx *sql.Tx) error {
		if err := s.free(tx, item, person); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO drafts (case_name, slice, person, at, mask) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (case_name, slice, person) DO UPDATE SET at = excluded.at, mask = excluded.mask`,
			item.Case, item.Slice, person, s.stamp(), pack(mask))
		return err
	})
}

// SaveProposals stores what a model proposes for items.
func (s *Store) SaveProposals(ctx context.Context, model int, masks map[Item][]uint8) error {
	return s.write(ctx, "save proposals", func(tx *sql.Tx) error {
		for item, mask := range masks {
			_, err := tx.Exec(`INSERT INTO proposals (case_name, slice, model, mask) VALUES (?, ?, ?, ?)
				ON CONFLICT DO NOTHING`, item.Case, item.Slice, model, pack(mask))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// PruneProposals deletes the proposals of other models than this one that no label started from and nobody works on.
func (s *Store) PruneProposals(ctx context.Context, model int) error {
	return s.write(ctx, "prune proposals", func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM proposals AS p WHERE model <> ?
			AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.case_name = p.case_name AND v.slice = p.slice AND v.proposal = p.model)
			AND NOT EXISTS (SELECT 1 FROM leases l WHERE l.case_name = p.case_name AND l.slice = p.slice)`, model)
		return err
	})
}

// Labelled is the label of one item.
type Labelled struct {
	Version
	ID   int64 // grows with every version of the project
	Role Role

	packed []byte
}

// Mask returns the voxels. They are unpacked here: a project may hold more labels than memory.
func (l Labelled) Mask() ([]uint8, error) { return unpack(l.packed) }

// Labels returns the labels of a case, or of all cases for "", by case and slice.
func (s *Store) Labels(ctx context.Context, name string) ([]Labelled, error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT `+versionColumns+`, v.mask, v.id, c.role FROM labels l
		JOIN versions v USING (case_name, slice, version) JOIN cases c ON c.name = v.case_name
		WHERE ? IN ('', v.case_name) ORDER BY v.case_name, v.slice`, name)
	return collect(rows, err, "read labels", func(scan scanner) (l Labelled, err error) {
		l.Version, err = scanVersion(scan, &l.packed, &l.ID, &l.Role)
		return l, err
	})
}

// Versions returns all versions of an item, oldest first; readings included.
func (s *Store) Versions(ctx context.Context, item Item) ([]Version, error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT `+versionColumns+` FROM versions WHERE case_name = ? AND slice = ? ORDER BY version`, item.Case, item.Slice)
	return collect(rows, err, "list versions", func(scan scanner) (Version, error) { return scanVersion(scan) })
}

// History returns all versions of the project, oldest first.
func (s *Store) History(ctx context.Context) ([]Version, error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT `+versionColumns+` FROM versions ORDER BY id`)
	return collect(rows, err, "list versions", func(scan scanner) (Version, error) { return scanVersion(scan) })
}
