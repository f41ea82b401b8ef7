package dicom

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"math"
	"strings"

	"github.com/nextslice/nextslice/volume/dicom/jpeglossless"
	"github.com/nextslice/nextslice/volume/dicom/jpegls"
)

// Transfer syntaxes whose packing we decode (PS3.5, A.4 and A.5).
const (
	deflated        = "1.2.840.10008.1.2.1.99"
	rle             = "1.2.840.10008.1.2.5"
	jpegBaseline    = "1.2.840.10008.1.2.4.50"
	jpegLossless    = "1.2.840.10008.1.2.4.57"
	jpegLosslessSV1 = "1.2.840.10008.1.2.4.70"
)

// Others.
const (
	jpegExtended     = "1.2.840.10008.1.2.4.51" // 12 bits
	jpegLS           = "1.2.840.10008.1.2.4.80"
	jpegLSNear       = "1.2.840.10008.1.2.4.81"
	jpeg2000Lossless = "1.2.840.10008.1.2.4.90"
	jpeg2000         = "1.2.840.10008.1.2.4.91"
	jpeg2000Parts    = "1.2.840.10008.1.2.4.9" // 92 and 93: several components as one
)

const (
	maxRun            = 1 << 15  // pixels that a bit of JPEG-LS can stand for
	maxDeflatedHeader = 16 << 20 // largest header that is inflated
	maxFragments      = 1 << 20
)

// expansion returns how many pixels a byte of packed data can hold at most, or bytes where the whole data set is deflated: what would need more
// is refused before there is memory for it.
func (f *file) expansion() float64 {
	switch f.syntax {
	case rle:
		return 64 // two bytes for a run of 128
	case jpegLossless, jpegLosslessSV1:
		return 8 // a bit for a pixel
	case jpegBaseline, jpegExtended:
		return 8 * 64 / 2 // two bits for a block of 8 x 8
	case jpegLS, jpegLSNear:
		return 8 * maxRun // a bit for a run
	case jpeg2000Lossless, jpeg2000, jpeg2000Parts + "2", jpeg2000Parts + "3":
		return 1 << 16 // blocks without a bit; an empty picture of 512 x 512 takes 100 bytes
	}
	return 1032 // of deflate
}

// inflated returns the first bytes of a deflated data set, and what a walk over them finds: its places count from the beginning
// of the inflated data set.
func inflated(r io.ReaderAt, start, size int64) ([]byte, layout, error) {
	for limit := int64(headBytes); ; limit *= 8 {
		data, err := io.ReadAll(io.LimitReader(inflate(r, start, size), limit))
		whole := int64(len(data)) < limit
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, layout{}, fmt.Errorf("damaged deflated data set: %w", err)
		}
		l, walkErr := newWalker(data, explicitLittle).dataset(0)
		if errors.Is(walkErr, errCut) && !whole {
			if limit*8 > maxDeflatedHeader {
				return nil, layout{}, fmt.Errorf("a header of more than %d bytes", limit)
			}
			continue
		}
		if walkErr == nil && l.voxels == 0 && err != nil {
			walkErr = errCut
		}
		l.syntax, l.deflated = deflated, start
		return data, l, walkErr
	}
}

func inflate(r io.ReaderAt, start, size int64) io.Reader {
	return flate.NewReader(io.NewSectionReader(r, start, size-start))
}

// inflatePixels returns the pixel data of a deflated file.
func (f *file) inflatePixels(r io.ReaderAt, length int64) ([]byte, error) {
	from := inflate(r, f.deflated, f.size)
	if _, err := io.CopyN(io.Discard, from, f.voxels); err != nil {
		return nil, fmt.Errorf("damaged deflated data set: %w", err)
	}
	var out bytes.Buffer // grows with what comes, not with what the header promises
	switch n, err := io.CopyN(&out, from, length); {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("cut short: the pixel data end after %d of %d bytes", n, length)
	case err != nil:
		return nil, fmt.Errorf("damaged deflated data set: %w", err)
	}
	return out.Bytes(), nil
}

// span is where a fragment of packed pixel data lies in its file.
type span struct{ at, length int64 }

// findFragments walks over the items of packed pixel data (PS3.5, A.4): the table of offsets, which may be empty, and the fragments.
func (l *layout) findFragments(r io.ReaderAt, size int64) error {
	at := l.voxels
	for item := 0; ; item++ {
		var head [8]byte
		if n, err := r.ReadAt(head[:], at); n < 8 {
			if err == io.EOF && at == size && item > 1 { // some writers leave the delimiter out
				return nil
			}
			return fmt.Errorf("cut short: packed pixel data end at byte %d without their delimiter", size)
		}
		length := int64(binary.LittleEndian.Uint32(head[4:]))
		switch string(head[:4]) {
		case "\xfe\xff\xdd\xe0":
			return nil
		case "\xfe\xff\x00\xe0":
		default:
			return fmt.Errorf("damaged: no item of packed pixel data at byte %d", at)
		}
		if at += 8; at+length > size {
			return fmt.Errorf("cut short: a fragment of %d bytes begins at byte %d of a file of %d", length, at, size)
		}
		switch {
		case item == 0:
			table := make([]byte, min(length, 4*maxFragments))
			if _, err := r.ReadAt(table, at); err != nil && err != io.EOF {
				return err
			}
			for ; len(table) >= 4; table = table[4:] {
				l.offsets = append(l.offsets, int64(binary.LittleEndian.Uint32(table)))
			}
		case item > maxFragments:
			return fmt.Errorf("more than %d fragments of packed pixel data", maxFragments)
		default:
			l.fragments = append(l.fragments, span{at, length})
		}
		at += length
	}
}

// frameSpans returns the fragments of every frame: all of them for one frame, one for each where there are as many, else as the
// table of offsets says.
func (f *file) frameSpans(frames int) ([][]span, error) {
	out := make([][]span, 0, min(frames, len(f.fragments)))
	switch {
	case len(f.fragments) == 0:
		return nil, errors.New("packed pixel data without a fragment")
	case frames == 1:
		return [][]span{f.fragments}, nil
	case frames == len(f.fragments):
		for i := range f.fragments {
			out = append(out, f.fragments[i:i+1])
		}
		return out, nil
	case frames == len(f.offsets):
		next := 0
		for i, s := range f.fragments {
			if next < frames && s.at-f.fragments[0].at == f.offsets[next] {
				out = append(out, nil)
				next++
			}
			if next == 0 {
				break
			}
			out[next-1] = f.fragments[i-len(out[next-1]) : i+1]
		}
		if next == frames {
			return out, nil
		}
	case f.syntax != rle && len(f.starts) == len(f.fragments):
		for i, s := range f.starts {
			if s {
				out = append(out, nil)
			}
			if len(out) == 0 {
				break
			}
			last := len(out) - 1
			out[last] = f.fragments[i-len(out[last]) : i+1]
		}
		if len(out) == frames {
			return out, nil
		}
	}
	return nil, fmt.Errorf("%d frames in %d fragments, and no table that says which belong together: unpack the file first, e.g. with \"gdcmconv --raw in.dcm out.dcm\"",
		frames, len(f.fragments))
}

// findStarts notes which fragments begin a JPEG stream, for files whose table of offsets is empty.
func (l *layout) findStarts(r io.ReaderAt) {
	for _, s := range l.fragments {
		var head [2]byte
		_, _ = r.ReadAt(head[:min(2, s.length)], s.at)
		l.starts = append(l.starts, head == [2]byte{0xff, 0xd8})
	}
}

// checkPacked returns an error where packed pixel data cannot hold the frames.
func (f *file) checkPacked(rows, columns, frames int) error {
	spans, err := f.frameSpans(frames)
	if err != nil {
		return err
	}
	for i, s := range spans {
		length := int64(0)
		for _, x := range s {
			length += x.length
		}
		if float64(rows)*float64(columns) > f.expansion()*float64(length) || strings.HasPrefix(f.syntax, "1.2.840.10008.1.2.4.8") && float64(rows) > 8*float64(length) {
			return fmt.Errorf("cut short: frame %d of %d x %d pixels is packed into %d bytes", i+1, columns, rows, length)
		}
	}
	return nil
}

// unpack decodes a frame into dst, which holds its pixels as little endian, as files do that are not packed.
func (r *frameReader) unpack(dst []byte, frame int) error {
	spans, err := r.file.frameSpans(r.frames)
	if err != nil {
		return err
	}
	var packed []byte
	for _, s := range spans[frame] {
		at := len(packed)
		packed = append(packed, make([]byte, s.length)...)
		if n, err := r.r.ReadAt(packed[at:], s.at); int64(n) < s.length {
			return fmt.Errorf("cut short: %w", err)
		}
	}
	bytesPer := r.format.allocated / 8
	if bytesPer == 0 {
		return errors.New("packed pixels of 1 bit are not supported")
	}
	switch r.file.syntax {
	case rle:
		return unpackRLE(dst, packed, bytesPer)
	case jpegBaseline:
		return r.unpackBaseline(dst, packed, bytesPer)
	}
	decode := jpeglossless.Decode
	if r.file.syntax == jpegLS || r.file.syntax == jpegLSNear {
		decode = jpegls.Decode
	}
	samples, precision, err := decode(packed, r.columns, r.rows)
	switch {
	case err != nil:
		return err
	case precision > r.format.allocated || bytesPer > 2:
		return fmt.Errorf("JPEG of %d bits in pixels of %d", precision, r.format.allocated)
	}
	for i, v := range samples {
		dst[i*bytesPer] = byte(v)
		if bytesPer == 2 {
			dst[2*i+1] = byte(v >> 8)
		}
	}
	return nil
}

// unpackBaseline decodes baseline JPEG. The pixels may differ by one grey value from those of other decoders, as the standard allows.
func (r *frameReader) unpackBaseline(dst, packed []byte, bytesPer int) error {
	size, err := jpeg.DecodeConfig(bytes.NewReader(packed))
	switch {
	case err != nil:
		return fmt.Errorf("damaged JPEG: %w", err)
	case size.Width != r.columns || size.Height != r.rows:
		return fmt.Errorf("JPEG of %d x %d pixels: want %d x %d", size.Width, size.Height, r.columns, r.rows)
	case bytesPer != 1:
		return fmt.Errorf("JPEG of 8 bits in pixels of %d", r.format.allocated)
	}
	decoded, err := jpeg.Decode(bytes.NewReader(packed))
	if err != nil {
		return fmt.Errorf("damaged JPEG: %w", err)
	}
	grey, ok := decoded.(*image.Gray)
	if !ok {
		return errors.New("JPEG with colours: only grey images can be read")
	}
	for y := range r.rows {
		copy(dst[y*r.columns:(y+1)*r.columns], grey.Pix[y*grey.Stride:])
	}
	return nil
}

// unpackRLE decodes a frame of RLE (PS3.5, G): a segment for every byte of a pixel, the highest first, each packed by itself.
func unpackRLE(dst, packed []byte, bytesPer int) error {
	if len(packed) < 64 {
		return errors.New("cut short: RLE data without a header")
	}
	if n := binary.LittleEndian.Uint32(packed); n != uint32(bytesPer) {
		return fmt.Errorf("RLE data of %d segments: want %d", n, bytesPer)
	}
	for s := range bytesPer {
		from, to := binary.LittleEndian.Uint32(packed[4+4*s:]), uint32(min(len(packed), math.MaxUint32))
		if s+1 < bytesPer {
			to = binary.LittleEndian.Uint32(packed[8+4*s:])
		}
		if from < 64 || from > to || int64(to) > int64(len(packed)) {
			return fmt.Errorf("damaged RLE data: segment %d lies from byte %d to %d of %d", s+1, from, to, len(packed))
		}
		if err := unpackSegment(dst, packed[from:to], bytesPer-1-s, bytesPer); err != nil {
			return err
		}
	}
	return nil
}

// unpackSegment writes the bytes of a segment to every step-th place of dst.
func unpackSegment(dst, segment []byte, at, step int) error {
	for at < len(dst) {
		if len(segment) < 2 {
			return errors.New("cut short: RLE data end before their image")
		}
		n := int(int8(segment[0]))
		segment = segment[1:]
		switch {
		case n >= 0: // n+1 bytes as they are
			if n >= len(segment) {
				return errors.New("cut short: RLE data end before their image")
			}
			for _, v := range segment[:n+1] {
				if at >= len(dst) {
					return nil
				}
				dst[at] = v
				at += step
			}
			segment = segment[n+1:]
		case n > -128: // the next byte, 1-n times
			for range 1 - n {
				if at >= len(dst) {
					return nil
				}
				dst[at] = segment[0]
				at += step
			}
			segment = segment[1:]
		}
	}
	return nil
}
