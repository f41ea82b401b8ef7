package preprocess

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/nextslice/nextslice/volume"
)

func line(data ...float32) *volume.Volume {
	return &volume.Volume{Grid: volume.Grid{Size: [3]int{len(data), 1, 1}}, Data: data}
}

// The values are numpy.percentile's of 0 … 10 and of [3 1 2 2].
func TestPercentilesKnown(t *testing.T) {
	data := []float32{10, 3, 7, 0, 1, 9, 2, 8, 4, 6, 5}
	if got, want := Percentiles(data, 1, 50, 99, 100, 0), []float64{0.1, 5, 9.9, 10, 0}; !near(got, want, 1e-12) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := Percentiles([]float32{3, 1, 2, 2}, 25, 75, 90), []float64{1.75, 2.25, 2.7}; !near(got, want, 1e-7) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := Percentiles(nil, 50)[0]; !math.IsNaN(got) {
		t.Errorf("no data: got %v, want NaN", got)
	}
}

func near(a, b []float64, tol float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return math.Abs(x-y) <= tol })
}

// Against the definition on the sorted data, with many ties.
func TestPercentilesAgainstSort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.Float32Range(-1e6, 1e6)
		if rapid.Bool().Draw(t, "ties") {
			value = rapid.Map(rapid.IntRange(0, 3), func(i int) float32 { return float32(i) })
		}
		data := rapid.SliceOfN(value, 1, 60).Draw(t, "data")
		p := rapid.Float64Range(0, 100).Draw(t, "p")
		sorted := slices.Sorted(slices.Values(data))
		at := p / 100 * float64(len(data)-1)
		below := int(at)
		above := min(below+1, len(data)-1)
		want := float64(sorted[below]) + (at-float64(below))*(float64(sorted[above])-float64(sorted[below]))
		if got := Percentiles(data, p)[0]; math.Abs(got-want) > 1e-9*(1+math.Abs(want)) {
			t.Fatalf("percentile %v of %v: got %v, want %v", p, sorted, got, want)
		}
	})
}

func TestNormalise(t *testing.T) {
	c := Config{ClipLow: 1, ClipHigh: 99}
	v := line()
	for i := range 1001 {
		v.Data = append(v.Data, float32(i*i))
	}
	v.Data[1000] = 1e9 // a hot voxel must not matter
	v.Size[0] = len(v.Data)
	before := slices.Clone(v.Data)
	got, err := Normalise(v, c)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(v.Data, before) {
		t.Error("the volume has changed")
	}
	mean, square := 0.0, 0.0
	for _, x := range got {
		mean += float64(x) / 1001
		square += float64(x) * float64(x) / 1001
	}
	if math.Abs(mean) > 1e-6 || math.Abs(square-1) > 1e-6 {
		t.Errorf("mean %v, mean square %v, want 0 and 1", mean, square)
	}
	if got[0] != got[10] || got[10] >= got[11] || got[1000] != got[990] || got[989] >= got[990] {
		t.Error("want the lowest and highest ten of 1001 voxels clipped to the next, and no others")
	}
	if ratio := (got[600] - got[500]) / (got[500] - got[400]); math.Abs(float64(ratio)-(360.-250.)/(250.-160.)) > 1e-4 {
		t.Errorf("not linear between the percentiles: ratio %v", ratio)
	}
}

func TestNormaliseEdges(t *testing.T) {
	c := Config{ClipLow: 1, ClipHigh: 99}
	got, err := Normalise(line(0.1, 0.1, 0.1), c)
	if err != nil || !slices.Equal(got, []float32{0, 0, 0}) {
		t.Errorf("constant: got %v, %v, want zeros", got, err)
	}
	sparse := line(make([]float32, 1000)...)
	sparse.Data[7] = 5
	if got, err = Normalise(sparse, c); err != nil || got[7] <= got[6] {
		t.Errorf("one voxel of 1000: got %v beside %v, %v, want it to stand out", got[7], got[6], err)
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	if _, err := Normalise(line(nan, inf), c); err == nil || !strings.Contains(err.Error(), "all 2 voxels") {
		t.Errorf("got %v, want an error that counts 2", err)
	}
	// The others are as without NaN, which takes their least value.
	some := Config{ClipLow: 20, ClipHigh: 80}
	want, err := Normalise(line(1, 2, 3, 4, 9), some)
	if err != nil {
		t.Fatal(err)
	}
	got, err = Normalise(line(nan, 1, 2, inf, 3, 4, 9), some)
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range []float32{want[0], want[0], want[1], want[0], want[2], want[3], want[4]} {
		if math.Abs(float64(got[i]-x)) > 1e-6 {
			t.Errorf("voxel %d with NaN is %v, want %v", i, got[i], x)
		}
	}
}

// NaN and infinite voxels that are read as a value are voxels of that value, in everything that is made of the image.
func TestNormaliseNaNValue(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for _, value := range []float64{0, -1000, 7.5} {
		c := Config{ClipLow: 0, ClipHigh: 90, NaN: &value}
		v := line(1, nan, 5, 9, inf, 2, -3)
		got, err := Normalise(v, c)
		if err != nil {
			t.Fatal(err)
		}
		x := float32(value)
		want, err := Normalise(line(1, x, 5, 9, x, 2, -3), Config{ClipLow: 0, ClipHigh: 90})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("read as %v: got %v, want %v", value, got, want)
		}
		if v.Data[1] == v.Data[1] {
			t.Error("the volume was changed")
		}
		if _, err := Normalise(line(nan, inf), c); err == nil {
			t.Error("an image without a number must be refused")
		}
	}
	nowhere := math.NaN()
	c := Config{Height: 16, Width: 16, Fit: Pad, ClipHigh: 99, NaN: &nowhere}
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "nan: want a number") {
		t.Errorf("NaN read as NaN: %v", err)
	}
}
