package annotate

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/random"

	"github.com/nextslice/nextslice/annotate/store"
)

// registration brings a project's cases in line with the data folder.
type registration struct {
	config Config
	data   *dataset.Dataset
	store  *store.Store
	roles  map[string]store.Role // of all cases that ever were in the project
}

// register adds new cases with their masks, and returns the roles of all. Those that have gone stay in the project and are
// not asked for.
func register(ctx context.Context, c Config, data *dataset.Dataset, s *store.Store, warn func(string)) (map[string]store.Role, error) {
	known, err := s.Cases(ctx)
	if err != nil {
		return nil, err
	}
	r := registration{c, data, s, map[string]store.Role{}}
	before := map[string]store.Case{}
	for _, c := range known {
		before[c.Name] = c
		r.roles[c.Name] = c.Role
	}
	var added []int
	for i, c := range data.Cases {
		if !filepath.IsLocal(c.ID) || filepath.Base(c.ID) != c.ID {
			return nil, fmt.Errorf("case %q: its name cannot be that of a file: rename it", c.ID)
		}
		old, ok := before[c.ID]
		if !ok {
			added = append(added, i)
			continue
		}
		if now := r.caseOf(i, old.Role); now != old {
			return nil, fmt.Errorf("case %s had %d slices of %d x %d when it was added and has %d of %d x %d now: its labels would no longer fit; put the old image back, or rename the new one",
				c.ID, old.Slices, old.Height, old.Width, now.Slices, now.Height, now.Width)
		}
		delete(before, c.ID)
	}
	for _, c := range known {
		if _, gone := before[c.Name]; gone {
			warn("case " + c.Name + " has gone from the data folder: its labels are kept, its slices are not asked for")
		}
	}
	roles := r.chooseRoles(added)
	for part := range slices.Chunk(added, 50) { // each chunk is synced once
		var cases []store.Added
		for _, i := range part {
			masks, err := r.adopt(i, roles[i])
			if err != nil {
				return nil, err
			}
			cases = append(cases, store.Added{Case: r.caseOf(i, roles[i]), Masks: masks})
			r.roles[data.Cases[i].ID] = roles[i]
		}
		if err := s.AddCases(ctx, cases); err != nil {
			return nil, err
		}
	}
	return r.roles, ctx.Err()
}

func (r registration) caseOf(index int, role store.Role) store.Case {
	c, p := r.data.Cases[index], r.config.Preprocess
	h, w := p.SliceSize(c.Grid)
	return store.Case{Name: c.ID, Slices: p.Slices(c.Grid), Height: h, Width: w, Role: role}
}

// chooseRoles says which of the added cases are for validation: those that the configuration names, else a random
// share, drawn apart among cases with and without masks so that both kinds of labels are shared out. A project of one
// case has none.
func (r registration) chooseRoles(added []int) map[int]store.Role {
	roles := map[int]store.Role{}
	for _, i := range added {
		roles[i] = store.Training
	}
	if names := r.config.ValidationCases; len(names) > 0 {
		for _, name := range names {
			if i := r.data.Index(name); slices.Contains(added, i) {
				roles[i] = store.Validation
			}
		}
		return roles
	}
	rng := random.Stream(r.config.Seed, "validation", len(r.roles))
	have := 0
	for _, role := range r.roles {
		if role == store.Validation {
			have++
		}
	}
	total := len(r.roles) + len(added)
	want := int(r.config.ValidationShare*float64(total)+0.5) - have
	if want < 1 && have == 0 && total > 1 && r.config.ValidationShare > 0 {
		want = 1
	}
	var with, without []int
	for _, i := range added {
		if r.adopts(i, store.Training) {
			with = append(with, i)
		} else {
			without = append(without, i)
		}
	}
	for left, groups := want, [][]int{with, without}; len(groups) > 0; groups = groups[1:] {
		rest := 0
		for _, g := range groups {
			rest += len(g)
		}
		if left <= 0 || rest == 0 {
			break
		}
		n := min(left, (left*len(groups[0])+rest-1)/rest, len(groups[0]))
		for _, k := range rng.Perm(len(groups[0]))[:n] {
			roles[groups[0][k]] = store.Validation
		}
		left -= n
	}
	r.keepTogether(roles)
	return roles
}

// keepTogether gives the cases of a patient one role: that of the cases that are in the project, else that of the first
// of the added ones.
func (r registration) keepTogether(roles map[int]store.Role) {
	byPatient := map[string]store.Role{}
	for _, c := range r.data.Cases {
		if role, known := r.roles[c.ID]; known {
			byPatient[c.Patient()] = role
		}
	}
	for i, c := range r.data.Cases {
		if _, added := roles[i]; !added {
			continue
		}
		if _, known := byPatient[c.Patient()]; !known {
			byPatient[c.Patient()] = roles[i]
		}
		roles[i] = byPatient[c.Patient()]
	}
}

// adopts reports whether the mask of a case is taken over.
func (r registration) adopts(index int, role store.Role) bool {
	chosen := role == store.Validation && len(r.config.ValidationCases) > 0
	return r.data.Cases[index].Label != "" && (chosen || r.config.Masks != MasksIgnore)
}

// adopt returns the labelled slices of a case's mask.
func (r registration) adopt(index int, role store.Role) ([]store.Adopted, error) {
	if !r.adopts(index, role) {
		return nil, nil
	}
	mask, err := r.data.Reference(index)
	if err != nil {
		return nil, fmt.Errorf("take over the mask: %w", err)
	}
	var masks []store.Adopted
	for k := range r.config.Preprocess.Slices(mask.Grid) {
		slice := mask.Slice(r.config.Preprocess.Axis, k)
		if i := slices.IndexFunc(slice, func(v uint8) bool { return !r.config.isClass(v) }); i >= 0 {
			return nil, &ConfigError{fmt.Errorf("take over the mask: case %s has voxels of class %d, and the project has the classes %s alone: take its mask out of the data, or begin another project with --project, which names them all with --classes or leaves masks out with --masks ignore",
				r.data.Cases[index].ID, slice[i], strings.Join(r.config.names()[1:], ", "))}
		}
		if r.config.Masks == MasksForeground && !slices.ContainsFunc(slice, r.config.isForeground) || allUnsure(slice, r.config) {
			continue
		}
		masks = append(masks, store.Adopted{Slice: k, Mask: slice})
	}
	return masks, nil
}

// allUnsure reports whether a mask says nothing.
func allUnsure(mask []uint8, c Config) bool {
	return c.Unsure && !slices.ContainsFunc(mask, func(value uint8) bool { return value != Unsure })
}

func foreground(mask []uint8) bool {
	return slices.ContainsFunc(mask, func(class uint8) bool { return class != 0 })
}
