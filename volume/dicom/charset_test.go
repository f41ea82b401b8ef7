package dicom

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/nextslice/nextslice/volume"
)

// Texts in every kind of character set, the first eight names as PS3.5 H, I, J and K spell them.
var encodedTexts = []struct {
	charset, raw, want string
	name               bool
	guessed            bool
}{
	{`\ISO 2022 IR 87`, "Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B", "Yamada^Tarou=山田^太郎=やまだ^たろう", true, false},
	{`ISO 2022 IR 13\ISO 2022 IR 87`, "\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J", "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう", true, false},
	{`\ISO 2022 IR 149`, "Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf", "Hong^Gildong=洪^吉洞=홍^길동", true, false},
	{`ISO_IR 192`, "Wang^XiaoDong=王^小東=", "Wang^XiaoDong=王^小東=", true, false},
	{`GB18030`, "Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东=", true, false},
	{`GBK`, "Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东=", true, false},
	{`\ISO 2022 IR 58`, "Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=", "Zhang^XiaoDong=张^小东=", true, false},
	{`ISO_IR 100`, "Buc^J\xe9r\xf4me", "Buc^Jérôme", true, false},
	{`ISO 2022 IR 6\ISO 2022 IR 126`, "Dionysios=\x1b-F\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", "Dionysios=Διονυσιος", true, false},
	{`ISO 2022 IR 100\ISO 2022 IR 144`, "\x1b-L\xbb\xee^L\xfc", "Лю^Lü", true, false}, // a delimiter of names
	{`ISO 2022 IR 100\ISO 2022 IR 144`, "\x1b-L\xbb^\xee", "Л^ю", false, false},       // and none of other texts
	{`ISO 2022 IR 100\ISO 2022 IR 144`, "\x1b-L\xbb\\\xee", "Л\\î", false, false},
	{`ISO 2022 IR 87`, "\x1b$BI=\x1b(B", "表", false, false},            // as one set alone
	{`\ISO 2022 IR 87`, "\x1b$B%=%\\\x1b(B x", "ソボ x", false, false},   // a byte of a character is 5C
	{`ISO_IR 13`, "\x95\x5c", "表", false, false},                       // Shift JIS, as some write it
	{`GB18030`, "\x8e\x5c \x81\x30\x81\x30", "嶾 \u0080", false, false}, // 5C too
	{`\ISO 2022 IR 159`, "\x1b$(D0!\x1b(B", "丂", false, false},
	{`ISO_IR 166`, "\xb9\xd2\xc2", "นาย", true, false},
	{`ISO_IR 203`, "\xa4\xbd", "€œ", false, false},
	{`ISO_IR 101`, "\xa3\xf3d\xbc", "Łódź", false, false},
	{``, "Müller", "Müller", true, false},
	{``, "M\xfcller", "Müller", true, true},
	{`UNHEARD OF`, "M\xfcller", "Müller", true, true},
	{`ISO_IR 192`, "M\xfcller", "M\ufffdller", true, true},
	{`ISO_IR 192`, "M\x1b-Aller", "M\x1b-Aller", true, true},
	{`\ISO 2022 IR 87`, "a\x1b%Gb", "a\ufffd%Gb", false, true},
	{`\ISO 2022 IR 149`, "\x1b$)C\xfb", "\ufffd", false, true},
	{`\ISO 2022 IR 87`, "\x1b$B;", "\ufffd", false, true},
}

func TestCharacterSets(t *testing.T) {
	for _, c := range encodedTexts {
		text, certain := charset(strings.Split(c.charset, `\`)).decode(c.raw, c.name)
		if text != c.want || certain == c.guessed {
			t.Errorf("%s: %q is %q, certain: %v; want %q", c.charset, c.raw, text, certain, c.want)
		}
	}
}

// What an image says of its patient stands in SEG and RTSTRUCT byte by byte, in its character set. Names of classes that need another one make it UTF-8, or are refused
// where it is not certain what it says.
func TestIdentityGoesBackAsItStands(t *testing.T) {
	for _, c := range encodedTexts {
		dir := t.TempDir()
		over := values{tag.PatientName: []string{c.raw}, tag.StudyDescription: []string{"of " + c.raw}, tag.SeriesDescription: []string{c.raw}}
		if !c.name {
			over = values{tag.StudyDescription: []string{c.raw}, tag.PatientName: []string{"A^B"}, tag.SeriesDescription: []string{c.raw}}
		}
		if c.charset != "" {
			over[tag.SpecificCharacterSet] = strings.Split(c.charset, `\`)
		}
		for k := range 3 {
			putFile(t, dir, string(rune('a'+k))+".dcm", plane(k+1, [3]float64{2: float64(2 * k)}, over))
		}
		series, _, err := Find(dir, "")
		if err != nil {
			t.Errorf("%s: %v", c.charset, err)
			continue
		}
		if !strings.Contains(c.want, `\`) && !strings.Contains(c.want, "Лю^") && series.Description != clean(c.want) {
			t.Errorf("%s: the series is %q, want %q", c.charset, series.Description, c.want)
		}
		m := &volume.Mask{Grid: series.Grid, Data: make([]uint8, series.Len())}
		m.Data[7] = 1
		for _, class := range []string{"liver", "Läsion"} {
			s := volume.NewSegmentation(m, []string{"", class})
			for what, write := range map[string]func(path string) error{
				"SEG":      func(path string) error { return WriteSegmentation(path, s, series, time.Unix(0, 0)) },
				"RTSTRUCT": func(path string) error { return WriteContours(path, s, series, time.Unix(0, 0), Codes{}) },
			} {
				path := filepath.Join(t.TempDir(), "out.dcm")
				err := write(path)
				if asks := class != "liver" && c.guessed && c.charset != "ISO_IR 192"; asks {
					if wantError(t, c.charset, err, "give the classes names of ASCII letters"); strings.Contains(err.Error(), "ller") {
						t.Error(err)
					}
					continue
				}
				if err != nil {
					t.Errorf("%s in %s: %v", c.charset, what, err)
					continue
				}
				if same, err := series.SameIdentity(path); err != nil || !same {
					t.Errorf("%s in %s of %s: another identity: %v", c.charset, what, class, err)
				}
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				raw, declared := c.raw, c.charset
				if class != "liver" && declared != "ISO_IR 192" {
					raw, declared = c.want, "ISO_IR 192"
				}
				if !bytes.Contains(data, []byte(raw)) || !bytes.Contains(data, []byte(declared)) || class == "liver" && c.charset == "" && bytes.Contains(data, []byte("ISO_IR")) {
					t.Errorf("%s in %s of %s: not %q in %s", c.charset, what, class, raw, declared)
				}
				back, _, err := ReadSegments(path, series)
				if err != nil || back.Segments[0].Name != class {
					t.Errorf("%s in %s: %v, %v", c.charset, what, back, err)
				}
			}
		}
	}
}

// A patient whose name is plain, and whose images say nothing else, goes with names of classes in UTF-8; a name that could not be read is refused.
func TestNamesInUTF8(t *testing.T) {
	series, s := drawnOn(t)
	path := filepath.Join(t.TempDir(), "a.dcm")
	s.Segments[0].Name = "Läsion"
	if err := WriteSegmentation(path, s, series, time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	if same, err := series.SameIdentity(path); err != nil || !same {
		t.Error(same, err)
	}
	for _, name := range []string{"L\xe4sion", "L\ufffdsion"} {
		s.Segments[0].Name = name
		wantError(t, name, WriteSegmentation(path, s, series, time.Unix(0, 0)), "could not be read where it comes from")
		wantError(t, name, WriteContours(path, s, series, time.Unix(0, 0), Codes{}), "could not be read where it comes from")
	}
}

// Names of segments and regions are read in the character set of their file, and one within a sequence in its own.
func TestCharacterSetOfSequences(t *testing.T) {
	dir := t.TempDir()
	inner := values{tag.SpecificCharacterSet: []string{"ISO_IR 100"}, tag.CodeMeaning: []string{"M\xfcller"}}
	path := putFile(t, dir, "a.dcm", plane(1, [3]float64{}, values{
		tag.SpecificCharacterSet: []string{"ISO_IR 144"}, tag.SeriesDescription: []string{"\xbb\xee"},
		tag.ProcedureCodeSequence: [][]*lib.Element{inner.elements(t)}, tag.RequestedProcedureCodeSequence: [][]*lib.Element{values{tag.CodeMeaning: []string{"\xbb"}}.elements(t)},
	}))
	f, err := openFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if a, b, c := f.text(tag.SeriesDescription), f.inner(tag.ProcedureCodeSequence).text(tag.CodeMeaning), f.inner(tag.RequestedProcedureCodeSequence).text(tag.CodeMeaning); a != "Лю" || b != "Müller" || c != "Л" {
		t.Errorf("%q, %q, %q", a, b, c)
	}
}
