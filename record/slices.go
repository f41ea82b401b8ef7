package record

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/nextslice/nextslice/internal/atomicfile"
	"github.com/nextslice/nextslice/internal/cell"
)

// Slice is what there is to outline on a slice of the pool, in pixels of its own grid: what its label costs.
type Slice struct {
	Case       string
	Slice      int // index along the axis, as in the name of the item
	Foreground int // pixels of any foreground class
	// Boundary is the length of the outlines, in pixel sides: sides between two pixels of different classes, and those of foreground pixels
	// at the edge of the slice. A square of n × n pixels has 4n. A side that two foreground classes share counts once, for it is drawn once.
	// What is ignored counts as background. Of an oblique line sides are up to √2 times the length.
	Boundary int
}

// MeasureSlice returns foreground and boundary of a mask with rows of so many pixels. Values of classes and above, such as
// volume.Ignored, are background.
func MeasureSlice(mask []uint8, width, classes int) (foreground, boundary int) {
	at := func(i int) uint8 {
		if int(mask[i]) >= classes {
			return 0
		}
		return mask[i]
	}
	differ := func(a, b uint8) {
		if a != b {
			boundary++
		}
	}
	for i := range mask {
		v, left, up := at(i), uint8(0), uint8(0)
		if v != 0 {
			foreground++
		}
		if i%width > 0 {
			left = at(i - 1)
		}
		if i >= width {
			up = at(i - width)
		}
		differ(v, left)
		differ(v, up)
		if i%width == width-1 {
			differ(v, 0)
		}
		if i+width >= len(mask) {
			differ(v, 0)
		}
	}
	return foreground, boundary
}

var sliceColumns = []string{"case", "slice", "foreground_pixels", "boundary_pixels"}

// HoldsSlices tells whether a run folder has slices.csv.
func HoldsSlices(dir string) bool {
	_, err := os.Stat((&Folder{Dir: dir}).path(SlicesFile))
	return err == nil
}

// NeedsSlices tells whether a run folder has a use for what there is to outline: for slices.csv, or to compare with it where there are no hashes of
// the files.
func NeedsSlices(dir string) bool {
	if !HoldsSlices(dir) {
		return true
	}
	var d Data
	return readJSON((&Folder{Dir: dir}).path(DataFile), &d) == nil && d.Files == nil && d.Name != Phantom
}

// RecordSlices writes slices.csv, unless it is there.
func (f *Folder) RecordSlices(pool []Slice) error {
	if HoldsSlices(f.Dir) {
		return nil
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write(sliceColumns) // errors are kept until Error
	for _, s := range pool {
		w.Write([]string{cell.Text(s.Case), strconv.Itoa(s.Slice), strconv.Itoa(s.Foreground), strconv.Itoa(s.Boundary)})
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return err
	}
	return atomicfile.Write(f.path(SlicesFile), b.Bytes(), 0o600)
}

// ReadSlices reads what RecordSlices wrote. A slice that stands there twice is an error, as is anything that is no count.
func ReadSlices(in io.Reader) ([]Slice, error) {
	table := csv.NewReader(in)
	head, err := table.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("want a heading, got an empty file")
	}
	if err != nil {
		return nil, err
	}
	if !slices.Equal(head, sliceColumns) {
		return nil, fmt.Errorf("want the columns of slices: %s", strings.Join(headFaults(sliceColumns, head), ", "))
	}
	type place struct {
		id    string
		slice int
	}
	seen := map[place]bool{}
	var out []Slice
	for {
		cells, err := table.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := table.FieldPos(0)
		p := row{cells: cells, head: head}
		s := Slice{Case: cell.Parse(p.text()), Slice: p.count(), Foreground: p.count(), Boundary: p.count()}
		if at := (place{s.Case, s.Slice}); seen[at] {
			p.fail("%s, slice %d stands there twice", s.Case, s.Slice)
		} else {
			seen[at] = true
		}
		if p.err != nil {
			return nil, fmt.Errorf("line %d: %w", line, p.err)
		}
		out = append(out, s)
	}
}
