package query

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
)

// features asks the pool for the vectors of all items and refuses what has no distance.
func (p Pool) features() (unlabelled, labelled [][]float32, err error) {
	if p.Features == nil {
		return nil, nil, errors.New("query: this strategy compares items by feature vectors, and the pool has none")
	}
	unlabelled, labelled, err = p.Features()
	if err != nil {
		return nil, nil, fmt.Errorf("compute features: %w", err)
	}
	if len(unlabelled) != p.N {
		return nil, nil, fmt.Errorf("query: %d feature vectors for %d unlabelled items", len(unlabelled), p.N)
	}
	for i, v := range unlabelled {
		if err := checkVector(v, len(unlabelled[0])); err != nil {
			return nil, nil, fmt.Errorf("query: the features of item %d %w", i, err)
		}
	}
	for i, v := range labelled {
		if err := checkVector(v, len(unlabelled[0])); err != nil {
			return nil, nil, fmt.Errorf("query: the features of labelled item %d %w", i, err)
		}
	}
	return unlabelled, labelled, nil
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

// closer lowers nearest[i] to the squared distance of item i to any of the centers, for all items.
func closer(nearest []float32, items, centers [][]float32) {
	parallel(len(items), func(from, to int) {
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

// parallel runs work over 0..n-1 in one piece for each processor. The pieces must not depend on each other, so that
// the result does not depend on their number.
func parallel(n int, work func(from, to int)) {
	pieces := min(n, runtime.GOMAXPROCS(0))
	var group sync.WaitGroup
	for i := range pieces {
		group.Go(func() { work(i*n/pieces, (i+1)*n/pieces) })
	}
	group.Wait()
}
