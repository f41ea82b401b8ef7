package metrics

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/nextslice/nextslice/volume"
)

// vector is a case of testdata/vectors.json, which bench/metrics_vectors.py made from scipy's binary_erosion and
// distance_transform_edt, and compared with MONAI and MedPy.
type vector struct {
	Name             string
	Size             [3]int
	Spacing          [3]float64
	Pred, Ref        string
	PredSurface      string `json:"pred_surface"`
	Distances        []float64
	Dice, HD95, ASSD float64
	HD95Pooled       float64 `json:"hd95_pooled"` // MedPy's rule
}

func readVectors(t *testing.T) []vector {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []vector }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) == 0 {
		t.Fatal("no vectors")
	}
	return file.Cases
}

func digits(s string) []uint8 {
	out := make([]uint8, len(s))
	for i := range s {
		out[i] = s[i] - '0'
	}
	return out
}

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }

func TestVectors(t *testing.T) {
	for _, v := range readVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			pred, ref := mask(v.Size, v.Spacing), mask(v.Size, v.Spacing)
			pred.Data, ref.Data = digits(v.Pred), digits(v.Ref)
			if got, defined := Dice(pred.Data, ref.Data, 1); !defined || !near(got, v.Dice, 1e-12) {
				t.Errorf("Dice: got %v, want %v", got, v.Dice)
			}
			got, defined := SurfaceDistances(pred, ref, 1)
			if !defined || got.Empty || got.Unit != volume.Unit("mm") {
				t.Errorf("got %+v, defined %v", got, defined)
			}
			if !near(got.HD95, v.HD95, 1e-9) || !near(got.ASSD, v.ASSD, 1e-9) {
				t.Errorf("got HD95 %v and ASSD %v, want %v and %v", got.HD95, got.ASSD, v.HD95, v.ASSD)
			}

			p, r := crop(pred.Data, v.Size, 1, [3]int{}, v.Size, v.Spacing), crop(ref.Data, v.Size, 1, [3]int{}, v.Size, v.Spacing)
			for x, is := range p.surface().in {
				if is != (v.PredSurface[x] == '1') {
					t.Fatalf("voxel %d: surface %v, scipy says %c", x, is, v.PredSurface[x])
				}
			}
			if v.Distances == nil {
				return
			}
			distances := distances(p.surface(), r.surface())
			if len(distances) != len(v.Distances) {
				t.Fatalf("%d distances, want %d", len(distances), len(v.Distances))
			}
			for n := range distances {
				if !near(distances[n], v.Distances[n], 1e-9) {
					t.Errorf("distance %d: got %v, want %v", n, distances[n], v.Distances[n])
				}
			}
		})
	}
}

// A small false island far away is seen by the percentile per direction and hidden by the pooled one.
func TestPercentileIsPerDirection(t *testing.T) {
	for _, v := range readVectors(t) {
		if v.Name != "false island" {
			continue
		}
		if v.HD95Pooled != 0 || v.HD95 != 8.8 {
			t.Fatalf("the vector no longer shows the difference: pooled %v, per direction %v", v.HD95Pooled, v.HD95)
		}
		pred, ref := mask(v.Size, v.Spacing), mask(v.Size, v.Spacing)
		pred.Data, ref.Data = digits(v.Pred), digits(v.Ref)
		if got, _ := SurfaceDistances(pred, ref, 1); !near(got.HD95, 8.8, 1e-9) {
			t.Errorf("got %v, want MONAI's 8.8 and not MedPy's 0", got.HD95)
		}
		return
	}
	t.Fatal("no vector named false island")
}
