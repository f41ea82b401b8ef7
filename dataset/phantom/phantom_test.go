package phantom

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/volume"
)

func stream(n int) []any { return []any{"phantom", n} }

// The mask must be the gland and nothing else: each voxel's centre, found by way of the affine, is asked for anew.
func TestMaskIsExact(t *testing.T) {
	for n := range 2 {
		s := newStudy(random.Stream(1, stream(n)...))
		_, mask := Generate(random.Stream(1, stream(n)...))
		g := s.grid
		// The slices are tilted about the left-right axis; the third column of the affine tells how much.
		tilt := math.Atan2(g.Affine[1][2], g.Affine[2][2])
		sin, cos := math.Sincos(tilt)
		voxels := 0
		for i := range mask.Data {
			w := mask.World(float64(i%matrix), float64(i/matrix%matrix), float64(i/matrix/matrix))
			p := point{-w[0], -(w[1]*cos - w[2]*sin), w[1]*sin + w[2]*cos}
			length := p.length()
			depth := s.anatomy.gland.radius(point{p[0] / length, p[1] / length, p[2] / length}) - length
			if math.Abs(depth) > 1e-9 && (depth > 0) != (mask.Data[i] == 1) {
				t.Fatalf("case %d, voxel %d: %v mm inside the gland, mask %d", n, i, depth, mask.Data[i])
			}
			voxels += int(mask.Data[i])
		}
		spacing := mask.Spacing()
		got := float64(voxels) * spacing[0] * spacing[1] * spacing[2]
		want := s.anatomy.gland.volume()
		if math.Abs(got/want-1) > 0.02 {
			t.Errorf("case %d: the mask has %.0f mm³, the gland %.0f mm³", n, got, want)
		}
		if want < 15e3 || want > 90e3 {
			t.Errorf("case %d: a gland of %.0f ml", n, want/1000)
		}
	}
}

// volume integrates r³/3 over all directions: the volume in mm³ of a body that is seen whole from its middle.
func (g *gland) volume() float64 {
	const steps = 200
	sum := 0.0
	for i := range steps {
		z := -1 + 2*(float64(i)+0.5)/steps
		for j := range steps {
			sin, cos := math.Sincos(2 * math.Pi * float64(j) / steps)
			r := g.radius(point{math.Sqrt(1-z*z) * cos, math.Sqrt(1-z*z) * sin, z})
			sum += r * r * r / 3
		}
	}
	return sum * 4 * math.Pi / steps / steps
}

func TestGrid(t *testing.T) {
	for n := range 100 {
		s := newStudy(random.Stream(2, stream(n)...))
		g, spacing := s.grid, s.grid.Spacing()
		if err := g.Check(); err != nil {
			t.Fatal(err)
		}
		if g.Size[0] != 128 || g.Size[1] != 128 || g.Size[2] < 16 || g.Size[2] > 24 || g.Orientation() != "LPS" {
			t.Errorf("case %d: size %v, axes %s", n, g.Size, g.Orientation())
		}
		if math.Abs(spacing[2]-3.6) > 1e-9 || spacing[0] < 0.6-1e-9 || spacing[0] > 1+1e-9 || math.Abs(spacing[0]-spacing[1]) > 1e-9 {
			t.Errorf("case %d: spacing %v", n, spacing)
		}
		// Two slices at either end are free: the gland begins above the second and ends below the last but one.
		for _, k := range []int{0, 1, g.Size[2] - 2, g.Size[2] - 1} {
			for j := range matrix {
				for i := range matrix {
					if s.anatomy.gland.depth(s.at(i, j, float64(k))) >= 0 {
						t.Fatalf("case %d: gland in slice %d of %d", n, k, g.Size[2])
					}
				}
			}
		}
	}
}

// The best pair of thresholds that there is, chosen with the mask in hand, must fail.
func TestNoThresholdFindsTheGland(t *testing.T) {
	seen := map[string]bool{}
	for n := range 5 {
		v, mask := Generate(random.Stream(1, stream(n)...))
		best := bestThresholds(v.Data, mask.Data)
		if best > 0.5 {
			t.Errorf("case %d: thresholds reach Dice %.2f", n, best)
		}
		t.Logf("case %d: Dice %.2f of the best thresholds", n, best)
		empty := 0
		for k := range v.Size[2] {
			if !slices.Contains(mask.Data[k*matrix*matrix:(k+1)*matrix*matrix], 1) {
				empty++
			}
		}
		if empty < 4 || empty > v.Size[2]-8 {
			t.Errorf("case %d: %d of %d slices are empty", n, empty, v.Size[2])
		}
		for i, x := range v.Data {
			if x < 0 || x > math.MaxInt16 || x != float32(math.Round(float64(x))) {
				t.Fatalf("case %d, voxel %d: %v is no int16", n, i, x)
			}
		}
		key, _ := json.Marshal(v.Data[:1000])
		if seen[string(key)] {
			t.Errorf("case %d has been there before", n)
		}
		seen[string(key)] = true
	}
}

// bestThresholds returns the largest Dice of the voxels between two thresholds, both at percentiles.
func bestThresholds(data []float32, mask []uint8) float64 {
	sorted := slices.Sorted(slices.Values(data))
	const bins = 100
	var edges [bins - 1]float32
	for i := range edges {
		edges[i] = sorted[(i+1)*len(sorted)/bins]
	}
	var all, gland [bins + 1]float64 // cumulated over the bins
	for i, x := range data {
		bin, _ := slices.BinarySearch(edges[:], x)
		all[bin+1]++
		gland[bin+1] += float64(mask[i])
	}
	for i := range bins {
		all[i+1] += all[i]
		gland[i+1] += gland[i]
	}
	best := 0.0
	for low := range bins {
		for high := low + 1; high <= bins; high++ {
			best = max(best, 2*(gland[high]-gland[low])/(all[high]-all[low]+gland[bins]))
		}
	}
	return best
}

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "set")
	var calls []int
	if err := Write(t.Context(), dir, 2, 5, func(done, total int) { calls = append(calls, done, total) }); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(calls, []int{1, 2, 2, 2}) {
		t.Errorf("progress %v", calls)
	}
	var j struct {
		Training []struct{ Image, Label string }
		Labels   map[string]string
	}
	data, err := os.ReadFile(filepath.Join(dir, "dataset.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &j); err != nil || len(j.Training) != 2 || j.Labels["1"] != "prostate" {
		t.Fatalf("%v: %s", err, data)
	}
	wantImage, wantMask := Generate(random.Stream(5, "phantom", 1))
	image, err := volume.Read(filepath.Join(dir, j.Training[1].Image))
	if err != nil {
		t.Fatal(err)
	}
	mask, err := volume.ReadMask(filepath.Join(dir, j.Training[1].Label))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(image.Data, wantImage.Data) || image.Stored != "int16" || !image.Same(wantImage.Grid, 1e-3) {
		t.Error("the image that was read is not the one that was generated")
	}
	if !slices.Equal(mask.Data, wantMask.Data) || !mask.Same(image.Grid, 0) {
		t.Error("the mask that was read is not the one that was generated")
	}

	// A second set of the same seed, one case smaller, holds the same bytes.
	again := t.TempDir()
	if err := Write(t.Context(), again, 1, 5, nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"imagesTr/phantom_000.nii.gz", "labelsTr/phantom_000.nii.gz"} {
		a, _ := os.ReadFile(filepath.Join(dir, name))
		b, _ := os.ReadFile(filepath.Join(again, name))
		if len(a) == 0 || !slices.Equal(a, b) {
			t.Errorf("%s differs between two writings", name)
		}
	}
	if err := Write(t.Context(), again, 1, 5, nil); err == nil {
		t.Error("a folder with files in it must not be written to")
	}
}

func TestWriteIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if err := Write(ctx, dir, 3, 1, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if _, err := os.Stat(filepath.Join(dir, "dataset.json")); err == nil {
		t.Error("dataset.json stands for a complete set")
	}
}

func BenchmarkGenerate(b *testing.B) {
	for n := range b.N {
		Generate(random.Stream(1, "phantom", n))
	}
}
