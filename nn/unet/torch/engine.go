package torch

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/tensor"
)

// Precisions are those of Options.Precision.
var Precisions = []string{"exact", "float32", "tf32", "bfloat16"}

// Options say what computes, and how exactly.
type Options struct {
	Python string // see FindPython
	Device string // cuda, cuda:1, mps, xpu, cpu; "" is the first kind that there is, but for cpu
	Job    int    // of several kinds' devices job j takes the j-th, counted round

	// Precision is exact (float32, the dropout masks of the other engines, deterministic operations: the same bits in every run on the same device and
	// versions), float32, tf32 (products and convolutions of numbers that are rounded to 10 bits, sums in float32) or bfloat16 (also
	// what is stored between layers; weights stay float32). "" is tf32 by CUDA, else float32.
	Precision string
	Eager     bool // no CUDA graph

	// Fallback goes on with the host engine after a worker has died or cannot be started.
	Fallback bool
	Notice   func(text string) // a line for the person who waits; nil: none
}

// Engine computes networks in a worker process, all else on the engine that it stands on. It is used by one goroutine at a time.
type Engine struct {
	tensor.Engine // the host
	options       Options
	python        string
	worker        *worker
	nets          uint64 // ids given
	here          bool   // networks are computed by the host from now on
	fallen        error  // why
	patience      time.Duration

	mu      sync.Mutex
	freed   []uint64 // ids of networks that are no more
	watched *worker  // what Watch would kill
}

// New returns an engine that stands on host, which it closes, and starts its worker. The error is one line that says what to do; host is
// closed then.
func New(ctx context.Context, host tensor.Engine, o Options) (*Engine, error) {
	e := &Engine{Engine: host, options: o, patience: 10 * time.Second}
	if o.Notice == nil {
		e.options.Notice = func(string) {}
	}
	err := e.prepare(ctx)
	if err != nil && o.Fallback && ctx.Err() == nil {
		e.fallBack(err)
		err = nil
	}
	if err != nil {
		host.Close()
		return nil, fmt.Errorf("engine torch: %w", err)
	}
	return e, nil
}

func (e *Engine) prepare(ctx context.Context) (err error) {
	if p := e.options.Precision; p != "" && !slices.Contains(Precisions, p) {
		return fmt.Errorf("precision %q: want %s", p, strings.Join(Precisions, ", "))
	}
	if e.python, err = FindPython(ctx, e.options.Python); err != nil {
		return err
	}
	return e.start(ctx)
}

func (e *Engine) start(ctx context.Context) error {
	w, err := start(ctx, e.python, hello{
		Device: e.options.Device, Job: e.options.Job, Precision: e.options.Precision, Eager: e.options.Eager, Threads: e.Threads(),
	}, func(w *worker) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.watched = w
	})
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.worker, e.freed = w, nil
	return nil
}

// fallBack goes on with the host.
func (e *Engine) fallBack(err error) {
	e.here, e.fallen = true, err
	e.options.Notice(fmt.Sprintf("PyTorch does not compute any more, the processor does from now on (engine %s): %v", e.Engine.Name(), err))
}

// FallsBack reports whether the host computes networks after a worker has died or could not be started.
func (e *Engine) FallsBack() bool { return e.options.Fallback }

// Fallen is why it does; nil while PyTorch computes.
func (e *Engine) Fallen() error { return e.fallen }

// Name returns "torch".
func (e *Engine) Name() string { return "torch" }

// Detail says what computes, such as "PyTorch 2.15.0 on NVIDIA H200, tf32".
func (e *Engine) Detail() string {
	if e.here {
		return "the processor by " + e.Engine.Name() + " in place of PyTorch"
	}
	h := e.worker.hello
	return fmt.Sprintf("PyTorch %s on %s, %s", h.Torch, h.Name, h.Precision)
}

// Device returns that of the worker, such as "cuda:0".
func (e *Engine) Device() string { return e.worker.hello.Device }

// Close ends the worker and closes the host.
func (e *Engine) Close() error {
	if e.worker != nil {
		e.worker.End()
	}
	return e.Engine.Close()
}

// Open is [unet.Host].
func (e *Engine) Open(c unet.Config) unet.Remote {
	if e.here || !e.ready() {
		return nil
	}
	e.nets++
	r := &remote{engine: e, config: c, id: e.nets}
	runtime.AddCleanup(r, e.free, r.id)
	return r
}

func (e *Engine) free(id uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.freed = append(e.freed, id)
}

// ready makes sure that there is a worker, a new one after one has died. It reports whether networks are to be computed there, and panics
// with a *tensor.EngineError if they cannot be.
func (e *Engine) ready() bool {
	switch {
	case e.here:
		return false
	case e.worker.alive():
		return true
	}
	if e.options.Fallback {
		e.fallBack(errors.New("its worker has ended: " + e.worker.Fault()))
		return false
	}
	e.worker.End()
	if err := e.start(context.Background()); err != nil {
		panic(&tensor.EngineError{Op: "PyTorch", Status: err.Error()})
	}
	e.options.Notice("PyTorch's worker had ended; a new one computes: " + e.Detail())
	return true
}

// Watch is [unet.Host]: 10 s after the end of ctx the worker is killed, unless stop was called.
func (e *Engine) Watch(ctx context.Context) (stop func()) {
	done := make(chan struct{})
	end := context.AfterFunc(ctx, func() {
		select {
		case <-done:
		case <-time.After(e.patience):
			e.mu.Lock()
			w := e.watched
			e.mu.Unlock()
			if w != nil {
				w.Kill(fmt.Sprintf("the worker did not answer within %v of the end and was killed", e.patience))
			}
		}
	})
	return func() {
		end()
		close(done)
	}
}
