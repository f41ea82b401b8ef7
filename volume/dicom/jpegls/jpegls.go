// Package jpegls decodes JPEG-LS (ITU-T T.87), lossless and near lossless, with presets and restart intervals. It reads
// images of one component, as DICOM stores grey images.
//
// Memory grows with the rows that the data hold, each of which takes a bit at least, after the size that the stream states has been compared with the size
// that the caller expects.
package jpegls

import (
	"errors"
	"fmt"

	"github.com/nextslice/nextslice/volume/dicom/jpegstream"
)

const (
	kind    = "JPEG-LS"
	frameLS = 0xf7 // start of a frame
	presets = 0xf8
)

// Decode returns the samples of an image, rows from the top, and their precision in bits, 2 to 16. It fails where the stream is damaged or
// holds an image of another size or kind.
func Decode(data []byte, columns, rows int) (samples []uint16, precision int, err error) {
	d := decoder{}
	if d.Stream, err = jpegstream.New(kind, frameLS, data, columns, rows); err != nil {
		return nil, 0, err
	}
	err = d.Segments(func(marker byte, segment []byte) (err error) {
		switch marker {
		case presets:
			err = d.preset(segment)
		case jpegstream.RestartEvery:
			err = d.restart(segment)
		case jpegstream.StartOfScan:
			samples, err = d.scan(segment)
		}
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return samples, d.Precision, nil
}

// decoder reads the segments before the scan.
type decoder struct {
	jpegstream.Stream
	interval int // lines between restarts; 0: none

	// Of the preset segment; 0 is the default (C.2.4.1.1).
	maximum, t1, t2, t3, reset int
}

// preset reads parameters of the coding (C.2.4.1).
func (d *decoder) preset(s []byte) error {
	if len(s) < 1 || s[0] != 1 {
		return errors.New("JPEG-LS: mapping tables are not supported")
	}
	if len(s) != 11 {
		return errors.New("JPEG-LS: damaged preset parameters")
	}
	for i, p := range []*int{&d.maximum, &d.t1, &d.t2, &d.t3, &d.reset} {
		*p = int(s[1+2*i])<<8 | int(s[2+2*i])
	}
	return nil
}

// restart reads the restart interval (C.2.5), in lines.
func (d *decoder) restart(s []byte) error {
	if len(s) < 2 || len(s) > 4 {
		return errors.New("JPEG-LS: damaged restart interval")
	}
	d.interval = 0
	for _, b := range s {
		d.interval = d.interval<<8 | int(b)
	}
	return nil
}

// scan decodes the only scan (C.2.3 and A).
func (d *decoder) scan(s []byte) ([]uint16, error) {
	if len(s) != 6 || s[0] != 1 || s[1] != d.Component {
		return nil, errors.New("JPEG-LS: damaged scan header")
	}
	if s[2] != 0 || s[4] != 0 {
		return nil, errors.New("JPEG-LS: mapping tables and interleaved lines are not supported")
	}
	if s[5] != 0 { // no program that is known writes one
		return nil, errors.New("JPEG-LS: a point transform is not supported")
	}
	p, err := d.parameters(int(s[3]))
	if err != nil {
		return nil, err
	}
	if (len(d.Data)-d.At)*8 < d.Rows {
		return nil, d.Cut()
	}
	c := newCoder(p)
	bits := bitReader{data: d.Data, at: d.At}
	above, row := make([]int32, d.Columns+2), make([]int32, d.Columns+2)
	out := make([]uint16, 0, min(d.Rows*d.Columns, 8*(len(d.Data)-d.At))) // more only as it is decoded
	restart := byte(0)
	for y := range d.Rows {
		if d.interval > 0 && y > 0 && y%d.interval == 0 {
			if err := bits.restart(0xd0 + restart); err != nil {
				return nil, err
			}
			restart = (restart + 1) & 7
			c = newCoder(p)
			clear(above)
			clear(row)
		}
		if !c.line(&bits, row, above) {
			if bits.past > 0 {
				return nil, d.Cut()
			}
			return nil, fmt.Errorf("JPEG-LS: damaged in row %d", y+1)
		}
		for _, v := range row[1 : d.Columns+1] {
			out = append(out, uint16(v))
		}
		above, row = row, above
	}
	return out, nil
}

// parameters are those of the coding (A.1 and C.2.4.1.1).
type parameters struct {
	near, maximum   int32
	t1, t2, t3      int32
	reset           int32
	span            int32 // RANGE
	spanBits, limit int   // qbpp, LIMIT
}

// parameters returns them for a scan, with the defaults where none were given.
func (d *decoder) parameters(near int) (parameters, error) {
	maximum := d.maximum
	if maximum == 0 {
		maximum = 1<<d.Precision - 1
	}
	if maximum > 1<<d.Precision-1 || near > min(255, maximum/2) {
		return parameters{}, fmt.Errorf("JPEG-LS: a greatest value of %d with a tolerance of %d in %d bits", maximum, near, d.Precision)
	}
	clamp := func(v, low int) int {
		if v > maximum || v < low {
			return low
		}
		return v
	}
	t1, t2, t3 := 0, 0, 0
	if maximum >= 128 {
		f := (min(maximum, 4095) + 128) / 256
		t1 = clamp(f+2+3*near, near+1)
		t2 = clamp(4*f+3+5*near, t1)
		t3 = clamp(17*f+4+7*near, t2)
	} else {
		f := 256 / (maximum + 1)
		t1 = clamp(max(2, 3/f+3*near), near+1)
		t2 = clamp(max(3, 7/f+5*near), t1)
		t3 = clamp(max(4, 21/f+7*near), t2)
	}
	for _, t := range []struct {
		given int
		to    *int
	}{{d.t1, &t1}, {d.t2, &t2}, {d.t3, &t3}} {
		if t.given > 0 {
			*t.to = t.given
		}
	}
	reset := 64
	if d.reset > 0 {
		reset = d.reset
	}
	if t1 < near+1 || t2 < t1 || t3 < t2 || t3 > max(maximum, near+1) || reset < 3 || reset > max(255, maximum) {
		return parameters{}, fmt.Errorf("JPEG-LS: thresholds %d, %d, %d and reset %d", t1, t2, t3, reset)
	}
	p := parameters{near: int32(near), maximum: int32(maximum), t1: int32(t1), t2: int32(t2), t3: int32(t3), reset: int32(reset)}
	p.span = (p.maximum+2*p.near)/(2*p.near+1) + 1
	for 1<<p.spanBits < p.span {
		p.spanBits++
	}
	bits := 2
	for 1<<bits < maximum+1 {
		bits++
	}
	p.limit = 2 * (bits + max(8, bits))
	return p, nil
}
