package annotate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nextslice/nextslice/internal/contents"
	"github.com/nextslice/nextslice/volume"

	"github.com/nextslice/nextslice/annotate/store"
)

// finalFiles are the mask files of a project that is not served, and what the list beside them says of them. A slice of a file is a person's label only where the file is the one that the
// list speaks of. Of any other, such as one of before that a kill has left, or of another program, nobody knows whose a slice is, and an empty one may be none.
type finalFiles struct {
	s      *store.Store
	ledger *store.Ledger // nil: nothing is known of the files
	config Config
	usable bool // whether they are this project's, and it has a configuration
	cases  map[string]store.Case

	name string // of the case that was read last: a project may have more than memory holds
	last finalFile
}

// finalFile is the mask file of a case.
type finalFile struct {
	mask  *volume.Mask // nil: there is none that can be used
	known bool         // it is the one that the list speaks of
	fault error        // why one that is there cannot be used
}

// openFinal prepares for reading the mask files of a project; ours tells whether they are this project's.
func openFinal(ctx context.Context, s *store.Store, ledger *store.Ledger, ours bool) (*finalFiles, error) {
	f := &finalFiles{s: s, ledger: ledger, usable: ours, cases: map[string]store.Case{}}
	if _, err := s.Config(ctx, &f.config); errors.Is(err, ErrNotFound) {
		f.usable = false
	} else if err != nil {
		return nil, fmt.Errorf("the project's configuration cannot be read, put a copy of project.db back with nextslice project restore --from: %w", err)
	}
	cases, err := s.Cases(ctx)
	for _, c := range cases {
		f.cases[c.Name] = c
	}
	if ledger != nil && ours {
		for name, c := range ledger.Cases {
			f.cases[name] = c.Case
		}
	}
	return f, err
}

// file returns the file of a case. An error means that it could not be looked at.
func (f *finalFiles) file(name string) (finalFile, error) {
	if !f.usable || name == f.name {
		return f.last, nil
	}
	var one finalFile
	path := filepath.Join(f.s.Dir(), "labels", "final", name+".nii.gz")
	if f.ledger != nil {
		known, err := listed(f.s.Dir(), name, f.ledger.Cases[name])
		if err != nil {
			return one, err
		}
		if one.known = known != ""; one.known {
			path = known
		}
	}
	switch _, err := contents.Of(path); { // reads all of it: what fails after that is the file's own fault
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return one, err
	default:
		if one.mask, one.fault = volume.ReadMask(path); one.fault == nil {
			one.fault = f.config.checkFinal(name, one.mask, f.cases[name])
		}
		if one.fault != nil {
			one.mask, one.known = nil, false
		}
	}
	f.name, f.last = name, one
	return one, nil
}

// listed returns the path of the file that the list speaks of: that in labels/final, or where a kill came before it got its name, that in labels/.new; "" where there is neither.
func listed(dir, name string, c store.LedgerCase) (string, error) {
	for _, folder := range []string{"final", ".new"} {
		path := filepath.Join(dir, "labels", folder, name+".nii.gz")
		seen, err := contents.Of(path)
		if err == nil && seen.SHA256 == c.Final.SHA256 {
			return path, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return "", nil
}

// lists reports whether the list has a version of a slice.
func lists(c store.LedgerCase, slice, version int) bool {
	return slices.ContainsFunc(c.Labels, func(l store.LedgerLabel) bool { return l.Slice == slice && l.Version == version })
}

// slice returns an item's mask in its file, nil where there is none, and whether it is surely this version of the label. One that is not is nil where nothing is drawn on it.
func (f *finalFiles) slice(item Item, version int) (mask []uint8, sure bool, err error) {
	one, err := f.file(item.Case)
	if err != nil || one.mask == nil || item.Slice >= f.config.Preprocess.Slices(one.mask.Grid) {
		return nil, false, err
	}
	mask = one.mask.Slice(f.config.Preprocess.Axis, item.Slice)
	sure = one.known && lists(f.ledger.Cases[item.Case], item.Slice, version)
	if !sure && !foreground(mask) {
		return nil, false, nil
	}
	return mask, sure, nil
}

// merge makes those slices of the files labels that the database lacks or has older versions of, and returns how many, and what is to be told: which of them are nobody's, and which labels
// are lost.
func (f *finalFiles) merge(ctx context.Context) (n int, tell []string, err error) {
	cases, err := f.s.Cases(ctx)
	if err != nil {
		return 0, nil, err
	}
	labels, err := f.s.LabelList(ctx, "")
	if err != nil {
		return 0, nil, err
	}
	have := map[Item]store.Labelled{}
	for _, label := range labels {
		have[label.Item] = label
	}
	var nobodys, lost []Item
	var stale []string
	for _, name := range slices.Sorted(maps.Keys(f.ledger.Cases)) {
		c := f.ledger.Cases[name]
		c.Case.Name = name
		if !slices.ContainsFunc(cases, func(known store.Case) bool { return known.Name == name }) {
			if err := f.s.AddCase(ctx, c.Case, nil); err != nil {
				return n, nil, err
			}
		}
		before := len(nobodys) + len(lost)
		inList := map[int]bool{}
		var masks []store.Recovered
		for _, label := range c.Labels {
			item := Item{Case: name, Slice: label.Slice}
			inList[label.Slice] = true
			there := have[item]
			if there.Version.Version >= label.Version {
				continue
			}
			mask, sure, err := f.slice(item, label.Version)
			if err != nil {
				return n, nil, err
			}
			same := false // as in the database already
			if mask != nil && there.Version.Version > 0 {
				now, _, err := f.s.Label(ctx, item)
				if err != nil && !errors.Is(err, ErrDamaged) {
					return n, nil, err
				}
				same = err == nil && slices.Equal(now, mask)
			}
			switch {
			case mask == nil, !sure && same:
				lost = append(lost, item)
			case !sure:
				nobodys = append(nobodys, item)
				masks = append(masks, store.Recovered{Item: item, Action: store.ActionRecovered, Mask: mask})
			case !same || there.Person != label.Person: // else an earlier restore has put it in
				masks = append(masks, store.Recovered{Item: item, Person: label.Person, At: label.At, Action: store.ActionRecovered, Mask: mask, Review: label.Review})
			}
		}
		for k := range c.Slices { // not in the list: it is labelled if anything is drawn on it
			item := Item{Case: name, Slice: k}
			if inList[k] || have[item].Version.Version > 0 {
				continue
			}
			mask, _, err := f.slice(item, 0)
			if err != nil {
				return n, nil, err
			}
			if mask != nil {
				nobodys = append(nobodys, item)
				masks = append(masks, store.Recovered{Item: item, Action: store.ActionRecovered, Mask: mask})
			}
		}
		if err := f.s.Recover(ctx, "restore", masks); err != nil {
			return n, nil, err
		}
		n += len(masks)
		if len(nobodys)+len(lost) > before {
			stale = append(stale, name)
			if f.last.fault != nil {
				tell = append(tell, fmt.Sprintf("labels/final/%s.nii.gz cannot be used: %v", name, f.last.fault))
			}
		}
	}
	if len(nobodys) > 0 {
		tell = append(tell, fmt.Sprintf("%d of them are from files that are not the ones that were written last, and have no name: look at %s", len(nobodys), some(nobodys)))
	}
	if len(lost) > 0 {
		tell = append(tell, fmt.Sprintf("%d labels are lost, which labels/final should hold and does not: %s. Where project.db has an earlier version, that is the label now: look at it",
			len(lost), some(lost)))
	}
	if len(stale) > 0 {
		err = f.s.Rewrite(ctx, stale...)
	}
	return n, tell, err
}

// some names the first of many items.
func some(items []Item) string {
	const most = 20
	var names []string
	for _, item := range items[:min(most, len(items))] {
		names = append(names, item.String())
	}
	text := strings.Join(names, ", ")
	if n := len(items) - most; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// fillLedger brings the list in line with a database that has by now what the files hold. A label that a file does not hold yet is not in it; where the file has an earlier version, that stays
// in the list.
func (f *finalFiles) fillLedger(ctx context.Context) error {
	l := f.ledger
	for name, c := range l.Cases {
		labels, err := f.s.Labels(ctx, name)
		if err != nil {
			return err
		}
		var held []store.LedgerLabel
		for _, label := range labels {
			mask, err := label.Mask()
			if err != nil {
				continue
			}
			one, err := f.file(name)
			if err != nil {
				return err
			}
			k := label.Item.Slice
			if one.mask == nil || k >= f.config.Preprocess.Slices(one.mask.Grid) {
				continue
			}
			before := slices.IndexFunc(c.Labels, func(l store.LedgerLabel) bool { return l.Slice == k })
			if slices.Equal(one.mask.Slice(f.config.Preprocess.Axis, k), mask) {
				held = append(held, label.Entry())
			} else if one.known && before >= 0 && c.Labels[before].Version < label.Version.Version {
				held = append(held, c.Labels[before])
			}
		}
		c.Labels = held
		l.Cases[name] = c
	}
	newest, err := f.s.NewestID(ctx)
	if err != nil {
		return err
	}
	l.Newest = newest
	if err := f.s.FillLedger(l); err != nil {
		return err
	}
	return l.Write(f.s.Dir())
}

// checkFinal refuses a mask file that cannot hold labels of its case: one of another size, or with values that are no classes.
func (c Config) checkFinal(name string, m *volume.Mask, of store.Case) error {
	h, w := c.Preprocess.SliceSize(m.Grid)
	if c.Preprocess.Slices(m.Grid) != of.Slices || h != of.Height || w != of.Width {
		return fmt.Errorf("labels/final/%s.nii.gz has another size than the case", name)
	}
	for i, v := range m.Data {
		if !c.isClass(v) {
			return fmt.Errorf("labels/final/%s.nii.gz: voxel %d has the value %d, which is no class of the project", name, i, v)
		}
	}
	return nil
}

// TakeOver makes what another program has changed in labels/final labels of a project that nobody serves: new versions of the slices that
// differ. It returns how many.
func TakeOver(ctx context.Context, dir string, names []string, now func() time.Time) (n int, err error) {
	if !store.Exists(dir) {
		return 0, fmt.Errorf("%s holds no project", dir)
	}
	s, err := store.Open(ctx, dir, now)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	ledger, err := store.ReadLedger(dir)
	if err != nil {
		return 0, err
	}
	if ledger == nil {
		return 0, fmt.Errorf("%s: labels/final is not written yet, or was by an older nextslice: serve the project once", dir)
	}
	var config Config
	if err := json.Unmarshal(ledger.Config, &config); err != nil {
		return 0, err
	}
	for _, name := range names {
		c, ok := ledger.Cases[name]
		if !ok {
			return n, fmt.Errorf("labels/final holds no case %q", name)
		}
		path := filepath.Join(dir, "labels", "final", name+".nii.gz")
		if _, changed, err := c.Now(path); err != nil {
			return n, err
		} else if !changed {
			continue // it is as it was written, by now or until now, and what was saved since then is newer
		}
		masks, err := outside(ctx, s, config, c, name)
		if err != nil {
			return n, err
		}
		if err := s.Recover(ctx, "taken over", masks); err != nil {
			return n, err
		}
		n += len(masks)
		if c.Final, err = contents.Of(path); err != nil {
			return n, err
		}
		ledger.Cases[name] = c
		if err := ledger.Write(dir); err != nil {
			return n, err
		}
	}
	return n, nil
}

// outside returns the slices of a mask file that differ from the labels.
func outside(ctx context.Context, s *store.Store, config Config, c store.LedgerCase, name string) (masks []store.Recovered, err error) {
	m, err := volume.ReadMask(filepath.Join(s.Dir(), "labels", "final", name+".nii.gz"))
	if err != nil {
		return nil, err
	}
	if err := config.checkFinal(name, m, c.Case); err != nil {
		return nil, err
	}
	for k := range c.Slices {
		item := Item{Case: name, Slice: k}
		slice := m.Slice(config.Preprocess.Axis, k)
		label, _, err := s.Label(ctx, item)
		switch {
		case errors.Is(err, ErrNotFound) && !foreground(slice), err == nil && slices.Equal(label, slice):
			continue
		case err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrDamaged):
			return nil, err
		}
		if state, err := s.State(item); err != nil {
			return nil, err
		} else if state.Row != nil && state.Row.Readings > 1 {
			return nil, fmt.Errorf("%s is being read by two people: decide that first", item)
		}
		masks = append(masks, store.Recovered{Item: item, Action: store.ActionOutside, Mask: slice})
	}
	return masks, nil
}
