package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
)

// A series that pydicom wrote becomes the volume that pydicom reads (internal/bench/volume_small.py).
func TestConvertSeries(t *testing.T) {
	folder := filepath.Join("..", "..", "volume", "testdata")
	text, err := os.ReadFile(filepath.Join(folder, "ct.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Size   volume.Size
		Affine [3][4]float64
		Sum    float64
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	for _, in := range []string{"ct", filepath.Join("ct", "IM3.dcm")} {
		out := filepath.Join(t.TempDir(), "ct.nii.gz")
		command(t, "convert", filepath.Join(folder, in), out)
		v, err := volume.Read(out)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, x := range v.Data {
			sum += float64(x)
		}
		if sum != want.Sum || !v.Same(volume.Grid{Size: want.Size, Affine: want.Affine}, 1e-4) {
			t.Errorf("%s: sum %v, %v %v, want %v, %v %v", in, sum, v.Size, v.Affine, want.Sum, want.Size, want.Affine)
		}
	}
}

// Contours of a structure set become a mask on the series that they were drawn on.
func TestConvertContours(t *testing.T) {
	image := filepath.Join("..", "..", "volume", "testdata", "ct")
	series, _, err := dicom.Find(image, "")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	contours, out := filepath.Join(dir, "contours.dcm"), filepath.Join(dir, "mask.nii")
	// A square around the voxels 3 to 9 of both axes of the third slice.
	var points []string
	for _, p := range [][2]float64{{2.5, 2.5}, {9.5, 2.5}, {9.5, 9.5}, {2.5, 9.5}} {
		w := series.World(p[0], p[1], 2)
		for _, x := range []float64{-w[0], -w[1], w[2]} {
			points = append(points, fmt.Sprintf("%.6f", x))
		}
	}
	element := func(at tag.Tag, value any) *lib.Element {
		e, err := lib.NewElement(at, value)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	set := lib.Dataset{Elements: []*lib.Element{
		element(tag.MediaStorageSOPClassUID, []string{"1.2.840.10008.5.1.4.1.1.481.3"}),
		element(tag.MediaStorageSOPInstanceUID, []string{"1.2.3.4"}),
		element(tag.TransferSyntaxUID, []string{"1.2.840.10008.1.2.1"}),
		element(tag.SOPClassUID, []string{"1.2.840.10008.5.1.4.1.1.481.3"}),
		element(tag.SOPInstanceUID, []string{"1.2.3.4"}),
		element(tag.StructureSetROISequence, [][]*lib.Element{{element(tag.ROINumber, []string{"1"}), element(tag.ROIName, []string{"bone"})}}),
		element(tag.ROIContourSequence, [][]*lib.Element{{
			element(tag.ContourSequence, [][]*lib.Element{{element(tag.ContourGeometricType, []string{"CLOSED_PLANAR"}), element(tag.ContourData, points)}}),
			element(tag.ReferencedROINumber, []string{"1"}),
		}}),
	}}
	file, err := os.Create(contours)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := lib.Write(file, set); err != nil {
		t.Fatal(err)
	}

	convert := func(want int, args ...string) string {
		t.Helper()
		var outs, errs bytes.Buffer
		if got := run(t.Context(), nil, &outs, &errs, append([]string{"convert", contours}, args...)); got != want {
			t.Fatalf("exit code %d, want %d: %s", got, want, errs.String())
		}
		return outs.String() + errs.String()
	}
	if text := convert(misuse, out); !strings.Contains(text, "give the DICOM series that they were drawn on with --reference") {
		t.Errorf("without a series: %s", text)
	}
	if text := convert(done, out, "--reference", image); !strings.HasSuffix(text, ", 1 bone\n") {
		t.Errorf("got %q", text)
	}
	m, err := volume.ReadMask(out)
	if err != nil {
		t.Fatal(err)
	}
	if !m.Same(series.Grid, 1e-3) {
		t.Errorf("the mask lies elsewhere than its series")
	}
	for v, class := range m.Data {
		at := m.Size.Voxel(v)
		want := uint8(0)
		if at[0] >= 3 && at[0] < 10 && at[1] >= 3 && at[1] < 10 && at[2] == 2 {
			want = 1
		}
		if class != want {
			t.Fatalf("voxel %v is %d, want %d", at, class, want)
		}
	}
}
