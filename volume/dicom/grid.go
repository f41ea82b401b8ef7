package dicom

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/nextslice/nextslice/volume"
)

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
