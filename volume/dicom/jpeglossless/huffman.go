package jpeglossless

import (
	"errors"

	"github.com/nextslice/nextslice/volume/dicom/jpegstream"
)

const lookBits = 8 // codes of up to this many bits are found by one look into a table

// table is a Huffman table whose symbols are the categories of differences, 0 to 16.
type table struct {
	look   [1 << lookBits]uint16 // length << 8 | symbol for every start of the bits; 0 where the code is longer
	first  [17]int32             // the first code of each length
	last   [17]int32             // one beyond the last
	symbol [17]int               // index of the first symbol
	values []byte
}

// tables reads Huffman tables (T.81, B.2.4.2 and C).
func (d *decoder) tables(s []byte) error {
	damaged := errors.New("lossless JPEG: damaged Huffman table")
	for len(s) > 0 {
		if len(s) < 17 || s[0] > 3 { // class 0; lossless coding knows no other
			return damaged
		}
		total := 0
		for _, n := range s[1:17] {
			total += int(n)
		}
		if total > 256 || len(s) < 17+total {
			return damaged
		}
		t := &table{values: s[17 : 17+total]}
		code, at := int32(0), 0
		for length := 1; length <= 16; length++ {
			n := int(s[length])
			t.first[length], t.last[length], t.symbol[length] = code, code+int32(n), at
			if t.last[length] > 1<<length {
				return damaged
			}
			for ; n > 0; n-- {
				if t.values[at] > 16 {
					return damaged
				}
				if length <= lookBits {
					for i := range 1 << (lookBits - length) {
						t.look[int(code)<<(lookBits-length)|i] = uint16(length)<<8 | uint16(t.values[at])
					}
				}
				code, at = code+1, at+1
			}
			code <<= 1
		}
		d.huffman[s[0]] = t
		s = s[17+total:]
	}
	return nil
}

// bitReader reads the bits of entropy-coded data. Behind their end, at a marker or at the last byte, it gives zeros and counts them.
type bitReader struct {
	data  []byte
	at    int
	bits  uint64
	count int // valid bits, the lowest of bits
	past  int // bytes of zeros given behind the end
}

// fill makes sure of 32 bits.
func (b *bitReader) fill() {
	for b.count <= 32 {
		var v byte
		switch {
		case b.at >= len(b.data), b.data[b.at] == 0xff && (b.at+1 >= len(b.data) || b.data[b.at+1] != 0):
			b.past++
		default:
			v = b.data[b.at]
			b.at++
			if v == 0xff {
				b.at++ // the zero that was stuffed in
			}
		}
		b.bits = b.bits<<8 | uint64(v)
		b.count += 8
	}
}

// difference reads one difference, modulo 2^16. It reports false for a code that does not exist and behind the end of the data.
func (b *bitReader) difference(t *table) (uint16, bool) {
	b.fill()
	category, length := 0, 0
	if v := t.look[b.bits>>(b.count-lookBits)&(1<<lookBits-1)]; v != 0 {
		category, length = int(v&0xff), int(v>>8)
	} else {
		for length = lookBits + 1; ; length++ {
			if length > 16 {
				return 0, false
			}
			code := int32(b.bits >> (b.count - length) & (1<<length - 1))
			if code >= t.first[length] && code < t.last[length] {
				category = int(t.values[t.symbol[length]+int(code-t.first[length])])
				break
			}
		}
	}
	b.count -= length
	if b.past*8 > b.count {
		return 0, false
	}
	switch category {
	case 0:
		return 0, true
	case 16: // no further bits: the difference is 32768
		return 1 << 15, true
	}
	b.fill()
	v := int(b.bits >> (b.count - category) & (1<<category - 1))
	b.count -= category
	if v < 1<<(category-1) {
		v -= 1<<category - 1
	}
	return uint16(v), true
}

// restart drops the bits up to the next byte and steps over a restart marker.
func (b *bitReader) restart(marker byte) error {
	if b.count-b.past*8 >= 8 || b.past*8 > b.count {
		return errors.New("lossless JPEG: no restart marker where one must be")
	}
	at, err := jpegstream.Restart(kind, b.data, b.at, marker)
	if err != nil {
		return err
	}
	*b = bitReader{data: b.data, at: at}
	return nil
}
