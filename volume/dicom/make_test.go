package dicom

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// shared returns the path of a file of the shared data, or skips the test where that is absent.
func shared(t testing.TB, name string) string {
	t.Helper()
	root := filepath.Join("..", "..", "..", "shared", "data")
	if _, err := os.Stat(root); err != nil {
		t.Skip("no shared data beside the repository (../shared/data)")
	}
	return filepath.Join(root, name)
}

// values are the elements of a file by tag: []string, []int, []float64, []byte or [][]*lib.Element.
type values map[tag.Tag]any

func (v values) elements(t testing.TB) []*lib.Element {
	t.Helper()
	var out []*lib.Element
	for at, value := range v {
		if value == nil {
			continue
		}
		e, err := lib.NewElement(at, value)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	sortElements(out)
	return out
}

// plane returns the elements of a CT slice of 3 columns and 2 rows of int16 at a height, with other values put over them.
func plane(number int, position [3]float64, over values) values {
	pixels := make([]byte, 0, 12)
	for i := range 6 {
		pixels = binary.LittleEndian.AppendUint16(pixels, uint16(int16(10*number+i-5)))
	}
	v := values{
		tag.TransferSyntaxUID:         []string{explicitLittle},
		tag.MediaStorageSOPClassUID:   []string{"1.2.840.10008.5.1.4.1.1.2"},
		tag.SOPClassUID:               []string{"1.2.840.10008.5.1.4.1.1.2"},
		tag.SOPInstanceUID:            []string{fmt.Sprintf("1.2.3.%d", number)},
		tag.StudyInstanceUID:          []string{"1.2.9"},
		tag.SeriesInstanceUID:         []string{"1.2.3"},
		tag.FrameOfReferenceUID:       []string{"1.2.8"},
		tag.Modality:                  []string{"CT"},
		tag.PatientID:                 []string{"P1"},
		tag.InstanceNumber:            []string{fmt.Sprint(number)},
		tag.ImagePositionPatient:      decimals(position[:]...),
		tag.ImageOrientationPatient:   decimals(1, 0, 0, 0, 1, 0),
		tag.PixelSpacing:              decimals(0.5, 0.25),
		tag.SliceThickness:            decimals(9),
		tag.Rows:                      []int{2},
		tag.Columns:                   []int{3},
		tag.BitsAllocated:             []int{16},
		tag.BitsStored:                []int{16},
		tag.HighBit:                   []int{15},
		tag.PixelRepresentation:       []int{1},
		tag.SamplesPerPixel:           []int{1},
		tag.PhotometricInterpretation: []string{"MONOCHROME2"},
		tag.PixelData:                 lib.PixelDataInfo{IntentionallyUnprocessed: true, UnprocessedValueData: pixels},
	}
	for t, x := range over {
		v[t] = x
	}
	return v
}

func decimals(v ...float64) []string {
	var out []string
	for _, x := range v {
		out = append(out, fmt.Sprint(x))
	}
	return out
}

func encodeFile(t testing.TB, v values) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := lib.Write(&b, lib.Dataset{Elements: v.elements(t)}, lib.SkipVRVerification()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// putFile writes a file into a folder and returns its path.
func putFile(t testing.TB, dir, name string, v values) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, encodeFile(t, v), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func wantError(t *testing.T, name string, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%s: error %q, want one line with %q", name, fmt.Sprint(err), want)
	}
}

func wantWarning(t *testing.T, warnings []string, want string) {
	t.Helper()
	if !strings.Contains(strings.Join(warnings, "\n"), want) {
		t.Errorf("warnings %q, want one with %q", warnings, want)
	}
}
