// Package parallel spreads independent pieces of work over goroutines.
package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// For calls do for 0 … n-1 on up to workers goroutines, one of which is the caller's, and returns when all calls have
// returned. Each goroutine takes the next number that nobody has taken, so that calls of unequal length are shared out
// evenly; the results must not depend on the order. With workers of 0 there are as many as GOMAXPROCS.
func For(n, workers int, do func(i int)) {
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var next atomic.Int64
	work := func() {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			do(i)
		}
	}
	var others sync.WaitGroup
	for range min(n, workers) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
}
