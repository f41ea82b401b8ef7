// Package jpegstream reads what streams of the JPEG family have in common (ITU-T T.81 annex B, T.87 annex C): markers with their segments, and the header
// of a frame of one component, as DICOM stores grey images. Package jpeglossless and package jpegls decode the scans.
package jpegstream

import (
	"errors"
	"fmt"
)

// Markers of both kinds, without their 0xff.
const (
	StartOfImage = 0xd8
	EndOfImage   = 0xd9
	StartOfScan  = 0xda
	RestartEvery = 0xdd
)

// Stream is a stream up to its first scan.
type Stream struct {
	Data          []byte
	At            int // byte behind what was read
	Columns, Rows int // wanted
	Precision     int // of the frame, in bits, 2 to 16; 0 before it
	Component     byte

	kind string
	sof  byte
}

// New returns the stream of an image of so many pixels, whose frame begins with the marker sof; kind begins every error. It fails where data do not
// begin as JPEG does.
func New(kind string, sof byte, data []byte, columns, rows int) (Stream, error) {
	if columns < 1 || rows < 1 {
		return Stream{}, fmt.Errorf("%s: want %d x %d pixels", kind, columns, rows)
	}
	if len(data) < 2 || data[0] != 0xff || data[1] != StartOfImage {
		return Stream{}, errors.New("no JPEG stream: it does not begin with SOI")
	}
	return Stream{Data: data, At: 2, Columns: columns, Rows: rows, kind: kind, sof: sof}, nil
}

// Cut is the error of a stream that ends too early.
func (s *Stream) Cut() error { return errors.New(s.kind + ": cut short") }

// Restart returns where the data of a scan go on behind the restart marker at a byte, before which fill bytes (0xff) may stand.
func Restart(kind string, data []byte, at int, marker byte) (int, error) {
	for at+1 < len(data) && data[at] == 0xff && data[at+1] == 0xff {
		at++
	}
	if at+2 > len(data) {
		return 0, errors.New(kind + ": cut short")
	}
	if data[at] != 0xff || data[at+1] != marker {
		return 0, errors.New(kind + ": no restart marker where one must be")
	}
	return at + 2, nil
}

// Segments calls f with each marker, and what belongs to it, up to the one that starts the scan. The frame's it reads itself; frames of other kinds and
// the end of the image are errors.
func (s *Stream) Segments(f func(marker byte, segment []byte) error) error {
	for {
		marker, segment, err := s.next()
		if err != nil {
			return err
		}
		switch {
		case marker == s.sof:
			err = s.frame(segment)
		case marker == EndOfImage:
			err = fmt.Errorf("%s: no scan before the end of the image", s.kind)
		case marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc: // tables, reserved, arithmetic coding
			err = fmt.Errorf("JPEG of process SOF%d, not %s (SOF%d)", marker-0xc0, s.kind, s.sof-0xc0)
		case marker == StartOfScan && s.Precision == 0:
			err = fmt.Errorf("%s: a scan before the frame", s.kind)
		default:
			err = f(marker, segment)
		}
		if err != nil || marker == StartOfScan {
			return err
		}
	}
}

func (s *Stream) next() (marker byte, segment []byte, err error) {
	for { // fill bytes (0xff) may stand before a marker
		if s.At+2 > len(s.Data) {
			return 0, nil, s.Cut()
		}
		if s.Data[s.At] != 0xff {
			return 0, nil, fmt.Errorf("%s: no marker at byte %d", s.kind, s.At)
		}
		if s.Data[s.At+1] != 0xff {
			break
		}
		s.At++
	}
	marker = s.Data[s.At+1]
	s.At += 2
	if marker == EndOfImage {
		return marker, nil, nil
	}
	if s.At+2 > len(s.Data) {
		return 0, nil, s.Cut()
	}
	n := int(s.Data[s.At])<<8 | int(s.Data[s.At+1])
	if n < 2 || s.At+n > len(s.Data) {
		return 0, nil, s.Cut()
	}
	segment = s.Data[s.At+2 : s.At+n]
	s.At += n
	return marker, segment, nil
}

// frame reads the header of a frame (T.81, B.2.2; T.87, C.2.2).
func (s *Stream) frame(b []byte) error {
	if s.Precision != 0 {
		return fmt.Errorf("%s: two frames", s.kind)
	}
	if len(b) < 6 || len(b) != 6+3*int(b[5]) {
		return fmt.Errorf("%s: damaged frame header", s.kind)
	}
	if b[5] != 1 {
		return fmt.Errorf("%s of %d components: want 1", s.kind, b[5])
	}
	if rows, columns := int(b[1])<<8|int(b[2]), int(b[3])<<8|int(b[4]); rows != s.Rows || columns != s.Columns {
		return fmt.Errorf("%s of %d x %d pixels: want %d x %d", s.kind, columns, rows, s.Columns, s.Rows)
	}
	if b[0] < 2 || b[0] > 16 {
		return fmt.Errorf("%s of %d bits: want 2 to 16", s.kind, b[0])
	}
	s.Precision, s.Component = int(b[0]), b[6]
	return nil
}
