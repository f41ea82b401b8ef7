package dicom

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/suyashkumar/dicom/pkg/tag"
)

const (
	implicitLittle = "1.2.840.10008.1.2"
	explicitLittle = "1.2.840.10008.1.2.1"
	explicitBig    = "1.2.840.10008.1.2.2"

	undefinedLength = 0xffffffff
	maxNesting      = 32
)

// errCut says that the bytes end within an element.
var errCut = errors.New("cut short")

// layout is what a walk over a file finds.
type layout struct {
	syntax string // transfer syntax UID
	start  int    // where the data set begins, behind preamble and meta information
	pixels int    // where the pixel data's tag begins, or the end of the data set
	voxels int64  // where the pixel data's value begins; 0 where there is none
	length uint32 // its length; undefinedLength where it is packed
	floats bool   // the pixel data are Float or Double Float Pixel Data

	charsets []charsetAt

	refused error // why the pixels cannot be read, which says nothing against the header

	deflated  int64 // where a deflated data set begins in the file, else 0; pixels and voxels then count in the inflated one
	fragments []span
	offsets   []int64 // of the frames, from the first fragment; empty where the file has none
	starts    []bool  // the fragments that begin a JPEG stream
}

// charsetAt is where the data set declares its character set: its bytes, and what they say.
type charsetAt struct {
	from, to int
	value    string
}

// errNotDICOM says that a file has neither the magic of DICOM nor begins like a data set.
var errNotDICOM = errors.New("not DICOM: no \"DICM\" at byte 128")

// bareMeta is how meta information begins that no preamble stands before: its group's length.
const bareMeta = "\x02\x00\x00\x00UL\x04\x00"

// locate finds the data set in the first bytes of a file, and the pixel data in it. The lengths of everything before the
// pixel data have been checked when it returns without an error. errCut means that more bytes are needed.
func locate(data []byte) (layout, error) {
	switch {
	case len(data) >= 132 && string(data[128:132]) == "DICM":
		return locateWithMeta(data, 132)
	case bytes.HasPrefix(data, []byte(bareMeta)):
		return locateWithMeta(data, 0)
	case len(data) < 132 && len(bytes.Trim(data, "\x00")) == 0: // what is left of a preamble
		return layout{}, errCut
	}
	// Files from before 1993 and some exports have no meta information.
	syntax := bareSyntax(data)
	if syntax == "" {
		return layout{}, errNotDICOM
	}
	l, err := newWalker(data, syntax).dataset(0)
	l.syntax = syntax
	return l, err
}

// bareSyntax returns the transfer syntax of a data set that begins with the first byte, "" if there is none: elements of group 8 in rising order,
// with value representations, or of lengths that group 8 may have.
func bareSyntax(data []byte) string {
	for _, syntax := range []string{implicitLittle, explicitLittle, explicitBig} {
		w := newWalker(data, syntax)
		if t := w.tag(0); t.Group != 0x0008 || t.Element > 0x0100 || !w.first(0) {
			continue
		}
		e, err := w.element(0, len(data))
		next := e.value + int(min(e.length, 1<<16))
		if err == nil && next+8 <= len(data) && (!w.first(next) || w.tag(next).Group < 0x0008 || w.tag(next).Group > 0x0010) {
			continue
		}
		return syntax
	}
	return ""
}

// locateWithMeta is locate for meta information that begins at a byte.
func locateWithMeta(data []byte, at int) (layout, error) {
	w := newWalker(data, explicitLittle)
	syntax := ""
	for w.tag(at).Group == 0x0002 {
		e, err := w.element(at, len(data))
		if err != nil {
			return layout{}, err
		}
		next, err := w.value(e, len(data), 0)
		if err != nil {
			return layout{}, err
		}
		if e.tag == tag.TransferSyntaxUID {
			syntax = strings.Trim(string(data[e.value:next]), " \x00")
		}
		at = next
	}
	if syntax == "" {
		syntax = implicitLittle // the default (PS3.10, 7.1)
	}
	if len(syntax) > 64 || strings.Trim(syntax, "0123456789.") != "" { // its text may be anything, also a patient's
		return layout{}, errors.New("damaged: the transfer syntax is no UID")
	}
	refused := refuseSyntax(syntax)
	if syntax == deflated {
		return layout{syntax: syntax, start: at}, nil
	}
	l, err := newWalker(data, syntax).dataset(at)
	l.syntax, l.refused = syntax, refused
	if refused != nil && err != nil && !errors.Is(err, errCut) {
		err = refused // of an unknown syntax the walk may not have understood a thing
	}
	return l, err
}

// isPacked reports whether we unpack the pixels of a transfer syntax.
func isPacked(syntax string) bool {
	switch syntax {
	case rle, jpegBaseline, jpegLossless, jpegLosslessSV1, jpegLS, jpegLSNear:
		return true
	}
	return isForeign(syntax)
}

// refuseSyntax names the packings that are not decoded, and the program that does.
func refuseSyntax(syntax string) error {
	const how = "unpack it first, e.g. with \"gdcmconv --raw in.dcm out.dcm\" or \"%s in.dcm out.dcm\""
	packing, program := Packing(syntax), "opj_decompress"
	switch {
	case isForeign(syntax):
		_, err := gdcm(syntax)
		return err
	case syntax == implicitLittle, syntax == explicitLittle, syntax == explicitBig, syntax == deflated, isPacked(syntax):
		return nil
	case packing == "":
		return fmt.Errorf("transfer syntax %q is unknown: convert to Explicit VR Little Endian", printable(syntax))
	case strings.HasPrefix(packing, "video"):
		return errors.New("the pixels are video (MPEG): not an image series")
	case packing == "JPEG":
		program = "dcmdjpeg"
	}
	return fmt.Errorf("the pixels are packed with %s (transfer syntax %s): "+how, packing, syntax, program)
}

// printable is clean for a line of an error or a warning, which a hostile string is not to fill: up to 64 bytes, cut between characters.
func printable(s string) string {
	if len(s) > 64 {
		n := 64
		for n > 60 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n] + "..."
	}
	return clean(s)
}

// clean returns what a header says as data, a name or an ID, whole and on one line: control characters become question marks.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}

// walker steps over elements the way the parser will read them (its rules for value representations included), so that what
// the walk accepts cannot make the parser ask for more memory than the file has bytes, or recurse without bound.
type walker struct {
	data     []byte
	order    binary.ByteOrder
	implicit bool
}

func newWalker(data []byte, syntax string) walker {
	w := walker{data: data, order: binary.LittleEndian, implicit: syntax == implicitLittle}
	if syntax == explicitBig {
		w.order = binary.BigEndian
	}
	return w
}

// element is the header of one.
type element struct {
	tag    tag.Tag
	vr     string
	length uint32
	value  int // where its value begins
}

func (w walker) tag(at int) tag.Tag {
	if at+4 > len(w.data) {
		return tag.Tag{}
	}
	return tag.Tag{Group: w.order.Uint16(w.data[at:]), Element: w.order.Uint16(w.data[at+2:])}
}

// first reports whether the element at a byte looks right under the walker's syntax.
func (w walker) first(at int) bool {
	e, err := w.element(at, len(w.data))
	if err != nil {
		return false
	}
	if w.implicit {
		return e.length < 1<<16
	}
	return bytes.Contains([]byte("AE AS AT CS DA DS DT FD FL IS LO LT OB OW PN SH SL SQ SS ST TM UI UL UN US UT"), []byte(e.vr))
}

func (w walker) element(at, end int) (element, error) {
	if at+8 > end {
		return element{}, errCut
	}
	e := element{tag: w.tag(at), value: at + 8}
	if w.implicit || e.tag == tag.Item {
		e.vr = "UN"
		if info, err := tag.Find(e.tag); err == nil {
			e.vr = info.VRs[0]
		}
		e.length = w.order.Uint32(w.data[at+4:])
		return e, nil
	}
	e.vr = string(w.data[at+4 : at+6])
	switch e.vr {
	case "NA", "OB", "OD", "OF", "OL", "OW", "SQ", "UN", "UC", "UR", "UT":
		if at+12 > end {
			return element{}, errCut
		}
		e.length, e.value = w.order.Uint32(w.data[at+8:]), at+12
	default:
		if e.length = uint32(w.order.Uint16(w.data[at+6:])); e.length == 0xffff {
			e.length = undefinedLength
		}
	}
	return e, nil
}

// value returns where the value of e ends, which is at most end.
func (w walker) value(e element, end, nesting int) (int, error) {
	if nesting > maxNesting {
		return 0, fmt.Errorf("sequences nested more than %d deep at byte %d", maxNesting, e.value)
	}
	kind := tag.GetVRKind(e.tag, e.vr)
	defined := e.length != undefinedLength
	if defined {
		if int64(e.length) > int64(end-e.value) {
			return 0, errCut
		}
		end = e.value + int(e.length)
	}
	switch {
	case kind == tag.VRItem:
		return w.elements(e, end, nesting, tag.ItemDelimitationItem, false)
	case kind == tag.VRSequence, kind == tag.VRUnknown && !defined:
		return w.elements(e, end, nesting, tag.SequenceDelimitationItem, true)
	case !defined:
		return 0, fmt.Errorf("element %v at byte %d has no length", e.tag, e.value)
	}
	return end, nil
}

// elements walks over the items of a sequence or the elements of an item.
func (w walker) elements(parent element, end, nesting int, delimiter tag.Tag, items bool) (int, error) {
	at := parent.value
	for parent.length == undefinedLength || at < end {
		e, err := w.element(at, end)
		if err != nil {
			return 0, err
		}
		next, err := w.value(e, end, nesting+1)
		if err != nil {
			return 0, err
		}
		at = next
		if parent.length == undefinedLength && e.tag == delimiter {
			return at, nil
		}
		if items != (e.tag == tag.Item) {
			return 0, fmt.Errorf("element %v at byte %d does not belong there", e.tag, e.value)
		}
	}
	return at, nil
}

// The tables that say where frames of more than 4 GB begin; one fragment a frame, so they are not needed.
var (
	extendedOffsetTable   = tag.Tag{Group: 0x7fe0, Element: 0x0001}
	extendedOffsetLengths = tag.Tag{Group: 0x7fe0, Element: 0x0002}
)

// dataset walks over the data set that begins at a byte, up to its pixel data.
func (w walker) dataset(at int) (layout, error) {
	l := layout{start: at}
	for at < len(w.data) {
		e, err := w.element(at, len(w.data))
		if err != nil {
			if len(w.data)-at < 8 { // a few bytes of padding
				break
			}
			l.pixels = at
			return l, err
		}
		if e.tag.Group == tag.PixelData.Group && l.pixels == 0 {
			l.pixels = at // the parser does not know the value representation of tables of offsets
		}
		if e.tag == extendedOffsetTable || e.tag == extendedOffsetLengths {
			if at+12 > len(w.data) {
				return l, errCut
			}
			e.length, e.value = w.order.Uint32(w.data[at+8:]), at+12
		}
		if e.tag == tag.PixelData || e.tag == tag.FloatPixelData || e.tag == tag.DoubleFloatPixelData {
			l.voxels, l.length, l.floats = int64(e.value), e.length, e.tag != tag.PixelData
			return l, nil
		}
		next, err := w.value(e, len(w.data), 0)
		if err != nil {
			if l.pixels == 0 {
				l.pixels = at
			}
			return l, err
		}
		if e.tag == tag.SpecificCharacterSet && l.pixels == 0 {
			l.charsets = append(l.charsets, charsetAt{at, next, string(w.data[e.value:next])})
		}
		at = next
	}
	if l.pixels == 0 {
		l.pixels = at
	}
	return l, nil
}
