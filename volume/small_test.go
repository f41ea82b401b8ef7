package volume

import (
	"archive/zip"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// small is the index of testdata/small.zip: what other programs read from the files in it (internal/bench/volume_small.py).
type small struct {
	Masks []struct {
		File   string
		Size   Size
		Affine [3][4]float64
		Counts []int // of voxels of each class
	}
	Units []struct {
		File    string
		Unit    Unit
		Spacing [3]float64
	}
	Channels []struct {
		File  string
		Size  Size
		Sums  []float64 // of each channel
		Voxel []float32 // (1, 2, 1) of each channel
	}
	Segments []struct {
		File     string
		Size     Size
		Segments []struct {
			Name   string
			Color  [3]uint8
			Voxels int
		}
	}
	Pictures []struct {
		File          string
		Columns, Rows int
		Values        []float32
	}
	Refused []struct{ File, Reason string }
}

// openSmall unpacks the files to a folder.
func openSmall(t *testing.T) (dir string, index small) {
	t.Helper()
	dir = t.TempDir()
	files, err := zip.OpenReader("testdata/small.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &index); err != nil {
		t.Fatal(err)
	}
	if n := []int{len(index.Masks), len(index.Units), len(index.Channels), len(index.Segments), len(index.Pictures), len(index.Refused)}; slices.Min(n) < 2 {
		t.Fatalf("the index is not complete: %v", n)
	}
	return dir, index
}

func TestMasksOfOtherPrograms(t *testing.T) {
	dir, index := openSmall(t)
	for _, want := range index.Masks {
		m, err := ReadMask(filepath.Join(dir, "masks", want.File))
		if err != nil {
			t.Error(err)
			continue
		}
		if !m.Same(Grid{Size: want.Size, Affine: want.Affine}, roundTripTolerance) {
			t.Errorf("%s: %v %v, want %v %v", want.File, m.Size, m.Affine, want.Size, want.Affine)
		}
		var counts [3]int
		for _, class := range m.Data {
			counts[class]++
		}
		if !slices.Equal(counts[:], want.Counts) {
			t.Errorf("%s: %v voxels of each class, want %v", want.File, counts, want.Counts)
		}
	}
}

func TestUnitsOfOtherPrograms(t *testing.T) {
	dir, index := openSmall(t)
	for _, want := range index.Units {
		if want.File == "nothing.nii.gz" {
			want.Unit = Millimetre // nibabel gives it an sform, which is in millimetres as ITK reads it
		}
		h, err := ReadHeader(filepath.Join(dir, "units", want.File))
		if err != nil || h.Unit != want.Unit {
			t.Errorf("%s: unit %q, %v, want %q", want.File, h.Unit, err, want.Unit)
		}
		for a, s := range h.Spacing() {
			if math.Abs(s-want.Spacing[a]) > 1e-5*s {
				t.Errorf("%s: spacing %v, want %v", want.File, h.Spacing(), want.Spacing)
			}
		}
	}
}

func TestChannelsOfOtherPrograms(t *testing.T) {
	dir, index := openSmall(t)
	for _, want := range index.Channels {
		path := filepath.Join(dir, "channels", want.File)
		h, err := ReadHeader(path)
		if err != nil || h.Size != want.Size || h.Channels != len(want.Sums) {
			t.Errorf("%s: %v and %d channels, %v, want %v and %d", want.File, h.Size, h.Channels, err, want.Size, len(want.Sums))
			continue
		}
		for c, sum := range want.Sums {
			v, err := ReadChannel(path, c)
			if err != nil {
				t.Error(err)
				continue
			}
			got := 0.0
			for _, x := range v.Data {
				got += float64(x)
			}
			if x := v.Data[1+v.Size[0]*(2+v.Size[1]*1)]; got != sum || x != want.Voxel[c] {
				t.Errorf("%s: channel %d has the sum %v and the voxel %v, want %v and %v", want.File, c, got, x, sum, want.Voxel[c])
			}
		}
	}
}

func TestSegmentsOfOtherPrograms(t *testing.T) {
	dir, index := openSmall(t)
	for _, want := range index.Segments {
		s, err := ReadSegmentation(filepath.Join(dir, "segments", want.File))
		if err != nil {
			t.Error(err)
			continue
		}
		if s.Size != want.Size || len(s.Segments) != len(want.Segments) {
			t.Errorf("%s: %d segments of %v, want %d of %v", want.File, len(s.Segments), s.Size, len(want.Segments), want.Size)
			continue
		}
		for i, segment := range s.Segments {
			voxels := 0
			for _, value := range s.Layers[segment.Layer] {
				if value == segment.Value {
					voxels++
				}
			}
			if w := want.Segments[i]; segment.Name != w.Name || segment.Color != w.Color || voxels != w.Voxels {
				t.Errorf("%s: segment %q of colour %v and %d voxels, want %q, %v, %d", want.File, segment.Name, segment.Color, voxels, w.Name, w.Color, w.Voxels)
			}
		}
	}
}

func TestPicturesOfOtherPrograms(t *testing.T) {
	dir, index := openSmall(t)
	for _, want := range index.Pictures {
		v, err := Read(filepath.Join(dir, "pictures", want.File))
		if err != nil {
			t.Error(err)
			continue
		}
		if v.Size != (Size{want.Columns, want.Rows, 1}) || v.Unit != Voxel {
			t.Errorf("%s: %v, unit %s, want %d columns and %d rows", want.File, v.Size, v.Unit, want.Columns, want.Rows)
		}
		off := 0.0 // decoders of JPEG may round otherwise
		if strings.HasSuffix(want.File, ".jpg") {
			off = 1
		}
		for i, x := range v.Data {
			if math.Abs(float64(x-want.Values[i])) > off {
				t.Errorf("%s: pixel %d is %v, want %v", want.File, i, x, want.Values[i])
				break
			}
		}
	}
}

func TestRefusedFilesOfOtherPrograms(t *testing.T) {
	dir, index := openSmall(t)
	for _, want := range index.Refused {
		_, err := Read(filepath.Join(dir, "refused", want.File))
		wantError(t, want.File, err, want.Reason)
		wantError(t, want.File, err, want.File)
	}
	_, err := ReadMask(filepath.Join(dir, "pictures", "grey16.png"))
	wantError(t, "an image as mask", err, "is above 255")
}
