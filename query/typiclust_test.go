package query

import (
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/nextslice/nextslice/random"
)

// blobs returns groups of points, each normal about a middle of its own, far from the others.
func blobs(seed uint64, sizes ...int) (points [][]float32, blob []int) {
	rng := random.Stream(seed, "blobs")
	for b, size := range sizes {
		for range size {
			points = append(points, []float32{float32(100*b) + float32(rng.NormFloat64()), float32(rng.NormFloat64()), float32(-50*b) + float32(rng.NormFloat64())})
			blob = append(blob, b)
		}
	}
	return points, blob
}

func pointPool(unlabelled, labelled [][]float32) Pool {
	return Pool{
		N: len(unlabelled), Features: func() ([][]float32, error) { return unlabelled, nil },
		LabelledFeatures: func() ([][]float32, error) { return labelled, nil },
	}
}

// Of three blobs each gives the most typical of its points, the largest first.
func TestTypiClustOfBlobs(t *testing.T) {
	for seed := range uint64(10) {
		points, blob := blobs(seed, 20, 30, 10)
		got, err := TypiClust{}.Select(pointPool(points, nil), 3, random.Stream(seed))
		if err != nil {
			t.Fatal(err)
		}
		for n, b := range []int{1, 0, 2} {
			best, most, size := -1, 0.0, 0
			for i := range points {
				if blob[i] == b {
					size++
				}
			}
			for i, p := range points {
				if blob[i] != b {
					continue
				}
				var distances []float64
				for j, q := range points {
					if blob[j] == b && i != j {
						d := 0.0
						for k := range p {
							d += float64(p[k]-q[k]) * float64(p[k]-q[k])
						}
						distances = append(distances, d)
					}
				}
				slices.Sort(distances)
				count, sum := min(20, size/2), 0.0
				for _, d := range distances[:count] {
					sum += d
				}
				if typicality := 1 / (sum/float64(count) + 1e-5); typicality > most {
					best, most = i, typicality
				}
			}
			if got.Items[n] != best {
				t.Errorf("seed %d: pick %d is point %d of blob %d, want %d of %d", seed, n, got.Items[n], blob[got.Items[n]], best, b)
			}
		}
	}
}

// A cluster with labelled points comes after those without, however large it is.
func TestTypiClustSeesLabels(t *testing.T) {
	for seed := range uint64(10) {
		points, blob := blobs(seed, 30, 20, 10)
		got, err := TypiClust{}.Select(pointPool(points[2:], points[:2]), 1, random.Stream(seed))
		if err != nil || blob[got.Items[0]+2] != 1 {
			t.Errorf("seed %d: the pick is of blob %d, %v; want that of 20", seed, blob[got.Items[0]+2], err)
		}
	}
}

// Small clusters are left out as long as there are others.
func TestTypiClustLeavesOutliers(t *testing.T) {
	points, blob := blobs(1, 40, 5)
	got, err := TypiClust{}.Select(pointPool(points, nil), 2, random.Stream(1))
	if err != nil || blob[got.Items[0]] != 0 || blob[got.Items[1]] != 0 {
		t.Errorf("picks %v, %v: want two of the forty", got.Items, err)
	}
	if got, err = (TypiClust{}).Select(pointPool(points, nil), 45, random.Stream(1)); err != nil || len(got.Items) != 45 {
		t.Errorf("all 45: %d picks, %v", len(got.Items), err)
	}
}

// k-means finds what separates best, on any number of threads.
func TestKMeans(t *testing.T) {
	points, blob := blobs(3, 25, 25, 25, 25)
	of := kMeans(points, 4, random.Stream(1))
	for i := range points {
		for j := range points {
			if (of[i] == of[j]) != (blob[i] == blob[j]) {
				t.Fatalf("points %d and %d, of blobs %d and %d, are in clusters %d and %d", i, j, blob[i], blob[j], of[i], of[j])
			}
		}
	}
	old := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(old)
	if !slices.Equal(of, kMeans(points, 4, random.Stream(1))) {
		t.Error("another number of threads gives other clusters")
	}
	same := slices.Repeat([][]float32{{1, 2}}, 9)
	if of := kMeans(same, 3, random.Stream(1)); len(of) != 9 || math.MaxInt == of[0] {
		t.Errorf("equal points: %v", of)
	}
}
