package nn

import "fmt"

// Order says how the engine's order of a weight's elements differs from PyTorch's.
type Order int

const (
	Same     Order = iota // vectors and matrices: no difference
	ConvOIHW              // PyTorch [O I kh kw], engine [kh kw I O]
	ConvIOHW              // a transposed convolution: PyTorch [I O kh kw], engine [kh kw I O]
)

// Export returns the weights in PyTorch's order.
func (p *Param) Export() []float32 {
	dst := make([]float32, len(p.Data))
	p.each(func(engine, pytorch int) { dst[pytorch] = p.Data[engine] })
	return dst
}

// ExportGrad returns the gradient in PyTorch's order.
func (p *Param) ExportGrad() []float32 {
	dst := make([]float32, len(p.Grad))
	p.each(func(engine, pytorch int) { dst[pytorch] = p.Grad[engine] })
	return dst
}

// Import sets the weights from PyTorch's order. It panics if the number of elements differs. Call Params.Changed
// after the last one.
func (p *Param) Import(src []float32) {
	if len(src) != len(p.Data) {
		panic(fmt.Sprintf("nn: Import: %s: want %d elements, got %d", p.Name, len(p.Data), len(src)))
	}
	p.each(func(engine, pytorch int) { p.Data[engine] = src[pytorch] })
}

// each calls f for every element with its index in both orders.
func (p *Param) each(f func(engine, pytorch int)) {
	if p.Order == Same {
		for i := range p.Data {
			f(i, i)
		}
		return
	}
	out, in, taps := p.Shape[0], p.Shape[1], p.Shape[2]*p.Shape[3]
	if p.Order == ConvIOHW {
		in, out = out, in
	}
	for tap := range taps {
		for i := range in {
			for o := range out {
				pytorch := (o*in+i)*taps + tap
				if p.Order == ConvIOHW {
					pytorch = (i*out+o)*taps + tap
				}
				f((tap*in+i)*out+o, pytorch)
			}
		}
	}
}
