package dicom

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/nextslice/nextslice/internal/parallel"
	"github.com/nextslice/nextslice/volume"
)

// ErrChanged says that a file is another one than when its header was read: find the series again.
var ErrChanged = errors.New("the file has changed since its header was read")

// Read reads the voxels, with the rescale slope and intercept of every slice applied.
func (s *Series) Read() (*volume.Volume, error) {
	if s.Damaged != nil {
		return nil, s.Damaged
	}
	v := &volume.Volume{Grid: s.Grid, Stored: s.Stored, Data: make([]float32, s.Len())}
	n := s.Size[0] * s.Size[1]
	runs := s.runs()
	var mu sync.Mutex
	fault, at := error(nil), len(runs) // of the first run that has one, whoever reads it
	parallel.For(len(runs), parallel.All, func(i int) {
		mu.Lock()
		late := at < i
		mu.Unlock()
		if late {
			return
		}
		from, to := runs[i][0], runs[i][1]
		if err := read(s.slices[from:to], v.Data[from*n:to*n]); err != nil {
			mu.Lock()
			defer mu.Unlock()
			if i < at {
				fault, at = err, i
			}
		}
	})
	if fault != nil {
		return nil, fault
	}
	return v, nil
}

// runs returns ranges of slices that are read together: those of one file that is unpacked as a whole, else each alone.
func (s *Series) runs() (runs [][2]int) {
	for i := range s.slices {
		if last := len(runs) - 1; i > 0 && s.slices[i].file == s.slices[i-1].file && !s.slices[i].direct() {
			runs[last][1] = i + 1
			continue
		}
		runs = append(runs, [2]int{i, i + 1})
	}
	return runs
}

// direct reports whether a frame of a file is read without reading all of them.
func (f *file) direct() bool { return f.syntax != deflated && !isForeign(f.syntax) }

// Stack reads the slices of a series one at a time. It keeps little of the headers.
type Stack struct {
	volume.Grid
	slices []slice
}

// Stack returns the slices of a series to read one at a time, or nil where some can only be read with others.
func (s *Series) Stack() *Stack {
	out, files := &Stack{Grid: s.Grid}, map[*file]*file{}
	for _, x := range s.slices {
		if !x.direct() || s.Damaged != nil {
			return nil
		}
		if files[x.file] == nil {
			f := *x.file
			f.item = nil
			for _, t := range []tag.Tag{tag.NumberOfFrames, tag.BitsAllocated, tag.BitsStored, tag.HighBit, tag.PixelRepresentation} { // what frames are read with
				if e := x.find(t); e != nil {
					f.item = append(f.item, e)
				}
			}
			files[x.file] = &f
		}
		out.slices = append(out.slices, slice{file: files[x.file], frame: x.frame, rows: x.rows, columns: x.columns, slope: x.slope, intercept: x.intercept, turned: x.turned, turn: x.turn})
	}
	return out
}

// Check returns an error if the file of a slice is gone, and ErrChanged if it has another size or time than when the series was found.
func (s *Stack) Check(k int) error {
	x := s.slices[k]
	info, err := os.Stat(x.name)
	if err == nil && (info.Size() != x.size || !info.ModTime().Equal(x.modified)) {
		err = fmt.Errorf("read %s: %w", x.name, ErrChanged)
	}
	return err
}

// Slice reads a slice, [Size[1] Size[0]], as Series.Read does. It fails as Check does.
func (s *Stack) Slice(k int) ([]float32, error) {
	if err := s.Check(k); err != nil {
		return nil, err
	}
	out := make([]float32, s.Size[0]*s.Size[1])
	return out, read(s.slices[k:k+1], out)
}

// read reads slices of one file.
func read(of []slice, out []float32) error {
	frames, err := of[0].openFrames(of[0].rows, of[0].columns)
	if err != nil {
		return fmt.Errorf("read %s: %w", of[0].name, err)
	}
	defer frames.close()
	for _, x := range of {
		pixels, err := frames.frame(x.frame)
		if err != nil {
			return fmt.Errorf("read %s: %w", x.name, err)
		}
		for i, p := range pixels {
			if x.turned {
				p = x.turn - p
			}
			out[i] = float32(x.slope*float64(p) + x.intercept)
		}
		out = out[len(pixels):]
	}
	return nil
}
