package tensortest

import (
	"fmt"
	"math"
	"slices"

	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
)

func softmax(s *suite) {
	for _, classes := range []int{2, 3, 5, 16} {
		for _, layout := range layouts {
			shape := tensor.Shape{N: 2, H: 5, W: 7, C: classes}
			name := fmt.Sprintf("Softmax %v, views %v %v", shape, layout.dst, layout.src)
			x, p, p64 := s.random(shape, layout.src), empty(shape, layout.dst), ref.New64(shape)
			large := 0
			fill(x, func() float32 { large++; return float32(s.rng.NormFloat64()) * []float32{1, 30}[large%2] })
			s.truth.Softmax(p64, double(x))
			same := s.unchanged(name, x.Data)
			s.check(name, func() { s.e.Softmax(p, x) }, result{"p", p, p64, 2e-6})
			same()
			s.check(name+" in place", func() { assign(p, x); s.e.Softmax(p, p) }, result{"p", p, p64, 2e-6})
		}
	}
}

func entropy(s *suite) {
	for _, classes := range []int{1, 2, 3, 16} {
		for _, view := range []bool{false, true} {
			shape := tensor.Shape{N: 2, H: 5, W: 7, C: classes}
			name := fmt.Sprintf("Entropy %v, view %v", shape, view)
			logits, p := s.random(shape, false), empty(shape, view)
			for i := range logits.Data { // from undecided to almost certain
				logits.Data[i] *= []float32{0, 1, 5, 30}[i/classes%4]
			}
			s.e.Softmax(p, logits)
			certain := p.Data[3*p.Stride:][:classes]
			clear(certain)
			certain[classes/2] = 1
			h, h64 := make([]float32, shape.Pixels()), make([]float64, shape.Pixels())
			s.truth.Entropy(h64, double(p))
			same := s.unchanged(name, p.Data)
			s.check(name, func() { s.e.Entropy(h, p) }, slice("h", h, h64, 1e-6))
			same()
			if h[3] != 0 {
				s.Errorf("%s: %v of a certain pixel, want 0", name, h[3])
			}
			p.Data[9*p.Stride+classes-1] = float32(math.NaN())
			if s.e.Entropy(h, p); h[9] == h[9] || h[8] != h[8] || h[10] != h[10] {
				s.Errorf("%s: one probability is NaN: got %v, want NaN in the middle", name, h[8:11])
			}
		}
	}
}

// lossVariants are the forms that training offers, for K classes.
func lossVariants(classes int) []tensor.Loss {
	weights := []float32{0.5, 2, 1.5, 3, 0.25}[:classes]
	return []tensor.Loss{
		{CE: 0.5, Dice: 0.5, Smooth: 1e-9},
		{CE: 0.5, Dice: 0.5, Smooth: 1},
		{CE: 1},
		{Dice: 1, Smooth: 1},
		{CE: 0.5, Dice: 0.5, Smooth: 1e-9, Classes: weights},
		{CE: 0.5, Dice: 0.5, Smooth: 1e-9, Sigmoid: true},
		{CE: 0.3, Dice: 0.7, Smooth: 1, Sigmoid: true, Classes: weights},
	}
}

func loss(s *suite) {
	for _, classes := range []int{2, 3, 5} {
		for _, n := range []int{1, 4, 5} {
			for _, op := range lossVariants(classes) {
				shape := tensor.Shape{N: n, H: 9, W: 7, C: classes}
				logits := s.random(shape, false)
				target := make([]uint8, shape.Pixels())
				for i := range target {
					target[i] = uint8(s.rng.IntN(classes))
				}
				if n > 1 {
					clear(target[63:126]) // an item without foreground
				}
				s.loss(fmt.Sprintf("Loss %v %+v", shape, op), op, logits, target)
			}
		}
	}
	for _, classes := range []int{2, 3, 5} {
		for _, op := range lossVariants(classes) {
			s.merged(op, classes)
		}
	}
	for _, classes := range []int{2, 3, 5} {
		ops := append(lossVariants(classes), tensor.Loss{CE: 0.5, Dice: 0.5}) // without smoothing too
		for _, op := range ops {
			s.ignored(op, classes)
		}
	}
	s.ignoredByHand()
	// Class weights that leave an item without weight, and one class that is in no item.
	shape := tensor.Shape{N: 2, H: 3, W: 3, C: 3}
	target := make([]uint8, 18)
	target[3] = 1
	s.loss("Loss of weightless pixels", tensor.Loss{CE: 0.5, Dice: 0.5, Smooth: 1, Classes: []float32{0, 1, 1}}, s.random(shape, false), target)
}

// ignored checks a loss with pixels that do not count, whatever their logits: some of them, all of an item, and all but one.
func (s *suite) ignored(op tensor.Loss, classes int) {
	s.Helper()
	const area = 63
	shape := tensor.Shape{N: 4, H: 9, W: 7, C: classes}
	name := fmt.Sprintf("Loss with ignored pixels %v %+v", shape, op)
	logits, target := s.random(shape, false), make([]uint8, shape.Pixels())
	for i := range target {
		target[i] = uint8(s.rng.IntN(classes))
		if item := i / area; item == 0 && s.rng.IntN(3) == 0 || item == 1 || item == 2 && i%area != 11 {
			target[i] = tensor.Ignore
		}
	}
	s.loss(name, op, logits, target)

	run := func() (items []float32, d tensor.Tensor) {
		items, d = make([]float32, shape.N), empty(shape, false)
		s.e.Loss(op, d, items, logits, target)
		return items, d
	}
	items, d := run()
	if items[1] != 0 {
		s.Errorf("%s: loss %v of an item that is all ignored, want 0", name, items[1])
	}
	for i, t := range target {
		for c := range classes {
			if v := d.Data[i*classes+c]; t == tensor.Ignore && v != 0 {
				s.Fatalf("%s: gradient %v of an ignored pixel, want 0", name, v)
			}
			if t == tensor.Ignore {
				logits.Data[i*classes+c] = []float32{1e30, float32(math.NaN()), -50}[i%3]
			}
		}
	}
	if other, dother := run(); !slices.Equal(items, other) || !slices.Equal(d.Data, dother.Data) {
		s.Errorf("%s: the logits of ignored pixels change the loss or its gradient: %v, then %v", name, items, other)
	}
}

// ignoredByHand checks the loss of two pixels of which the second is ignored: ½ ln 2 + ½ (1 - 2/3). As background it would count 0.5966.
func (s *suite) ignoredByHand() {
	s.Helper()
	logits := tensor.New(tensor.Shape{N: 1, H: 1, W: 2, C: 2})
	for _, c := range []struct {
		second uint8
		want   float64
	}{{tensor.Ignore, 0.5132}, {0, 0.5966}} {
		items, d := make([]float32, 1), tensor.New(logits.Shape)
		s.e.Loss(tensor.Loss{CE: 0.5, Dice: 0.5, Smooth: 1e-9}, d, items, logits, []uint8{1, c.second})
		if math.Abs(float64(items[0])-c.want) > 5e-5 || (d.Data[2] == 0 && d.Data[3] == 0) != (c.second == tensor.Ignore) {
			s.Errorf("Loss of targets 1 and %d: %v, want %v; gradient %v", c.second, items[0], c.want, d.Data)
		}
	}
}

// merged checks a loss with classes that nobody has looked for: none, one, all but one, all; among them pixels that are ignored, and logits
// whose exponentials under- and overflow.
func (s *suite) merged(op tensor.Loss, classes int) {
	s.Helper()
	const area = 63
	shape := tensor.Shape{N: 4, H: 9, W: 7, C: classes}
	op.Merged = make([]bool, shape.N*classes)
	op.Merged[classes+1] = true
	for c := 1; c < classes; c++ {
		op.Merged[2*classes+c] = c != classes-1
		op.Merged[3*classes+c] = true
	}
	logits, target := s.random(shape, false), make([]uint8, shape.Pixels())
	for i := range target {
		target[i] = uint8(s.rng.IntN(classes))
		if op.Merged[i/area*classes+int(target[i])] {
			target[i] = 0
		}
		if s.rng.IntN(7) == 0 {
			target[i] = tensor.Ignore
		}
	}
	s.loss(fmt.Sprintf("Loss with merged classes %v %+v", shape, op), op, logits, target)
	for i := range logits.Data {
		if pixel := i / classes; pixel >= area {
			target[pixel] = 0
			logits.Data[i] *= []float32{1, 30, 500}[pixel%3]
		}
	}
	s.loss(fmt.Sprintf("Loss with merged classes, large logits %v %+v", shape, op), op, logits, target)

	clear(op.Merged) // as if there were none
	with, without := make([]float32, shape.N), make([]float32, shape.N)
	d, e := empty(shape, false), empty(shape, false)
	s.e.Loss(op, d, with, logits, target)
	op.Merged = nil
	s.e.Loss(op, e, without, logits, target)
	if !slices.EqualFunc(with, without, near32) || !slices.EqualFunc(d.Data, e.Data, near32) {
		s.Errorf("Loss %+v: merging nothing changes it", op)
	}
}

func near32(a, b float32) bool { return math.Abs(float64(a-b)) <= 1e-6*(1+math.Abs(float64(b))) }

func (s *suite) loss(name string, op tensor.Loss, logits tensor.Tensor, target []uint8) {
	s.Helper()
	items, items64 := make([]float32, logits.N), make([]float64, logits.N)
	d, d64 := empty(logits.Shape, false), ref.New64(logits.Shape)
	s.truth.Loss(op, d64, items64, double(logits), target)
	same := s.unchanged(name, logits.Data)
	s.check(name, func() { s.e.Loss(op, d, items, logits, target) }, slice("items", items, items64, 1e-5), result{"dlogits", d, d64, 1e-5})
	s.check(name+" without gradient", func() { s.e.Loss(op, tensor.Tensor{}, items, logits, target) }, slice("items", items, items64, 1e-5))
	same()
}

// lossExtremes has logits whose exponentials over- and underflow, certain and right or certain and wrong.
func lossExtremes(s *suite) {
	for _, op := range lossVariants(2) {
		for _, size := range []float32{60, 2000} {
			logits := empty(tensor.Shape{N: 3, H: 4, W: 4, C: 2}, false)
			target := make([]uint8, 48)
			for i := range target {
				if i < 32 {
					target[i] = uint8(i % 2)
				}
				sign := size
				if i%3 == 0 != (target[i] == 1) {
					sign = -size
				}
				logits.Data[2*i], logits.Data[2*i+1] = -sign, sign
			}
			for i := range target[:16] { // the first item is right everywhere
				v := size * (1 - 2*float32(target[i]))
				logits.Data[2*i], logits.Data[2*i+1] = v, -v
			}
			s.loss(fmt.Sprintf("Loss of logits %v %+v", size, op), op, logits, target)
		}
	}
}

func adam(s *suite) {
	for _, n := range []int{1, 7, 16, 1003} {
		for _, decay := range []float64{0, 1e-4, 0.1} {
			w, m, v := s.randomSlice(n), make([]float32, n), make([]float32, n)
			w64, m64, v64 := doubles(w), make([]float64, n), make([]float64, n)
			for step := 1; step <= 5; step++ {
				op := tensor.Adam{LR: 0.05, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, WeightDecay: decay, Step: step}
				g := s.randomSlice(n)
				if step == 2 {
					clear(g)
				}
				name := fmt.Sprintf("Adam of %d, decay %v, step %d", n, decay, step)
				same := s.unchanged(name, g)
				s.truth.Adam(op, w64, m64, v64, doubles(g))
				s.e.Adam(op, w, m, v, g)
				same()
				compare(s.T, name+": w", w, w64, 1e-6)
				compare(s.T, name+": m", m, m64, 1e-6)
				compare(s.T, name+": v", v, v64, 1e-6)
				// One step's error must not hide the next one's.
				copy(w64, doubles(w))
				copy(m64, doubles(m))
				copy(v64, doubles(v))
			}
		}
	}
	// A gradient of zero without decay or history moves nothing, although both moments are zero.
	w, m, v := []float32{3}, []float32{0}, []float32{0}
	s.e.Adam(tensor.Adam{LR: 0.1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Step: 1}, w, m, v, []float32{0})
	if w[0] != 3 || math.IsNaN(float64(m[0])) {
		s.Errorf("Adam of gradient 0: w %v, want 3", w[0])
	}
}
