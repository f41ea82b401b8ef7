package metrics

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/nextslice/nextslice/volume"
)

// Two cubes of 10 voxels' edge, one of which is shifted. Their surfaces have six faces of 9 x 9 elements, with elements between
// them that round off the edges and corners.
func TestSurfaceDiceOfCubes(t *testing.T) {
	size := [3]int{20, 20, 20}
	spacing := [3]float64{2, 1, 0.5} // faces across i, j and k: 0.5, 1 and 2 mm² per voxel
	ref := mask(size, spacing)
	fill(ref, 1, [3]int{4, 4, 4}, [3]int{14, 14, 14})
	shifted := func(by [3]int) *volume.Mask {
		m := mask(size, spacing)
		fill(m, 1, [3]int{4 + by[0], 4 + by[1], 4 + by[2]}, [3]int{14 + by[0], 14 + by[1], 14 + by[2]})
		return m
	}
	for _, c := range []struct {
		by        [3]int
		tolerance float64
		want      float64
	}{
		{[3]int{0, 0, 0}, 0, 1},
		{[3]int{2, 0, 0}, 4, 1}, // 2 voxels of 2 mm
		{[3]int{0, 3, 0}, 3, 1},
		{[3]int{0, 0, 3}, 1.5, 1},
	} {
		if got, defined := SurfaceDice(shifted(c.by), ref, 1, c.tolerance); !defined || !near(got, c.want, 1e-12) {
			t.Errorf("shifted by %v at %v mm: got %v, want %v", c.by, c.tolerance, got, c.want)
		}
	}
	// Shifted along k by a voxel, at a tolerance of 0: both cubes have their sides in eight planes of corners, and in two more
	// one of them has its edge where the other has its sides. An element at an edge is half of a rectangle along it.
	i, j, k := spacing[0], spacing[1], spacing[2]
	edge := func(along, a, b float64) float64 { return along * math.Hypot(a, b) / 2 }
	corner := math.Sqrt(j*k*j*k+i*k*i*k+i*j*i*j) / 8
	sides := 2*9*(j*k) + 2*9*(i*k) + 4*edge(k, i, j)
	ring := 2*9*edge(i, j, k) + 2*9*edge(j, i, k) + 4*corner
	all := 9*sides + 2*ring + 2*81*(i*j)
	want := (8*sides + ring + sides) / all
	if got, _ := SurfaceDice(shifted([3]int{0, 0, 1}), ref, 1, 0); !near(got, want, 1e-12) {
		t.Errorf("shifted by a voxel along k at 0 mm: got %v, want %v", got, want)
	}
}

// In a slice the elements are pieces of the contour. Squares of 10 pixels that lie 4 apart along i have all of their sides
// across i, and the pieces of the other two at the ends, away from each other.
func TestSurfaceDiceOfSquares(t *testing.T) {
	size := [3]int{30, 20, 1}
	pred, ref := mask(size, [3]float64{1, 2, 9}), mask(size, [3]float64{1, 2, 9})
	fill(ref, 1, [3]int{2, 2, 0}, [3]int{12, 12, 1})
	fill(pred, 1, [3]int{6, 2, 0}, [3]int{16, 12, 1})
	// A contour: two sides of 9 pieces of 2 mm, two of 9 pieces of 1 mm, four corners of half a diagonal. Of one along i the
	// first three pieces beside the corner and the corner are off, as is the side of 2 mm.
	corner := math.Sqrt(5) / 2
	all := 2*9*2 + 2*9*1 + 4*corner
	off := 9*2 + 2*3*1 + 2*corner
	// The other side across i lies in the other square: there is contour of it only at both ends.
	inside := 9.0 * 2
	for tolerance, want := range map[float64]float64{0: 1 - (off+inside)/all, 4: 1} {
		if got, defined := SurfaceDice(pred, ref, 1, tolerance); !defined || !near(got, want, 1e-12) {
			t.Errorf("at %v mm: got %v, want %v", tolerance, got, want)
		}
	}
}

func TestFurtherOfEmptyMasks(t *testing.T) {
	size := [3]int{6, 6, 6}
	empty, one := mask(size, oneMM), mask(size, oneMM)
	fill(one, 1, [3]int{1, 1, 1}, [3]int{3, 3, 3})
	nan := math.NaN()
	of := func(value float64, n int) Measure { return Measure{Value: value, N: n} }
	undefined := Measure{Value: nan, Undefined: 1}
	for _, c := range []struct {
		name      string
		pred, ref *volume.Mask
		want      Further
	}{
		{"both", empty, empty, Further{undefined, undefined, undefined, undefined, undefined,
			Lesions{Precision: of(nan, 0), Recall: of(nan, 0), F1: of(nan, 0)}}},
		{"prediction", empty, one, Further{of(0, 1), undefined, of(0, 1), of(-0.008, 1), of(-1, 1),
			Lesions{Missed: 1, Precision: of(nan, 0), Recall: of(0, 1), F1: of(0, 1)}}},
		{"reference", one, empty, Further{of(0, 1), of(0, 1), undefined, of(0.008, 1), undefined,
			Lesions{FalsePositives: 1, Precision: of(0, 1), Recall: of(nan, 0), F1: of(0, 1)}}},
		{"none", one, one, Further{of(1, 1), of(1, 1), of(1, 1), of(0, 1), of(0, 1),
			Lesions{Found: 1, TruePositives: 1, Precision: of(1, 1), Recall: of(1, 1), F1: of(1, 2)}}},
	} {
		a := NewAccumulator([]string{"background", "gland"}, Rules{Further: &Tolerances{NSD: 1, LesionOverlap: 0.1}})
		a.Add("a", c.pred, c.ref)
		if diff := cmp.Diff(c.want, a.Summary().Classes[0].Further, cmpopts.EquateNaNs(), cmpopts.EquateApprox(0, 1e-12)); diff != "" {
			t.Errorf("empty: %s (-want +got):\n%s", c.name, diff)
		}
	}
}

// Of three lesions one is found, one is touched by a single voxel of a large prediction and one is missed; one prediction is
// false. Voxels that meet at a corner only are of one lesion.
func TestCountLesions(t *testing.T) {
	pred, ref := mask([3]int{30, 10, 10}, oneMM), mask([3]int{30, 10, 10}, oneMM)
	fill(ref, 2, [3]int{1, 1, 1}, [3]int{4, 4, 4})
	fill(ref, 2, [3]int{4, 4, 4}, [3]int{5, 5, 5}) // of the first: they share a corner
	fill(ref, 2, [3]int{10, 1, 1}, [3]int{13, 4, 4})
	fill(ref, 2, [3]int{20, 1, 1}, [3]int{22, 3, 3})
	fill(ref, 1, [3]int{24, 0, 0}, [3]int{30, 9, 9}) // another class
	fill(pred, 2, [3]int{2, 1, 1}, [3]int{5, 4, 4})
	fill(pred, 2, [3]int{12, 3, 3}, [3]int{17, 8, 8}) // 1 of 27 voxels of the lesion, and 1 of its own 125
	fill(pred, 2, [3]int{25, 5, 5}, [3]int{26, 6, 6})
	for overlap, want := range map[float64][4]int{0: {2, 1, 1, 2}, 0.1: {1, 2, 2, 1}, 0.7: {0, 3, 3, 0}} {
		l := CountLesions(pred, ref, 2, overlap)
		if got := [4]int{l.Found, l.Missed, l.FalsePositives, l.TruePositives}; got != want {
			t.Errorf("overlap %v: found, missed, false, true %v, want %v", overlap, got, want)
		}
	}
	l := CountLesions(pred, ref, 2, 0)
	if !near(l.Precision.Value, 2/3.0, 1e-15) || !near(l.Recall.Value, 2/3.0, 1e-15) || !near(l.F1.Value, 2/3.0, 1e-15) || l.F1.N != 6 {
		t.Errorf("got %+v", l)
	}
	if l := CountLesions(ref, ref, 2, 1); l.F1.Value != 1 || l.Found != 3 {
		t.Errorf("equal masks: got %+v", l)
	}
}

// Several cases and classes: means of what is defined, lesions together; and JSON only where they were asked for.
func TestFurtherSummary(t *testing.T) {
	s := evaluate(Rules{Further: &Tolerances{NSD: 1.5}}, 2)
	gland := s.Classes[0].Further
	// Case a: 32 and 32 voxels, 24 common; case b: one predicted voxel, nothing in the reference.
	if gland.Precision.Value != 0.75/2 || gland.Recall != (Measure{Value: 0.75, N: 1, Undefined: 1}) {
		t.Errorf("precision %+v, recall %+v", gland.Precision, gland.Recall)
	}
	if !near(gland.VolumeDifference.Value, 0.0005, 1e-15) || gland.RelativeVolumeDifference.Value != 0 {
		t.Errorf("volume %+v, %+v", gland.VolumeDifference, gland.RelativeVolumeDifference)
	}
	if gland.NSD.Value != 0.5 || gland.Lesions.Found != 1 || gland.Lesions.FalsePositives != 1 {
		t.Errorf("NSD %+v, lesions %+v", gland.NSD, gland.Lesions)
	}
	if s.Mean.Recall.Value != 0.75 || s.Mean.Recall.Undefined != 3 || s.Mean.Lesions != gland.Lesions {
		t.Errorf("mean over classes %+v", s.Mean)
	}
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back Summary
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, back, cmpopts.EquateNaNs()); diff != "" {
		t.Error(diff)
	}
	plain, err := json.Marshal(evaluate(Rules{}, 2))
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"nsd", "recall", "volume", "lesions", "tolerances"} {
		if !strings.Contains(string(data), word) || strings.Contains(string(plain), word) {
			t.Errorf("%q: want it in the JSON of the further measures only", word)
		}
	}
}

// The values of other programs: see internal/bench/measure_vectors.py.
func TestFurtherVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/measures.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Tolerances, Overlaps, Areas []float64
		Spacing                     [3]float64
		Cases                       []struct {
			Name              string
			Size              [3]int
			Spacing           [3]float64
			Pred, Ref         string
			SurfaceDice       []float64 `json:"surface_dice"`
			Precision, Recall float64
			VolumeML          float64  `json:"volume_ml"`
			VolumeRelative    float64  `json:"volume_relative"`
			Lesions           [][4]int // in the reference, found, in the prediction, true
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) < 10 || len(file.Areas) != 256 {
		t.Fatalf("%d cases and %d areas", len(file.Cases), len(file.Areas))
	}
	for code, area := range elementAreas(file.Spacing) {
		if !near(area, file.Areas[code], 1e-12) {
			t.Errorf("area of element %08b: got %v, want %v", code, area, file.Areas[code])
		}
	}
	for _, c := range file.Cases {
		pred, ref := mask(c.Size, c.Spacing), mask(c.Size, c.Spacing)
		pred.Data, ref.Data = digits(c.Pred), digits(c.Ref)
		for n, tolerance := range file.Tolerances {
			if got, _ := SurfaceDice(pred, ref, 1, tolerance); !near(got, c.SurfaceDice[n], 1e-12) {
				t.Errorf("%s: surface Dice at %v: got %v, want %v", c.Name, tolerance, got, c.SurfaceDice[n])
			}
		}
		for n, overlap := range file.Overlaps {
			l := CountLesions(pred, ref, 1, overlap)
			got := [4]int{l.Found + l.Missed, l.Found, l.TruePositives + l.FalsePositives, l.TruePositives}
			if got != c.Lesions[n] {
				t.Errorf("%s: lesions at %v: got %v, want %v", c.Name, overlap, got, c.Lesions[n])
			}
		}
		a := NewAccumulator([]string{"background", "x"}, Rules{Further: &Tolerances{}})
		a.Add(c.Name, pred, ref)
		f := a.Summary().Classes[0].Further
		got := [4]float64{f.Precision.Value, f.Recall.Value, f.VolumeDifference.Value, f.RelativeVolumeDifference.Value}
		for n, want := range [4]float64{c.Precision, c.Recall, c.VolumeML, c.VolumeRelative} {
			if !near(got[n], want, 1e-12) {
				t.Errorf("%s: precision, recall, volume differences %v: number %d, want %v", c.Name, got, n, want)
			}
		}
	}
}
