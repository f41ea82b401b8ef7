// Package fuzztest holds parsers to their bounds while they are fuzzed.
package fuzztest

import (
	"runtime/metrics"
	"testing"
	"time"
)

// Bounds of what a parser may need for one input of a fuzzer, whatever it says.
const (
	Time   = time.Second // of the processor, where the system tells it, for on a busy machine a call may be put aside
	Memory = 64 << 20    // bytes allocated beyond what the declared size needs
)

// Bound calls read and fails if it takes longer than Time or allocates more than Memory beyond the bytes that read returns:
// those that the size needs which the input declares and may plausibly hold. Only an input that is slow twice is a fault.
func Bound(t *testing.T, read func() (declared int)) {
	t.Helper()
	before, start := allocated(), clock()
	declared := read()
	took := clock() - start
	if used := allocated() - before; used > Memory+uint64(declared) {
		t.Errorf("%d bytes allocated, %d of them declared", used, declared)
	}
	if took > Time {
		start = clock()
		read()
		if again := clock() - start; again > Time {
			t.Errorf("took %v and %v", took, again)
		}
	}
}

func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
