package volume

import (
	"archive/zip"
	"encoding/json"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shared returns the path of a file of the shared data, or skips the test where that is absent.
func shared(t *testing.T, name string) string {
	t.Helper()
	root := filepath.Join("..", "..", "shared", "data")
	if _, err := os.Stat(root); err != nil {
		t.Skip("no shared data beside the repository (../shared/data)")
	}
	return filepath.Join(root, name)
}

// vector is what an independent reader found in a file; made by internal/bench/volume_vectors.py.
type vector struct {
	File   string
	Size   [3]int
	Affine [3][4]float64
	Stored string
	Sum    float64
	Voxels [][4]float64
}

func vectors(t *testing.T) []vector {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var out []vector
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func checkVector(t *testing.T, v *Volume, want vector) {
	t.Helper()
	if v.Size != want.Size || v.Stored != want.Stored || len(v.Data) != v.Len() {
		t.Fatalf("size %v of %s with %d values, want %v of %s", v.Size, v.Stored, len(v.Data), want.Size, want.Stored)
	}
	for r := range 3 {
		for c := range 4 {
			if math.Abs(v.Affine[r][c]-want.Affine[r][c]) > 1e-6 {
				t.Fatalf("affine\n%v, want\n%v", v.Affine, want.Affine)
			}
		}
	}
	var sum, magnitude float64
	for _, x := range v.Data {
		sum += float64(x)
		magnitude += math.Abs(float64(x))
	}
	if math.Abs(sum-want.Sum) > 1e-6*(1+magnitude) {
		t.Errorf("sum %v, want %v", sum, want.Sum)
	}
	for _, x := range want.Voxels {
		i, j, k := int(x[0]), int(x[1]), int(x[2])
		if got := v.Data[i+v.Size[0]*(j+v.Size[1]*k)]; got != float32(x[3]) {
			t.Errorf("voxel (%d, %d, %d) is %v, want %v", i, j, k, got, x[3])
		}
	}
}

func TestReadAgreesWithOtherReaders(t *testing.T) {
	for _, want := range vectors(t) {
		t.Run(want.File, func(t *testing.T) {
			path := shared(t, want.File)
			v, err := Read(path)
			if err != nil {
				t.Fatal(err)
			}
			checkVector(t, v, want)
			h, err := ReadHeader(path)
			g, stored := h.Grid, h.Stored
			if err != nil || !g.Same(v.Grid, 0) || g.Unit != v.Unit || stored != v.Stored {
				t.Errorf("ReadHeader: %v %s %v, want %v %s", g, stored, err, v.Grid, v.Stored)
			}
		})
	}
}

// Images that nibabel, SimpleITK and pynrrd wrote, of every voxel type, packing, byte order and geometry; made by
// internal/bench/volume_interop.py.
func TestReadFilesOfOtherPrograms(t *testing.T) {
	files, err := zip.OpenReader("testdata/interop.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	data, err := fs.ReadFile(files, "index.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(data, &all); err != nil || len(all) != 170 {
		t.Fatal(len(all), err)
	}
	contradict := 0
	defer func() {
		if contradict != 20 {
			t.Errorf("%d files whose qform and pixdim contradict their sform, want 20", contradict)
		}
	}()
	for _, want := range all {
		v, err := readFS(files, want.File)
		if err != nil {
			t.Errorf("%s: %v", want.File, err)
			continue
		}
		if w := v.Warnings(); len(w) > 0 && strings.Contains(w[0], "the qform is used") { // nibabel reads these otherwise: see TestForms
			contradict++
			want.Affine = v.Affine
		}
		if !v.Same(Grid{Size: want.Size, Affine: want.Affine}, roundTripTolerance) || v.Unit != Millimetre {
			t.Errorf("%s: %v %v %s, want %v %v", want.File, v.Size, v.Affine, v.Unit, want.Size, want.Affine)
			continue
		}
		var sum, magnitude float64
		for _, x := range v.Data {
			sum += float64(x)
			magnitude += math.Abs(float64(x))
		}
		if math.Abs(sum-want.Sum) > 1e-6*(1+magnitude) {
			t.Errorf("%s: sum %v, want %v", want.File, sum, want.Sum)
		}
		for _, x := range want.Voxels {
			i, j, k := int(x[0]), int(x[1]), int(x[2])
			if got := v.Data[i+v.Size[0]*(j+v.Size[1]*k)]; math.Abs(float64(got)-x[3]) > 1e-6*(1+math.Abs(x[3])) {
				t.Errorf("%s: voxel (%d, %d, %d) is %v, want %v", want.File, i, j, k, got, x[3])
			}
		}
	}
}

func TestUnits(t *testing.T) {
	for name, want := range map[string]Unit{
		"promise12/Case00.mhd":                               Voxel,
		"formats/metaimage/fixed.mhd":                        Voxel,
		"formats/metaimage/moving.mhd":                       Millimetre,
		"Task04_Hippocampus/imagesTr/hippocampus_001.nii.gz": Millimetre,
		"formats/nifti/avg152T1_LR_nifti.nii.gz":             Millimetre,
	} {
		g, err := ReadHeader(shared(t, name))
		if err != nil || g.Unit != want {
			t.Errorf("%s: unit %q, %v, want %q", name, g.Unit, err, want)
		}
	}
}

// Every mask of the shared data sets lies on the grid of its image and holds few classes.
func TestReadMasks(t *testing.T) {
	for image, mask := range map[string]string{
		"promise12/Case07.mhd":                               "promise12/Case07_segmentation.mhd",
		"Task04_Hippocampus/imagesTr/hippocampus_003.nii.gz": "Task04_Hippocampus/labelsTr/hippocampus_003.nii.gz", // float32 labels
		"formats/metaimage/fixed.mhd":                        "formats/metaimage/mask_fixed.mhd",                   // 12 bytes too long
	} {
		m, err := ReadMask(shared(t, mask))
		if err != nil {
			t.Error(err)
			continue
		}
		g, err := ReadHeader(shared(t, image))
		if err != nil || !g.Same(m.Grid, 1e-6) {
			t.Errorf("%s lies elsewhere than %s: %v", mask, image, err)
		}
		var voxels [256]int
		for _, c := range m.Data {
			voxels[c]++
		}
		if voxels[1] == 0 || voxels[3] > 0 {
			t.Errorf("%s: classes %v", mask, voxels[:4])
		}
	}
}

func TestRefusedByName(t *testing.T) {
	for name, reason := range map[string]string{
		"formats/nifti/5D_small.nii":    "5-D image (dim[5] is 3)",
		"formats/nifti/5D_zeros.nii.gz": "5-D image",
		"formats/nifti/not-nifti.nii":   "not NIfTI",
	} {
		_, err := Read(shared(t, name))
		if err == nil || !strings.Contains(err.Error(), reason) || !strings.Contains(err.Error(), filepath.Base(name)) {
			t.Errorf("%s: %v, want an error with %q", name, err, reason)
		}
	}
	_, err := ReadMask(shared(t, "promise12/Case00.mhd"))
	if err == nil || !strings.Contains(err.Error(), "above 255") {
		t.Errorf("an image as mask: %v", err)
	}
}
