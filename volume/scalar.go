package volume

import (
	"encoding/binary"
	"math"
	"slices"
)

// scalar is the type of a stored voxel, by its Go name: "int8" ... "uint64", "float32", "float64".
type scalar string

var scalarSizes = map[scalar]int{
	"int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "float32": 4, "int64": 8, "uint64": 8, "float64": 8,
}

// size returns the bytes of a voxel.
func (s scalar) size() int {
	if n, ok := scalarSizes[s]; ok {
		return n
	}
	panic("volume: no such scalar: " + string(s))
}

// decode puts the numbers of src into dst. Whole numbers that F does not hold exactly are rounded. A big-endian src is
// swapped in place.
func decode[F float32 | float64](s scalar, dst []F, src []byte, bigEndian bool) {
	size := s.size()
	if bigEndian && size > 1 {
		for i := 0; i+size <= len(src); i += size {
			slices.Reverse(src[i : i+size])
		}
	}
	le := binary.LittleEndian
	switch s {
	case "int8":
		for i := range dst {
			dst[i] = F(int8(src[i]))
		}
	case "uint8":
		for i := range dst {
			dst[i] = F(src[i])
		}
	case "int16":
		for i := range dst {
			dst[i] = F(int16(le.Uint16(src[2*i:])))
		}
	case "uint16":
		for i := range dst {
			dst[i] = F(le.Uint16(src[2*i:]))
		}
	case "int32":
		for i := range dst {
			dst[i] = F(int32(le.Uint32(src[4*i:])))
		}
	case "uint32":
		for i := range dst {
			dst[i] = F(le.Uint32(src[4*i:]))
		}
	case "int64":
		for i := range dst {
			dst[i] = F(int64(le.Uint64(src[8*i:])))
		}
	case "uint64":
		for i := range dst {
			dst[i] = F(le.Uint64(src[8*i:]))
		}
	case "float32":
		for i := range dst {
			dst[i] = F(math.Float32frombits(le.Uint32(src[4*i:])))
		}
	case "float64":
		for i := range dst {
			dst[i] = F(math.Float64frombits(le.Uint64(src[8*i:])))
		}
	}
}

// encode puts the numbers of src, little-endian, into dst. They must fit the type, which is one of up to 16 bits
// or float32.
func (s scalar) encode(dst []byte, src []float32) {
	le := binary.LittleEndian
	for i, v := range src {
		switch s {
		case "int8":
			dst[i] = byte(int8(v))
		case "uint8":
			dst[i] = byte(v)
		case "int16":
			le.PutUint16(dst[2*i:], uint16(int16(v)))
		case "uint16":
			le.PutUint16(dst[2*i:], uint16(v))
		case "float32":
			le.PutUint32(dst[4*i:], math.Float32bits(v))
		default:
			panic("volume: cannot write scalar " + string(s))
		}
	}
}

// wholeRanges are the least and the greatest number of the types of up to 16 bits.
var wholeRanges = map[scalar][2]float32{
	"int8": {math.MinInt8, math.MaxInt8}, "uint8": {0, math.MaxUint8}, "int16": {math.MinInt16, math.MaxInt16}, "uint16": {0, math.MaxUint16},
}

// holds reports whether every value is a whole number that the type, one of up to 16 bits, represents exactly.
func (s scalar) holds(values []float32) bool {
	r, ok := wholeRanges[s]
	return ok && !slices.ContainsFunc(values, func(v float32) bool {
		return !(v >= r[0] && v <= r[1]) || v != float32(math.Trunc(float64(v)))
	})
}
