package dicom

import (
	"slices"
	"strings"
	"unicode/utf8"

	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// charset is how the texts of a data set are encoded: the values of its Specific Character Set (PS3.3 C.12.1.1.2), none where it has none.
type charset []string

// inUTF8 is the one that we write texts of our own in.
var inUTF8 = charset{"ISO_IR 192"}

const escape = '\x1b'

// unreadable stands for what no character can be made of.
const unreadable = string(utf8.RuneError)

// isPlain reports whether a text is the same in every character set: ASCII without escape sequences.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 || s[i] == escape {
			return false
		}
	}
	return true
}

// readable reports whether a text is UTF-8 in which nothing is left that could not be read.
func readable(s string) bool {
	return isPlain(s) || utf8.ValidString(s) && !strings.ContainsAny(s, unreadable+string(escape))
}

// decode returns a text as UTF-8, and whether that is certain. name says that it is one of a person, in which ^ and = too are delimiters. Bytes above ASCII where
// no set is declared, or one that is unknown, are taken for UTF-8 where they are, and else, with no certainty, for Latin-1. Characters that cannot be read are U+FFFD.
func (c charset) decode(raw string, name bool) (text string, certain bool) {
	if isPlain(raw) {
		return raw, true
	}
	first := ""
	if len(c) > 0 {
		first = c[0]
	}
	escaped, initial := strings.ContainsRune(raw, escape), initialSet(first)
	switch {
	case first == inUTF8[0]:
		text = strings.ToValidUTF8(raw, unreadable)
	case first == "GB18030":
		text, _ = simplifiedchinese.GB18030.NewDecoder().String(raw)
	case first == "GBK":
		text, _ = simplifiedchinese.GBK.NewDecoder().String(raw)
	case escaped:
		text = escapes(raw, initial, name)
	case initial == katakana: // some write Shift JIS, in which these are one byte of many
		text, _ = japanese.ShiftJIS.NewDecoder().String(raw)
	case initial != nil:
		text = escapes(raw, initial, name)
	case utf8.ValidString(raw):
		text = raw
	default:
		text, _ = charmap.ISO8859_1.NewDecoder().String(raw)
		return text, false
	}
	return text, readable(text)
}

// characters is a set of characters above ASCII, of one or two bytes each.
type characters struct {
	bytes    int
	encoding encoding.Encoding
	prefix   string // before the bytes in the encoding
}

// one returns the character of some bytes. Their highest bits are set, wherever the set is used.
func (s *characters) one(raw string) string {
	data := []byte(s.prefix + raw)
	for i := range data {
		data[i] |= 0x80
	}
	text, err := s.encoding.NewDecoder().String(string(data))
	if err != nil || utf8.RuneCountInString(text) != 1 {
		return unreadable
	}
	return text
}

var (
	katakana = &characters{1, japanese.ShiftJIS, ""}
	korean2  = &characters{2, korean.EUCKR, ""}
	chinese2 = &characters{2, simplifiedchinese.GBK, ""}
)

// rightHalves are the sets of one byte by their registration numbers and by the last letter of their escape sequences.
var rightHalves = []struct {
	number, letter string
	characters
}{
	{"100", "A", characters{1, charmap.ISO8859_1, ""}}, {"101", "B", characters{1, charmap.ISO8859_2, ""}}, {"109", "C", characters{1, charmap.ISO8859_3, ""}},
	{"110", "D", characters{1, charmap.ISO8859_4, ""}}, {"126", "F", characters{1, charmap.ISO8859_7, ""}}, {"127", "G", characters{1, charmap.ISO8859_6, ""}},
	{"138", "H", characters{1, charmap.ISO8859_8, ""}}, {"144", "L", characters{1, charmap.ISO8859_5, ""}}, {"148", "M", characters{1, charmap.ISO8859_9, ""}},
	{"166", "T", characters{1, charmap.Windows874, ""}}, {"203", "b", characters{1, charmap.ISO8859_15, ""}},
}

// initialSet returns what bytes above ASCII are before any escape sequence, by the first character set; nil where it has none, or is unknown.
func initialSet(first string) (above *characters) {
	number, ok := strings.CutPrefix(first, "ISO_IR ")
	if !ok {
		number = strings.TrimPrefix(first, "ISO 2022 IR ")
	}
	switch number {
	case "13":
		return katakana
	case "149":
		return korean2
	case "58":
		return chinese2
	}
	for i := range rightHalves {
		if rightHalves[i].number == number {
			return &rightHalves[i].characters
		}
	}
	return nil
}

// designation returns the set that an escape sequence at the beginning of a text stands for, its length, and whether it is for the bytes above ASCII; nil is ASCII. Of length 0 it
// is none that DICOM has.
func designation(s string) (set *characters, length int, above bool) {
	for _, d := range []struct {
		sequence string
		set      *characters
		above    bool
	}{
		{"(B", nil, false}, {"(J", nil, false}, // the Roman letters of Japan are ASCII but for \ and ~
		{"$B", &characters{2, japanese.EUCJP, ""}, false}, {"$@", &characters{2, japanese.EUCJP, ""}, false}, {"$(D", &characters{2, japanese.EUCJP, "\x8f"}, false},
		{")I", katakana, true}, {"$)C", korean2, true}, {"$)A", chinese2, true},
	} {
		if strings.HasPrefix(s[1:], d.sequence) {
			return d.set, 1 + len(d.sequence), d.above
		}
	}
	for i := range rightHalves {
		if strings.HasPrefix(s[1:], "-"+rightHalves[i].letter) {
			return &rightHalves[i].characters, 3, true
		}
	}
	return nil, 0, false
}

// escapes decodes a text with code extensions (ISO 2022; PS3.5 6.1.2.5). A delimiter brings back the initial sets.
func escapes(raw string, initial *characters, name bool) string {
	delimiters := "\\\r\n\f\t"
	if name {
		delimiters += "^="
	}
	var out strings.Builder
	var low *characters // what bytes of ASCII stand for; nil for themselves
	above := initial
	for len(raw) > 0 {
		set := low
		if raw[0] >= 0x80 {
			set = above
		}
		switch b := raw[0]; {
		case b == escape:
			set, n, isAbove := designation(raw)
			switch {
			case n == 0:
				out.WriteString(unreadable)
				n = 1
			case isAbove:
				above = set
			default:
				low = set
			}
			raw = raw[n:]
		case set == nil && b >= 0x80:
			out.WriteString(unreadable)
			raw = raw[1:]
		case set == nil || b <= ' ' || b == 0x7f:
			out.WriteByte(b)
			raw = raw[1:]
			if strings.IndexByte(delimiters, b) >= 0 {
				if low = nil; initial != nil { // else what stands above ASCII could be nothing else
					above = initial
				}
			}
		case len(raw) < set.bytes || set.bytes == 2 && (raw[1] >= 0x80) != (b >= 0x80):
			out.WriteString(unreadable)
			raw = raw[1:]
		default:
			out.WriteString(set.one(raw[:set.bytes]))
			raw = raw[set.bytes:]
		}
	}
	return out.String()
}

// encoded is a text as it stands in a file.
type encoded struct {
	bytes   string
	certain bool // what it says in UTF-8
}

// decodeTexts makes UTF-8 of the texts of elements and of those in their sequences, and keeps what stood in the elements themselves where it was not plain.
func (c charset) decodeTexts(elements []*lib.Element) (kept map[tag.Tag]encoded) {
	for _, e := range elements {
		if e.Value == nil {
			continue
		}
		switch v := e.Value.GetValue().(type) {
		case []string:
			if !slices.Contains([]string{"LO", "LT", "PN", "SH", "ST", "UC", "UT"}, e.RawValueRepresentation) || !slices.ContainsFunc(v, func(s string) bool { return !isPlain(s) }) {
				continue
			}
			raw := strings.Join(v, `\`) // a byte of a character may have been taken for one
			text, certain := c.decode(raw, e.RawValueRepresentation == "PN")
			if value, err := lib.NewValue(strings.Split(text, `\`)); err == nil {
				e.Value = value
			}
			if kept == nil {
				kept = map[tag.Tag]encoded{}
			}
			kept[e.Tag] = encoded{raw, certain}
		case []*lib.SequenceItemValue:
			for _, one := range v {
				if elements, ok := one.GetValue().([]*lib.Element); ok {
					inner := c
					if own := item(elements).texts(tag.SpecificCharacterSet); own != nil {
						inner = own
					}
					inner.decodeTexts(elements)
				}
			}
		}
	}
	return kept
}

// identity are the texts that an object of ours takes from the image that it refers to. They say whose it is, and go back as they stand.
var identity = []tag.Tag{tag.AccessionNumber, tag.ReferringPhysicianName, tag.StudyDescription, tag.PatientName, tag.PatientID, tag.StudyID, tag.PositionReferenceIndicator}

// stands returns the text of an element as it stands in the file, all its values in one.
func (f *file) stands(t tag.Tag) encoded {
	if e, ok := f.encoded[t]; ok {
		return encoded{strings.Trim(e.bytes, " \x00\r\n"), e.certain}
	}
	return encoded{strings.Join(f.texts(t), `\`), true}
}

// charset returns the file's own.
func (f *file) charset() charset { return f.texts(tag.SpecificCharacterSet) }

// takenAs returns the character set of an object that takes the identity of a file and has texts of its own: that of the file where its texts are not plain and ours are, so that
// they stay as they stand, byte by byte; else UTF-8.
func (f *file) takenAs(own []string) charset {
	plain := !slices.ContainsFunc(identity, func(t tag.Tag) bool { return !isPlain(f.stands(t).bytes) })
	if plain || slices.ContainsFunc(own, func(s string) bool { return !isPlain(s) }) {
		return inUTF8
	}
	return f.charset()
}

// SameIdentity reports whether a file names the patient and the study as the images of the series do.
func (s *Series) SameIdentity(path string) (bool, error) {
	f, err := openFile(path)
	if err != nil {
		return false, err
	}
	first := s.slices[0].file
	same := slices.Equal(f.charset(), first.charset())
	for _, t := range identity {
		a, b := f.stands(t), first.stands(t)
		if same && a.bytes == b.bytes {
			continue
		}
		if !a.certain || !b.certain || strings.Join(f.texts(t), `\`) != strings.Join(first.texts(t), `\`) {
			return false, nil
		}
	}
	for _, t := range []tag.Tag{tag.PatientBirthDate, tag.PatientSex} {
		if f.text(t) != first.text(t) {
			return false, nil
		}
	}
	return true, nil
}
