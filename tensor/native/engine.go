//go:build cgo

package native

// #cgo CXXFLAGS: -std=gnu++17 -O3 -Wall -Wextra -Wno-psabi
// #cgo LDFLAGS: -ldnnl
// #cgo darwin CXXFLAGS: -I/opt/homebrew/include -I/usr/local/include
// #cgo darwin LDFLAGS: -L/opt/homebrew/lib -L/usr/local/lib
// #include "shim.h"
import "C"

import (
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"github.com/nextslice/nextslice/tensor"
)

// Kernels says which kernels carry out the convolutions.
type Kernels int

const (
	// Winograd are this package's own kernels, the 3×3 ones between multiples of 16 channels with a quarter of the
	// multiplications. They measured fastest on every layer of a U-Net (docs/performance.md), so they are the default.
	Winograd Kernels = iota
	// Direct are this package's own kernels without Winograd's transform.
	Direct
	// Library are oneDNN's primitives.
	Library
)

// ISA is an instruction set.
type ISA int

const (
	Best     ISA = iota // the best this processor has
	Baseline            // what every processor of the architecture has
	AVX2                // with FMA
	AVX512              // F, BW, VL and DQ
)

// Options choose how an engine computes. The zero value is right for everybody but tests and benchmarks.
type Options struct {
	Kernels Kernels
	ISA     ISA
}

// Engine computes on its own team of threads; see tensor.Engine.
type Engine struct {
	c       *C.ns_engine
	threads int
	yielded time.Time // when the scheduler was last let in
}

var _ tensor.Engine = (*Engine)(nil)

// New returns an engine of the given number of threads; 0 stands for one per processor.
func New(threads int) (*Engine, error) { return NewWith(threads, Options{}) }

// NewWith is New with options. It fails when the processor has not the instruction set asked for.
func NewWith(threads int, o Options) (*Engine, error) {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	c := C.ns_new(C.int(threads), C.int(o.ISA), C.int(o.Kernels))
	if c == nil {
		return nil, fmt.Errorf("native: this processor lacks the instruction set asked for (%d)", o.ISA)
	}
	return &Engine{c: c, threads: threads}, nil
}

// Version returns the version of the oneDNN library in use, such as "2.6.3".
func Version() string { return C.GoString(C.ns_library_version()) }

// ISA returns the instruction set in use: "AVX-512", "AVX2" or "baseline".
func (e *Engine) ISA() string { return C.GoString(C.ns_isa(e.c)) }

func (e *Engine) Name() string { return "onednn" }
func (e *Engine) Threads() int { return e.threads }

// Close ends the engine's threads and frees its memory. A second call does nothing.
func (e *Engine) Close() error {
	if e.c != nil {
		C.ns_free(e.c)
		e.c = nil
	}
	return nil
}

// done ends an operation: it turns a status of the C side into a panic with a *tensor.EngineError, and lets Go's scheduler
// in from time to time. A goroutine that only calls C, and never yields for 10 ms, has its processor taken away by the
// scheduler's monitor call after call, with wake-ups of idle threads that compete with those that compute: a tenth of the
// time of a step (docs/performance.md).
func (e *Engine) done(status C.int, op string, s tensor.Shape) {
	if status != 0 {
		panic(&tensor.EngineError{Op: op + " " + s.String(), Status: C.GoString(C.ns_error(e.c))})
	}
	if now := time.Now(); now.Sub(e.yielded) > yieldEvery {
		e.yielded = now
		runtime.Gosched()
	}
}

// yieldEvery is well below the 10 ms after which the monitor steps in.
const yieldEvery = 4 * time.Millisecond

func shape(t tensor.Tensor) C.ns_shape {
	return C.ns_shape{n: C.int(t.N), h: C.int(t.H), w: C.int(t.W), c: C.int(t.C), stride: C.int(t.Stride)}
}

// ptr returns the address of a slice's first element, nil for an empty one.
func ptr(s []float32) *C.float { return (*C.float)(unsafe.Pointer(unsafe.SliceData(s))) }

func bytes(s []uint8) *C.uint8_t { return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(s))) }

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}
