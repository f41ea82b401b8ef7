package dicom

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/volume"
)

// vector is what pydicom finds in an image; made by internal/bench/volume_dicom_inputs.py or volume_dicom_vectors.py.
type vector struct {
	File   string
	Size   [3]int
	Affine [3][4]float64
	Sum    float64
	SHA256 string       // of all values as little-endian float32, "" where not known
	Voxels [][4]float64 // i, j, k, value
}

// index is index.json of the inputs.
type index struct {
	Images        []vector
	Segmentations []struct {
		File     string
		Segments []struct {
			Name   string
			Voxels [][3]float64 // place along the normal in mm, row, column
		}
	}
}

// inputs unpacks testdata/inputs.zip, files that pydicom and highdicom wrote, into a temporary folder.
func inputs(t testing.TB) (dir string, want index) {
	t.Helper()
	dir = t.TempDir()
	archive, err := zip.OpenReader("testdata/inputs.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	if err := os.CopyFS(dir, archive); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	return dir, want
}

// check compares an image with what pydicom found, values to within a tolerance.
func (want vector) check(t *testing.T, path string, tolerance float64) {
	t.Helper()
	v, warnings, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(path, "baseline") {
		wantWarning(t, warnings, "packed with lossy JPEG")
	}
	if v.Unit != volume.Millimetre || !v.Same(volume.Grid{Size: want.Size, Affine: want.Affine}, 1e-6) {
		t.Fatalf("%v %v %s, want %v %v", v.Size, v.Affine, v.Unit, want.Size, want.Affine)
	}
	sum := 0.0
	for _, x := range v.Data {
		sum += float64(x)
	}
	if math.Abs(sum-want.Sum) > tolerance*float64(v.Len()) {
		t.Errorf("sum %v, want %v", sum, want.Sum)
	}
	values := make([]byte, 0, 4*len(v.Data))
	for _, x := range v.Data {
		values = binary.LittleEndian.AppendUint32(values, math.Float32bits(x))
	}
	if got := fmt.Sprintf("%x", sha256.Sum256(values)); want.SHA256 != "" && got != want.SHA256 {
		t.Errorf("values differ: SHA-256 %s, want %s", got, want.SHA256)
	}
	for _, x := range want.Voxels {
		i, j, k := int(x[0]), int(x[1]), int(x[2])
		if got := v.Data[i+v.Size[0]*(j+v.Size[1]*k)]; math.Abs(float64(got)-x[3]) > tolerance {
			t.Errorf("voxel (%d, %d, %d) is %v, want %v", i, j, k, got, x[3])
		}
	}
}

func TestReadInputs(t *testing.T) {
	dir, want := inputs(t)
	for _, image := range want.Images {
		tolerance := 0.0
		if strings.Contains(image.File, "baseline") {
			tolerance = 1 // decoders of lossy JPEG may differ by a grey value
		}
		t.Run(image.File, func(t *testing.T) { image.check(t, filepath.Join(dir, image.File), tolerance) })
	}
}

// The segments of files that highdicom wrote, each voxel by its place along the normal, row and column.
func TestReadSegmentationInputs(t *testing.T) {
	dir, all := inputs(t)
	for _, want := range all.Segmentations {
		t.Run(want.File, func(t *testing.T) {
			s, warnings, err := ReadSegmentation(filepath.Join(dir, want.File))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(want.File, "fractional") {
				wantWarning(t, warnings, "a fractional segmentation: voxels of at least")
			} else if len(warnings) > 0 {
				t.Errorf("warnings %q", warnings)
			}
			if len(s.Segments) != len(want.Segments) {
				t.Fatalf("%d segments, want %d", len(s.Segments), len(want.Segments))
			}
			for i, segment := range s.Segments {
				if segment.Name != want.Segments[i].Name || int(segment.Value) != i+1 {
					t.Errorf("segment %d is %q, %d", i, segment.Name, segment.Value)
				}
				var voxels []string
				for _, v := range want.Segments[i].Voxels {
					voxels = append(voxels, fmt.Sprintf("%.3f %.0f %.0f", v[0]+0, v[1], v[2]))
				}
				slices.Sort(voxels)
				if got := places(s, segment); !slices.Equal(got, voxels) {
					t.Errorf("segment %s has %d voxels, want %d: %.300q, want %.300q", segment.Name, len(got), len(voxels), got, voxels)
				}
			}
		})
	}
}

// places returns the voxels of a segment as place along the slices' normal in mm, row and column.
func places(s *volume.Segmentation, segment volume.Segment) []string {
	lps := func(w [3]float64) [3]float64 { return [3]float64{-w[0], -w[1], w[2]} }
	normal := unit(cross(lps(s.Column(0)), lps(s.Column(1))))
	var out []string
	for v, value := range s.Layers[segment.Layer] {
		if value == segment.Value {
			i, j, k := v%s.Size[0], v/s.Size[0]%s.Size[1], v/s.Size[0]/s.Size[1]
			out = append(out, fmt.Sprintf("%.3f %d %d", dot(lps(s.World(0, 0, float64(k))), normal)+0, j, i))
		}
	}
	slices.Sort(out)
	return out
}

// Segmentations of all slices, of one and of some lie on the grid of their image.
func TestInputsLieOnTheirImage(t *testing.T) {
	dir, _ := inputs(t)
	v, _, err := Read(filepath.Join(dir, "series"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"binary", "one-slice", "gap", "labelmap"} {
		s, _, err := ReadSegmentation(filepath.Join(dir, "seg", name+".dcm"))
		if err != nil {
			t.Fatal(err)
		}
		if on, err := s.On(v.Grid); err != nil || !on.Same(v.Grid, 0) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestInputsRefusedByName(t *testing.T) {
	dir, _ := inputs(t)
	if err := os.WriteFile(filepath.Join(dir, "text"), []byte("no image"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"cut.dcm":        "cut short",
		"seg/binary.dcm": "a segmentation (SEG), not an image",
		"text":           "not DICOM",
		"gone.dcm":       "no such file",
	} {
		_, _, err := Read(filepath.Join(dir, name))
		wantError(t, name, err, want)
	}
}
