package store

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"
)

// Item is a slice of a case.
type Item struct {
	Case  string
	Slice int
}

// String returns the item as the API names it, e.g. "Case12/017".
func (i Item) String() string { return fmt.Sprintf("%s/%03d", i.Case, i.Slice) }

// ParseItem is the inverse of String.
func ParseItem(text string) (Item, error) {
	cut := strings.LastIndexByte(text, '/')
	if cut < 1 {
		return Item{}, fmt.Errorf("item %q: want CASE/SLICE, such as Case12/017", text)
	}
	slice, err := strconv.Atoi(text[cut+1:])
	if err != nil || slice < 0 {
		return Item{}, fmt.Errorf("item %q: want CASE/SLICE, such as Case12/017", text)
	}
	return Item{text[:cut], slice}, nil
}

// packers are reused: making one takes longer than packing a mask.
var packers = sync.Pool{New: func() any {
	w, err := zlib.NewWriterLevel(nil, zlib.BestSpeed)
	if err != nil {
		panic("store: pack: " + err.Error())
	}
	return w
}}

// pack compresses a mask. Adler-32 at its end tells when the bytes are not those that were written.
func pack(mask []uint8) []byte {
	var b bytes.Buffer
	w := packers.Get().(*zlib.Writer)
	defer packers.Put(w)
	w.Reset(&b)
	_, _ = w.Write(mask)
	w.Close()
	return b.Bytes()
}

// maxPixels bounds what a damaged mask can unpack to: 16 times the pixels of the largest slice that the server takes.
const maxPixels = 1 << 29

// unpack is the inverse of pack, or ErrDamaged.
func unpack(blob []byte) ([]uint8, error) {
	r, err := zlib.NewReader(bytes.NewReader(blob))
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrDamaged, err)
	}
	mask, err := io.ReadAll(io.LimitReader(r, maxPixels))
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrDamaged, err)
	}
	return mask, nil
}

// digest is the SHA-256 of a version with its mask: a flipped bit in either, or the mask of another version, makes another one.
func (v Version) digest(at string, mask []uint8) []byte {
	h := sha256.New()
	number := func(p *float64) string {
		if p == nil {
			return "-"
		}
		return strconv.FormatUint(math.Float64bits(*p), 16)
	}
	whole := func(p *int) string {
		if p == nil {
			return "-"
		}
		return strconv.Itoa(*p)
	}
	fmt.Fprintf(h, "%q %d %d %d %q %q %q %s %s %s %s %s\n", v.Item.Case, v.Item.Slice, v.Version, v.Reading, v.Person, at, v.Action,
		number(&v.Seconds), whole(v.Proposal), number(v.Dice), number(v.Agreement), whole(v.Restored))
	h.Write(mask)
	return h.Sum(nil)
}

// open unpacks the mask of a version and compares both with their digest, if there is one.
func (v Version) open(blob, digest []byte) ([]uint8, error) {
	mask, err := unpack(blob)
	if err == nil && digest != nil && !bytes.Equal(digest, v.digest(v.at, mask)) {
		err = ErrDamaged
	}
	if err != nil {
		return nil, fmt.Errorf("version %d of %s: %w", v.Version, v.Item, err)
	}
	return mask, nil
}
