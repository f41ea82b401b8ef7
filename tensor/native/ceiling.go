//go:build cgo

package native

// #include "shim.h"
import "C"

import "time"

// Ceilings are the machine's own limits, measured.
type Ceilings struct {
	Threads   int     `json:"threads"`
	FLOP      float64 `json:"flop_per_second"`  // single-precision multiply-adds in registers
	Bandwidth float64 `json:"bytes_per_second"` // a = b + s·c on arrays far larger than the caches
}

// Ceilings measures the limits on the engine's threads, each for the given time.
func (e *Engine) Ceilings(each time.Duration) Ceilings {
	s := C.double(each.Seconds())
	return Ceilings{Threads: e.threads, FLOP: float64(C.ns_peak(e.c, s)), Bandwidth: float64(C.ns_bandwidth(e.c, s))}
}
