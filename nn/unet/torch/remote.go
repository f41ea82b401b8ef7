package torch

import (
	"github.com/nextslice/nextslice/internal/python"
	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/tensor"
)

// remote is a network in the worker.
type remote struct {
	engine *Engine
	config unet.Config
	id     uint64
	worker *worker // that it is in
}

// message is the header of all messages.
type message struct {
	Op   string   `json:"op"`
	Net  uint64   `json:"net"`
	Free []uint64 `json:"free,omitempty"`

	Classes  int     `json:"classes,omitempty"` // new
	Width    int     `json:"width,omitempty"`
	Dropped  float64 `json:"p"`
	Channels int     `json:"channels,omitempty"`

	Part     string `json:"part,omitempty"`     // put, get
	Gradient bool   `json:"gradient,omitempty"` // get, through

	N int `json:"n,omitempty"` // step, forward, head
	H int `json:"h,omitempty"`
	W int `json:"w,omitempty"`

	Seed    uint64 `json:"seed"`           // 0 is one too
	Loss    *loss  `json:"loss,omitempty"` // step
	Adam    *adam  `json:"adam,omitempty"`
	Deep    bool   `json:"deep,omitempty"`
	Merged  bool   `json:"merged,omitempty"`
	Through bool   `json:"through,omitempty"`
	Stop    bool   `json:"stop,omitempty"` // through

	Dropout  bool `json:"dropout,omitempty"` // forward
	Same     bool `json:"same,omitempty"`
	Features bool `json:"features,omitempty"`
	Encoder  bool `json:"encoder,omitempty"`
	Again    bool `json:"again,omitempty"`
}

type loss struct {
	CE      float32   `json:"ce"`
	Dice    float32   `json:"dice"`
	Smooth  float32   `json:"smooth"`
	Classes []float32 `json:"classes,omitempty"`
	Sigmoid bool      `json:"sigmoid"`
}

type adam struct {
	LR    float64 `json:"lr"`
	Beta1 float64 `json:"beta1"`
	Beta2 float64 `json:"beta2"`
	Eps   float64 `json:"eps"`
	Decay float64 `json:"decay"`
	Step  int     `json:"step"`
}

// answer is the header of all answers.
type answer struct {
	Note string `json:"note"` // a line for the person who waits
}

func (r *remote) send(m message, arrays ...[]byte) {
	m.Net = r.id
	r.engine.mu.Lock()
	m.Free, r.engine.freed = r.engine.freed, nil
	r.engine.mu.Unlock()
	if r.worker == nil {
		panic(&tensor.EngineError{Op: "PyTorch", Status: "the network is not there any more"})
	}
	r.worker.send(m, arrays...)
}

func (r *remote) receive(arrays ...[]byte) {
	var a answer
	r.worker.receive(&a, arrays...)
	if a.Note != "" {
		r.engine.options.Notice(a.Note)
	}
}

// Ready is [unet.Remote].
func (r *remote) Ready() (fresh, ok bool) {
	if !r.engine.ready() {
		return false, false
	}
	if r.worker == r.engine.worker {
		return false, true
	}
	r.worker = r.engine.worker
	c := r.config
	r.send(message{Op: "new", Classes: c.Classes, Width: c.Width, Dropped: c.Dropout, Channels: max(1, c.Channels)})
	r.receive()
	return true, true
}

func name(p unet.Part) string {
	if p == unet.DeepHeads {
		return "heads"
	}
	return "whole"
}

// Put is [unet.Remote].
func (r *remote) Put(p unet.Part, state []float32) {
	r.send(message{Op: "put", Part: name(p)}, python.Bytes(state))
	r.receive()
}

// Get is [unet.Remote].
func (r *remote) Get(p unet.Part, state, grad []float32) {
	r.send(message{Op: "get", Part: name(p), Gradient: grad != nil})
	r.receive(python.Bytes(state), python.Bytes(grad))
}

// Forward is [unet.Remote].
func (r *remote) Forward(logits tensor.Tensor, features *unet.Features, x tensor.Tensor, p unet.Pass) {
	m := message{
		Op: "forward", N: x.N, H: x.H, W: x.W, Dropout: p.Dropout, Seed: p.Seed, Same: p.Same,
		Features: features != nil, Encoder: p.Encoder, Again: p.SameImages,
	}
	if p.SameImages {
		r.send(m)
	} else {
		r.send(m, python.Bytes(x.Data))
	}
	r.receive(append(arrays(features), python.Bytes(logits.Data))...)
}

func arrays(f *unet.Features) (list [][]byte) {
	if f == nil {
		return nil
	}
	for _, x := range f {
		list = append(list, python.Bytes(x))
	}
	return list
}

// Step is [unet.Remote].
func (r *remote) Step(items []float32, s unet.Step, through func(unet.Features) (unet.Features, error)) error {
	l, a := s.Loss, s.Adam
	m := message{
		Op: "step", N: s.X.N, H: s.X.H, W: s.X.W, Seed: s.Seed, Deep: s.Deep, Merged: s.Merged != nil, Through: through != nil,
		Loss: &loss{CE: l.CE, Dice: l.Dice, Smooth: l.Smooth, Classes: l.Classes, Sigmoid: l.Sigmoid},
		Adam: &adam{LR: a.LR, Beta1: a.Beta1, Beta2: a.Beta2, Eps: a.Eps, Decay: a.WeightDecay, Step: a.Step},
	}
	merged := make([]byte, len(s.Merged))
	for i, yes := range s.Merged {
		if yes {
			merged[i] = 1
		}
	}
	r.send(m, python.Bytes(s.X.Data), s.Target, merged)
	if through == nil {
		r.receive(python.Bytes(items))
		return nil
	}
	var f unet.Features
	for level := range f {
		f[level] = make([]float32, s.X.N*r.config.Width<<level)
	}
	r.receive(append([][]byte{python.Bytes(items)}, arrays(&f)...)...)
	df, err := through(f)
	if err != nil {
		r.send(message{Op: "through", Stop: true})
		r.receive()
		return err
	}
	gradient := false
	for level := range df {
		gradient = gradient || df[level] != nil
	}
	for level := range df {
		if gradient && df[level] == nil {
			df[level] = make([]float32, len(f[level]))
		}
	}
	r.send(message{Op: "through", Gradient: gradient}, arrays(&df)...)
	r.receive()
	return nil
}

// Logits is [unet.Remote].
func (r *remote) Logits(logits tensor.Tensor) {
	r.send(message{Op: "logits"})
	r.receive(python.Bytes(logits.Data))
}

// HeadGradients is [unet.Remote].
func (r *remote) HeadGradients(dst []float32, dlogits tensor.Tensor) {
	r.send(message{Op: "head", N: dlogits.N, H: dlogits.H, W: dlogits.W}, python.Bytes(dlogits.Data))
	r.receive(python.Bytes(dst))
}
