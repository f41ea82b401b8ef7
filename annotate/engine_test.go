package annotate_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/annotatetest"
	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
)

// dying is an engine whose networks are elsewhere and fail at the first step of a training, once or always.
type dying struct {
	tensor.Engine
	fallsBack bool
	fallen    error
	failed    chan struct{} // holds an element once it has failed
}

func (d *dying) FallsBack() bool { return d.fallsBack }
func (d *dying) Fallen() error   { return d.fallen }

func (d *dying) Open(unet.Config) unet.Remote {
	select {
	case d.failed <- struct{}{}:
		return remote{d}
	default:
		if d.fallsBack {
			d.fallen = errors.New("the worker ended")
		}
		return nil // here
	}
}

func (d *dying) Watch(context.Context) func() { return func() {} }

type remote struct{ *dying }

func (remote) Ready() (bool, bool)                                             { return true, true }
func (remote) Put(unet.Part, []float32)                                        {}
func (remote) Get(unet.Part, []float32, []float32)                             {}
func (remote) Forward(tensor.Tensor, *unet.Features, tensor.Tensor, unet.Pass) {}
func (remote) Logits(tensor.Tensor)                                            {}
func (remote) HeadGradients([]float32, tensor.Tensor)                          {}
func (remote) Step([]float32, unet.Step, func(unet.Features) (unet.Features, error)) error {
	panic(&tensor.EngineError{Op: "PyTorch", Status: "the worker ended (signal: killed)"})
}

// When what computes dies, the page lives, and says so as long as it lasts. The next label starts another training; with a fallback it
// begins again at once, and the page says what computes from then on.
func TestEngineDies(t *testing.T) {
	for _, fallsBack := range []bool{false, true} {
		failed := make(chan struct{}, 1)
		p := open(t, annotate.Options{
			Data: annotatetest.Data(t, 6),
			Change: func(c *annotate.Config) {
				small(c)
				c.Train.Steps, c.Train.Width, c.Train.Batch = 3, 2, 1
			},
			Learner: func() (annotate.Learner, error) {
				return annotate.Networks(&dying{Engine: ref.New(1), fallsBack: fallsBack, failed: failed}), nil
			},
		})
		shown := func() string {
			return strings.Join(must(p.Dashboard.Summary(t.Context())).Problems, "; ")
		}
		for range 6 {
			p.label(ana)
		}
		want := "the worker ended (signal: killed); labels are safe"
		if fallsBack {
			want = "the processor computes, which is slower: the worker ended"
		}
		until(t, "the page says "+want, func() bool { return strings.Contains(shown(), want) })
		if !fallsBack {
			if n := len(p.models()); n != 0 {
				t.Errorf("%d models of a training that failed", n)
			}
			until(t, "another label", func() bool { _, ok := p.label(ana); return ok })
		}
		until(t, "a model", func() bool { return len(p.models()) > 0 })
		if !fallsBack {
			until(t, "all is well", func() bool { return shown() == "" })
		}
	}
}
