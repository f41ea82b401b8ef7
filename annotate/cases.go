package annotate

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/random"

	"github.com/nextslice/nextslice/annotate/store"
)

// addCases brings the project's cases in line with the data folder: new ones are added with their masks, those that
// have gone stay in the project and are not asked for.
func (p *Project) addCases(ctx context.Context, data *dataset.Dataset) error {
	known, err := p.store.Cases(ctx)
	if err != nil {
		return err
	}
	p.roles, p.index = map[string]store.Role{}, map[string]int{}
	before := map[string]store.Case{}
	for _, c := range known {
		before[c.Name] = c
		p.roles[c.Name] = c.Role
	}
	var added []int
	for i, c := range data.Cases {
		if !filepath.IsLocal(c.ID) || filepath.Base(c.ID) != c.ID {
			return fmt.Errorf("case %q: its name cannot be that of a file: rename it", c.ID)
		}
		p.index[c.ID] = i
		h, w := p.Config.Preprocess.SliceSize(c.Grid)
		now := store.Case{Name: c.ID, Slices: p.Config.Preprocess.Slices(c.Grid), Height: h, Width: w}
		old, ok := before[c.ID]
		if !ok {
			added = append(added, i)
			continue
		}
		now.Role = old.Role
		if now != old {
			return fmt.Errorf("case %s had %d slices of %d x %d when it was added and has %d of %d x %d now: its labels would lie wrong; put the old image back, or rename the new one",
				c.ID, old.Slices, old.Height, old.Width, now.Slices, now.Height, now.Width)
		}
		delete(before, c.ID)
	}
	for _, c := range known {
		if _, gone := before[c.Name]; gone {
			p.log.Warn("case " + c.Name + " has gone from the data folder: its labels are kept, its slices are not asked for")
		}
	}
	roles := p.chooseRoles(data, added)
	for _, i := range added {
		c := data.Cases[i]
		masks, err := p.adopt(data, i, roles[i])
		if err != nil {
			return err
		}
		h, w := p.Config.Preprocess.SliceSize(c.Grid)
		one := store.Case{Name: c.ID, Slices: p.Config.Preprocess.Slices(c.Grid), Height: h, Width: w, Role: roles[i]}
		if err := p.store.AddCase(ctx, one, masks); err != nil {
			return err
		}
		p.roles[c.ID] = roles[i]
	}
	return nil
}

// chooseRoles says which of the added cases are for validation: those that the configuration names, else a random
// share, drawn apart among cases with and without masks so that both kinds of labels are shared out. A project of one
// case has none.
func (p *Project) chooseRoles(data *dataset.Dataset, added []int) map[int]store.Role {
	roles := map[int]store.Role{}
	for _, i := range added {
		roles[i] = store.Training
	}
	if names := p.Config.ValidationCases; len(names) > 0 {
		for _, name := range names {
			if i := data.Index(name); slices.Contains(added, i) {
				roles[i] = store.Validation
			}
		}
		return roles
	}
	rng := random.Stream(p.Config.Seed, "validation", len(p.roles))
	have := 0
	for _, role := range p.roles {
		if role == store.Validation {
			have++
		}
	}
	total := len(p.roles) + len(added)
	want := int(p.Config.ValidationShare*float64(total)+0.5) - have
	if want < 1 && have == 0 && total > 1 && p.Config.ValidationShare > 0 {
		want = 1
	}
	var with, without []int
	for _, i := range added {
		if p.adopts(data, i, store.Training) {
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
	p.keepTogether(data, roles)
	return roles
}

// keepTogether gives the cases of a patient one role: that of the cases that are in the project, else that of the first
// of the added ones.
func (p *Project) keepTogether(data *dataset.Dataset, roles map[int]store.Role) {
	of := map[string]store.Role{}
	for _, c := range data.Cases {
		if role, known := p.roles[c.ID]; known {
			of[c.Patient()] = role
		}
	}
	for i, c := range data.Cases {
		if _, added := roles[i]; !added {
			continue
		}
		if _, known := of[c.Patient()]; !known {
			of[c.Patient()] = roles[i]
		}
		roles[i] = of[c.Patient()]
	}
}

// adopts reports whether the mask of a case is taken over.
func (p *Project) adopts(data *dataset.Dataset, index int, role store.Role) bool {
	chosen := role == store.Validation && len(p.Config.ValidationCases) > 0
	return data.Cases[index].Label != "" && (chosen || p.Config.Masks != MasksIgnore)
}

// adopt returns the labelled slices of a case's mask.
func (p *Project) adopt(data *dataset.Dataset, index int, role store.Role) ([]store.Adopted, error) {
	if !p.adopts(data, index, role) {
		return nil, nil
	}
	mask, err := data.Reference(index)
	if err != nil {
		return nil, fmt.Errorf("take over the mask: %w", err)
	}
	var masks []store.Adopted
	for k := range p.Config.Preprocess.Slices(mask.Grid) {
		slice := mask.Slice(p.Config.Preprocess.Axis, k)
		if p.Config.Masks == MasksForeground && !foreground(slice) {
			continue
		}
		masks = append(masks, store.Adopted{Slice: k, Mask: slice})
	}
	return masks, nil
}

func foreground(mask []uint8) bool {
	return slices.ContainsFunc(mask, func(class uint8) bool { return class != 0 })
}
