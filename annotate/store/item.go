package store

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"strconv"
	"strings"
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

// pack compresses a mask. Adler-32 at its end tells when the bytes are not those that were written.
func pack(mask []uint8) []byte {
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, zlib.BestSpeed)
	if err != nil {
		panic("store: pack: " + err.Error())
	}
	w.Write(mask)
	w.Close()
	return b.Bytes()
}

func unpack(blob []byte) ([]uint8, error) {
	r, err := zlib.NewReader(bytes.NewReader(blob))
	if err != nil {
		return nil, fmt.Errorf("stored mask: %w", err)
	}
	mask, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("stored mask: %w", err)
	}
	return mask, nil
}
