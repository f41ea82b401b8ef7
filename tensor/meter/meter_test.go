package meter

import (
	"testing"

	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
	"github.com/nextslice/nextslice/tensor/tensortest"
)

func TestConformance(t *testing.T) {
	tensortest.Run(t, func(threads int) tensor.Engine { return New(ref.New(threads)) })
}

// At width 4 and 16×16 the multiplications are counted layer by layer. Transposed convolutions are merged into those after
// them.
func TestCountsMultiplications(t *testing.T) {
	const width, size = 4, 16
	m := New(ref.New(1))
	defer m.Close()
	net := unet.New(m, unet.Config{Classes: 2, Width: width}, random.Stream(1))
	x := tensor.New(tensor.Shape{N: 1, H: size, W: size, C: 1})
	net.Forward(x, unet.Pass{}) // derives weights
	m.Reset()
	net.Forward(x, unet.Pass{})
	var got float64
	for _, c := range m.Costs() {
		got += c.FLOP
	}
	area := size * size
	want := area * 9 * (1*2 + 2*4)                                            // enc1
	want += area / 4 * 9 * (4*4 + 4*8)                                        // enc2
	want += area / 16 * 9 * (8*8 + 8*16)                                      // enc3
	want += area / 64 * 9 * (16*16 + 16*32)                                   // center
	want += area/16*9*(48*16+16*16) + area/4*9*(24*8+8*8) + area*9*(12*4+4*4) // dec
	want += area * 4 * 2                                                      // out
	if got != 2*float64(want) {
		t.Errorf("got %v floating point operations, want %v", got, 2*want)
	}
}
