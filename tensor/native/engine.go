//go:build cgo

package native

// #cgo CXXFLAGS: -std=gnu++17 -O3 -Wall -Wextra -Wno-psabi
// #include "shim.h"
import "C"

import (
	"errors"
	"runtime"
	"time"
	"unsafe"

	"github.com/nextslice/nextslice/tensor"
)

// Kernels says which kernels carry out the convolutions.
type Kernels int

const (
	// Winograd is this package's kernels, the default: Winograd's algorithm for 3×3 convolutions from a multiple of 8 to
	// a multiple of the vector's channels, direct sums for the others.
	Winograd Kernels = C.NS_WINOGRAD
	// Direct is this package's kernels without Winograd's algorithm.
	Direct Kernels = C.NS_DIRECT
	// Library is oneDNN's convolutions, for comparison, in builds with the tag onednn.
	Library Kernels = C.NS_LIBRARY
)

// ISA is an instruction set.
type ISA int

const (
	Best     ISA = C.NS_BEST     // the widest vectors this processor has
	Baseline ISA = C.NS_BASELINE // what every processor of the architecture has
	AVX2     ISA = C.NS_AVX2     // with FMA
	AVX512   ISA = C.NS_AVX512   // F, BW, VL and DQ
	// AMX is AVX-512 with the matrix unit of recent Intel processors, on Linux: what 3×3 and transposed convolutions multiply is rounded to
	// bfloat16, of 8 bits, and summed in float32. It is never the best: its results are others.
	AMX ISA = C.NS_AMX
)

// Options choose how an engine computes. Only tests and benchmarks need another than the zero value.
type Options struct {
	Kernels Kernels
	ISA     ISA
}

// Engine computes on its own team of threads; see tensor.Engine.
type Engine struct {
	c       *C.ns_engine
	threads int
	yielded time.Time // to Go's scheduler, the last time
}

var _ tensor.Engine = (*Engine)(nil)

// New returns an engine of the given number of threads; 0 stands for one per processor.
func New(threads int) (*Engine, error) { return NewWith(threads, Options{}) }

// NewWith is New with options. It fails where the processor lacks the instruction set asked for, or the build oneDNN.
func NewWith(threads int, o Options) (*Engine, error) {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	var problem *C.char
	c := C.ns_new(C.int(threads), C.int(o.ISA), C.int(o.Kernels), &problem)
	if c == nil {
		return nil, errors.New("native: " + C.GoString(problem))
	}
	return &Engine{c: c, threads: threads}, nil
}

// ISA returns the instruction set in use: "AMX", "AVX-512", "AVX2" or "baseline".
func (e *Engine) ISA() string { return C.GoString(C.ns_isa(e.c)) }

// Compiler returns the C++ compiler that built the kernels, such as "g++ 12.2.0".
func (e *Engine) Compiler() string { return C.GoString(C.ns_compiler()) }

// Library returns the library that carries out the convolutions, such as "oneDNN 2.6.3", "" for this package's kernels.
func (e *Engine) Library() string { return C.GoString(C.ns_library(e.c)) }

// Name returns "native".
func (e *Engine) Name() string { return "native" }

// Threads returns the number of threads.
func (e *Engine) Threads() int { return e.threads }

// Close ends the engine's threads and frees its memory. A second call does nothing.
func (e *Engine) Close() error {
	if e.c != nil {
		C.ns_free(e.c)
		e.c = nil
	}
	return nil
}

// done ends an operation: it turns a status of the C side into a panic with a *tensor.EngineError, and yields to Go's scheduler
// from time to time. From a goroutine that calls nothing but C for 10 ms, the scheduler's monitor takes the processor away at
// every call, and wakes idle threads, which compete with those that compute: a tenth of the time of a step
// (docs/decisions/engine-tuning.md).
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

func bools(s []bool) *C.uint8_t { return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(s))) }

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}
