package record

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/volume"
)

func TestMeasureSlice(t *testing.T) {
	const x = volume.Ignored
	for name, c := range map[string]struct {
		mask                        []uint8
		width, foreground, boundary int
	}{
		"empty":                  {make([]uint8, 12), 4, 0, 0},
		"a pixel":                {[]uint8{0, 0, 0, 0, 1, 0, 0, 0, 0}, 3, 1, 4},
		"a square of two":        {[]uint8{0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0}, 4, 4, 8},
		"a corner":               {[]uint8{1, 0, 0, 0}, 2, 1, 4},
		"the whole slice, 2 × 3": {[]uint8{1, 1, 1, 1, 1, 1}, 3, 6, 10},
		"a ring":                 {[]uint8{1, 1, 1, 1, 0, 1, 1, 1, 1}, 3, 8, 16},
		"two classes that touch": {[]uint8{0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0}, 4, 2, 7}, // 2 × 4 sides, of which one is shared
		"two diagonal pixels":    {[]uint8{1, 0, 0, 1}, 2, 2, 8},
		"ignored":                {[]uint8{x, x, x, x, 1, x, x, 0, 0}, 3, 1, 4},
		"one row":                {[]uint8{0, 1, 1, 0, 2}, 5, 3, 10},
	} {
		if f, b := MeasureSlice(c.mask, c.width, 3); f != c.foreground || b != c.boundary {
			t.Errorf("%s: foreground %d and boundary %d, want %d and %d", name, f, b, c.foreground, c.boundary)
		}
	}
}

func TestSlices(t *testing.T) {
	f := &Folder{Dir: t.TempDir()}
	pool := []Slice{{"a", 0, 0, 0}, {"a", 1, 12, 14}, {"=b, c", 0, 3, 8}}
	if HoldsSlices(f.Dir) {
		t.Fatal("an empty folder holds slices")
	}
	if err := f.RecordSlices(pool); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(f.Dir, SlicesFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadSlices(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(pool, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// What is there stays.
	if err := f.RecordSlices(pool[:1]); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(path); err != nil || !bytes.Equal(text, again) {
		t.Errorf("rewritten: %s, %v", again, err)
	}

	head := "case,slice,foreground_pixels,boundary_pixels\n"
	for text, want := range map[string]string{
		"":                                  "empty file",
		"case,slice\n":                      "foreground_pixels is missing",
		head + "a,0,1,4\na,0,2,6\n":         "line 3: boundary_pixels: a, slice 0 stands there twice",
		head + "a,-1,1,4\n":                 "line 2: slice: want a whole number",
		head + "a,1,1.5,4\n":                "line 2: foreground_pixels",
		head + "a,1,2\n":                    "wrong number of fields",
		strings.Replace(head, ",", ";", -1): "case is missing",
	} {
		if _, err := ReadSlices(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

// An exported record takes slices.csv along as it stands, and one without it has none.
func TestExportSlices(t *testing.T) {
	run := t.TempDir()
	for name, text := range map[string]string{ConfigFile: "strategies: [random]\n", SlicesFile: "case,slice,foreground_pixels,boundary_pixels\na,0,1,4\n"} {
		if err := os.WriteFile(filepath.Join(run, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	x, err := Read(run)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "record")
	for range 2 { // the second time over the first
		if err := x.Write(to); err != nil {
			t.Fatal(err)
		}
	}
	again, err := ReadExport(to)
	if err != nil || !bytes.Equal(again.Slices, x.Slices) || len(x.Slices) == 0 {
		t.Errorf("%q, %v, want %q", again.Slices, err, x.Slices)
	}
	x.Slices = nil
	without := filepath.Join(t.TempDir(), "record")
	if err := x.Write(without); err != nil {
		t.Fatal(err)
	}
	if again, err := ReadExport(without); err != nil || again.Slices != nil {
		t.Errorf("%q, %v", again.Slices, err)
	}
}
