package dicom

import (
	"cmp"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/nextslice/nextslice/volume"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// samePlace is the distance in mm below which two planes are at one place.
const samePlace = 1e-3

// group sorts planes into series. Series whose grid is not sound are problems.
func group(all []slice) ([]*Series, []Problem) {
	stacks := map[string][]slice{}
	for _, s := range all {
		// Cosines to two digits: directions within one stack agree much better, stacks of a localiser differ more.
		key := fmt.Sprintf("%s %dx%d %v %.2f %.2f", s.text(tag.SeriesInstanceUID), s.columns, s.rows, s.placed, positive(s.right), positive(s.down))
		stacks[key] = append(stacks[key], s)
	}
	var out []*Series
	var problems []Problem
	for _, stack := range stacks {
		for _, part := range separate(stack) {
			s, err := newSeries(part)
			if err != nil {
				problems = append(problems, Problem{part[0].name, err.Error()})
				continue
			}
			out = append(out, s)
		}
	}
	// Maps have no order of their own: the result must not depend on theirs.
	slices.SortFunc(out, func(a, b *Series) int {
		return cmp.Or(-cmp.Compare(a.Len(), b.Len()), cmp.Compare(a.UID, b.UID), cmp.Compare(a.slices[0].name, b.slices[0].name),
			cmp.Compare(a.slices[0].frame, b.slices[0].frame))
	})
	slices.SortFunc(problems, func(a, b Problem) int { return cmp.Compare(a.File, b.File) })
	return out, problems
}

// positive replaces -0 by 0 after rounding to two digits, so that both print alike.
func positive(v [3]float64) [3]float64 {
	for i := range v {
		v[i] = math.Round(v[i]*100)/100 + 0
	}
	return v
}

// sortStack sorts planes along the normal of the first; planes without a place by instance number.
func sortStack(stack []slice) {
	normal := stack[0].normal() // one for all: cosines are rounded in the files, and 0.001 at 500 mm is half a slice
	for i := range stack {
		stack[i].at = dot(stack[i].position, normal)
	}
	slices.SortFunc(stack, func(a, b slice) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.instance, b.instance), cmp.Compare(a.name, b.name), cmp.Compare(a.frame, b.frame))
	})
}

// separate splits a stack in which several planes lie at one place: by the first trait that leaves no two of a part at one
// place, else into first, second ... of every place.
func separate(stack []slice) [][]slice {
	sortStack(stack)
	if !stack[0].placed || distinct(stack) {
		return [][]slice{stack}
	}
	for t := range traitTags {
		parts := map[string][]slice{}
		for _, s := range stack {
			parts[s.traits[t]] = append(parts[s.traits[t]], s)
		}
		if len(parts) < 2 {
			continue
		}
		out := make([][]slice, 0, len(parts))
		for _, p := range parts {
			if distinct(p) {
				out = append(out, p)
			}
		}
		if len(out) == len(parts) {
			return out
		}
	}
	var out [][]slice
	for i, n := 0, 0; i < len(stack); i++ {
		if i == 0 || stack[i].at-stack[i-1].at > samePlace {
			n = 0
		}
		if n == len(out) {
			out = append(out, nil)
		}
		out[n] = append(out[n], stack[i])
		n++
	}
	return out
}

// distinct reports whether no two planes of a sorted stack lie at one place.
func distinct(stack []slice) bool {
	for i := 1; i < len(stack); i++ {
		if stack[i].at-stack[i-1].at <= samePlace {
			return false
		}
	}
	return true
}

// newSeries makes a sorted stack a series.
func newSeries(stack []slice) (*Series, error) {
	s := &Series{slices: stack}
	if err := s.describe(); err != nil {
		return nil, err
	}
	s.Grid, s.Warnings = stackGrid(stack)
	if slices.ContainsFunc(stack, func(x slice) bool { return x.syntax == jpegBaseline }) {
		s.Warnings = append(s.Warnings, "the pixels were packed with lossy JPEG: grey values are not exactly those of the scanner")
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	return s, nil
}

// stackGrid returns the grid of a sorted stack: columns are i, rows j, slices k. Between its ends the slices are taken as evenly
// spaced; where they are not, warnings say so.
func stackGrid(stack []slice) (volume.Grid, []string) {
	first, last := stack[0], stack[len(stack)-1]
	g := volume.Grid{Size: [3]int{first.columns, first.rows, len(stack)}, Unit: volume.Millimetre}
	var warnings []string
	warn := func(format string, v ...any) { warnings = append(warnings, fmt.Sprintf(format, v...)) }
	if !first.placed {
		warn("the header gives no position: slices are in the order of their instance numbers")
		first.right, first.down = [3]float64{1, 0, 0}, [3]float64{0, 1, 0}
	}
	spacing := first.spacing
	if spacing[0] == 0 || !first.placed && len(stack) > 1 && first.thickness == 0 {
		warn("the header gives no spacing: distances are in voxels")
		g.Unit = volume.Voxel
		spacing = [2]float64{1, 1}
	}
	step := first.normal()
	switch {
	case g.Unit == volume.Voxel:
	case len(stack) > 1 && first.placed:
		for r := range 3 {
			step[r] = (last.position[r] - first.position[r]) / float64(len(stack)-1)
		}
		warnings = append(warnings, unevenness(stack, step)...)
	case first.thickness > 0:
		for r := range 3 {
			step[r] *= first.thickness
		}
	}
	for r := range 3 {
		g.Affine[r] = [4]float64{first.right[r] * spacing[1], first.down[r] * spacing[0], step[r], first.position[r]}
	}
	for r := range 2 { // LPS to RAS
		for c := range 4 {
			if g.Affine[r][c] != 0 {
				g.Affine[r][c] = -g.Affine[r][c]
			}
		}
	}
	return g, warnings
}

// unevenness compares the places of the slices with even steps.
func unevenness(stack []slice, step [3]float64) []string {
	var warnings []string
	gaps := make([]float64, len(stack)-1)
	for i := range gaps {
		gaps[i] = stack[i+1].at - stack[i].at
	}
	sorted := slices.Clone(gaps)
	slices.Sort(sorted)
	usual := sorted[len(sorted)/2]
	missing := 0
	for i, gap := range gaps {
		if n := int(math.Round(min(gap/usual, 1e6))) - 1; n >= 1 && math.Abs(gap-float64(n+1)*usual) < 0.2*usual {
			missing += n
			warnings = append(warnings, fmt.Sprintf("%d slices are missing between %s and %s", n, filepath.Base(stack[i].name), filepath.Base(stack[i+1].name)))
		}
	}
	worst := 0.0
	for i, s := range stack {
		var off [3]float64
		for r := range 3 {
			off[r] = s.position[r] - stack[0].position[r] - float64(i)*step[r]
		}
		worst = max(worst, norm(off))
	}
	if worst > 0.02*usual {
		warnings = append(warnings, fmt.Sprintf("slices are %.4g to %.4g mm apart and taken as evenly spaced: some lie up to %.3g mm from where the grid puts them",
			sorted[0], sorted[len(sorted)-1], worst))
	}
	for _, s := range stack {
		if s.spacing != stack[0].spacing {
			warnings = append(warnings, fmt.Sprintf("pixel spacing differs between slices: %v and %v mm; the first is used", stack[0].spacing, s.spacing))
			break
		}
	}
	normal := stack[0].normal()
	if tilt := dot(step, normal) / norm(step); tilt < 0.9995 { // 1.8 degrees
		warnings = append(warnings, fmt.Sprintf("the stack is sheared by %.1f degrees (gantry tilt): the affine says so, but some viewers ignore it", math.Acos(tilt)*180/math.Pi))
	}
	return warnings
}
