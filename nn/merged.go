package nn

import (
	"fmt"

	"github.com/nextslice/nextslice/tensor"
)

// Merged computes, at inference, what a [Block] makes of [up(x), skip] without ever computing up(x). Up and the block's
// convolution are both linear, so one convolution at the size of x, with its outputs shuffled, replaces the two; another one
// adds the skip's share. The merged weights are derived again only after weights or statistics have changed.
type Merged struct {
	up    *Up
	block *Block

	version   uint64    // of the weights that are merged
	low, high []float32 // convolutions of x [3 3 I 4·O] and of the skip [3 3 S O]
	bias      []float32 // [O]: up's bias, seen through all nine taps of the block's convolution
	zero      []float32 // [O]
	// [O] each: the part of bias that taps beyond the image would have brought, in the first row, between, and in the last one, and
	// likewise by column.
	missing [3][3][]float32
}

// NewMerged merges up and block, whose input channels are up's outputs and then the skip's.
func NewMerged(up *Up, block *Block) *Merged { return &Merged{up: up, block: block} }

// Forward computes y [N 2H 2W O], which may be a view, from x [N H W I] and skip [N 2H 2W S], both dense, without dropout.
// It panics on other sizes.
func (m *Merged) Forward(e tensor.Engine, y, x, skip tensor.Tensor) {
	if y.H != 2*x.H || y.W != 2*x.W {
		panic(fmt.Sprintf("nn: Merged: want twice %v, got %v", x.Shape, y.Shape))
	}
	m.merge(e)
	e.Conv(tensor.Conv{K: 3, Shuffle: true}, y, x, m.low, m.bias)
	m.trim(y)
	e.Conv(tensor.Conv{K: 3, Add: true, Leaky: true, Slope: Slope}, y, skip, m.high, m.block.bf)
}

// merge brings the derived weights up to date.
//
// Output row 2h+p sees through row a of its kernel the row r = 2h+p+a-1 of up's output, which is made from row ⌊r/2⌋ of x by
// row r mod 2 of up's kernel; likewise for columns. So each of the four outputs of a pixel sees 2×2 pixels of x.
func (m *Merged) merge(e tensor.Engine) {
	m.block.fold()
	if m.version == m.block.version {
		return
	}
	m.version = m.block.version
	mid, out := len(m.up.b.Data), len(m.block.b.Data)
	in := len(m.up.w.Data) / (4 * mid)
	all := len(m.block.w.Data) / (9 * out) // input channels of the block
	m.low, m.high = resize(m.low, 9*in*4*out), resize(m.high, 9*(all-mid)*out)
	m.bias, m.zero = resize(m.bias, out), resize(m.zero, out)
	clear(m.low)
	clear(m.bias)
	clear(m.zero)
	var biases [9][]float32 // up's, seen through one tap
	for tap := range 9 {
		w := m.block.wf[tap*all*out:][:all*out]
		copy(m.high[tap*(all-mid)*out:], w[mid*out:])
		biases[tap] = make([]float32, out)
		for i, v := range m.up.b.Data {
			for o := range out {
				biases[tap][o] += v * w[i*out+o]
			}
		}
		for o, v := range biases[tap] {
			m.bias[o] += v
		}
		for part := range 4 {
			// Rows and columns of up's output, counted from the one above and left of the first of these four pixels.
			r, c := part/2+tap/3+1, part%2+tap%3+1
			x := tensor.Tensor{Shape: tensor.Shape{N: 1, H: 1, W: in, C: mid}, Stride: mid, Data: m.up.w.Data[(r%2*2+c%2)*in*mid:][:in*mid]}
			y := tensor.Tensor{Shape: tensor.Shape{N: 1, H: 1, W: in, C: out}, Stride: 4 * out, Data: m.low[(r/2*3+c/2)*in*4*out+part*out:]}
			e.Conv(tensor.Conv{K: 1, Add: true}, y, x, w[:mid*out], m.zero)
		}
	}
	for i := range 3 {
		for j := range 3 {
			m.missing[i][j] = resize(m.missing[i][j], out)
			clear(m.missing[i][j])
			for tap, b := range biases {
				if outside(i, tap/3) || outside(j, tap%3) {
					for o, v := range b {
						m.missing[i][j][o] += v
					}
				}
			}
		}
	}
}

// outside reports whether a tap 0 … 2 lies beyond the image, seen from its first row (place 0), its last one (2) or between (1).
func outside(place, tap int) bool { return place != 1 && place == tap }

// trim subtracts, along the border of y, the bias of the taps beyond it.
func (m *Merged) trim(y tensor.Tensor) {
	place := func(i, n int) int {
		switch i {
		case 0:
			return 0
		case n - 1:
			return 2
		}
		return 1
	}
	for row := range y.N * y.H {
		i, step := place(row%y.H, y.H), 1
		if i == 1 {
			step = y.W - 1 // the first and the last pixel
		}
		for c := 0; c < y.W; c += step {
			pixel := y.Data[(row*y.W+c)*y.Stride:][:y.C]
			for o, v := range m.missing[i][place(c, y.W)] {
				pixel[o] -= v
			}
		}
	}
}
