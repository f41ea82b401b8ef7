package pacs

import (
	"strings"
	"testing"

	"github.com/nextslice/nextslice/volume/fuzztest"
)

// Answers of servers, whatever they hold, become series or an error of one line; no word of the patient's name comes through.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`[{"0020000D":{"vr":"UI","Value":["1.2"]},"0020000E":{"vr":"UI","Value":["1.2.3"]},"00100010":{"vr":"PN","Value":[{"Alphabetic":"Ash^Nora"}]},"0008103E":{"vr":"LO","Value":["t2 of NORA"]},"00201209":{"vr":"IS","Value":[17]}}]`))
	f.Add([]byte(`[{"00081198":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["1.2"]},"00081197":{"vr":"US","Value":[272]}}]},"00081199":{"vr":"SQ"}}]`))
	f.Add([]byte(`[{"0020000d":{"Value":[null,{},[1]]}}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzztest.Bound(t, func() int {
			all, err := decodeObjects(strings.NewReader(string(data)))
			if err != nil {
				if strings.Contains(err.Error(), "\n") {
					t.Errorf("error of several lines: %q", err)
				}
				return 64 * len(data)
			}
			q := Query{Patient: "a*", Date: "20250101-", Modality: "M?"}
			for _, o := range all {
				q.study(o)
				q.series(o)
				s := newSeries(o, o)
				if strings.ContainsAny(s.PatientID+s.Description+s.StudyDescription, "\n\x1b") {
					t.Errorf("control characters in %+q", s.Description)
				}
				for _, name := range o.texts(patientName) {
					for word := range strings.FieldsSeq(name) {
						if len(word) > 4 && strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") == "" && strings.Contains(strings.ToLower(s.Description), word) {
							t.Errorf("%q stands in %q", word, s.Description)
						}
					}
				}
				for _, item := range o.items(failedSequence) {
					item.number(failureReason)
				}
			}
			stored(strings.NewReader(string(data)), "1.2", 200)
			return 64 * len(data)
		})
	})
}

// Types of answers, whatever they hold, have a boundary or none.
func FuzzBoundary(f *testing.F) {
	f.Add(`multipart/related; type="application/dicom"; boundary=b`)
	f.Add(`multipart/related; type=application/dicom; boundary="a;b"`)
	f.Fuzz(func(t *testing.T, kind string) { boundaryOf(kind) })
}
