package volume

import (
	"math"
	"path/filepath"
	"testing"
)

// Values of eight bits with a scaling are read as the intensities that they stand for.
func TestWriteScaled(t *testing.T) {
	g := Grid{Size: [3]int{16, 16, 1}, Unit: Millimetre, Affine: [3][4]float64{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}}
	v := &Scaled{Grid: g, Data: make([]uint8, 256), Slope: 2.5, Intercept: -1000}
	for i := range v.Data {
		v.Data[i] = uint8(i)
	}
	for _, name := range []string{"a.nii.gz", "a.nii"} {
		path := filepath.Join(t.TempDir(), name)
		if err := WriteScaled(path, v); err != nil {
			t.Fatal(err)
		}
		got, err := Read(path)
		if err != nil || got.Stored != "uint8" || got.Size != g.Size {
			t.Fatalf("%v, %v", got, err)
		}
		for i, x := range got.Data {
			if math.Abs(float64(x)-(2.5*float64(i)-1000)) > 1e-3 {
				t.Fatalf("%s: value %d is read as %g", name, i, x)
			}
		}
	}
	if err := WriteScaled(filepath.Join(t.TempDir(), "a.nrrd"), v); err == nil {
		t.Error("written as NRRD")
	}
}
