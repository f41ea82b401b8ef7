package dicom

import (
	"crypto/sha256"
	_ "embed"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

//go:embed codes.csv
var knownCodes string

// Code is a concept by its coding scheme (SCT is SNOMED CT, DCM DICOM's own), value and meaning.
type Code struct{ Scheme, Value, Meaning string }

// SegmentCode says what a segment is.
type SegmentCode struct {
	Category, Type Code
	Side           Code // Left or Right; zero where the name has none
}

// Codes are the codes of segments by their names. The zero value has those of codes.csv.
type Codes struct {
	Extra map[string]SegmentCode // go before those of codes.csv
}

// privateScheme marks codes that only we know: the meaning is the segment's name, free text.
const privateScheme = "99NEXTSLICE"

var anatomical = Code{"SCT", "91723000", "Anatomical Structure"}

// ReadCodes reads a table of further codes: lines of name, category (scheme, value, meaning) and type (scheme, value, meaning), as in codes.csv,
// separated by commas; lines that begin with # are comments.
func ReadCodes(path string) (Codes, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Codes{}, err
	}
	extra, err := parseCodes(string(text))
	if err != nil {
		return Codes{}, fmt.Errorf("%s: %w", path, err)
	}
	return Codes{extra}, nil
}

func parseCodes(text string) (map[string]SegmentCode, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.Comment, r.FieldsPerRecord, r.TrimLeadingSpace = '#', 7, true
	lines, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%w: want name, category scheme, value and meaning, type scheme, value and meaning", err)
	}
	out := map[string]SegmentCode{}
	for n, l := range lines {
		code := SegmentCode{Category: Code{l[1], l[2], l[3]}, Type: Code{l[4], l[5], l[6]}}
		for _, c := range []Code{code.Category, code.Type} {
			for _, part := range []struct {
				text string
				most int
			}{{c.Scheme, 16}, {c.Value, 16}, {c.Meaning, 64}} {
				if n := utf8.RuneCountInString(part.text); n == 0 || n > part.most || strings.Contains(part.text, `\`) || part.text != clean(part.text) {
					return nil, fmt.Errorf("code %q of %q: want 1 to %d characters and no backslash", part.text, l[0], part.most)
				}
			}
		}
		if plainName(l[0]) == "" {
			return nil, fmt.Errorf("line %d has no name", n+1)
		}
		out[plainName(l[0])] = code
	}
	return out, nil
}

// plainName is a name in small letters, with single blanks between its words.
func plainName(name string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("_", " ", "-", " ").Replace(strings.ToLower(name))), " ")
}

// Of returns the code of a segment by its name, whatever its capitals, underscores and plural: "Kidney_Left" and "left kidneys" are the left kidney.
// A name that is not in the table stands in the code as free text.
func (c Codes) Of(name string) SegmentCode {
	known, err := parseCodes(knownCodes)
	if err != nil {
		panic(err) // a fault of codes.csv
	}
	find := func(name string) (SegmentCode, bool) {
		for _, spelling := range []string{name, strings.TrimSuffix(name, "s"), strings.TrimSuffix(name, "es"), strings.TrimSuffix(name, "e"), strings.TrimSuffix(name, "ies") + "y"} {
			for _, table := range []map[string]SegmentCode{c.Extra, known} {
				if code, ok := table[spelling]; ok {
					return code, true
				}
			}
		}
		return SegmentCode{}, false
	}
	plain := plainName(name)
	if code, ok := find(plain); ok {
		return code
	}
	words := strings.Fields(plain)
	for side, code := range map[string]Code{"left": {"SCT", "7771000", "Left"}, "right": {"SCT", "24028007", "Right"}} {
		at := slices.Index(words, side)
		if at < 0 || len(words) < 2 {
			continue
		}
		if found, ok := find(strings.Join(slices.Delete(slices.Clone(words), at, at+1), " ")); ok {
			found.Side = code
			return found
		}
	}
	hash := sha256.Sum256([]byte(plain))
	return SegmentCode{Category: anatomical, Type: Code{privateScheme, strings.ToUpper(hex.EncodeToString(hash[:6])), truncate(name, 64)}}
}
