package annotate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/nextslice/nextslice/internal/atomicfile"
	"github.com/nextslice/nextslice/internal/parallel"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"

	"github.com/nextslice/nextslice/annotate/fault"
)

// picture is an image of a case as the page shows it, slice by slice: read from the case's own files where each slice can be had alone, else kept, whole
// numbers in two bytes, in memory or, if it is large, in a file without a name.
type picture struct {
	volume.Grid
	low, high    float64 // the window that is shown first
	dark, bright float64 // nearly all values lie between them: the black and the white of the preview

	axis   int
	pixels int  // of a slice
	short  bool // voxels are int16, else float32
	memory []byte
	file   *os.File     // where memory is nil; closed when nobody has the picture any more
	stack  *dicom.Stack // the case's own files; else nil

	mu      sync.Mutex
	preview []byte // a value for each voxel of its grid
}

// inMemory is how many bytes a picture may have to be kept in memory.
const inMemory = 48 << 20

// newPicture takes what is shown of an image. One of more bytes than most lies in a file in a folder, if that can be written.
func newPicture(v *volume.Volume, axis int, dir string, most int) *picture {
	s := v.Slices(axis)
	p := &picture{Grid: v.Grid, axis: axis, pixels: s.Height * s.Width, short: true}
	p.low, p.high, p.dark, p.bright = window(v.Data)
	for _, x := range v.Data {
		if x != float32(int16(x)) {
			p.short = false
			break
		}
	}
	if p.bytes() > most {
		if err := p.write(v, dir); err == nil {
			return p
		}
		p.file = nil // a disk that is full: then in memory
	}
	p.memory = make([]byte, p.bytes())
	n := p.pixels * p.size()
	parallel.For(s.Count, parallel.All, func(k int) { p.put(p.memory[k*n:(k+1)*n], p.of(v, k)) })
	return p
}

// newStacked takes what is shown of an image whose slices are read alone, of which it looks at a few.
func newStacked(stack *dicom.Stack) (*picture, error) {
	s := stack.Slices(stackAxis)
	p := &picture{Grid: stack.Grid, axis: stackAxis, pixels: s.Height * s.Width, stack: stack}
	some := make([][]float32, min(s.Count, windowSlices))
	faults := make([]error, len(some))
	parallel.For(len(some), parallel.All, func(i int) {
		values, err := stack.Slice((2*i + 1) * s.Count / (2 * len(some)))
		some[i], faults[i] = everyNth(values, windowVoxels/4/len(some)), err
	})
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	p.low, p.high, p.dark, p.bright = window(slices.Concat(some...))
	return p, nil
}

// stackAxis is the axis across which the slices of a series are stacked.
const stackAxis = 2

// check returns an error if a slice can no longer be read, as far as its file tells: dicom.ErrChanged if that is another one.
func (p *picture) check(k int) error {
	if p.stack == nil {
		return nil
	}
	return p.stack.Check(k)
}

// bytes are those of the voxels that are kept.
func (p *picture) bytes() int {
	if p.stack != nil {
		return 0
	}
	return p.Len() * p.size()
}

func (p *picture) size() int {
	if p.short {
		return 2
	}
	return 4
}

func (p *picture) write(v *volume.Volume, dir string) error {
	file, err := atomicfile.Create(filepath.Join(dir, "picture"), 0o600) // of which a kill leaves nothing that is not swept
	if err != nil {
		return err
	}
	if err := os.Remove(file.Name()); err != nil { // Windows removes no open file
		file.Discard()
		return err
	}
	p.file = file.File
	faults := make([]error, parallelWrites)
	count, n := v.Slices(p.axis).Count, p.pixels*p.size()
	parallel.For(len(faults), len(faults), func(part int) {
		row := make([]byte, n)
		for k := part * count / len(faults); k < (part+1)*count/len(faults) && faults[part] == nil; k++ {
			p.put(row, p.of(v, k))
			_, faults[part] = p.file.WriteAt(row, int64(k)*int64(n))
		}
	})
	if err := errors.Join(faults...); err != nil {
		p.file.Close()
		return err
	}
	return nil
}

// parallelWrites is how many parts of a picture are written to its file at a time.
const parallelWrites = 4

// of returns a slice of an image, which is a part of the image where that is in one piece.
func (p *picture) of(v *volume.Volume, k int) []float32 {
	if p.axis == stackAxis {
		return v.Data[k*p.pixels : (k+1)*p.pixels]
	}
	return v.Slice(p.axis, k)
}

// put writes values as a picture keeps them.
func (p *picture) put(out []byte, values []float32) {
	for i, x := range values {
		if p.short {
			binary.LittleEndian.PutUint16(out[2*i:], uint16(int16(x)))
		} else {
			binary.LittleEndian.PutUint32(out[4*i:], math.Float32bits(x))
		}
	}
}

// slice returns the intensities of a slice, [height width].
func (p *picture) slice(k int) ([]float32, error) {
	if p.stack != nil {
		return p.stack.Slice(k)
	}
	n := p.pixels * p.size()
	var text []byte
	if p.file == nil {
		text = p.memory[k*n : (k+1)*n]
	} else {
		text = make([]byte, n)
		if _, err := p.file.ReadAt(text, int64(k)*int64(n)); err != nil {
			return nil, fmt.Errorf("read a slice again: %w", err)
		}
	}
	out := make([]float32, p.pixels)
	for i := range out {
		if p.short {
			out[i] = float32(int16(binary.LittleEndian.Uint16(text[2*i:])))
		} else {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(text[4*i:]))
		}
	}
	return out, nil
}

// small returns the preview: see Cases.Preview. It is made once.
func (p *picture) small() (*volume.Scaled, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	grid, step := thin(p.Grid, p.axis)
	out := &volume.Scaled{Grid: grid, Data: p.preview, Slope: (p.bright - p.dark) / 255, Intercept: p.dark}
	if out.Slope <= 0 { // all voxels have one value
		out.Slope = 1
	}
	if out.Data != nil {
		return out, nil
	}
	whole, mask := p.Slices(p.axis), &volume.Mask{Grid: grid, Data: make([]uint8, grid.Len())}
	faults := make([]error, whole.Count)
	parallel.For(whole.Count, parallel.All, func(k int) {
		values, err := p.slice(k)
		if err != nil {
			faults[k] = err
			return
		}
		row := make([]uint8, 0, grid.Len()/whole.Count)
		for y := 0; y < whole.Height; y += step {
			for x := 0; x < whole.Width; x += step {
				v := (float64(values[y*whole.Width+x]) - p.dark) / out.Slope
				if v != v { // NaN
					v = 0
				}
				row = append(row, uint8(math.Round(min(255, max(0, v)))))
			}
		}
		mask.SetSlice(p.axis, k, row)
	})
	for _, err := range faults {
		if err != nil {
			return nil, err
		}
	}
	p.preview, out.Data = mask.Data, mask.Data
	return out, nil
}

// previewVoxels bounds the voxels of a preview.
const previewVoxels = 5 << 20

// thin returns the grid of a preview, of which rows and columns are every step-th of the whole grid's.
func thin(g volume.Grid, axis int) (_ volume.Grid, step int) {
	step = 1
	for size := g.Len(); size/(step*step) > previewVoxels; {
		step++
	}
	for a := range 3 {
		if a == axis {
			continue
		}
		g.Size[a] = (g.Size[a] + step - 1) / step
		for row := range 3 {
			g.Affine[row][a] *= float64(step)
		}
	}
	return g, step
}

// Preview returns a case's image in one of its channels as the three-plane viewer needs it: with all of its slices, and of rows and
// columns every n-th, so that there are a few million voxels at most, of eight bits.
func (c *Cases) Preview(name string, channel int) (*volume.Scaled, error) {
	if err := c.checkChannel(name, channel); err != nil {
		return nil, err
	}
	p, err := c.look(Item{Case: name}, channel)
	if err != nil {
		return nil, err
	}
	small, err := p.small()
	if err != nil {
		return nil, fault.With(fmt.Errorf("%w: %s: %w", ErrGone, name, err), fault.Image, "case", name, "text", err.Error())
	}
	return small, nil
}

// PreviewMask returns every n-th row and column of a mask of a case, as Preview does of its image.
func (c *Cases) PreviewMask(m *volume.Mask) *volume.Mask {
	grid, step := thin(m.Grid, c.config.Axis)
	out := &volume.Mask{Grid: grid, Data: make([]uint8, 0, grid.Len())}
	steps := [3]int{step, step, step}
	steps[c.config.Axis] = 1
	for z := 0; z < m.Size[2]; z += steps[2] {
		for y := 0; y < m.Size[1]; y += steps[1] {
			for x := 0; x < m.Size[0]; x += steps[0] {
				out.Data = append(out.Data, m.Data[(z*m.Size[1]+y)*m.Size[0]+x])
			}
		}
	}
	return out
}

// range8 returns the values that a preview of eight bits begins and ends with: nearly all of the known ones lie between them, and the window
// does as well.
func range8(known []float32, low, high float64) (dark, bright float64) {
	p := preprocess.Percentiles(known, 0.1, 99.9)
	return min(low, p[0]), max(high, p[1])
}
