// Package parallel spreads independent pieces of work over goroutines. The pieces must not depend on each other, so that
// the result does not depend on who does which and when.
package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// All means as many workers as GOMAXPROCS.
const All = 0

// For calls do for 0 … n-1 on up to workers goroutines, one of which is the caller's, and returns when all calls have
// returned. Each goroutine takes the next number that is free, so that calls of unequal length are shared out evenly.
func For(n, workers int, do func(i int)) {
	var next atomic.Int64
	run(n, workers, func(int, int) {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			do(i)
		}
	})
}

// Ranges calls do for consecutive ranges that cover 0 … n-1, one for each of up to workers goroutines: for many short and
// equal pieces.
func Ranges(n, workers int, do func(from, to int)) {
	run(n, workers, func(worker, of int) { do(worker*n/of, (worker+1)*n/of) })
}

// run calls work once on each of min(n, workers) goroutines.
func run(n, workers int, work func(worker, of int)) {
	if workers == All {
		workers = runtime.GOMAXPROCS(0)
	}
	workers = min(n, workers)
	if workers < 1 {
		return
	}
	var others sync.WaitGroup
	for worker := 1; worker < workers; worker++ {
		others.Go(func() { work(worker, workers) })
	}
	work(0, workers)
	others.Wait()
}
