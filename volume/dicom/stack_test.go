package dicom

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// A slice that is read alone is that of the whole series: of files with a scale each, of a negative, of one file with many frames.
func TestStackIsTheSeries(t *testing.T) {
	scaled, frames := t.TempDir(), t.TempDir()
	for k := range 5 {
		over := values{tag.RescaleSlope: decimals(float64(k + 1)), tag.RescaleIntercept: decimals(-float64(k))}
		if k == 3 {
			over[tag.PhotometricInterpretation] = []string{"MONOCHROME1"}
		}
		putFile(t, scaled, string(rune('a'+k)), plane(k, [3]float64{0, 0, float64(4 - k)}, over)) // in the other order than their names
	}
	multi := plane(0, [3]float64{}, values{tag.NumberOfFrames: []string{"3"}})
	pixels := make([]byte, 0, 36)
	var groups [][]*lib.Element
	for k := range 3 {
		for i := range 6 {
			pixels = binary.LittleEndian.AppendUint16(pixels, uint16(int16(100*k+i-7)))
		}
		position, err := lib.NewElement(tag.PlanePositionSequence, [][]*lib.Element{values{tag.ImagePositionPatient: decimals(0, 0, float64(k))}.elements(t)})
		if err != nil {
			t.Fatal(err)
		}
		groups = append(groups, []*lib.Element{position})
	}
	multi[tag.PerFrameFunctionalGroupsSequence] = groups
	multi[tag.PixelData] = lib.PixelDataInfo{IntentionallyUnprocessed: true, UnprocessedValueData: pixels}
	putFile(t, frames, "frames", multi)
	folders := []string{scaled, frames}
	if name := filepath.Join("..", "..", "..", "shared", "data", "formats", "dicom"); exists(name) {
		folders = append(folders, name)
	}
	for _, dir := range folders {
		all, _, err := Scan(dir)
		if err != nil || len(all) == 0 {
			t.Fatal(err)
		}
		for _, s := range all {
			v, err := s.Read()
			stack := s.Stack()
			if err != nil || stack == nil || stack.Grid != s.Grid {
				t.Fatalf("%v: no stack, or on another grid: %v", s, err)
			}
			for k := range s.Size[2] {
				got, err := stack.Slice(k)
				if err != nil || !slices.Equal(got, v.Slice(2, k)) {
					t.Errorf("%v: slice %d differs, %v", s, k, err)
				}
			}
		}
	}
	// what the slices are, whoever reads them
	s, _, err := Find(scaled, "")
	if err != nil {
		t.Fatal(err)
	}
	for k := range 5 {
		number := k // of the slice's values: 10*number-5 …, scaled
		if s.slices[k].name != filepath.Join(scaled, string(rune('a'+number))) {
			number = 4 - k
		}
		got, err := s.Stack().Slice(k)
		want := float32((number+1)*(10*number-5) - number)
		if number == 3 {
			want = float32((number+1)*(-1-(10*number-5)) - number)
		}
		if err != nil || got[0] != want {
			t.Errorf("slice %d begins with %g, want %g, %v", k, got[0], want, err)
		}
	}
}

// A file that was replaced is not read by the old header; one that has gone is an error of the system. A series whose frames come out of one packed
// stream has no stack.
func TestStackNoticesOtherFiles(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for k := range 2 {
		paths = append(paths, putFile(t, dir, string(rune('a'+k)), plane(k, [3]float64{0, 0, float64(k)}, nil)))
	}
	s, _, err := Find(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	stack := s.Stack()
	if err := os.Chtimes(paths[0], time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := stack.Slice(0); !errors.Is(err, ErrChanged) {
		t.Errorf("another time: %v", err)
	}
	if _, err := stack.Slice(1); err != nil {
		t.Error(err)
	}
	if err := os.Remove(paths[1]); err != nil {
		t.Fatal(err)
	}
	if err := stack.Check(1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removed: %v", err)
	}
	s.slices[1].syntax = deflated
	if s.Stack() != nil {
		t.Error("a deflated file is read frame by frame")
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
