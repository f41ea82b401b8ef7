// Package recipe holds how a network is trained, as plain data: a [Config] with every hyper-parameter under the names that
// configuration files use, and the [Presets]. It knows no network, so that an experiment on disk can be read without one;
// package train carries a recipe out.
package recipe

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Config is one training from scratch: every hyper-parameter, under the names that configuration files use.
type Config struct {
	Width   int     `yaml:"width"`   // of the network, see unet.Config; 64 in the paper
	Dropout float64 `yaml:"dropout"` // probability of zero in the network's six dropout layers, 0 ≤ p < 1

	Steps        int      `yaml:"steps"`         // optimiser steps
	Batch        int      `yaml:"batch"`         // slices per step
	LearningRate Schedule `yaml:"learning-rate"` // of Adam (0.9, 0.999, 1e-8)
	WeightDecay  float64  `yaml:"weight-decay"`  // L2, coupled into Adam's gradient
	Loss         Loss     `yaml:"loss"`
	Augment      Augment  `yaml:"augment"`

	LearningLoss LearningLoss `yaml:"learning-loss"` // of strategies that need its module

	// SameInit starts every cycle from the random streams of cycle 0, as the published code does.
	SameInit bool `yaml:"same-init"`

	// Deep trains heads on the decoder's coarser levels along; see unet.Deep.
	Deep bool `yaml:"deep-supervision,omitempty"`

	// Precision is the arithmetic that the recipe asks for, one of [Precisions]; "" is the engine's own. An engine that has not got it is
	// refused: nothing is computed in another one. Flags go before it.
	Precision string `yaml:"precision,omitempty"`
}

// Precisions are the values of Config.Precision, the most exact first.
var Precisions = []string{"exact", "float32", "tf32", "bfloat16"}

// Loss is the sum of cross-entropy and soft Dice; see tensor.Loss for the formula.
type Loss struct {
	Kind         string    `yaml:"kind"`                    // softmax, or sigmoid: a sigmoid per channel, as the published code has for two classes
	CrossEntropy float64   `yaml:"cross-entropy"`           // weight of the cross-entropy
	Dice         float64   `yaml:"dice"`                    // weight of the soft Dice loss
	Smooth       float64   `yaml:"smooth"`                  // ε of the soft Dice; 1 gives empty slices a useful gradient
	ClassWeights []float64 `yaml:"class-weights,omitempty"` // in the cross-entropy, one per class; none is 1 for all
}

// Values of Loss.Kind.
const (
	Softmax = "softmax"
	Sigmoid = "sigmoid"
)

// Augment says how each slice of a mini-batch is changed at random before the network sees it. A zero switches its
// change off. The order is: contrast, brightness, gamma, noise, then all geometric changes as one transform.
type Augment struct {
	Noise            float64 `yaml:"noise"`             // standard deviation of Gaussian noise, in normalised intensities
	NoiseProbability float64 `yaml:"noise-probability"` // fraction of the slices that get noise, 0 … 1
	Rotate           float64 `yaml:"rotate"`            // largest angle in degrees; uniform in ± Rotate
	Scale            float64 `yaml:"scale"`             // largest change of size: uniform in 1 ± Scale
	Shift            float64 `yaml:"shift"`             // largest shift as a fraction of height and width; uniform in ± Shift
	Flip             float64 `yaml:"flip"`              // probability of swapping left and right (the canvas' columns)
	Contrast         float64 `yaml:"contrast"`          // intensities are multiplied by a factor uniform in 1 ± Contrast
	Brightness       float64 `yaml:"brightness"`        // a number uniform in ± Brightness is added
	Gamma            float64 `yaml:"gamma"`             // exponent e^u, u uniform in ± Gamma, on the slice's own range

	// Zoom changes the size by a factor e^u, u uniform in ± Zoom, as likely to half as to double: 0.35 is 0.7 to 1.4.
	Zoom float64 `yaml:"zoom,omitempty"`
}

// Losses of the module; see LearningLoss.
const (
	Hinge   = "hinge"
	RankNet = "ranknet"
)

// OwnGradient is a LearningLoss.Gradient that each strategy has a value of its own for.
const OwnGradient = -1

// LearningLoss is how the module is trained that predicts each slice's loss, where one is trained.
//
// Source: Yoo, Kweon 2019, "Learning loss for active learning", CVPR; numbers as in Gaillochet et al. 2023.
type LearningLoss struct {
	// Loss is by what the module learns from a pair of slices: Hinge, to predict their losses a margin apart, or RankNet, which of them has the larger
	// one. "" is the strategy's own: Hinge of learning-loss, RankNet of ta-vaal.
	Loss string `yaml:"loss,omitempty"`

	Margin float64 `yaml:"margin"` // ξ between the predictions of a pair; with the published configuration's 0 a constant prediction is optimal
	Weight float64 `yaml:"weight"` // of the module's loss beside the segmentation's
	// Gradient is the fraction of the training, from its start, in which the module's gradient reaches the encoder. OwnGradient is the strategy's own: what was published with
	// it, 20 of 75 epochs of learning-loss and 120 of 200 of ta-vaal.
	Gradient float64 `yaml:"gradient"`

	// SGD, which trains the module alone, at one learning rate throughout.
	LearningRate float64 `yaml:"learning-rate"`
	Momentum     float64 `yaml:"momentum"`
	WeightDecay  float64 `yaml:"weight-decay"`
}

// CheckClasses returns an error unless c can train a network of so many classes, the background among them.
func (c Config) CheckClasses(classes int) error {
	if n := len(c.Loss.ClassWeights); n > 0 && n != classes {
		return fmt.Errorf("loss.class-weights: want one for each of the %d classes of these data, the background first, got %d", classes, n)
	}
	return nil
}

// Validate returns all faults of c at once, each named as in a configuration file, or nil.
func (c Config) Validate() error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	between := func(name string, value, low, high float64) {
		check(value >= low && value <= high, "%s: want %v to %v, got %v", name, low, high, value)
	}
	atLeast := func(name string, value, low float64) {
		check(value >= low && !math.IsInf(value, 1), "%s: want at least %v, got %v", name, low, value)
	}

	check(c.Width >= 2 && c.Width <= 256 && c.Width%2 == 0, "width: want an even number from 2 to 256, got %d", c.Width)
	check(c.Dropout >= 0 && float32(c.Dropout) < 1, "dropout: want 0 or more and less than 1, got %v", c.Dropout)
	check(c.Steps >= 1, "steps: want at least 1, got %d", c.Steps)
	check(c.Batch >= 1 && c.Batch <= 1024, "batch: want 1 to 1024, got %d", c.Batch)
	atLeast("weight-decay", c.WeightDecay, 0)

	check(c.Precision == "" || slices.Contains(Precisions, c.Precision), "precision: want %s, or nothing for the engine's own, got %q", strings.Join(Precisions, ", "), c.Precision)

	r := c.LearningRate
	atLeast("learning-rate.first", r.First, 0)
	check(r.Peak > 0 && !math.IsInf(r.Peak, 1), "learning-rate.peak: want more than 0, got %v", r.Peak)
	atLeast("learning-rate.last", r.Last, 0)
	between("learning-rate.warm-up", r.WarmUp, 0, 1)
	check(r.Epochs >= 0 && r.Epochs <= max(c.Steps, 0), "learning-rate.epochs: want 0 to the number of steps, got %d", r.Epochs)

	l := c.Loss
	check(l.Kind == Softmax || l.Kind == Sigmoid, "loss.kind: want softmax or sigmoid, got %q", l.Kind)
	atLeast("loss.cross-entropy", l.CrossEntropy, 0)
	atLeast("loss.dice", l.Dice, 0)
	check(l.CrossEntropy > 0 || l.Dice > 0, "loss: cross-entropy and dice are both 0")
	check(l.Smooth > 0 && !math.IsInf(l.Smooth, 1), "loss.smooth: want more than 0, got %v", l.Smooth)
	for i, w := range l.ClassWeights {
		atLeast(fmt.Sprintf("loss.class-weights[%d]", i), w, 0)
	}

	m := c.LearningLoss
	check(m.Loss == "" || m.Loss == Hinge || m.Loss == RankNet, "learning-loss.loss: want %s or %s, got %q", Hinge, RankNet, m.Loss)
	atLeast("learning-loss.margin", m.Margin, 0)
	atLeast("learning-loss.weight", m.Weight, 0)
	check(m.Gradient >= 0 && m.Gradient <= 1 || m.Gradient == OwnGradient, "learning-loss.gradient: want 0 to 1, or %d for the strategy's own, got %v", OwnGradient, m.Gradient)
	check(m.LearningRate > 0 && !math.IsInf(m.LearningRate, 1), "learning-loss.learning-rate: want more than 0, got %v", m.LearningRate)
	check(m.Momentum >= 0 && m.Momentum < 1, "learning-loss.momentum: want 0 or more and less than 1, got %v", m.Momentum)
	atLeast("learning-loss.weight-decay", m.WeightDecay, 0)

	a := c.Augment
	atLeast("augment.noise", a.Noise, 0)
	between("augment.noise-probability", a.NoiseProbability, 0, 1)
	between("augment.rotate", a.Rotate, 0, 180)
	between("augment.scale", a.Scale, 0, 0.9)
	between("augment.shift", a.Shift, 0, 1)
	between("augment.flip", a.Flip, 0, 1)
	between("augment.contrast", a.Contrast, 0, 1)
	atLeast("augment.brightness", a.Brightness, 0)
	between("augment.gamma", a.Gamma, 0, 3)
	between("augment.zoom", a.Zoom, 0, 2)
	return errors.Join(faults...)
}
