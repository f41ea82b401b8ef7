// Package jpeglossless decodes lossless JPEG (ITU-T T.81, process 14: Huffman coding, all seven predictors, restart intervals, point
// transform), the packing of most CT and MR exports. It reads images of one component, as DICOM stores grey images.
//
// Nothing is allocated before the size that the stream states has been compared with the size that the caller expects.
package jpeglossless

import (
	"errors"
	"fmt"
)

const (
	startOfImage  = 0xd8
	endOfImage    = 0xd9
	lossless      = 0xc3 // start of a frame
	huffmanTables = 0xc4
	startOfScan   = 0xda
	restartEvery  = 0xdd
)

var errCut = errors.New("lossless JPEG: cut short")

// Decode returns the samples of an image, rows from the top, and their precision in bits, 2 to 16. It fails where the stream is damaged or
// holds an image of another size or kind.
func Decode(data []byte, columns, rows int) (samples []uint16, precision int, err error) {
	if columns < 1 || rows < 1 {
		return nil, 0, fmt.Errorf("lossless JPEG: want %d x %d pixels", columns, rows)
	}
	d := decoder{data: data, columns: columns, rows: rows}
	if len(data) < 2 || data[0] != 0xff || data[1] != startOfImage {
		return nil, 0, errors.New("no JPEG stream: it does not begin with SOI")
	}
	d.at = 2
	for {
		marker, segment, err := d.segment()
		if err != nil {
			return nil, 0, err
		}
		switch {
		case marker == lossless:
			err = d.frame(segment)
		case marker == huffmanTables:
			err = d.tables(segment)
		case marker == restartEvery:
			if len(segment) != 2 {
				return nil, 0, errors.New("lossless JPEG: damaged restart interval")
			}
			d.interval = int(segment[0])<<8 | int(segment[1])
		case marker == startOfScan:
			samples, err = d.scan(segment)
			return samples, d.precision, err
		case marker >= 0xc0 && marker <= 0xcf && marker != 0xc8 && marker != 0xcc:
			err = fmt.Errorf("JPEG of process SOF%d, not lossless JPEG with Huffman codes (SOF3)", marker-0xc0)
		case marker == endOfImage:
			err = errors.New("lossless JPEG: no scan before the end of the image")
		}
		if err != nil {
			return nil, 0, err
		}
	}
}

type decoder struct {
	data          []byte
	at            int
	columns, rows int // wanted
	precision     int // 0 before the frame
	component     byte
	interval      int // samples between restarts; 0: none
	huffman       [4]*table
}

// segment returns the next marker and what belongs to it.
func (d *decoder) segment() (marker byte, segment []byte, err error) {
	for { // fill bytes (0xff) may stand before a marker
		if d.at+2 > len(d.data) {
			return 0, nil, errCut
		}
		if d.data[d.at] != 0xff {
			return 0, nil, fmt.Errorf("lossless JPEG: no marker at byte %d", d.at)
		}
		if d.data[d.at+1] != 0xff {
			break
		}
		d.at++
	}
	marker = d.data[d.at+1]
	d.at += 2
	if marker == endOfImage {
		return marker, nil, nil
	}
	if d.at+2 > len(d.data) {
		return 0, nil, errCut
	}
	n := int(d.data[d.at])<<8 | int(d.data[d.at+1])
	if n < 2 || d.at+n > len(d.data) {
		return 0, nil, errCut
	}
	segment = d.data[d.at+2 : d.at+n]
	d.at += n
	return marker, segment, nil
}

// frame reads the header of a frame (T.81, B.2.2).
func (d *decoder) frame(s []byte) error {
	if d.precision != 0 {
		return errors.New("lossless JPEG: two frames")
	}
	if len(s) < 6 || len(s) != 6+3*int(s[5]) {
		return errors.New("lossless JPEG: damaged frame header")
	}
	if s[5] != 1 {
		return fmt.Errorf("lossless JPEG of %d components: want 1", s[5])
	}
	if rows, columns := int(s[1])<<8|int(s[2]), int(s[3])<<8|int(s[4]); rows != d.rows || columns != d.columns {
		return fmt.Errorf("lossless JPEG of %d x %d pixels: want %d x %d", columns, rows, d.columns, d.rows)
	}
	if s[0] < 2 || s[0] > 16 {
		return fmt.Errorf("lossless JPEG of %d bits: want 2 to 16", s[0])
	}
	d.precision, d.component = int(s[0]), s[6]
	return nil
}

// scan decodes the only scan (T.81, H.1 and H.2).
func (d *decoder) scan(s []byte) ([]uint16, error) {
	if d.precision == 0 {
		return nil, errors.New("lossless JPEG: a scan before the frame")
	}
	if len(s) != 6 || s[0] != 1 || s[1] != d.component {
		return nil, errors.New("lossless JPEG: damaged scan header")
	}
	predictor, shift := s[3], int(s[5]&15)
	if predictor < 1 || predictor > 7 || shift >= d.precision {
		return nil, fmt.Errorf("lossless JPEG: predictor %d with point transform %d", predictor, shift)
	}
	number := s[2] >> 4
	if number > 3 || d.huffman[number] == nil {
		return nil, fmt.Errorf("lossless JPEG: Huffman table %d is missing", number)
	}
	if d.interval%d.columns != 0 {
		return nil, fmt.Errorf("lossless JPEG: restarts every %d samples in rows of %d", d.interval, d.columns)
	}
	// A sample takes a bit at least: what is too short for the image is refused before there is memory for it.
	if (len(d.data)-d.at)*8 < d.rows*d.columns {
		return nil, errCut
	}
	out := make([]uint16, d.rows*d.columns)
	bits := bitReader{data: d.data, at: d.at}
	code := d.huffman[number]
	start, restart := uint16(1)<<(d.precision-shift-1), byte(0)
	mask := uint16(1)<<(d.precision-shift) - 1
	first := 0 // row with which the prediction began anew
	for y := range d.rows {
		row := out[y*d.columns : (y+1)*d.columns]
		if d.interval > 0 && y > 0 && y%(d.interval/d.columns) == 0 {
			if err := bits.restart(0xd0 + restart); err != nil {
				return nil, err
			}
			restart = (restart + 1) & 7
			first = y
		}
		var above []uint16
		if y > first {
			above = out[(y-1)*d.columns : y*d.columns]
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
					return nil, errCut
				}
				return nil, fmt.Errorf("lossless JPEG: damaged at row %d, column %d", y+1, x+1)
			}
			row[x] = (p + difference) & mask
		}
	}
	if bits.past*8 > bits.count {
		return nil, errCut
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
