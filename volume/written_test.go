package volume

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/written.zip anew; then run internal/bench/volume_written.py")

// written are the images that TestWrittenFiles writes: grids that are oblique, mirrored, sheared, without spacing, and one
// of a NIfTI file whose sform and qform differ.
func written() map[string]*Volume {
	oblique := Grid{Size: [3]int{4, 3, 2}, Unit: Millimetre, Affine: [3][4]float64{{0.4, -0.3, 2, 12.5}, {0.4, 0.6, -1, -7}, {-0.2, 0.6, 2, 31.25}}}
	mirrored := Grid{Size: [3]int{3, 4, 2}, Unit: Millimetre, Affine: [3][4]float64{{0, 0, 3, 9}, {-0.5, 0, 0, 8}, {0, 0.75, 0, -7}}}
	sheared := Grid{Size: [3]int{2, 3, 4}, Unit: Millimetre, Affine: [3][4]float64{{1, 0.25, 0, 1}, {0, 2, 0.5, 2}, {0, 0, 3, 3}}}
	bare := Grid{Size: [3]int{5, 4, 1}, Unit: Voxel, Affine: [3][4]float64{{-1, 0, 0, 0}, {0, -1, 0, 0}, {0, 0, 1, 0}}}
	stored := &NIfTI{QCode: 1, SCode: 2, Pixdim: [4]float64{1, 2, 2, 2}, Quatern: [3]float64{0.6, 0, 0}, QOffset: [3]float64{1, 2, 3},
		SRow: [3][4]float64{{-2, 0, 0, 40}, {0, 2, 0, -30}, {0, 0, 2, 20}}, Units: 2}
	differing := Grid{Size: [3]int{2, 2, 3}, Unit: Millimetre, Affine: stored.SRow, NIfTI: stored}
	out := map[string]*Volume{}
	for name, c := range map[string]struct {
		grid   Grid
		stored string
		scale  float32
	}{"oblique": {oblique, "int16", -100}, "mirrored": {mirrored, "uint16", 2000}, "sheared": {sheared, "float32", 0.37}, "bare": {bare, "uint8", 5}, "differing": {differing, "int8", -3}} {
		v := &Volume{Grid: c.grid, Stored: c.stored, Data: make([]float32, c.grid.Len())}
		for i := range v.Data {
			v.Data[i] = c.scale * float32(i)
		}
		out[name] = v
	}
	return out
}

// writeAll writes the images in every format, and each as a mask and as segments.
func writeAll(t *testing.T, dir string) {
	t.Helper()
	for name, v := range written() {
		m := &Mask{Grid: v.Grid, Data: make([]uint8, v.Len())}
		for i := range m.Data {
			m.Data[i] = uint8(i % 3)
		}
		for _, ext := range []string{".nii", ".mha", ".nrrd"} {
			if err := WriteVolume(filepath.Join(dir, name+ext), v); err != nil {
				t.Fatal(err)
			}
			if err := WriteMask(filepath.Join(dir, name+"_mask"+ext), m); err != nil {
				t.Fatal(err)
			}
		}
		s := NewSegmentation(m, []string{"background", "gland: a=b", "lesion\\"})
		s.Layers = append(s.Layers, slices.Repeat([]uint8{1, 0}, v.Len())[:v.Len()])
		s.Segments = append(s.Segments, Segment{Name: "over", Color: [3]uint8{255, 0, 128}, Layer: 1, Value: 1})
		if err := WriteSegmentation(filepath.Join(dir, name+".seg.nrrd"), s); err != nil {
			t.Fatal(err)
		}
	}
}

// Files are written as they were when nibabel, SimpleITK and pynrrd read them, and what these read is what was meant.
func TestWrittenFiles(t *testing.T) {
	dir := t.TempDir()
	writeAll(t, dir)
	if *update {
		f, err := os.Create("testdata/written.zip")
		if err != nil {
			t.Fatal(err)
		}
		z := zip.NewWriter(f)
		if err := z.AddFS(os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	text, err := os.ReadFile("testdata/written.json")
	if err != nil {
		t.Fatal(err)
	}
	var read map[string]struct {
		Size   Size
		Affine [3][4]float64
		Unit   string
		Stored string
		Values []float64
		Names  []string // of segments
	}
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	files, err := zip.OpenReader("testdata/written.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	if len(read) != len(files.File) || len(read) != 7*len(written()) {
		t.Fatalf("%d files, %d read by other programs", len(files.File), len(read))
	}
	for _, f := range files.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		before, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		now, err := os.ReadFile(filepath.Join(dir, f.Name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(unpacked(t, f.Name, now), unpacked(t, f.Name, before)) {
			t.Errorf("%s is no longer written as it was when other programs read it", f.Name)
		}
		name, _, _ := strings.Cut(strings.TrimSuffix(TrimExt(f.Name), "_mask"), ".")
		v, got := written()[name], read[f.Name]
		if got.Size != v.Size || !(Grid{Size: got.Size, Affine: got.Affine}).Same(v.Grid, 1e-5) {
			t.Errorf("%s: other programs read %v %v, want %v %v", f.Name, got.Size, got.Affine, v.Size, v.Affine)
		}
		if got.Unit != "" && got.Unit != string(v.Unit) {
			t.Errorf("%s: other programs read the unit %s, want %s", f.Name, got.Unit, v.Unit)
		}
		stored, want := v.Stored, func(i int) float64 { return float64(v.Data[i]) }
		switch {
		case IsSegmentation(f.Name):
			stored, want = "uint8", func(i int) float64 { return float64(i % 3) } // of the first layer
			if !slices.Equal(got.Names, []string{"gland: a=b", "lesion\\", "over"}) {
				t.Errorf("%s: other programs read the segments %q", f.Name, got.Names)
			}
		case strings.Contains(f.Name, "_mask"):
			stored, want = "uint8", func(i int) float64 { return float64(i % 3) }
		}
		if got.Stored != stored || len(got.Values) != v.Len() {
			t.Errorf("%s: other programs read %d voxels of %s, want %d of %s", f.Name, len(got.Values), got.Stored, v.Len(), stored)
			continue
		}
		for i, x := range got.Values {
			if math.Abs(x-want(i)) > 1e-6*math.Abs(x) {
				t.Errorf("%s: other programs read %v at voxel %d, want %v", f.Name, x, i, want(i))
				break
			}
		}
	}
}

// unpacked returns a file with its voxels unpacked: how well they are packed is not part of the format.
func unpacked(t *testing.T, name string, data []byte) []byte {
	t.Helper()
	var header []byte
	var r io.Reader
	var err error
	switch ext, _ := extension(name); ext {
	case ".nii":
		return data
	case ".mha":
		end := bytes.Index(data, []byte("LOCAL\n")) + len("LOCAL\n")
		header = regexp.MustCompile(`CompressedDataSize = \d+\n`).ReplaceAll(data[:end], nil)
		r, err = zlib.NewReader(bytes.NewReader(data[end:]))
	default:
		end := bytes.Index(data, []byte("\n\n")) + 2
		header = data[:end]
		r, err = gzip.NewReader(bytes.NewReader(data[end:]))
	}
	if err != nil {
		t.Fatal(err)
	}
	voxels, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(header, voxels)
}
