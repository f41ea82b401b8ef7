package dicom

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/nextslice/nextslice/volume"
)

// maxOver bounds the voxels by which ReadContoursOn enlarges a grid.
var maxOver = 1 << 26

// ReadContoursOn is ReadContours for contours whose series is not at hand: they are filled on the voxels of a grid in mm, such as that of a
// mask in another format. The slices are those of the index axis that the contours lie across, whichever that is. Where whole is true
// the grid is enlarged by as many voxels as it takes to hold all contours, as a cropped mask needs; else what lies outside is left out, and a
// warning says so. The axes of the result are those of g in another order and direction: volume.Segmentation.On brings them to it.
//
// Contours are taken as drawn on these slices where all their planes are at slices and either two are at neighbouring ones, or the set
// names as many images as there are slices. Else they are joined in space, which a warning says.
func ReadContoursOn(path string, g volume.Grid, whole bool) (*volume.Segmentation, []string, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", path, err)
	}
	s, warnings, err := f.contoursOn(g, whole)
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", path, err)
	}
	return s, warnings, nil
}

func (f *file) contoursOn(g volume.Grid, whole bool) (*volume.Segmentation, []string, error) {
	if g.Unit != volume.Millimetre {
		return nil, nil, errors.New("contours in millimetres cannot be placed on voxels without position and spacing")
	}
	on, err := f.gridSeries(g, whole, 0)
	if err != nil {
		return nil, nil, err
	}
	here := f.atSlices(on)
	if !here && whole { // joined contours reach further than themselves
		if on, err = f.gridSeries(g, whole, maxSlab/2); err != nil {
			return nil, nil, err
		}
	}
	s, warnings, err := f.fillContours(on, here)
	if err == nil && !here {
		warnings = append([]string{"the contours were drawn on other slices than these: they are joined in space"}, warnings...)
	}
	return s, warnings, err
}

// closedContours returns the points of all closed contours, LPS mm.
func (f *file) closedContours() (all [][][3]float64) {
	for _, drawn := range f.items(tag.ROIContourSequence) {
		for _, m := range drawn.items(tag.ContourSequence) {
			kind, data := m.text(tag.ContourGeometricType), m.reals(tag.ContourData)
			if kind != "CLOSED_PLANAR" && kind != "CLOSEDPLANAR_XOR" || len(data) < 9 || len(data)%3 != 0 {
				continue // whoever fills them says so
			}
			points := make([][3]float64, len(data)/3)
			for p := range points {
				points[p] = [3]float64(data[3*p : 3*p+3])
			}
			all = append(all, points)
		}
	}
	return all
}

// gridSeries returns the slices of a grid as a series without headers, across the index axis that most of the contours' area is across. Where
// whole is true they hold all contours, and slices up to beyond mm further.
func (f *file) gridSeries(g volume.Grid, whole bool, beyond float64) (*Series, error) {
	column := func(c int) [3]float64 { return [3]float64{-g.Affine[0][c], -g.Affine[1][c], g.Affine[2][c]} } // LPS
	first, last := [3]int{}, [3]int{g.Size[0] - 1, g.Size[1] - 1, g.Size[2] - 1}
	var across [3]float64 // area by axis
	for _, points := range f.closedContours() {
		var area [3]float64
		for p, w := range points {
			turn := cross(w, points[(p+1)%len(points)])
			at := g.Index([3]float64{-w[0], -w[1], w[2]})
			for r := range 3 {
				area[r] += turn[r] / 2
				if !(math.Abs(at[r]) < 1<<30) {
					return nil, fmt.Errorf("a contour lies at (%.4g, %.4g, %.4g) mm, far from the voxels", w[0], w[1], w[2])
				}
				if whole {
					// To the nearest voxel: contours along the outer edges of voxels need no more.
					first[r], last[r] = min(first[r], int(math.Ceil(at[r]-0.499))), max(last[r], int(math.Floor(at[r]+0.499)))
				}
			}
		}
		for a := range 3 {
			across[a] += math.Abs(dot(area, unit(cross(unit(column((a+1)%3)), unit(column((a+2)%3))))))
		}
	}
	axis := 2
	for a := range 3 {
		if across[a] > across[axis] {
			axis = a
		}
	}
	spacing := g.Spacing()
	more := int(beyond / spacing[axis])
	first[axis] -= more
	last[axis] += more
	voxels := 1.0
	for a := range 3 {
		voxels *= float64(last[a] - first[a] + 1)
	}
	if voxels > float64(g.Len()+maxOver) || last[axis]-first[axis] >= max(g.Size[axis], maxSlices) {
		return nil, errors.New("its contours reach far beyond the voxels of the mask that they are put on: it belongs to another image")
	}
	b, c := min((axis+1)%3, (axis+2)%3), max((axis+1)%3, (axis+2)%3)
	right, down := unit(column(b)), unit(column(c))
	if math.Abs(dot(right, down)) > 1e-3 {
		return nil, errors.New("rows and columns of the voxels are not at right angles: contours cannot be filled on them")
	}
	s := &Series{Grid: g}
	s.NIfTI = nil
	s.Size = volume.Size{last[b] - first[b] + 1, last[c] - first[c] + 1, last[axis] - first[axis] + 1}
	none := &file{name: "a slice"}
	for n := range s.Size[2] {
		at := first
		at[axis] += n
		w := g.World(float64(at[0]), float64(at[1]), float64(at[2]))
		x := slice{file: none, rows: s.Size[1], columns: s.Size[0], placed: true, position: [3]float64{-w[0], -w[1], w[2]},
			right: right, down: down, spacing: [2]float64{spacing[c], spacing[b]}, thickness: spacing[axis], slope: 1}
		x.at = dot(x.position, x.normal())
		s.slices = append(s.slices, x)
	}
	step := g.Column(axis)
	if dot(column(axis), s.slices[0].normal()) < 0 {
		slices.Reverse(s.slices)
		step = [3]float64{-step[0], -step[1], -step[2]}
	}
	start := s.slices[0].position
	for r, origin := range [3]float64{-start[0], -start[1], start[2]} {
		s.Affine[r] = [4]float64{g.Affine[r][b], g.Affine[r][c], step[r], origin}
	}
	return s, nil
}

// atSlices reports whether the contours can be taken as drawn on the slices of a series, as ReadContoursOn says.
func (f *file) atSlices(on *Series) bool {
	var planes []float64
	normal := on.slices[0].normal()
	for _, points := range f.closedContours() {
		at := 0.0
		for _, w := range points {
			at += dot(w, normal) / float64(len(points))
		}
		planes = append(planes, (at-on.slices[0].at)/on.distance())
	}
	slices.Sort(planes)
	neighbours := len(on.slices) == 1
	for n, at := range planes {
		if math.Abs(at-math.Round(at)) > 0.1 {
			return false
		}
		neighbours = neighbours || n > 0 && math.Round(at-planes[n-1]) == 1
	}
	if neighbours {
		return true
	}
	named := 0
	for _, frame := range f.items(tag.ReferencedFrameOfReferenceSequence) {
		for _, study := range frame.items(tag.RTReferencedStudySequence) {
			for _, series := range study.items(tag.RTReferencedSeriesSequence) {
				named = max(named, len(series.items(tag.ContourImageSequence)))
			}
		}
	}
	return named == len(on.slices)
}

// RefersTo returns the UIDs of the series that a structure set or a segmentation says it was drawn on.
func RefersTo(path string) []string {
	f, err := openFile(path)
	if err != nil {
		return nil
	}
	series, _ := f.refersTo()
	return series
}

// DrawnOn returns the series that a structure set or a segmentation says it was drawn on, if that lies in its folder or below; else nil.
func DrawnOn(path string) *Series {
	uids := RefersTo(path)
	if len(uids) == 0 {
		return nil
	}
	all, _, err := Scan(filepath.Dir(path))
	if err != nil {
		return nil
	}
	at := slices.IndexFunc(all, func(s *Series) bool { return s.Damaged == nil && slices.ContainsFunc(uids, s.has) })
	if at < 0 {
		return nil
	}
	return all[at]
}
