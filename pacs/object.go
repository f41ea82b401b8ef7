package pacs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Attributes by their tags, as DICOM JSON names them (PS3.18 F).
const (
	studyUID          = "0020000D"
	seriesUID         = "0020000E"
	instanceUID       = "00080018"
	patientName       = "00100010"
	patientID         = "00100020"
	studyDate         = "00080020"
	accession         = "00080050"
	modality          = "00080060"
	modalities        = "00080061"
	studyDescription  = "00081030"
	seriesDescription = "0008103E"
	seriesNumber      = "00200011"
	instancesInSeries = "00201209"
	numberOfFrames    = "00280008"

	failedSequence  = "00081198"
	failureReason   = "00081197"
	warningReason   = "00081196"
	storedSequence  = "00081199"
	referencedClass = "00081150"
	referencedUID   = "00081155"
)

// object is a data set of DICOM JSON: by tag, what stands there.
type object map[string]attribute

type attribute struct {
	VR    string            `json:"vr"`
	Value []json.RawMessage `json:"Value"`
}

// decodeObjects reads a list of objects. What the connection breaks is worth another try; what is no DICOM JSON is not.
func decodeObjects(r io.Reader) (out []object, err error) {
	err = json.NewDecoder(r).Decode(&out)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errors.New("the answer was cut short")
	case errors.As(err, &syntax) || errors.As(err, &kind):
		return nil, final(errors.New("the answer is no DICOM JSON: is this the root of DICOMweb? It often ends in /dicom-web or /rs"))
	case err != nil:
		return nil, err
	}
	return out, nil
}

// texts returns the values of an attribute as text: strings, numbers, or the letters of names.
func (o object) texts(tag string) []string {
	a, ok := o[tag]
	if !ok {
		a = o[strings.ToLower(tag)]
	}
	var out []string
	for _, raw := range a.Value {
		var text string
		var name struct{ Alphabetic, Ideographic, Phonetic string }
		switch {
		case json.Unmarshal(raw, &text) == nil:
		case a.VR == "PN" && json.Unmarshal(raw, &name) == nil:
			text = strings.Trim(name.Alphabetic+"="+name.Ideographic+"="+name.Phonetic, "=")
		default:
			var number json.Number
			if json.Unmarshal(raw, &number) == nil {
				text = number.String()
			}
		}
		out = append(out, strings.Trim(text, " \x00"))
	}
	return out
}

func (o object) text(tag string) string {
	if t := o.texts(tag); len(t) > 0 {
		return t[0]
	}
	return ""
}

// number returns a whole number, -1 where there is none.
func (o object) number(tag string) int {
	n, err := strconv.Atoi(strings.TrimSuffix(o.text(tag), ".0"))
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// items returns the items of a sequence.
func (o object) items(tag string) []object {
	var out []object
	for _, raw := range o[tag].Value {
		var item object
		if json.Unmarshal(raw, &item) == nil {
			out = append(out, item)
		}
	}
	return out
}

// checkUID returns an error for what is no UID: it would become part of an address.
func checkUID(uid string) error {
	if len(uid) < 1 || len(uid) > 64 || strings.Trim(uid, "0123456789.") != "" {
		return fmt.Errorf("%.70q is no UID: want digits and dots, 64 at most", uid)
	}
	return nil
}

// withoutName puts *** in the place of the words of a patient's name: people type them into descriptions. Words of one letter stay, and short ones of the last two parts of a name, such as
// Mr and Sr. Control characters become blanks.
func withoutName(text string, names []string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
	for _, group := range strings.Split(strings.Join(names, "="), "=") {
		for part, name := range strings.Split(group, "^") { // family, given, middle, prefix, suffix (PS3.5 6.2)
			for _, word := range strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(" ,.-", r) }) {
				if n := utf8.RuneCountInString(word); n < 2 || n <= 4 && part >= 3 || !utf8.ValidString(word) {
					continue
				}
				text = regexp.MustCompile("(?i)"+regexp.QuoteMeta(word)).ReplaceAllString(text, "***")
			}
		}
	}
	return text
}
