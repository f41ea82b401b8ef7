// Package jpeglossless decodes lossless JPEG (ITU-T T.81, process 14: Huffman coding, all seven predictors, restart intervals, point
// transform), the packing of most CT and MR exports. It reads images of one component, as DICOM stores grey images.
//
// Nothing is allocated before the size that the stream states has been compared with the size that the caller expects.
package jpeglossless

import (
	"errors"
	"fmt"

	"github.com/nextslice/nextslice/volume/dicom/jpegstream"
)

const (
	kind          = "lossless JPEG"
	lossless      = 0xc3 // start of a frame, with Huffman codes
	huffmanTables = 0xc4
)

// Decode returns the samples of an image, rows from the top, and their precision in bits, 2 to 16. It fails where the stream is damaged or
// holds an image of another size or kind.
func Decode(data []byte, columns, rows int) (samples []uint16, precision int, err error) {
	d := decoder{}
	if d.Stream, err = jpegstream.New(kind, lossless, data, columns, rows); err != nil {
		return nil, 0, err
	}
	err = d.Segments(func(marker byte, segment []byte) (err error) {
		switch marker {
		case huffmanTables:
			err = d.tables(segment)
		case jpegstream.RestartEvery:
			if len(segment) != 2 {
				return errors.New("lossless JPEG: damaged restart interval")
			}
			d.interval = int(segment[0])<<8 | int(segment[1])
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

type decoder struct {
	jpegstream.Stream
	interval int // samples between restarts; 0: none
	huffman  [4]*table
}

// scan decodes the only scan (T.81, H.1 and H.2).
func (d *decoder) scan(s []byte) ([]uint16, error) {
	if len(s) != 6 || s[0] != 1 || s[1] != d.Component {
		return nil, errors.New("lossless JPEG: damaged scan header")
	}
	predictor, shift := s[3], int(s[5]&15)
	if predictor < 1 || predictor > 7 || shift >= d.Precision {
		return nil, fmt.Errorf("lossless JPEG: predictor %d with point transform %d", predictor, shift)
	}
	number := s[2] >> 4
	if number > 3 || d.huffman[number] == nil {
		return nil, fmt.Errorf("lossless JPEG: Huffman table %d is missing", number)
	}
	if d.interval%d.Columns != 0 {
		return nil, fmt.Errorf("lossless JPEG: restarts every %d samples in rows of %d", d.interval, d.Columns)
	}
	// A sample takes a bit at least: what is too short for the image is refused before there is memory for it.
	if (len(d.Data)-d.At)*8 < d.Rows*d.Columns {
		return nil, d.Cut()
	}
	out := make([]uint16, d.Rows*d.Columns)
	bits := bitReader{data: d.Data, at: d.At}
	code := d.huffman[number]
	start, restart := uint16(1)<<(d.Precision-shift-1), byte(0)
	mask := uint16(1)<<(d.Precision-shift) - 1
	first := 0 // row with which the prediction began anew
	for y := range d.Rows {
		row := out[y*d.Columns : (y+1)*d.Columns]
		if d.interval > 0 && y > 0 && y%(d.interval/d.Columns) == 0 {
			if err := bits.restart(0xd0 + restart); err != nil {
				return nil, err
			}
			restart = (restart + 1) & 7
			first = y
		}
		var above []uint16
		if y > first {
			above = out[(y-1)*d.Columns : y*d.Columns]
		}
		for x := range row {
			var p uint16
			switch {
			case above == nil && x == 0:
				p = start
			case above == nil:
				p = row[x-1]
			case x == 0:
				p = above[0]
			default:
				p = predict(predictor, row[x-1], above[x], above[x-1])
			}
			difference, ok := bits.difference(code)
			if !ok {
				if bits.past > 0 {
					return nil, d.Cut()
				}
				return nil, fmt.Errorf("lossless JPEG: damaged at row %d, column %d", y+1, x+1)
			}
			row[x] = (p + difference) & mask
		}
	}
	if bits.past*8 > bits.count {
		return nil, d.Cut()
	}
	if shift > 0 {
		for i := range out {
			out[i] <<= shift
		}
	}
	return out, nil
}

// predict is table H.1 of T.81, modulo 2^16: a is the sample to the left, b the one above, c the one above a.
func predict(predictor byte, a, b, c uint16) uint16 {
	switch predictor {
	case 1:
		return a
	case 2:
		return b
	case 3:
		return c
	case 4:
		return a + b - c
	case 5:
		return uint16(int(a) + (int(b)-int(c))>>1)
	case 6:
		return uint16(int(b) + (int(a)-int(c))>>1)
	}
	return uint16((int(a) + int(b)) >> 1)
}
