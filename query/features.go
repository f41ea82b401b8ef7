package query

import (
	"fmt"
	"math"

	"github.com/nextslice/nextslice/internal/parallel"
)

// features asks the pool for the vectors of the unlabelled items and refuses those that cannot be compared.
func (p Pool) features() ([][]float32, error) {
	vectors, err := p.Features()
	if err == nil && len(vectors) != p.N {
		return nil, fmt.Errorf("query: %d feature vectors for %d unlabelled items", len(vectors), p.N)
	}
	return vectors, checkVectors("item", vectors, vectors, err)
}

// labelledFeatures returns the vectors of the labelled items, which must be as long as those of the unlabelled ones.
func (p Pool) labelledFeatures(unlabelled [][]float32) ([][]float32, error) {
	vectors, err := p.LabelledFeatures()
	return vectors, checkVectors("labelled item", vectors, unlabelled, err)
}

// checkVectors returns err, or an error that names the first vector that cannot be compared with the first of others.
func checkVectors(what string, vectors, others [][]float32, err error) error {
	if err != nil {
		return fmt.Errorf("compute features of each %s: %w", what, err)
	}
	for i, v := range vectors {
		if err := checkVector(v, len(others[0])); err != nil {
			return fmt.Errorf("query: the features of %s %d %w", what, i, err)
		}
	}
	return nil
}

func checkVector(v []float32, length int) error {
	if len(v) != length {
		return fmt.Errorf("are %d numbers, those of item 0 are %d", len(v), length)
	}
	for j, x := range v {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return fmt.Errorf("hold %v at place %d; they cannot be compared", x, j)
		}
	}
	return nil
}

// lowerToNearest lowers nearest[i] to the squared distance of item i to the nearest of the centers, for all items.
func lowerToNearest(nearest []float32, items, centers [][]float32) {
	parallel.Ranges(len(items), parallel.All, func(from, to int) {
		for i := from; i < to; i++ {
			for _, c := range centers {
				nearest[i] = min(nearest[i], squaredDistance(items[i], c))
			}
		}
	})
}

// squaredDistance returns Σ (a-b)², in four sums because one would wait for itself at every step.
func squaredDistance(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	for len(a) >= 4 && len(b) >= 4 {
		d0, d1, d2, d3 := a[0]-b[0], a[1]-b[1], a[2]-b[2], a[3]-b[3]
		s0, s1, s2, s3 = s0+d0*d0, s1+d1*d1, s2+d2*d2, s3+d3*d3
		a, b = a[4:], b[4:]
	}
	for i := range a {
		d := a[i] - b[i]
		s0 += d * d
	}
	return (s0 + s1) + (s2 + s3)
}

// dot returns Σ a·b, in four sums likewise.
func dot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	for len(a) >= 4 && len(b) >= 4 {
		s0, s1, s2, s3 = s0+a[0]*b[0], s1+a[1]*b[1], s2+a[2]*b[2], s3+a[3]*b[3]
		a, b = a[4:], b[4:]
	}
	for i := range a {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}

// unit returns the vectors scaled to length 1; a zero vector stays zero, so its cosine with anything is 0.
func unit(vectors [][]float32) [][]float32 {
	out := make([][]float32, len(vectors))
	for i, v := range vectors {
		norm := 0.0
		for _, x := range v {
			norm += float64(x) * float64(x)
		}
		norm = math.Sqrt(norm)
		out[i] = make([]float32, len(v))
		for j, x := range v {
			if norm > 0 {
				out[i][j] = float32(float64(x) / norm)
			}
		}
	}
	return out
}
