// Package engines makes the engines that a program has, by name: "native" in C++, and "ref" in plain Go, which every
// build has. Only what runs a whole piece of work (an experiment, a command, a test) chooses one; everything below is
// handed a [tensor.Engine].
package engines

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
)

// Description is what an engine's results depend on, to the last bit.
type Description struct {
	Engine   string // its name
	ISA      string // instruction set, "" for plain Go
	Compiler string // that built its kernels, "" for plain Go
	Threads  int
}

// Names returns the engines of this build, the fastest first.
func Names() []string {
	if newNative == nil {
		return []string{"ref"}
	}
	return []string{"native", "ref"}
}

// New returns the engine of that name, the fastest for "", on the given number of threads; 0 means one per processor.
// "onednn", the former name of native, is accepted until the next release.
func New(name string, threads int) (tensor.Engine, error) { return NewWith(name, threads, "") }

// NewWith is New with an instruction set of the native engine: "avx512", "avx2", "baseline", "amx", whose convolutions, but 1×1, round what they
// multiply to bfloat16, or "" for the widest of the others that the processor has. The same set computes the same bits on every
// processor that has it.
func NewWith(name string, threads int, isa string) (tensor.Engine, error) {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	switch name {
	case "onednn":
		name = "native"
	case "":
		name = Names()[0]
	}
	switch {
	case name == "ref" && isa != "":
		return nil, fmt.Errorf("instruction set %s: engine ref has none to choose; leave it out", isa)
	case name == "ref":
		return ref.New(threads), nil
	case name == "native" && newNative == nil:
		return nil, fmt.Errorf("engine native: this build has none; install a C++ compiler and build with CGO_ENABLED=1, as `make` does")
	case !slices.Contains(Names(), name):
		return nil, fmt.Errorf("engine %q: want %s", name, strings.Join(Names(), " or "))
	}
	return newNative(threads, isa)
}

// Describe returns what e is.
func Describe(e tensor.Engine) Description {
	d := Description{Engine: e.Name(), Threads: e.Threads()}
	if compiled, ok := e.(interface {
		ISA() string
		Compiler() string
	}); ok {
		d.ISA, d.Compiler = compiled.ISA(), compiled.Compiler()
	}
	return d
}

// Planned returns what an engine of NewWith would be, also where this processor lacks the instruction set.
func Planned(name string, threads int, isa string) (Description, error) {
	e, err := NewWith(name, threads, isa)
	if err == nil {
		defer e.Close()
		return Describe(e), nil
	}
	title, known := map[string]string{"avx2": "AVX2", "avx512": "AVX-512", "amx": "AMX"}[isa]
	if newNative == nil || !known {
		return Description{}, err
	}
	if e, err = NewWith(name, threads, "baseline"); err != nil {
		return Description{}, err
	}
	defer e.Close()
	d := Describe(e)
	d.ISA = title
	return d, nil
}
