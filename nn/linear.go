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
		o := 0
		for ; o+4 <= l.Out; o += 4 { // four sums that do not wait for each other
			w0, w1, w2, w3 := l.row(o), l.row(o+1), l.row(o+2), l.row(o+3)
			s0, s1, s2, s3 := l.b.Data[o], l.b.Data[o+1], l.b.Data[o+2], l.b.Data[o+3]
			for j, v := range xi {
				s0 += w0[j] * v
				s1 += w1[j] * v
				s2 += w2[j] * v
				s3 += w3[j] * v
			}
			yi[o], yi[o+1], yi[o+2], yi[o+3] = s0, s1, s2, s3
		}
		for ; o < l.Out; o++ {
			sum := l.b.Data[o]
			for j, w := range l.row(o) {
				sum += w * xi[j]
			}
			yi[o] = sum
		}
		for o, v := range yi {
			if l.relu && v < 0 {
				yi[o] = 0
			}
		}
	}
}

// row returns the weights of output o.
func (l *Linear) row(o int) []float32 { return l.w.Data[o*l.In:][:l.In] }

// Backward computes the layer's gradients and, unless dx is nil, dx [N In] from dy [N Out], which it overwrites if the layer has a ReLU.
func (l *Linear) Backward(dx, dy []float32) {
	n := l.items("Backward", dy, l.x)
	clear(l.w.Grad)
	clear(l.b.Grad)
	for i := range n {
		x := l.x[i*l.In:][:l.In]
		for o := range l.Out {
			d := l.through(dy, i*l.Out+o)
			if d == 0 {
				continue // as behind every second ReLU
			}
			l.b.Grad[o] += d
			dw := l.w.Grad[o*l.In:][:l.In]
			for j, v := range x {
				dw[j] += d * v
			}
		}
	}
	if dx != nil {
		l.BackwardData(dx, dy)
	}
}

// BackwardData computes dx [N In] alone from dy [N Out], which it overwrites if the layer has a ReLU.
func (l *Linear) BackwardData(dx, dy []float32) {
	n := l.items("BackwardData", dy, dx)
	clear(dx)
	for i := range n {
		dxi := dx[i*l.In:][:l.In]
		for o := range l.Out {
			d := l.through(dy, i*l.Out+o)
			if d == 0 {
				continue
			}
			for j, w := range l.row(o) {
				dxi[j] += d * w
			}
		}
	}
}

// through returns the gradient of output i, counted over all items, before the ReLU, to which it sets dy.
func (l *Linear) through(dy []float32, i int) float32 {
	if l.relu && l.y[i] <= 0 {
		dy[i] = 0
	}
	return dy[i]
}

func (l *Linear) items(op string, y, x []float32) int {
	n := len(x) / l.In
	if len(x) != n*l.In || len(y) != n*l.Out || n == 0 {
		panic(fmt.Sprintf("nn: Linear: %s: want [N %d] and [N %d], got %d and %d elements", op, l.Out, l.In, len(y), len(x)))
	}
	return n
}
