package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/volume"
)

// unzip unpacks an archive and reads the index.json in it.
func unzip(t *testing.T, archive string, index any) (dir string) {
	t.Helper()
	dir = t.TempDir()
	files, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, index); err != nil {
		t.Fatal(err)
	}
	return dir
}

// command runs the program and returns what it wrote.
func command(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(t.Context(), nil, &out, &errs, args); code != done {
		t.Fatalf("%v: exit code %d: %s", args, code, errs.String())
	}
	return out.String()
}

// What convert makes of the images of other programs has the voxels and the place that these programs read.
func TestConvertFilesOfOtherPrograms(t *testing.T) {
	var index []struct {
		File   string
		Size   [3]int
		Affine [3][4]float64
		Sum    float64
		Voxels [][4]float64
	}
	dir := unzip(t, filepath.Join("..", "..", "volume", "testdata", "interop.zip"), &index)
	if len(index) != 170 {
		t.Fatalf("%d files", len(index))
	}
	for n, want := range index {
		out := filepath.Join(dir, fmt.Sprintf("out%d", n)+[]string{".nii.gz", ".mha", ".nrrd", ".nii"}[n%4])
		command(t, "convert", filepath.Join(dir, want.File), out)
		v, err := volume.Read(out)
		if err != nil {
			t.Fatal(err)
		}
		if in, err := volume.Read(filepath.Join(dir, want.File)); err != nil {
			t.Fatal(err)
		} else if w := in.Warnings(); len(w) > 0 && strings.Contains(w[0], "the qform is used") { // nibabel reads these otherwise: volume's TestForms
			want.Affine = in.Affine
		}
		if !v.Same(volume.Grid{Size: want.Size, Affine: want.Affine}, 2e-4) || v.Unit != volume.Millimetre {
			t.Errorf("%s: %v %v %s, want %v %v", want.File, v.Size, v.Affine, v.Unit, want.Size, want.Affine)
			continue
		}
		sum, magnitude := 0.0, 1.0
		for _, x := range v.Data {
			sum += float64(x)
			magnitude += math.Abs(float64(x))
		}
		if math.Abs(sum-want.Sum) > 1e-6*magnitude {
			t.Errorf("%s: sum %v, want %v", want.File, sum, want.Sum)
		}
		for _, x := range want.Voxels {
			if got := float64(v.Data[int(x[0])+v.Size[0]*(int(x[1])+v.Size[1]*int(x[2]))]); math.Abs(got-x[3]) > 1e-6*(1+math.Abs(x[3])) {
				t.Errorf("%s: voxel %v is %v, want %v", want.File, x[:3], got, x[3])
			}
		}
	}
}

// Masks that other programs wrote in several formats, against Dice by numpy and surface distances by scipy
// (internal/bench/volume_layouts.py).
func TestEvaluateMasksOfOtherPrograms(t *testing.T) {
	var index map[string][]map[string]float64
	dir := unzip(t, filepath.Join("testdata", "evaluate.zip"), &index)
	var got metrics.Summary
	if err := json.Unmarshal([]byte(command(t, "evaluate", "--pred", filepath.Join(dir, "pred"), "--ref", filepath.Join(dir, "ref"), "--json")), &got); err != nil {
		t.Fatal(err)
	}
	if got.Unit != "mm" || len(got.PerCase) != 6 || len(index) != 6 {
		t.Fatalf("%d cases in %s, want %d", len(got.PerCase), got.Unit, len(index))
	}
	for _, c := range got.PerCase {
		for n, class := range c.Classes {
			want := index[c.ID][n]
			for name, m := range map[string]metrics.Measure{"dice_3d": class.Dice3D, "dice_2d": class.Dice2D, "hd95_3d": class.HD95, "assd": class.ASSD} {
				if !(math.Abs(m.Value-want[name]) < 1e-6) {
					t.Errorf("%s, class %d: %s is %v, want %v", c.ID, n+1, name, m.Value, want[name])
				}
			}
		}
	}
}
