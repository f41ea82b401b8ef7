package metrics

import (
	"math"
	"slices"
	"testing"

	"github.com/nextslice/nextslice/volume"
	"pgregory.net/rapid"
)

// mask returns an empty mask on a grid with this spacing in mm.
func mask(size [3]int, spacing [3]float64) *volume.Mask {
	m := &volume.Mask{Grid: volume.Grid{Size: size, Unit: "mm"}, Data: make([]uint8, size[0]*size[1]*size[2])}
	for d := range spacing {
		m.Affine[d][d] = spacing[d]
	}
	return m
}

// fill labels the voxels from low up to and without high.
func fill(m *volume.Mask, label uint8, low, high [3]int) {
	for k := low[2]; k < high[2]; k++ {
		for j := low[1]; j < high[1]; j++ {
			for i := low[0]; i < high[0]; i++ {
				m.Data[i+m.Size[0]*(j+m.Size[1]*k)] = label
			}
		}
	}
}

func TestTwoPoints(t *testing.T) {
	size, spacing := [3]int{10, 9, 8}, [3]float64{0.5, 2, 3}
	pred, ref := mask(size, spacing), mask(size, spacing)
	fill(pred, 1, [3]int{1, 2, 3}, [3]int{2, 3, 4})
	fill(ref, 1, [3]int{9, 5, 5}, [3]int{10, 6, 6})
	got, defined := SurfaceDistances(pred, ref, 1)
	want := math.Sqrt(4*4 + 6*6 + 6*6) // 8 voxels of 0.5, 3 of 2, 2 of 3
	if !defined || !near(got.HD95, want, 1e-12) || !near(got.ASSD, want, 1e-12) || got.Empty || got.Unit != "mm" {
		t.Errorf("got %+v, want %v mm", got, want)
	}
}

func TestShiftedSquares(t *testing.T) {
	size := [3]int{12, 12, 1}
	pred, ref := mask(size, [3]float64{1, 1, 5}), mask(size, [3]float64{1, 1, 5})
	fill(ref, 1, [3]int{2, 2, 0}, [3]int{6, 6, 1})
	fill(pred, 1, [3]int{4, 2, 0}, [3]int{8, 6, 1})
	if got, _ := Dice(pred.Data, ref.Data, 1); got != 0.5 {
		t.Errorf("Dice of two 4x4 squares, shifted by 2: got %v, want 0.5", got)
	}
	// The only slice of a volume is a plane. Each contour has 12 pixels: of the column that is 2 away from the other contour
	// 4, of those one away 4, and 4 lie on it. The 95th percentile of 12 values is at rank 10.45, among the 2s.
	got, _ := SurfaceDistances(pred, ref, 1)
	if got.HD95 != 2 || got.ASSD != 1 {
		t.Errorf("one slice: got %+v, want 2 and 1", got)
	}
	// As one slice of several the square is all surface, for above and below it is background: 8 of 16 voxels lie in the
	// other one, 4 are one away and 4 are 2.
	size[2] = 3
	pred, ref = mask(size, [3]float64{1, 1, 5}), mask(size, [3]float64{1, 1, 5})
	fill(ref, 1, [3]int{2, 2, 1}, [3]int{6, 6, 2})
	fill(pred, 1, [3]int{4, 2, 1}, [3]int{8, 6, 2})
	if got, _ := SurfaceDistances(pred, ref, 1); got.HD95 != 2 || got.ASSD != 0.75 {
		t.Errorf("one slice of three: got %+v, want 2 and 0.75", got)
	}
}

// The measures of one slice are those of its plane, whatever axis it lies across and however thick it is. The pair is that of
// a report about another program: a square of 32 by 32 pixels, 6 rows away. On its contour scipy finds 6 and 3.
func TestOneSlice(t *testing.T) {
	for axis := range 3 {
		size, spacing := [3]int{64, 64, 64}, [3]float64{1, 1, 1}
		size[axis], spacing[axis] = 1, 7
		low, high := [3]int{16, 16, 16}, [3]int{48, 48, 48}
		low[axis], high[axis] = 0, 1
		pred, ref := mask(size, spacing), mask(size, spacing)
		fill(ref, 1, low, high)
		row := (axis + 1) % 3
		low[row], high[row] = low[row]+6, high[row]+6
		fill(pred, 1, low, high)
		if got, _ := SurfaceDistances(pred, ref, 1); got.HD95 != 6 || !near(got.ASSD, 3, 1e-12) {
			t.Errorf("slice across axis %d: got %+v, want 6 and 3", axis, got)
		}
		if got, _ := SurfaceDistances(mask(size, spacing), ref, 1); !got.Empty || !near(got.HD95, 64*math.Sqrt2, 1e-12) {
			t.Errorf("slice across axis %d, no prediction: got %+v, want the diagonal of the plane", axis, got)
		}
	}
	// A line of voxels has two ends; a grid of one voxel is the surface of what is in it.
	pred, ref := mask([3]int{1, 9, 1}, [3]float64{5, 2, 5}), mask([3]int{1, 9, 1}, [3]float64{5, 2, 5})
	fill(pred, 1, [3]int{0, 0, 0}, [3]int{1, 4, 1})
	fill(ref, 1, [3]int{0, 3, 0}, [3]int{1, 9, 1})
	if got, _ := SurfaceDistances(pred, ref, 1); got.ASSD != (6+0+0+10)/4.0 {
		t.Errorf("line: got %+v, want ASSD 4", got)
	}
	one := mask([3]int{1, 1, 1}, [3]float64{1, 2, 2})
	empty := mask(one.Size, [3]float64{1, 2, 2})
	fill(one, 1, [3]int{}, one.Size)
	if got, defined := SurfaceDistances(one, one, 1); !defined || got.HD95 != 0 || got.ASSD != 0 {
		t.Errorf("one voxel: got %+v, want 0", got)
	}
	if got, _ := SurfaceDistances(empty, one, 1); !got.Empty || got.HD95 != 3 {
		t.Errorf("one voxel, no prediction: got %+v, want 3", got)
	}
}

func TestEmptyMasks(t *testing.T) {
	size, spacing := [3]int{4, 6, 10}, [3]float64{0.5, 1, 1.5}
	empty, one := mask(size, spacing), mask(size, spacing)
	fill(one, 2, [3]int{1, 1, 1}, [3]int{2, 3, 4})
	diagonal := math.Sqrt(2*2 + 6*6 + 15*15)
	for _, pair := range [][2]*volume.Mask{{empty, one}, {one, empty}} {
		got, defined := SurfaceDistances(pair[0], pair[1], 2)
		if !defined || !got.Empty || !near(got.HD95, diagonal, 1e-12) || !near(got.ASSD, diagonal, 1e-12) {
			t.Errorf("one empty: got %+v, want the diagonal %v", got, diagonal)
		}
		if dice, defined := Dice(pair[0].Data, pair[1].Data, 2); !defined || dice != 0 {
			t.Errorf("one empty: got Dice %v, %v, want 0", dice, defined)
		}
	}
	if got, defined := SurfaceDistances(one, one, 1); defined || !math.IsNaN(got.HD95) || !math.IsNaN(got.ASSD) {
		t.Errorf("class in neither: got %+v", got)
	}
	if dice, defined := Dice(one.Data, one.Data, 1); defined || !math.IsNaN(dice) {
		t.Errorf("class in neither: got Dice %v", dice)
	}
	if got, _ := SurfaceDistances(one, one, 2); got.HD95 != 0 || got.ASSD != 0 || got.Empty {
		t.Errorf("equal masks: got %+v, want 0", got)
	}
}

// The measures against their definition: every pair of voxels, every neighbour.
func TestAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var size [3]int
		var spacing [3]float64
		for d := range size {
			size[d] = rapid.SampledFrom([]int{1, 1, 2, 3, 4, 5, 6}).Draw(t, "size")
			spacing[d] = rapid.Float64Range(0.1, 5).Draw(t, "spacing")
		}
		pred, ref := mask(size, spacing), mask(size, spacing)
		labels := rapid.SampledFrom([]uint8{0, 0, 1, 2, 2})
		for _, m := range []*volume.Mask{pred, ref} {
			for x := range m.Data {
				m.Data[x] = labels.Draw(t, "label")
			}
		}
		got, defined := SurfaceDistances(pred, ref, 2)
		there, back := bruteDirected(pred, ref, 2), bruteDirected(ref, pred, 2)
		if !defined || got.Empty {
			if slices.Contains(pred.Data, 2) && slices.Contains(ref.Data, 2) {
				t.Fatalf("got %+v, %v, and neither mask is empty", got, defined)
			}
			return
		}
		sum := 0.0
		for _, d := range append(slices.Clone(there), back...) {
			sum += d
		}
		assd := sum / float64(len(there)+len(back))
		hd95 := max(brutePercentile(there), brutePercentile(back))
		if !near(got.HD95, hd95, 1e-9) || !near(got.ASSD, assd, 1e-9) {
			t.Fatalf("got %+v, want HD95 %v, ASSD %v", got, hd95, assd)
		}
	})
}

// Few voxels in a longer box: the envelope has to reach far.
func TestSparseDistances(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := [3]int{rapid.IntRange(1, 40).Draw(t, "i"), rapid.IntRange(1, 30).Draw(t, "j"), rapid.IntRange(1, 20).Draw(t, "k")}
		spacing := [3]float64{0.625, rapid.Float64Range(0.1, 4).Draw(t, "spacing"), 3.6}
		from, to := mask(size, spacing), mask(size, spacing)
		place := rapid.IntRange(0, len(to.Data)-1)
		for _, m := range []*volume.Mask{from, to} {
			for range rapid.IntRange(1, 6).Draw(t, "voxels") {
				m.Data[place.Draw(t, "voxel")] = 1
			}
		}
		whole := func(m *volume.Mask) box { return crop(m.Data, size, 1, [3]int{}, size, spacing).surface() }
		got, want := distances(whole(from), whole(to)), bruteDirected(from, to, 1)
		for n := range want {
			if !near(got[n], want[n], 1e-9) {
				t.Fatalf("voxel %d: got %v, want %v", n, got[n], want[n])
			}
		}
	})
}

func bruteSurface(m *volume.Mask, class uint8) (voxels [][3]int) {
	at := func(v [3]int) uint8 {
		for d := range v {
			if v[d] < 0 || v[d] >= m.Size[d] {
				return 0
			}
		}
		return m.Data[v[0]+m.Size[0]*(v[1]+m.Size[1]*v[2])]
	}
	for x := range m.Data {
		v := [3]int{x % m.Size[0], x / m.Size[0] % m.Size[1], x / m.Size[0] / m.Size[1]}
		outside := false
		for d := range v {
			for _, step := range []int{-1, 1} {
				w := v
				w[d] += step
				outside = outside || at(w) != class && (m.Size[d] > 1 || len(m.Data) == 1)
			}
		}
		if at(v) == class && outside {
			voxels = append(voxels, v)
		}
	}
	return voxels
}

func bruteDirected(from, to *volume.Mask, class uint8) (out []float64) {
	spacing := to.Spacing()
	for _, a := range bruteSurface(from, class) {
		nearest := math.Inf(1)
		for _, b := range bruteSurface(to, class) {
			square := 0.0
			for d := range a {
				square += math.Pow(float64(a[d]-b[d])*spacing[d], 2)
			}
			nearest = min(nearest, math.Sqrt(square))
		}
		out = append(out, nearest)
	}
	return out
}

// The 95th percentile: of n+1 values, n equal steps from the smallest to the largest.
func brutePercentile(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	place := 0.95 * float64(len(values)-1)
	low, high := values[int(math.Floor(place))], values[int(math.Ceil(place))]
	return low*(1-(place-math.Floor(place))) + high*(place-math.Floor(place))
}

// A volume of the size of a prostate MR with the class in every corner, so that nothing can be cropped.
func BenchmarkSurfaceDistances(b *testing.B) {
	size, spacing := [3]int{256, 256, 47}, [3]float64{0.6, 0.6, 3.6}
	gland := func(shift int) *volume.Mask {
		m := mask(size, spacing)
		fill(m, 1, [3]int{90 + shift, 90, 10}, [3]int{170 + shift, 165, 38})
		return m
	}
	scattered := gland(4)
	fill(scattered, 1, [3]int{0, 0, 0}, [3]int{2, 2, 2})
	fill(scattered, 1, [3]int{254, 254, 45}, size)
	for x := 0; x < len(scattered.Data); x += 97 {
		scattered.Data[x] = 1
	}
	for name, pred := range map[string]*volume.Mask{"compact": gland(4), "scattered": scattered} {
		b.Run(name, func(b *testing.B) {
			ref := gland(0)
			for b.Loop() {
				SurfaceDistances(pred, ref, 1)
			}
		})
	}
}
