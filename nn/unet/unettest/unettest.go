// Package unettest compares the whole network with PyTorch, on every engine.
//
// Each file of testdata is one case that internal/bench/unet_vectors.py computed in float64: weights, images and masks, then
// the logits, losses and every gradient of a training pass with dropout, the losses of ten optimiser steps, and
// inference on the running statistics, without and with dropout.
package unettest

import (
	"embed"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/nn"
	"github.com/nextslice/nextslice/nn/safetensors"
	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
)

//go:embed testdata
var testdata embed.FS

// Tolerances, as norms of the difference relative to the norm of PyTorch's values. Gradients pass through LeakyReLUs
// and max poolings, whose kinks multiply a rounding error; so do ten steps of Adam, which divide by small numbers.
const (
	logitsTolerance = 1e-5
	lossTolerance   = 1e-5
	gradTolerance   = 1e-4
	stepsTolerance  = 1e-5 // of a loss after up to nine steps
	afterTolerance  = 1e-3 // of the logits after ten
)

// Cases are the names of all cases.
var Cases = []string{"two_classes", "three_classes", "sigmoid", "learning_loss", "deep", "unknown", "unknown_sigmoid"}

// Run compares the engines that newEngine makes, on two threads, with every case. It closes them.
func Run(t *testing.T, newEngine func(threads int) tensor.Engine) {
	for _, name := range Cases {
		t.Run(name, func(t *testing.T) {
			e := newEngine(2)
			defer e.Close()
			load(t, name).run(e)
		})
	}
}

// vectors is one case.
type vectors struct {
	*testing.T
	file *safetensors.File

	loss   tensor.Loss
	lr     float64
	seed   uint64
	x      tensor.Tensor
	target []uint8
	merged []bool
	net    unet.Config
	deep   bool

	margin, moduleLR float64 // of the loss module; moduleLR 0: there is none
	cut              int     // step from which its gradient is cut off
}

func load(t *testing.T, name string) *vectors {
	data, err := testdata.ReadFile("testdata/" + name + ".safetensors")
	if err != nil {
		t.Fatal(err)
	}
	v := &vectors{T: t}
	if v.file, err = safetensors.Decode(data); err != nil {
		t.Fatal(err)
	}
	var shape [4]int // N H W K
	v.field("shape", &shape)
	target, _ := v.file.Find("target")
	v.target = target.Data
	v.net.Classes, v.net.Channels = shape[3], 1
	v.field("channels", &v.net.Channels)
	v.x = tensor.New(tensor.Shape{N: shape[0], H: shape[1], W: shape[2], C: v.net.Channels})
	copy(v.x.Data, v.array("x"))
	if merged, ok := v.file.Find("merged"); ok {
		for _, m := range merged.Data {
			v.merged = append(v.merged, m != 0)
		}
	}
	for key, dst := range map[string]any{
		"width": &v.net.Width, "dropout": &v.net.Dropout, "seed": &v.seed, "lr": &v.lr,
		"ce": &v.loss.CE, "dice": &v.loss.Dice, "smooth": &v.loss.Smooth, "sigmoid": &v.loss.Sigmoid, "class_weights": &v.loss.Classes,
		"deep": &v.deep, "margin": &v.margin, "module_lr": &v.moduleLR, "cut": &v.cut,
	} {
		v.field(key, dst)
	}
	return v
}

// field reads a metadata value, if there is one.
func (v *vectors) field(key string, dst any) {
	if text, ok := v.file.Metadata[key]; ok {
		if err := json.Unmarshal([]byte(text), dst); err != nil {
			v.Fatalf("%s: %v", key, err)
		}
	}
}

func (v *vectors) array(name string) []float32 {
	v.Helper()
	t, ok := v.file.Find(name)
	if !ok {
		v.Fatalf("no array %s", name)
	}
	x, err := t.Float32s()
	if err != nil {
		v.Fatal(err)
	}
	return x
}

func (v *vectors) run(e tensor.Engine) {
	net := unet.New(e, v.net, random.Stream(0))
	v.setWeights("weight.", net.Params())
	var deep *unet.Deep
	if v.deep {
		deep = net.NewDeep(random.Stream(0))
		v.setWeights("heads.weight.", deep.Params())
	}
	trainer := unet.NewTrainer(net, v.loss, 1e-4)
	var module *unet.LossModule
	var sgd *nn.SGD
	if v.moduleLR > 0 {
		module = unet.NewLossModule(v.net.Width, random.Stream(0))
		v.setWeights("module.weight.", module.Params())
		sgd = nn.NewSGD(module.Params(), 0.9, 5e-4)
	}

	n := v.x.N
	items, dpredicted := make([]float32, n), make([]float32, n)
	losses, moduleLosses := make([]float32, 10), make([]float32, 10)
	for step := range losses {
		var through func(unet.Features) (unet.Features, error)
		if module != nil {
			through = func(f unet.Features) (df unet.Features, err error) {
				predicted := module.Forward(f)
				moduleLosses[step] = float32(unet.PairLoss(dpredicted, predicted, items, v.margin))
				if step == 0 {
					v.compare("module.predicted", predicted, 1e-4, 0)
				}
				if df = module.Backward(dpredicted); step >= v.cut {
					df = unet.Features{}
				}
				if step == 0 {
					v.compareGradients("module.grad.", module.Params())
				}
				sgd.Step(v.moduleLR)
				return df, nil
			}
		}
		batch := unet.Batch{X: v.x, Target: v.target, Merged: v.merged, Seed: v.seed + uint64(step), LR: v.lr}
		if err := trainer.Step(items, batch, through); err != nil {
			v.Fatal(err)
		}
		for _, l := range items {
			losses[step] += l / float32(n)
		}
		if step == 0 {
			v.compare("logits", trainer.Logits().Data, logitsTolerance, 0)
			v.compare("items", items, lossTolerance, 0)
			v.compareGradients("grad.", net.Params())
			if deep != nil {
				v.compareGradients("heads.grad.", deep.Params())
			}
		}
	}
	v.compare("losses", losses, stepsTolerance, 0)
	if module != nil {
		v.compare("module.losses", moduleLosses, stepsTolerance, 0)
	}

	for _, b := range net.Params().Buffers {
		v.compare("buffer."+b.Name, b.Data, afterTolerance, 0)
	}
	v.compare("inference", net.Forward(v.x, unet.Pass{}).Data, afterTolerance, 0)
	v.compare("dropout", net.Forward(v.x, unet.Pass{Dropout: true, Seed: v.seed + 100}).Data, afterTolerance, 0)
}

// setWeights sets the weights from arrays with a prefix, all of them.
func (v *vectors) setWeights(prefix string, p *nn.Params) {
	v.Helper()
	count := 0
	for _, t := range v.file.Tensors {
		if strings.HasPrefix(t.Name, prefix) {
			count++
		}
	}
	if count != len(p.List) {
		v.Fatalf("%d arrays %s*, the network has %d", count, prefix, len(p.List))
	}
	for _, w := range p.List {
		t, _ := v.file.Find(prefix + w.Name)
		if !slices.Equal(t.Shape, w.Shape) {
			v.Fatalf("%s: shape %v, PyTorch has %v", w.Name, w.Shape, t.Shape)
		}
		w.Import(v.array(prefix + w.Name))
	}
	p.Changed()
}

// compareGradients compares every gradient. One that is a small difference of large sums is no more exact than those, so
// float32's rounding of all gradients is allowed on top. Batch normalisation takes the mean away, so the gradient of the
// bias before it is zero but for rounding: it is held against the gradient of the weights beside it.
func (v *vectors) compareGradients(prefix string, p *nn.Params) {
	v.Helper()
	rounding := 1e-7 * norm(p.Grad)
	for i, w := range p.List {
		floor := rounding
		if strings.Contains(w.Name, ".conv") && strings.HasSuffix(w.Name, ".bias") {
			floor = 1e-5 * norm(p.List[i-1].Grad)
		}
		v.compare(prefix+w.Name, w.ExportGrad(), gradTolerance, floor)
	}
}

// compare reports a difference from PyTorch's array above tol times its norm plus floor.
func (v *vectors) compare(name string, got []float32, tol, floor float64) {
	v.Helper()
	want := v.array(name)
	if len(got) != len(want) {
		v.Errorf("%s: %d elements, want %d", name, len(got), len(want))
		return
	}
	diff := make([]float32, len(got))
	for i := range got {
		diff[i] = got[i] - want[i]
	}
	if d := norm(diff); !(d <= tol*norm(want)+floor) {
		v.Errorf("%s: relative error %.2g, want below %.2g%s", name, d/norm(want), tol, first(got, want))
	}
}

func first(got, want []float32) string {
	n := min(len(got), 3)
	return fmt.Sprintf("; begins %v, want %v", got[:n], want[:n])
}

func norm(x []float32) float64 {
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}
