package parallel

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestEveryNumberOnce(t *testing.T) {
	for _, n := range []int{0, 1, 3, 100} {
		for _, workers := range []int{All, 1, 2, 8} {
			calls, inRanges := make([]atomic.Int32, n), make([]atomic.Int32, n)
			For(n, workers, func(i int) { calls[i].Add(1) })
			Ranges(n, workers, func(from, to int) {
				for i := from; i < to; i++ {
					inRanges[i].Add(1)
				}
			})
			for i := range calls {
				if a, b := calls[i].Load(), inRanges[i].Load(); a != 1 || b != 1 {
					t.Errorf("%d by %d workers: number %d comes %d times, in ranges %d times", n, workers, i, a, b)
				}
			}
		}
	}
}

// All workers run at the same time, and no more of them.
func TestAtOnce(t *testing.T) {
	const workers = 3
	var together sync.WaitGroup
	meet := func() {
		together.Done()
		together.Wait() // never returns if one call waits for another to end
	}
	together.Add(workers)
	For(workers, workers, func(int) { meet() })
	together.Add(workers)
	Ranges(100, workers, func(int, int) { meet() })

	var running, most atomic.Int32
	For(20, workers, func(int) {
		now := running.Add(1)
		for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
		}
		running.Add(-1)
	})
	if most.Load() > workers {
		t.Errorf("%d calls at a time, want at most %d", most.Load(), workers)
	}
}
