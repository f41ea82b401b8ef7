package parallel

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestFor(t *testing.T) {
	for _, n := range []int{0, 1, 3, 100} {
		for _, workers := range []int{0, 1, 2, 8} {
			calls := make([]atomic.Int32, n)
			For(n, workers, func(i int) { calls[i].Add(1) })
			for i := range calls {
				if c := calls[i].Load(); c != 1 {
					t.Errorf("%d by %d workers: %d calls for number %d", n, workers, c, i)
				}
			}
		}
	}
}

// All workers run at the same time, and no more of them: each call waits for the others of its turn.
func TestForRunsAtOnce(t *testing.T) {
	const workers = 3
	var running, most atomic.Int32
	var together sync.WaitGroup
	together.Add(workers)
	For(workers, workers, func(int) {
		together.Done()
		together.Wait() // never returns if a call waits for another to end
	})
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
