package dicom

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// headBytes is how much of a file is read to find its header. Larger headers are read whole.
const headBytes = 1 << 18

// maxFile is the largest file that is read.
const maxFile = 4 << 30

// file is a parsed header, and where the pixels lie.
type file struct {
	name   string
	memory io.ReaderAt // the file's bytes where it lies in no folder, else nil
	size   int64
	// modified is the time of the file when its header was read.
	modified time.Time
	item
	encoded map[tag.Tag]encoded // texts that are not plain, as they stand
	layout
}

// openFile parses the header of a DICOM file.
func openFile(name string) (*file, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, fmt.Errorf("no file of up to %d bytes", int64(maxFile))
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out, err := parse(f, info.Size())
	if out != nil {
		out.name, out.modified = name, info.ModTime()
	}
	return out, err
}

// parse parses the header of a file of a known size. With an error there may be a file too, with what could be read of it.
func parse(r io.ReaderAt, size int64) (*file, error) {
	data := make([]byte, min(size, headBytes))
	if _, err := r.ReadAt(data, 0); err != nil && err != io.EOF {
		return nil, err
	}
	if size == 0 {
		return nil, errors.New("the file is empty")
	}
	l, err := locate(data)
	if errors.Is(err, errCut) && size > headBytes {
		data = make([]byte, size)
		if _, err := r.ReadAt(data, 0); err != nil && err != io.EOF {
			return nil, err
		}
		l, err = locate(data)
	}
	if err == nil && l.syntax == deflated {
		data, l, err = inflated(r, int64(l.start), size)
	}
	if errors.Is(err, errCut) && l.refused != nil {
		return nil, l.refused
	}
	if errors.Is(err, errCut) {
		var known *file
		if l.pixels > l.start {
			if f, err := parseElements(data, l); err == nil {
				known = &file{size: size, item: f.item, encoded: f.encoded}
			}
		}
		return known, errors.New("cut short within the header")
	}
	if err != nil {
		return nil, err
	}
	f, err := parseElements(data, l)
	if err != nil {
		return nil, err
	}
	f.size = size
	if l.refused != nil {
		f.layout = l
		return f, l.refused
	}
	if l.length == undefinedLength && isPacked(l.syntax) {
		if err := l.findFragments(r, size); err != nil {
			return f, err
		}
		if len(l.offsets) == 0 && len(l.fragments) > 1 {
			l.findStarts(r)
		}
	}
	f.layout = l
	return f, nil
}

// parseElements runs the parser over a data set whose lengths have been checked, and returns a file of its elements. It gets meta information of our own making,
// so that it has nothing to guess, and no character set: its decoders are not those of DICOM.
func parseElements(data []byte, l layout) (f *file, err error) {
	defer func() { // the parser asserts types of values that a hostile file chooses
		if r := recover(); r != nil {
			err = fmt.Errorf("damaged header: %.120v", r)
		}
	}()
	syntax := l.syntax
	if syntax != implicitLittle && syntax != explicitBig {
		syntax = explicitLittle // of all that is packed too
	}
	uid := []byte(syntax)
	if len(uid)%2 == 1 {
		uid = append(uid, 0)
	}
	le := binary.LittleEndian
	meta := append(make([]byte, 128), "DICM\x02\x00\x00\x00UL\x04\x00"...)
	meta = le.AppendUint32(meta, uint32(8+len(uid)))
	meta = append(meta, "\x02\x00\x10\x00UI"...)
	meta = append(le.AppendUint16(meta, uint16(len(uid))), uid...)
	parts, length, at, texts := []io.Reader{bytes.NewReader(meta)}, len(meta), l.start, charset(nil)
	for _, c := range append(slices.Clone(l.charsets), charsetAt{from: l.pixels, to: l.pixels}) {
		parts = append(parts, bytes.NewReader(data[at:c.from]))
		length += c.from - at
		at = c.to
		if c.from < l.pixels {
			texts = strings.Split(c.value, `\`)
		}
	}
	set, err := lib.Parse(io.MultiReader(parts...), int64(length), nil, lib.SkipPixelData())
	if err != nil {
		return nil, fmt.Errorf("damaged header: %.200s", printable(err.Error()))
	}
	f = &file{item: set.Elements}
	if texts != nil {
		declared, err := lib.NewElement(tag.SpecificCharacterSet, []string(texts))
		if err != nil {
			return nil, fmt.Errorf("damaged header: %.200s", printable(err.Error()))
		}
		f.item = append(f.item, declared)
	}
	f.encoded = f.charset().decodeTexts(f.item)
	return f, nil
}

// item is a data set or an item of a sequence.
type item []*lib.Element

func (m item) find(t tag.Tag) *lib.Element {
	for _, e := range m {
		if e.Tag == t && e.Value != nil {
			return e
		}
	}
	return nil
}

// text returns the first string of an element, "" where there is none.
func (m item) text(t tag.Tag) string {
	if s := m.texts(t); len(s) > 0 {
		return s[0]
	}
	return ""
}

// or returns the first string of an element, or another where there is none.
func (m item) or(t tag.Tag, without string) string { return cmp.Or(m.text(t), without) }

func (m item) texts(t tag.Tag) []string {
	e := m.find(t)
	if e == nil {
		return nil
	}
	s, ok := e.Value.GetValue().([]string)
	if !ok {
		return nil
	}
	out := make([]string, len(s))
	for i := range s {
		out[i] = strings.Trim(s[i], " \x00\r\n")
	}
	return out
}

// reals returns the numbers of an element: text (DS, IS, also with decimal commas), FD, FL or integers. It returns nil where one is missing or
// no finite number.
func (m item) reals(t tag.Tag) []float64 {
	e := m.find(t)
	if e == nil {
		return nil
	}
	var out []float64
	switch v := e.Value.GetValue().(type) {
	case []float64:
		out = v
	case []int:
		for _, x := range v {
			out = append(out, float64(x))
		}
	case []string:
		for _, s := range v {
			// A comma can only be a decimal point of a writer that knows no other.
			x, err := strconv.ParseFloat(strings.Replace(strings.Trim(s, " \x00"), ",", ".", 1), 64)
			if err != nil {
				return nil
			}
			out = append(out, x)
		}
	}
	for _, x := range out {
		if !(x >= -1e9 && x <= 1e9) {
			return nil
		}
	}
	return out
}

// real returns the first number of an element, or another value where there is none.
func (m item) real(t tag.Tag, without float64) float64 {
	if v := m.reals(t); len(v) > 0 {
		return v[0]
	}
	return without
}

func (m item) whole(t tag.Tag, without int) int { return int(m.real(t, float64(without))) }

// items returns the items of a sequence.
func (m item) items(t tag.Tag) []item {
	e := m.find(t)
	if e == nil {
		return nil
	}
	values, ok := e.Value.GetValue().([]*lib.SequenceItemValue)
	if !ok {
		return nil
	}
	var out []item
	for _, v := range values {
		if elements, ok := v.GetValue().([]*lib.Element); ok {
			out = append(out, elements)
		}
	}
	return out
}

// inner returns the first item of a sequence; nil, in which nothing is found, where there is none.
func (m item) inner(t tag.Tag) item {
	if s := m.items(t); len(s) > 0 {
		return s[0]
	}
	return nil
}
