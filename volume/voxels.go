package volume

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// voxels reads the image's voxels in order and hands them to each, some thousands at a time. The slice is reused.
// It never reads further than slack behind the declared size, so that a small compressed file cannot grow into a large one.
func (m image) voxels(fsys fs.FS, each func([]float64) error) error {
	if m.picture != nil {
		return m.picture(fsys, each)
	}
	r, close, err := m.start(fsys)
	if err != nil {
		return err
	}
	defer close()
	if m.ascii {
		return m.asciiVoxels(r, each)
	}
	values := make([]float64, chunk)
	return binaryVoxels(m, r, func(n int) []float64 { return values[:n] }, func(values []float64) error { return m.hand(values, each) })
}

// chunk is how many voxels are read at a time.
const chunk = 1 << 15

// binaryVoxels reads the stored numbers, without scaling, to where room says, and hands them on, while the next ones
// are decompressed.
func binaryVoxels[F float32 | float64](m image, r io.Reader, room func(n int) []F, each func([]F) error) error {
	n, size := m.count(), m.stored.size()
	type piece struct {
		raw []byte
		err error
	}
	pieces, stop := make(chan piece, 1), make(chan struct{})
	var reader sync.WaitGroup
	defer func() {
		close(stop)
		reader.Wait()
	}()
	reader.Go(func() {
		defer close(pieces)
		var buffers [3][]byte // one is being filled, one waits, one is read
		for i, done := 0, 0; done < n; i, done = (i+1)%3, done+chunk {
			if buffers[i] == nil {
				buffers[i] = make([]byte, min(chunk, n)*size)
			}
			raw := buffers[i][:min(chunk, n-done)*size]
			got, err := io.ReadFull(r, raw)
			select {
			case pieces <- piece{raw[:got], err}:
			case <-stop:
				return
			}
			if err != nil {
				return
			}
		}
	})
	done := 0
	for p := range pieces {
		if p.err != nil {
			return m.cut(done+len(p.raw)/size, p.err)
		}
		values := room(len(p.raw) / size)
		decode(m.stored, values, p.raw, m.bigEndian)
		if err := each(values); err != nil {
			return err
		}
		done += len(values)
	}
	// Reading on to the end also makes gzip and zlib compare their checksums.
	allowed := int64(slack)
	if m.exact {
		allowed = 0
	}
	rest, err := io.Copy(io.Discard, io.LimitReader(r, allowed+1))
	if err != nil && !errors.Is(err, gzip.ErrHeader) { // bytes that are no further gzip member are only slack
		return m.cut(n, err)
	}
	if rest > allowed {
		return fmt.Errorf("%s holds more than %d bytes beyond the %v voxels of %s that its header declares",
			m.file, allowed, m.grid.Size, m.stored)
	}
	return nil
}

// hand scales values in place and passes them on.
func (m image) hand(values []float64, each func([]float64) error) error {
	if m.slope != 0 {
		for i, v := range values {
			values[i] = m.slope*v + m.inter
		}
	}
	return each(values)
}

// read returns the voxels of one of the image's channels as float32.
func (m image) read(fsys fs.FS, choice int) ([]float32, error) {
	if m.layers > 1 {
		return nil, fmt.Errorf("a segmentation of %d layers, not an image", m.layers)
	}
	channel, err := m.channel(choice)
	if err != nil {
		return nil, err
	}
	n, seen := m.grid.Len(), 0
	var out []float32
	if m.picture == nil && !m.ascii && m.channels < 2 && m.slope == 0 && m.stored.size() <= 2 {
		return m.readSmall(fsys) // the most common case, in half the time
	}
	err = m.voxels(fsys, func(values []float64) error {
		if out == nil { // only now is it known that the file can hold as much as the header says
			out = make([]float32, 0, m.capacity()/max(1, m.channels))
		}
		switch {
		case m.channels < 2:
		case m.interleaved:
			chosen := values[:0]
			for i, v := range values {
				if (seen+i)%m.channels == channel {
					chosen = append(chosen, v)
				}
			}
			seen, values = seen+len(values), chosen
		default:
			from, to := channel*n-seen, (channel+1)*n-seen
			seen += len(values)
			values = values[min(max(from, 0), len(values)):min(max(to, 0), len(values))]
		}
		done := len(out)
		out = slices.Grow(out, len(values))[:done+len(values)]
		for i, to := 0, out[done:]; i < len(to); i++ {
			to[i] = float32(values[i])
		}
		return nil
	})
	return out, err
}

// readSmall is read for unscaled numbers of up to 16 bits, which a float32 holds as they are.
func (m image) readSmall(fsys fs.FS) ([]float32, error) {
	r, close, err := m.start(fsys)
	if err != nil {
		return nil, err
	}
	defer close()
	var out []float32
	err = binaryVoxels(m, r, func(n int) []float32 {
		if out == nil { // only now is it known that the file can hold as much as the header says
			out = make([]float32, 0, m.capacity())
		}
		done := len(out)
		out = slices.Grow(out, n)[:done+n]
		return out[done:]
	}, func([]float32) error { return nil })
	return out, err
}

// How far a class index may lie from a whole number. Scaling by a float32 slope leaves up to roundingTolerance; programs that store
// labels as scaled integers (nibabel does, of floating-point arrays) leave half a slope, for which integerTolerance is ample.
const (
	roundingTolerance = 1e-4
	integerTolerance  = 1e-2
)

// readClasses returns the image's voxels as class indices, the layers of a segmentation fastest, and how many were further than
// roundingTolerance from a whole number.
func (m image) readClasses(fsys fs.FS) (out []uint8, rounded int, err error) {
	if m.channels > 1 {
		return nil, 0, fmt.Errorf("not a mask: it holds %d channels", m.channels)
	}
	err = m.voxels(fsys, func(values []float64) error {
		if out == nil {
			out = make([]uint8, 0, m.capacity())
		}
		for _, v := range values {
			class := math.Round(v)
			off := math.Abs(v - class)
			var fault string
			switch {
			case !(off <= integerTolerance):
				fault = "is not a whole number; is this an image or a probability map?"
			case class < 0:
				fault = "is negative"
			case class > math.MaxUint8:
				fault = "is above 255"
			default:
				if off > roundingTolerance {
					rounded++
				}
				out = append(out, uint8(class))
				continue
			}
			at := m.grid.Size.Voxel(len(out) / max(1, m.layers))
			return fmt.Errorf("not a mask: the value %v of voxel (%d, %d, %d) %s", v, at[0], at[1], at[2], fault)
		}
		return nil
	})
	return out, rounded, err
}

// capacity is how many values to make room for before any was read. A plain file was found to hold them all. A compressed
// one could promise a thousand times its size and break off: beyond 256 MiB of float32, room grows with what arrives. bzip2 has no
// bound on its ratio at all.
func (m image) capacity() int {
	switch m.codec {
	case plain, hexed:
		return m.count()
	case bzipped:
		return min(m.count(), 1<<20)
	}
	return min(m.count(), 1<<26)
}
