package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// Label returns the mask of an item's label and its version number, ErrNotFound, or ErrDamaged.
func (s *Store) Label(ctx context.Context, item Item) (mask []uint8, number int, err error) {
	v, mask, err := s.version(ctx, `labels l JOIN versions v USING (case_name, slice, version) WHERE l.case_name = ? AND l.slice = ?`, item.Case, item.Slice)
	return mask, v.Version, err
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

// LabelledItems returns which items are labelled, by case and slice. Callers must not write to the list: it is kept in memory, for it is
// asked for after every save.
func (s *Store) LabelledItems(ctx context.Context) ([]Item, error) {
	s.listed.Lock()
	defer s.listed.Unlock()
	if s.labelled != nil {
		return s.labelled, nil
	}
	rows, err := s.reads.QueryContext(ctx, `SELECT case_name, slice FROM labels ORDER BY case_name, slice`)
	list, err := collect(rows, err, "list labelled items", func(scan scanner) (i Item, err error) { return i, scan(&i.Case, &i.Slice) })
	if err == nil {
		s.labelled = list
	}
	return list, err
}

// addLabelled completes the list of LabelledItems after a commit.
func (s *Store) addLabelled(items []Item) {
	s.listed.Lock()
	defer s.listed.Unlock()
	if s.labelled == nil {
		return
	}
	for _, item := range items {
		at, there := slices.BinarySearchFunc(s.labelled, item, func(a, b Item) int {
			return cmp.Or(cmp.Compare(a.Case, b.Case), cmp.Compare(a.Slice, b.Slice))
		})
		if !there {
			s.labelled = slices.Insert(slices.Clone(s.labelled), at, item)
		}
	}
}

// VersionMask returns the mask of one version, ErrNotFound, or ErrDamaged.
func (s *Store) VersionMask(ctx context.Context, item Item, number int) ([]uint8, error) {
	_, mask, err := s.version(ctx, `versions v WHERE case_name = ? AND slice = ? AND version = ?`, item.Case, item.Slice, number)
	return mask, err
}

// version reads one version with its mask; from is what stands behind FROM.
func (s *Store) version(ctx context.Context, from string, args ...any) (v Version, mask []uint8, err error) {
	var blob, digest []byte
	v, err = scanVersion(s.reads.QueryRowContext(ctx, `SELECT `+versionColumns+`, v.mask, v.digest FROM `+from, args...).Scan, &blob, &digest)
	if errors.Is(err, sql.ErrNoRows) {
		return v, nil, ErrNotFound
	}
	if err != nil {
		return v, nil, fmt.Errorf("read mask: %w", plain(err))
	}
	mask, err = v.open(blob, digest)
	return v, mask, err
}

// Draft returns a person's unfinished mask, or ErrNotFound, as for one that is damaged.
func (s *Store) Draft(ctx context.Context, item Item, person string) ([]uint8, error) {
	return s.mask(ctx, `SELECT mask FROM drafts WHERE case_name = ? AND slice = ? AND person = ?`, item.Case, item.Slice, person)
}

// Proposal returns a model's mask of an item, or ErrNotFound, as for one that is damaged: it can be computed again.
func (s *Store) Proposal(ctx context.Context, item Item, model int) ([]uint8, error) {
	return s.mask(ctx, `SELECT mask FROM proposals WHERE case_name = ? AND slice = ? AND model = ?`, item.Case, item.Slice, model)
}

// mask runs a query of one packed mask.
func (s *Store) mask(ctx context.Context, query string, args ...any) ([]uint8, error) {
	var blob []byte
	err := s.reads.QueryRowContext(ctx, query, args...).Scan(&blob)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read mask: %w", plain(err))
	}
	mask, err := unpack(blob)
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrNotFound, err)
	}
	return mask, nil
}

// SaveDraft stores a person's unfinished mask, in place of the one before. base is the newest version of the label that the person knows, 0
// for none: it is the Base of the save that the draft ends in. An item that somebody else holds is ErrConflict.
func (s *Store) SaveDraft(ctx context.Context, item Item, person string, mask []uint8, base int) error {
	return s.write(ctx, "save draft of "+item.String(), func(tx *sql.Tx) error {
		if err := s.free(tx, item, person); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO drafts (case_name, slice, person, at, mask, base) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (case_name, slice, person) DO UPDATE SET at = excluded.at, mask = excluded.mask, base = excluded.base`,
			item.Case, item.Slice, person, s.stamp(), pack(mask), base)
		return err
	})
}

// SaveProposals stores what a model proposes for items.
func (s *Store) SaveProposals(ctx context.Context, model int, masks map[Item][]uint8) error {
	return s.write(ctx, "save proposals", func(tx *sql.Tx) error {
		for item, mask := range masks {
			_, err := tx.Exec(`INSERT INTO proposals (case_name, slice, model, mask) VALUES (?, ?, ?, ?)
				ON CONFLICT (case_name, slice, model) DO UPDATE SET mask = excluded.mask`, item.Case, item.Slice, model, pack(mask))
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
	ID     int64 // grows with every version of the project
	Role   Role
	Review *Review // the newest of the item, read at the same moment; nil without

	packed, digest []byte
}

// Mask returns the voxels of a label of Labels, or ErrDamaged. They are unpacked here: a project may hold more labels than memory.
func (l Labelled) Mask() ([]uint8, error) { return l.open(l.packed, l.digest) }

// Labels returns the labels of a case, or of all cases for "", by case and slice.
func (s *Store) Labels(ctx context.Context, name string) ([]Labelled, error) {
	return s.labels(ctx, name, `v.mask, v.digest`)
}

// LabelList is Labels without the masks.
func (s *Store) LabelList(ctx context.Context, name string) ([]Labelled, error) {
	return s.labels(ctx, name, `NULL, NULL`)
}

// WithMasks returns labels of LabelList with their masks: those of the versions that the list names, whatever is the label by now.
func (s *Store) WithMasks(ctx context.Context, list []Labelled) ([]Labelled, error) {
	list = slices.Clone(list)
	for i, l := range list {
		if err := s.reads.QueryRowContext(ctx, `SELECT mask, digest FROM versions WHERE id = ?`, l.ID).Scan(&list[i].packed, &list[i].digest); err != nil {
			return nil, fmt.Errorf("read labels: %w", plain(err))
		}
	}
	return list, nil
}

func (s *Store) labels(ctx context.Context, name, masks string) ([]Labelled, error) {
	where, args := ``, []any{}
	if name != "" {
		where, args = `WHERE l.case_name = ? `, []any{name}
	}
	rows, err := s.reads.QueryContext(ctx, `SELECT `+versionColumns+`, `+masks+`, v.id, c.role, `+newestColumns+` FROM labels l
		JOIN versions v USING (case_name, slice, version) JOIN cases c ON c.name = l.case_name `+newestReview+where+`ORDER BY l.case_name, l.slice`, args...)
	return collect(rows, err, "read labels", func(scan scanner) (l Labelled, err error) {
		var r newest
		l.Version, err = scanVersion(scan, &l.packed, &l.digest, &l.ID, &l.Role, &r.version, &r.person, &r.at, &r.status, &r.note)
		l.Review = r.of(l.Item)
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
