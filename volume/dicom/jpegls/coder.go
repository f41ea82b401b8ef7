package jpegls

import (
	"errors"

	"github.com/nextslice/nextslice/volume/dicom/jpegstream"
)

// The contexts are numbered as in T.87: 0 to 364 for single samples, 365 and 366 for those that end a run.
const (
	singles  = 365
	contexts = 367
)

// runOrders are the exponents of the lengths of runs (A.2.1, J).
var runOrders = [32]int{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15}

// coder is the state of the coding (A.2.1), with the letters of T.87.
type coder struct {
	parameters
	a, b, c, n [contexts]int32
	negative   [contexts]int32 // Nn, of the last two
	run        int             // RUNindex
}

func newCoder(p parameters) *coder {
	c := &coder{parameters: p}
	start := max(2, (p.span+32)/64)
	for q := range contexts {
		c.a[q], c.n[q] = start, 1
	}
	return c
}

// line decodes a line. row and above have a sample on either side of theirs: row[0] is set here. It reports false where the data
// are damaged or end.
func (c *coder) line(bits *bitReader, row, above []int32) bool {
	columns := len(row) - 2
	above[columns+1] = above[columns] // Rd of the last
	// Left of the first sample is the one above it (A.2.1), which the next line finds as the one above to the left.
	row[0] = above[1]
	for x := 1; x <= columns; {
		left, up, corner, right := row[x-1], above[x], above[x-1], above[x+1]
		d1, d2, d3 := right-up, up-corner, corner-left
		if magnitude(d1) <= c.near && magnitude(d2) <= c.near && magnitude(d3) <= c.near {
			n, ok := c.runOf(bits, row[x:columns+1], left)
			if !ok {
				return false
			}
			if x += n; x > columns {
				break
			}
			if !c.afterRun(bits, row, x, row[x-1], above[x]) {
				return false
			}
			x++
			continue
		}
		if !c.single(bits, row, x, 81*c.quantised(d1)+9*c.quantised(d2)+c.quantised(d3), predicted(left, up, corner)) {
			return false
		}
		x++
	}
	return true
}

func magnitude(v int32) int32 {
	if v < 0 {
		return -v
	}
	return v
}

// quantised returns the region of a gradient, -4 to 4 (A.3.3).
func (c *coder) quantised(d int32) int32 {
	m, q := magnitude(d), int32(4)
	switch {
	case m <= c.near:
		return 0
	case m < c.t1:
		q = 1
	case m < c.t2:
		q = 2
	case m < c.t3:
		q = 3
	}
	if d < 0 {
		return -q
	}
	return q
}

// predicted is the median edge detector (A.4.1).
func predicted(left, up, corner int32) int32 {
	switch {
	case corner >= max(left, up):
		return min(left, up)
	case corner <= min(left, up):
		return max(left, up)
	}
	return left + up - corner
}

// single decodes a sample in regular mode (A.4 to A.6). q is negative where the context is mirrored.
func (c *coder) single(bits *bitReader, row []int32, x int, q, guess int32) bool {
	sign := int32(1)
	if q < 0 {
		sign, q = -1, -q
	}
	guess = min(max(guess+sign*c.c[q], 0), c.maximum)
	k := 0
	for ; k < 24 && c.n[q]<<k < c.a[q]; k++ {
	}
	mapped, ok := bits.golomb(k, c.limit, c.spanBits)
	if !ok {
		return false
	}
	e := mapped >> 1
	if odd := mapped&1 == 1; k == 0 && c.near == 0 && 2*c.b[q] <= -c.n[q] {
		if !odd {
			e = -e - 1
		}
	} else if odd {
		e = -e - 1
	}
	if e > c.span || e < -c.span { // no encoder writes it
		return false
	}
	c.b[q] += e * (2*c.near + 1)
	c.a[q] += magnitude(e)
	if c.n[q] == c.reset {
		c.a[q] >>= 1
		c.b[q] >>= 1
		c.n[q] >>= 1
	}
	c.n[q]++
	if c.b[q] <= -c.n[q] {
		c.b[q] = max(c.b[q]+c.n[q], 1-c.n[q])
		c.c[q] = max(c.c[q]-1, -128)
	} else if c.b[q] > 0 {
		c.b[q] = min(c.b[q]-c.n[q], 0)
		c.c[q] = min(c.c[q]+1, 127)
	}
	row[x] = c.rebuilt(guess, sign*e)
	return true
}

// rebuilt adds an error to a guess, modulo the range of values (A.4.4).
func (c *coder) rebuilt(guess, e int32) int32 {
	step := 2*c.near + 1
	v := guess + e*step
	if v < -c.near {
		v += c.span * step
	} else if v > c.maximum+c.near {
		v -= c.span * step
	}
	return min(max(v, 0), c.maximum)
}

// runOf fills the samples of a run and returns how many there are (A.7.1.2). Where the line does not end with it another sample follows.
func (c *coder) runOf(bits *bitReader, row []int32, value int32) (n int, ok bool) {
	for n < len(row) {
		bit, ok := bits.read(1)
		if !ok {
			return 0, false
		}
		length := 1 << runOrders[c.run]
		if bit == 0 {
			rest, ok := bits.read(runOrders[c.run])
			if !ok || n+int(rest) >= len(row) { // the sample that ends the run must be there
				return 0, false
			}
			for range rest {
				row[n] = value
				n++
			}
			return n, true
		}
		if length <= len(row)-n {
			c.run = min(c.run+1, 31)
		}
		for i := 0; i < length && n < len(row); i++ {
			row[n] = value
			n++
		}
	}
	return n, true
}

// afterRun decodes the sample that ends a run (A.7.2).
func (c *coder) afterRun(bits *bitReader, row []int32, x int, left, up int32) bool {
	q, kind, guess, sign := singles, int32(0), up, int32(1)
	wanted := c.a[singles]
	switch {
	case magnitude(left-up) <= c.near:
		q, kind, guess = singles+1, 1, left
		wanted = c.a[q] + c.n[q]>>1
	case left > up:
		sign = -1
	}
	k := 0
	for ; k < 24 && c.n[q]<<k < wanted; k++ {
	}
	mapped, ok := bits.golomb(k, c.limit-runOrders[c.run]-1, c.spanBits)
	if !ok {
		return false
	}
	both := mapped + kind
	odd := both & 1
	e := (both + odd) >> 1
	if e > c.span {
		return false
	}
	if (k != 0 || 2*c.negative[q] >= c.n[q]) == (odd == 1) {
		e = -e
	}
	if e < 0 {
		c.negative[q]++
	}
	c.a[q] += (mapped + 1 - kind) >> 1
	if c.n[q] == c.reset {
		c.a[q] >>= 1
		c.n[q] >>= 1
		c.negative[q] >>= 1
	}
	c.n[q]++
	c.run = max(c.run-1, 0)
	row[x] = c.rebuilt(guess, sign*e)
	return true
}

// bitReader reads the bits of coded data: a byte after 0xff has 7 of them. Behind the end, at a marker or at the last byte, it gives zeros and
// counts them.
type bitReader struct {
	data  []byte
	at    int
	bits  uint64
	count int // valid bits, the lowest of bits
	past  int // bits of zeros given behind the end
	full  bool
}

// fill makes sure of 32 bits.
func (b *bitReader) fill() {
	for b.count <= 32 {
		n, v := 8, byte(0)
		if b.full {
			n = 7
		}
		switch {
		case b.at >= len(b.data), b.data[b.at] == 0xff && (b.at+1 >= len(b.data) || b.data[b.at+1] >= 0x80), b.full && b.data[b.at] >= 0x80:
			b.past += n
			b.full = false
		default:
			v = b.data[b.at]
			b.at++
			b.full = v == 0xff
		}
		b.bits = b.bits<<n | uint64(v)
		b.count += n
	}
}

// over reports whether bits were taken that are not there.
func (b *bitReader) over() bool { return b.past > b.count }

// read returns the next n bits, 0 to 32.
func (b *bitReader) read(n int) (int32, bool) {
	b.fill()
	b.count -= n
	return int32(b.bits >> b.count & (1<<n - 1)), !b.over()
}

// golomb reads a value by a Golomb code of limited length (A.5.3).
func (b *bitReader) golomb(k, limit, escape int) (int32, bool) {
	zeros := 0
	for {
		bit, ok := b.read(1)
		if !ok {
			return 0, false
		}
		if bit == 1 {
			break
		}
		if zeros++; zeros > limit {
			return 0, false
		}
	}
	if zeros < limit-escape-1 {
		if k >= 24 { // of damaged data only: the mean error is less than 2^17
			return 0, false
		}
		low, ok := b.read(k)
		return int32(zeros)<<k | low, ok
	}
	v, ok := b.read(escape)
	return v + 1, ok
}

// restart drops the bits up to the next byte and steps over a restart marker.
func (b *bitReader) restart(marker byte) error {
	if b.count-b.past >= 8 || b.over() {
		return errors.New("JPEG-LS: no restart marker where one must be")
	}
	at, err := jpegstream.Restart(kind, b.data, b.at, marker)
	if err != nil {
		return err
	}
	*b = bitReader{data: b.data, at: at}
	return nil
}
