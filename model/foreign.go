package model

import (
	"errors"
	"fmt"
	"math"

	"github.com/nextslice/nextslice/nn/onnxruntime"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/tensor"
)

// Foreign is a network of an ONNX file, which may be another program's. It gives probabilities and nothing else: no dropout, no features,
// no training. What it answers is checked: an output that is not what its file or [description] says is an error.
type Foreign struct {
	file string
	net  runner

	channels, classes int
	outputs           int       // channels of the network's output: classes, or 1 for the second of two
	kind              string    // of the output: see description.Output
	size              [2]int    // height and width of the network's input, 0 for any
	batch             int       // 1 where the network takes one image at a time, 0 for any number
	multiple          int       // of the sides of larger canvases
	transpose         bool      // rows of a slice are columns of the network's input
	threads           int       // that it computes on
	x                 []float32 // the mini-batch [N C H W]
}

// runner runs a network, see onnxruntime.Net.
type runner interface {
	Run(x []float32, shape [4]int) (y []float32, out [4]int, err error)
	Close() error
}

// Kinds of outputs.
const (
	anyProbabilities = ""               // probabilities that sum to 1, which is seen from them
	softmaxes        = "softmax"        // probabilities that sum to 1
	logits           = "logits"         // of a softmax over the classes
	sigmoids         = "sigmoid"        // probabilities, each by itself
	sigmoidLogits    = "sigmoid-logits" // of a sigmoid for each class
)

var errInside = errors.New("model: a network of an ONNX file is asked for probabilities by plain passes: it has no dropout, members, features or module")

// ServesForeign returns an error unless a strategy can be carried out with a network of an ONNX file.
func ServesForeign(s query.Spec) error {
	needs, why := s.Strategy.Needs(), ""
	switch {
	case s.Score.Dropout || needs.Networks:
		why = "passes with dropout, which an ONNX file leaves out"
	case s.Score.Members > 0 || s.Score.PredictedLoss || s.Score.Critic.Steps > 0 || needs.Features == query.Latent || s.Training != query.Training{}:
		why = "a training of its own"
	case needs.Features == query.Bottleneck || needs.Features == query.Gradient:
		why = "features from inside the network, which an ONNX file does not give out"
	default:
		return nil
	}
	return fmt.Errorf("%s needs %s: choose one that goes by single passes or test-time augmentation, such as entropy+sb, margin+sb, least-confidence+sb or tta+sb", s, why)
}

// Close frees the network.
func (f *Foreign) Close() error { return f.net.Close() }

func (f *Foreign) sigmoids() bool {
	return f.outputs > 1 && (f.kind == sigmoids || f.kind == sigmoidLogits)
}

// foreignError is a network's fault.
type foreignError struct{ error }

// catchForeign turns a panic with a foreignError into an error.
func catchForeign(err *error) {
	switch r := recover().(type) {
	case nil:
	case foreignError:
		*err = r.error
	default:
		panic(r)
	}
}

// probabilities writes the class probabilities of a mini-batch x [N H W C] to probs [N H W K], which it resizes. It panics with a foreignError.
func (f *Foreign) probabilities(probs *tensor.Tensor, x tensor.Tensor) {
	probs.Resize(tensor.Shape{N: x.N, H: x.H, W: x.W, C: f.classes})
	step := x.N
	if f.batch == 1 {
		step = 1
	}
	for from := 0; from < x.N; from += step {
		if err := f.some(probs.Items(from, from+step), x.Items(from, from+step)); err != nil {
			panic(foreignError{fmt.Errorf("%s: %w", f.file, err)})
		}
	}
}

// some runs the network once.
func (f *Foreign) some(probs, x tensor.Tensor) error {
	in := [4]int{x.N, x.C, x.H, x.W}
	if f.transpose {
		in[2], in[3] = x.W, x.H
	}
	f.x = f.x[:0]
	f.each(x, x.C, func(at int) { f.x = append(f.x, x.Data[at]) })
	y, out, err := f.net.Run(f.x, in)
	if err != nil {
		return err
	}
	if want := [4]int{in[0], f.outputs, in[2], in[3]}; out != want {
		return fmt.Errorf("its output is %v for images of %v: want %v", out, in, want)
	}
	background := f.classes - f.outputs // 1 where the output is the second of two classes
	at := 0
	f.each(probs, f.outputs, func(to int) {
		probs.Data[to+background] = y[at]
		at++
	})
	return f.activate(probs.Data, background)
}

// each calls do with the index of every value of the first channels of t, [N H W ..], in the order [N C H W] of the network.
func (f *Foreign) each(t tensor.Tensor, channels int, do func(index int)) {
	h, w, down, right := t.H, t.W, t.W*t.C, t.C
	if f.transpose {
		h, w, down, right = w, h, right, down
	}
	for n := range t.N {
		for c := range channels {
			for y := range h {
				for x := range w {
					do(n*t.H*t.W*t.C + y*down + x*right + c)
				}
			}
		}
	}
}

// tolerance is how far probabilities may be from a sum of 1, by rounding; half precision inside a network is the coarsest.
const tolerance = 2e-3

// activate makes probabilities of what the network says of pixels, [pixels K], whose values from background on are set.
func (f *Foreign) activate(data []float32, background int) error {
	k := f.classes
	certain := true // every pixel has probabilities that sum to 1
	unit := true    // every value is one from 0 to 1
	var odd []float32
	for i := 0; i < len(data); i += k {
		pixel, sum := data[i+background:i+k], 0.0
		for _, v := range pixel {
			if v-v != 0 {
				return fmt.Errorf("its output is %v at a pixel: the network or the images are not what it was trained on", v)
			}
			unit = unit && v >= -tolerance && v <= 1+tolerance
			sum += float64(v)
		}
		if certain = certain && unit && math.Abs(sum-1) <= tolerance; !certain && odd == nil {
			odd = append(odd, pixel...)
		}
	}
	say := `say what it is in the file beside it, "output: logits", "output: sigmoid" or "output: sigmoid-logits"`
	switch f.kind {
	case anyProbabilities, softmaxes:
		if !certain || k == background+1 {
			return fmt.Errorf("its output is not probabilities that sum to 1 (%v at a pixel): %s", odd, say)
		}
	case sigmoids:
		if !unit {
			return errors.New(`its output is not probabilities from 0 to 1, as "output: sigmoid" says: if it is what comes before the sigmoids, say "output: sigmoid-logits"`)
		}
	case logits:
		if certain {
			return errors.New(`its output is probabilities that sum to 1, and not "output: logits": say "output: softmax"`)
		}
	case sigmoidLogits:
		if unit {
			return errors.New(`its output lies from 0 to 1 throughout, as probabilities do, and is not "output: sigmoid-logits": say "output: sigmoid"`)
		}
	}
	for i := 0; i < len(data); i += k {
		pixel := data[i+background : i+k]
		switch f.kind {
		case logits:
			softmax(pixel)
		case sigmoidLogits:
			for c, v := range pixel {
				pixel[c] = float32(1 / (1 + math.Exp(-float64(v))))
			}
		default:
			for c, v := range pixel {
				pixel[c] = min(max(v, 0), 1)
			}
		}
		if background == 1 {
			data[i] = 1 - pixel[0]
		}
	}
	return nil
}

// softmax makes probabilities of a pixel's logits.
func softmax(pixel []float32) {
	most := pixel[0]
	for _, v := range pixel {
		most = max(most, v)
	}
	sum := 0.0
	for _, v := range pixel {
		sum += math.Exp(float64(v - most))
	}
	for k, v := range pixel {
		pixel[k] = float32(math.Exp(float64(v-most)) / sum)
	}
}

var _ runner = (*onnxruntime.Net)(nil)
