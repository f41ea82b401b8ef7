package dicom

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// pixelFormat says how a pixel is stored.
type pixelFormat struct {
	allocated int // bits of memory: 1, 8, 16, 32
	stored    int // bits that count
	low       int // the lowest of them
	signed    bool
	big       bool
}

func (f *file) pixelFormat() (pixelFormat, error) {
	p := pixelFormat{
		allocated: f.whole(tag.BitsAllocated, 0),
		signed:    f.whole(tag.PixelRepresentation, 0) == 1,
		big:       f.syntax == explicitBig,
	}
	switch p.allocated {
	case 1, 8, 16, 32:
	default:
		return p, fmt.Errorf("%d bits per pixel are not supported: convert to 16", p.allocated)
	}
	p.stored = f.whole(tag.BitsStored, p.allocated)
	p.low = f.whole(tag.HighBit, p.stored-1) - p.stored + 1
	if p.stored < 1 || p.low < 0 || p.low+p.stored > p.allocated {
		return p, fmt.Errorf("%d bits stored of %d allocated from bit %d do not fit", p.stored, p.allocated, p.low)
	}
	return p, nil
}

// name returns the Go name of the smallest type that holds a stored pixel.
func (p pixelFormat) name() string {
	kind := "uint"
	if p.signed {
		kind = "int"
	}
	return fmt.Sprintf("%s%d", kind, max(8, p.allocated))
}

// decode puts the pixels of src into dst. Bits above and below those stored are dropped: they may hold overlays.
func (p pixelFormat) decode(dst []int64, src []byte) {
	var order binary.ByteOrder = binary.LittleEndian
	if p.big {
		order = binary.BigEndian
	}
	mask := uint64(1)<<p.stored - 1
	sign := uint64(1) << (p.stored - 1)
	for i := range dst {
		var v uint64
		switch p.allocated {
		case 1:
			v = uint64(src[i/8]>>(i%8)) & 1 // the first pixel is the lowest bit (PS3.5, 8.1.1)
		case 8:
			v = uint64(src[i])
		case 16:
			v = uint64(order.Uint16(src[2*i:]))
		case 32:
			v = uint64(order.Uint32(src[4*i:]))
		}
		v = v >> p.low & mask
		dst[i] = int64(v)
		if p.signed && v&sign != 0 {
			dst[i] = int64(v) - int64(mask) - 1
		}
	}
}

// frameReader reads frames of one file.
type frameReader struct {
	file          *file
	of            *file // that it was opened for: another where a program has unpacked it
	format        pixelFormat
	rows, columns int
	frames        int
	r             io.ReaderAt // the file
	from          int64       // where the pixels begin in r
	close         func() error
	raw           []byte
	pixels        []int64
}

// openFrames opens the pixel data of a file. Close it.
func (f *file) openFrames(rows, columns int) (*frameReader, error) {
	format, err := f.pixelFormat()
	if err != nil {
		return nil, err
	}
	if isForeign(f.syntax) {
		unpacked, remove, err := f.foreign(rows, columns)
		if err != nil {
			return nil, err
		}
		if r, c, n := unpacked.whole(tag.Rows, 0), unpacked.whole(tag.Columns, 0), unpacked.whole(tag.NumberOfFrames, 1); r != rows || c != columns || n != f.whole(tag.NumberOfFrames, 1) {
			remove()
			return nil, fmt.Errorf("gdcmconv makes %d frames of %d x %d pixels of it: want %d x %d", n, c, r, columns, rows)
		}
		if _, err := unpacked.planes(); err != nil {
			remove()
			return nil, err
		}
		out, err := unpacked.openFrames(rows, columns)
		if err != nil {
			remove()
			return nil, err
		}
		out.of = f
		closeFile := out.close
		out.close = func() error { defer remove(); return closeFile() }
		return out, nil
	}
	out := &frameReader{file: f, of: f, format: format, rows: rows, columns: columns, frames: f.whole(tag.NumberOfFrames, 1), from: f.voxels,
		r: f.memory, close: func() error { return nil }}
	if f.memory == nil {
		r, err := os.Open(f.name)
		if err != nil {
			return nil, err
		}
		out.r, out.close = r, r.Close
	}
	if f.syntax == deflated {
		bits := int64(rows) * int64(columns) * int64(out.frames) * int64(format.allocated) // planes has checked the product
		data, err := f.inflatePixels(out.r, (bits+7)/8)
		if err != nil {
			out.close()
			return nil, err
		}
		out.r, out.from = bytes.NewReader(data), 0
	}
	out.pixels = make([]int64, rows*columns)
	return out, nil
}

// frame returns the pixels of a frame, rows from the top. The slice is reused.
func (r *frameReader) frame(n int) ([]int64, error) {
	bits := int64(r.rows) * int64(r.columns) * int64(r.format.allocated)
	from, shift := r.from+int64(n)*bits/8, int(int64(n)*bits%8) // 1-bit frames follow each other within a byte
	size := (int64(shift) + bits + 7) / 8
	if int64(len(r.raw)) != size {
		r.raw = make([]byte, size)
	}
	if isPacked(r.file.syntax) {
		if err := r.unpack(r.raw, n); err != nil {
			return nil, fmt.Errorf("frame %d: %w", n+1, err)
		}
		r.format.decode(r.pixels, r.raw)
		return r.pixels, nil
	}
	if got, err := r.r.ReadAt(r.raw, from); int64(got) < size {
		if err == io.EOF || err == nil {
			return nil, fmt.Errorf("cut short: frame %d ends after %d of %d bytes", n+1, got, size)
		}
		return nil, err
	}
	if shift == 0 {
		r.format.decode(r.pixels, r.raw)
		return r.pixels, nil
	}
	for i := range r.pixels {
		r.pixels[i] = int64(r.raw[(i+shift)/8]>>((i+shift)%8)) & 1
	}
	return r.pixels, nil
}
