package volume

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	img "image"
	"io"
	"math"
	"regexp"
	"strconv"

	"github.com/klauspost/compress/zlib"
	"golang.org/x/image/tiff"
	"golang.org/x/image/tiff/lzw"
)

// Tags of a TIFF directory (TIFF 6.0, and Adobe's technical notes for the predictor of floating-point numbers).
const (
	tagSubfile, tagWidth, tagHeight, tagBits, tagCompression, tagPhotometric, tagDescription = 254, 256, 257, 258, 259, 262, 270
	tagOffsets, tagOrientation, tagSamples, tagRows, tagCounts, tagPredictor                 = 273, 274, 277, 278, 279, 317
	tagTileWidth, tagTileHeight, tagTileOffsets, tagTileCounts, tagSampleFormat              = 322, 323, 324, 325, 339
)

// tiffTags are those that are read.
var tiffTags = map[int]bool{tagSubfile: true, tagWidth: true, tagHeight: true, tagBits: true, tagCompression: true, tagPhotometric: true, tagDescription: true,
	tagOffsets: true, tagOrientation: true, tagSamples: true, tagRows: true, tagCounts: true, tagPredictor: true, tagTileWidth: true, tagTileHeight: true,
	tagTileOffsets: true, tagTileCounts: true, tagSampleFormat: true}

// mostPages bounds the pages of a TIFF file.
const mostPages = 1 << 14

// tiffStack is what the directories of a TIFF file say. Its pages are slices, from the first on.
type tiffStack struct {
	data  []byte
	order binary.ByteOrder
	pages []tiffPage
	kept  uint64 // entries and numbers of all directories: no more than the file has bytes, whatever they share
}

// tiffPage is one directory.
type tiffPage struct {
	at   uint32           // where it begins
	tags map[int][]uint64 // of whole numbers
	text string           // ImageDescription
}

// readTIFF reads the directories. Reduced copies and transparency masks of a page are no pages.
func readTIFF(data []byte) (*tiffStack, error) {
	f := &tiffStack{data: data}
	switch {
	case bytes.HasPrefix(data, []byte("II*\x00")):
		f.order = binary.LittleEndian
	case bytes.HasPrefix(data, []byte("MM\x00*")):
		f.order = binary.BigEndian
	case bytes.HasPrefix(data, []byte("II+\x00")), bytes.HasPrefix(data, []byte("MM\x00+")):
		return nil, errors.New("a BigTIFF file: save it as TIFF, or as one NIfTI volume")
	default:
		return nil, errors.New("malformed header")
	}
	if len(data) < 8 {
		return nil, errors.New("the file is cut short")
	}
	seen := map[uint32]bool{}
	for at := f.order.Uint32(data[4:]); at != 0; {
		if seen[at] {
			return nil, errors.New("a page follows itself")
		}
		if seen[at] = true; len(seen) > mostPages {
			return nil, fmt.Errorf("more than %d pages", mostPages)
		}
		p, next, err := f.page(at)
		if err != nil {
			return nil, err
		}
		if p.tag(tagSubfile, 0)&5 == 0 || len(f.pages) == 0 && next == 0 {
			f.pages = append(f.pages, p)
		}
		at = next
	}
	if len(f.pages) == 0 {
		return nil, errors.New("the file has no page")
	}
	return f, f.oneStack()
}

// page reads the directory at an offset, and returns the next one's.
func (f *tiffStack) page(at uint32) (p tiffPage, next uint32, err error) {
	part := func(at, n uint64) []byte {
		if at > uint64(len(f.data)) || n > uint64(len(f.data))-at {
			err = errors.New("the file is cut short")
			return make([]byte, min(n, 12))
		}
		return f.data[at : at+n]
	}
	n := uint64(f.order.Uint16(part(uint64(at), 2)))
	entries := part(uint64(at)+2, 12*n)
	if end := part(uint64(at)+2+12*n, 4); err == nil {
		next = f.order.Uint32(end)
	}
	p = tiffPage{at: at, tags: map[int][]uint64{}}
	if f.kept += n; f.kept > uint64(len(f.data)) {
		return p, 0, errors.New("its directories overlap")
	}
	for ; err == nil && len(entries) >= 12; entries = entries[12:] {
		tag, kind, count := int(f.order.Uint16(entries)), f.order.Uint16(entries[2:]), uint64(f.order.Uint32(entries[4:]))
		size := map[uint16]uint64{1: 1, 2: 1, 3: 2, 4: 4}[kind] // BYTE, ASCII, SHORT, LONG
		if size == 0 || !tiffTags[tag] || len(p.tags[tag]) > 0 {
			continue
		}
		if f.kept += count; f.kept > uint64(len(f.data)) {
			return p, 0, errors.New("its directories overlap")
		}
		value := entries[8:12]
		if count*size > 4 {
			value = part(uint64(f.order.Uint32(value)), count*size)
		}
		if err != nil {
			break
		}
		if kind == 2 {
			p.text = string(value[:min(count, uint64(len(value)))])
			continue
		}
		for i := range count {
			switch size {
			case 1:
				p.tags[tag] = append(p.tags[tag], uint64(value[i]))
			case 2:
				p.tags[tag] = append(p.tags[tag], uint64(f.order.Uint16(value[2*i:])))
			case 4:
				p.tags[tag] = append(p.tags[tag], uint64(f.order.Uint32(value[4*i:])))
			}
		}
	}
	return p, next, err
}

// tag returns the first number of a tag.
func (p tiffPage) tag(tag int, missing uint64) uint64 {
	if v := p.tags[tag]; len(v) > 0 {
		return v[0]
	}
	return missing
}

var (
	imageJCount = regexp.MustCompile(`(?m)^(images|channels|frames)=(\d+)`)
	omeCount    = regexp.MustCompile(`\bSize([CT])="(\d+)"`)
)

// oneStack returns an error unless the pages are the slices of one volume: of one size and type, and not channels or time points.
func (f *tiffStack) oneStack() error {
	first := f.pages[0]
	for n, p := range f.pages {
		for _, tag := range []int{tagWidth, tagHeight, tagBits, tagSampleFormat, tagSamples, tagPhotometric} {
			if a, b := first.tag(tag, 1), p.tag(tag, 1); a != b {
				return fmt.Errorf("page %d is not like the first (tag %d is %d, not %d): save the pages as files of their own", n+1, tag, b, a)
			}
		}
	}
	count := map[string]int{}
	if len(first.text) > 6 && first.text[:6] == "ImageJ" {
		for _, m := range imageJCount.FindAllStringSubmatch(first.text, -1) {
			count[m[1]], _ = strconv.Atoi(m[2])
		}
	} else if bytes.Contains([]byte(first.text), []byte("<OME")) {
		for _, m := range omeCount.FindAllStringSubmatch(first.text, -1) {
			count[map[string]string{"C": "channels", "T": "frames"}[m[1]]], _ = strconv.Atoi(m[2])
		}
	}
	switch {
	case len(f.pages) > 1 && max(count["channels"], count["frames"]) > 1:
		return fmt.Errorf("its pages are %d channels and %d time points: save each as a file of its own", max(1, count["channels"]), max(1, count["frames"]))
	case count["images"] > len(f.pages):
		return fmt.Errorf("ImageJ says that it holds %d images, and %d can be found: save it as one NIfTI volume", count["images"], len(f.pages))
	}
	return nil
}

// numbers returns the type of the voxels where they are numbers that the decoder of golang.org/x/image does not read, or reads wrongly
// (signed ones); "" where it does.
func (p tiffPage) numbers() string {
	bits, format := p.tag(tagBits, 1), p.tag(tagSampleFormat, 1)
	if p.tag(tagSamples, 1) != 1 || (format == 1 || format == 4) && bits <= 16 {
		return ""
	}
	return map[uint64]string{1: "uint", 2: "int", 3: "float", 4: "uint"}[format] + strconv.FormatUint(bits, 10)
}

// size returns the page's width and height, in pixels.
func (p tiffPage) size() (width, height int) {
	return int(min(p.tag(tagWidth, 0), math.MaxInt32)), int(min(p.tag(tagHeight, 0), math.MaxInt32))
}

// decode returns a page that the decoder of golang.org/x/image reads: the file with that page as its first.
func (f *tiffStack) decode(p tiffPage) (img.Image, error) {
	r := &patched{data: f.data}
	copy(r.head[:], f.data[:8])
	f.order.PutUint32(r.head[4:], p.at)
	return tiff.Decode(r)
}

// patched is a file with another header of 8 bytes.
type patched struct {
	data []byte
	head [8]byte
	at   int64
}

func (r *patched) ReadAt(to []byte, at int64) (n int, err error) {
	if at < 0 || at >= int64(len(r.data)) {
		return 0, io.EOF
	}
	n = copy(to, r.data[at:])
	if at < 8 {
		copy(to[:n], r.head[at:])
	}
	if n < len(to) {
		err = io.EOF
	}
	return n, err
}

func (r *patched) Read(to []byte) (n int, err error) {
	n, err = r.ReadAt(to, r.at)
	r.at += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

// rows hands over the rows of a page of numbers.
func (f *tiffStack) rows(p tiffPage, each func([]float64) error) error {
	w, h := p.size()
	bits := int(p.tag(tagBits, 1))
	read, size := f.number(p.numbers()), bits/8
	all := make([]byte, w*h*size)
	if err := f.fill(p, all, w, h, size); err != nil {
		return err
	}
	row := make([]float64, w)
	for y := range h {
		for x := range row {
			row[x] = read(all[(y*w+x)*size:])
		}
		if err := each(row); err != nil {
			return err
		}
	}
	return nil
}

// readable returns an error where the numbers of a page are not read.
func (f *tiffStack) readable(p tiffPage) error {
	switch {
	case p.numbers() == "":
		return nil
	case f.number(p.numbers()) == nil:
		return fmt.Errorf("numbers of %d bits in format %d are not read: save them as 32-bit floating point", p.tag(tagBits, 1), p.tag(tagSampleFormat, 1))
	case p.tag(tagPhotometric, 1) != 1:
		return fmt.Errorf("photometric interpretation %d is not read of such numbers: save them as BlackIsZero", p.tag(tagPhotometric, 1))
	}
	return nil
}

// number returns the function that reads a number of a type; nil for those that are not read.
func (f *tiffStack) number(kind string) func([]byte) float64 {
	o := f.order
	return map[string]func([]byte) float64{
		"int8":    func(b []byte) float64 { return float64(int8(b[0])) },
		"int16":   func(b []byte) float64 { return float64(int16(o.Uint16(b))) },
		"int32":   func(b []byte) float64 { return float64(int32(o.Uint32(b))) },
		"uint32":  func(b []byte) float64 { return float64(o.Uint32(b)) },
		"float32": func(b []byte) float64 { return float64(math.Float32frombits(o.Uint32(b))) },
		"float64": func(b []byte) float64 { return math.Float64frombits(o.Uint64(b)) },
	}[kind]
}

// fill decodes the strips or tiles of a page into all, rows of w numbers of size bytes.
func (f *tiffStack) fill(p tiffPage, all []byte, w, h, size int) error {
	bw, bh, offsets, counts := w, int(min(p.tag(tagRows, uint64(h)), uint64(h))), p.tags[tagOffsets], p.tags[tagCounts]
	tiled := len(p.tags[tagTileOffsets]) > 0
	if tiled {
		bw, bh = int(min(p.tag(tagTileWidth, 0), 1<<16)), int(min(p.tag(tagTileHeight, 0), 1<<16))
		offsets, counts = p.tags[tagTileOffsets], p.tags[tagTileCounts]
	}
	if bw <= 0 || bh <= 0 || bw > 4*w+1024 || bh > 4*h+1024 {
		return errors.New("its tiles have no sensible size")
	}
	across, down := (w+bw-1)/bw, (h+bh-1)/bh
	if len(offsets) < across*down || len(counts) < across*down {
		return errors.New("the file is cut short")
	}
	block := make([]byte, bw*bh*size)
	for n := range across * down {
		x, y := n%across*bw, n/across*bh
		rows := bh
		if !tiled {
			rows = min(bh, h-y)
		}
		if offsets[n] > uint64(len(f.data)) || counts[n] > uint64(len(f.data))-offsets[n] {
			return errors.New("the file is cut short")
		}
		part := block[:bw*rows*size]
		if err := f.unpack(p, part, f.data[offsets[n]:offsets[n]+counts[n]], bw, size); err != nil {
			return err
		}
		for r := range min(rows, h-y) {
			copy(all[((y+r)*w+x)*size:((y+r)*w+min(x+bw, w))*size], part[r*bw*size:])
		}
	}
	return nil
}

// unpack decompresses a strip or tile of rows of w numbers, and undoes its predictor.
func (f *tiffStack) unpack(p tiffPage, to, from []byte, w, size int) error {
	var r io.Reader = bytes.NewReader(from)
	switch c := p.tag(tagCompression, 1); c {
	case 1:
	case 5:
		r = lzw.NewReader(r, lzw.MSB, 8)
	case 8, 32946:
		z, err := zlib.NewReader(r)
		if err != nil {
			return err
		}
		r = z
	case 32773:
		r = bytes.NewReader(packBits(from, len(to)))
	default:
		return fmt.Errorf("compression %d is not read with such numbers: save it with none, LZW or deflate", c)
	}
	if _, err := io.ReadFull(r, to); err != nil {
		return fmt.Errorf("a strip is cut short: %w", err)
	}
	line := w * size
	switch predictor := p.tag(tagPredictor, 1); predictor {
	case 1:
	case 2: // differences of neighbours
		for row := range len(to) / line {
			f.sumUp(to[row*line:(row+1)*line], size)
		}
	case 3: // differences of bytes, the highest byte of all numbers first
		sorted := make([]byte, line)
		for row := range len(to) / line {
			b := to[row*line : (row+1)*line]
			for i := 1; i < line; i++ {
				b[i] += b[i-1]
			}
			for i := range w {
				for k := range size {
					at := k
					if f.order == binary.LittleEndian {
						at = size - 1 - k
					}
					sorted[i*size+at] = b[k*w+i]
				}
			}
			copy(b, sorted)
		}
	default:
		return fmt.Errorf("predictor %d is not read: save it without", predictor)
	}
	return nil
}

// sumUp turns differences of neighbouring numbers into the numbers, as whole numbers of their width.
func (f *tiffStack) sumUp(b []byte, size int) {
	for i := size; i < len(b); i += size {
		a, c := b[i-size:], b[i:]
		switch size {
		case 1:
			c[0] += a[0]
		case 2:
			f.order.PutUint16(c, f.order.Uint16(c)+f.order.Uint16(a))
		case 4:
			f.order.PutUint32(c, f.order.Uint32(c)+f.order.Uint32(a))
		case 8:
			f.order.PutUint64(c, f.order.Uint64(c)+f.order.Uint64(a))
		}
	}
}

// packBits decompresses up to want bytes.
func packBits(from []byte, want int) []byte {
	var to []byte
	for len(from) > 1 && len(to) < want {
		switch n := int(int8(from[0])); {
		case n >= 0:
			n = min(n+1, len(from)-1)
			to = append(to, from[1:1+n]...)
			from = from[1+n:]
		case n == -128:
			from = from[1:]
		default:
			to = append(to, bytes.Repeat(from[1:2], 1-n)...)
			from = from[2:]
		}
	}
	return to
}
