package tensor

import "fmt"

// Shape is the extent of an activation: N items, H rows, W columns, C channels.
type Shape struct{ N, H, W, C int }

// Pixels returns N·H·W.
func (s Shape) Pixels() int { return s.N * s.H * s.W }

// Len returns the number of elements, N·H·W·C.
func (s Shape) Len() int { return s.N * s.H * s.W * s.C }

func (s Shape) String() string { return fmt.Sprintf("[%d %d %d %d]", s.N, s.H, s.W, s.C) }

// Tensor is an activation [N H W C] of float32, channels innermost. Pixel (n, h, w) begins at
// Data[((n·H+h)·W+w)·Stride]. Stride is C for a dense tensor and larger for a view of some channels of a wider
// one. The zero value is no tensor. Copying a Tensor copies the header, not the numbers.
type Tensor struct {
	Shape
	Stride int
	Data   []float32
}

// New returns a dense tensor of zeros.
func New(s Shape) Tensor {
	return Tensor{Shape: s, Stride: s.C, Data: make([]float32, s.Len())}
}

// Resize makes t a dense tensor of shape s and reuses its memory where that is large enough. The contents are
// undefined afterwards. Layers call it once per pass, so a training loop of constant shape allocates nothing.
func (t *Tensor) Resize(s Shape) {
	n := s.Len()
	if cap(t.Data) < n {
		t.Data = make([]float32, n)
	}
	*t = Tensor{Shape: s, Stride: s.C, Data: t.Data[:n]}
}

// Channels returns the view of channels [from, to). It shares t's memory.
func (t Tensor) Channels(from, to int) Tensor {
	if from < 0 || to > t.C || from >= to {
		panic(fmt.Sprintf("tensor: Channels: [%d, %d) of %v", from, to, t.Shape))
	}
	v := t
	v.C = to - from
	v.Data = t.Data[from : len(t.Data)-(t.C-to)]
	return v
}

// Items returns the view of items [from, to). It shares t's memory.
func (t Tensor) Items(from, to int) Tensor {
	if from < 0 || to > t.N || from >= to {
		panic(fmt.Sprintf("tensor: Items: [%d, %d) of %v", from, to, t.Shape))
	}
	v := t
	v.N = to - from
	begin := from * t.H * t.W * t.Stride
	end := begin + (v.Pixels()-1)*t.Stride + t.C
	v.Data = t.Data[begin:end]
	return v
}

// Interleave writes an image whose channels lie one after the other, [C H W], as [H W C].
func Interleave(dst, image []float32, channels int) {
	pixels := len(image) / channels
	for c := range channels {
		for i, v := range image[c*pixels : (c+1)*pixels] {
			dst[i*channels+c] = v
		}
	}
}

// Dense reports whether pixels follow each other without a gap.
func (t Tensor) Dense() bool { return t.Stride == t.C }

// At returns one element.
func (t Tensor) At(n, h, w, c int) float32 { return t.Data[((n*t.H+h)*t.W+w)*t.Stride+c] }
