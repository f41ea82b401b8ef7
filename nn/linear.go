package nn

import "fmt"

// Linear is a fully connected layer with bias, for vectors so few and short that no engine is needed.
type Linear struct {
	In, Out int
	w, b    *Param
	x, y    []float32
	relu    bool
}

// NewLinear declares a layer with weights name.weight and name.bias. With relu, negative outputs become 0.
func NewLinear(p *Params, name string, in, out int, relu bool) *Linear {
	return &Linear{
		In: in, Out: out, relu: relu,
		w: p.uniform(name+".weight", Same, in, out, in),
		b: p.uniform(name+".bias", Same, in, out),
	}
}

// Forward computes y [N Out] from x [N In]. x and y must stay as they are until Backward.
func (l *Linear) Forward(y, x []float32) {
	n := l.items("Forward", y, x)
	l.x, l.y = x, y
	for i := range n {
		xi, yi := x[i*l.In:][:l.In], y[i*l.Out:][:l.Out]
		for o := range yi {
			sum := l.b.Data[o]
			for j, w := range l.w.Data[o*l.In:][:l.In] {
				sum += w * xi[j]
			}
			if l.relu && sum < 0 {
				sum = 0
			}
			yi[o] = sum
		}
	}
}

// Backward computes the layer's gradients and dx [N In] from dy [N Out], which it overwrites if the layer has a ReLU.
func (l *Linear) Backward(dx, dy []float32) {
	n := l.items("Backward", dy, dx)
	clear(l.w.Grad)
	clear(l.b.Grad)
	clear(dx)
	for i := range n {
		x, dxi := l.x[i*l.In:][:l.In], dx[i*l.In:][:l.In]
		for o := range l.Out {
			if l.relu && l.y[i*l.Out+o] <= 0 {
				dy[i*l.Out+o] = 0
			}
			d := dy[i*l.Out+o]
			if d == 0 {
				continue // as behind every second ReLU
			}
			l.b.Grad[o] += d
			w, dw := l.w.Data[o*l.In:][:l.In], l.w.Grad[o*l.In:][:l.In]
			for j := range x {
				dw[j] += d * x[j]
				dxi[j] += d * w[j]
			}
		}
	}
}

func (l *Linear) items(op string, y, x []float32) int {
	n := len(x) / l.In
	if len(x) != n*l.In || len(y) != n*l.Out || n == 0 {
		panic(fmt.Sprintf("nn: Linear: %s: want [N %d] and [N %d], got %d and %d elements", op, l.Out, l.In, len(y), len(x)))
	}
	return n
}
