package ref

import (
	"fmt"

	"github.com/nextslice/nextslice/tensor"
)

// checkData panics unless t holds at least one element and its memory reaches to the last one.
func checkData(op string, t tensor.Tensor) {
	if t.N < 1 || t.H < 1 || t.W < 1 || t.C < 1 || t.Stride < t.C || len(t.Data) < (t.Pixels()-1)*t.Stride+t.C {
		panic(fmt.Sprintf("tensor: %s: %v of stride %d with %d elements", op, t.Shape, t.Stride, len(t.Data)))
	}
}

func checkDense(op string, ts ...tensor.Tensor) {
	for _, t := range ts {
		checkData(op, t)
		if !t.Dense() {
			panic(fmt.Sprintf("tensor: %s: want a dense tensor, got %v of stride %d", op, t.Shape, t.Stride))
		}
	}
}

func checkSame(op string, a, b tensor.Tensor) {
	checkData(op, a)
	checkData(op, b)
	tensor.Want(op, b.Shape, a.Shape)
}

func checkLens(op string, want int, slices ...[]float32) {
	for _, s := range slices {
		tensor.WantLen(op, want, len(s))
	}
}

func checkConv(op string, c tensor.Conv, y, x tensor.Tensor, w []float32) {
	checkDense(op, y, x)
	if c.K != 1 && c.K != 3 {
		panic(fmt.Sprintf("tensor: %s: want a kernel of 1 or 3, got %d", op, c.K))
	}
	want := x.Shape
	want.C = y.C
	tensor.Want(op, want, y.Shape)
	tensor.WantLen(op+": w", c.K*c.K*x.C*y.C, len(w))
}

func checkUp(op string, y, x tensor.Tensor, w []float32) {
	checkDense(op, x)
	checkData(op, y)
	want := tensor.Shape{N: x.N, H: 2 * x.H, W: 2 * x.W, C: y.C}
	if y.H == want.H+1 {
		want.H++
	}
	if y.W == want.W+1 {
		want.W++
	}
	tensor.Want(op, want, y.Shape)
	tensor.WantLen(op+": w", 4*x.C*y.C, len(w))
}

func checkDropout(op string, d tensor.Dropout) {
	if !(d.P >= 0 && d.P < 1) {
		panic(fmt.Sprintf("tensor: %s: want a probability of [0, 1), got %v", op, d.P))
	}
}

func checkPool(op string, p tensor.Pool, y, x tensor.Tensor, argmax []uint8) {
	checkDense(op, y)
	checkData(op, x)
	checkDropout(op, p.Dropout)
	tensor.Want(op, tensor.Shape{N: x.N, H: x.H / 2, W: x.W / 2, C: x.C}, y.Shape)
	tensor.WantLen(op+": argmax", y.Len(), len(argmax))
}

func checkLoss(op tensor.Loss, dlogits tensor.Tensor, items []float32, logits tensor.Tensor, target []uint8) {
	checkDense("Loss", logits)
	if dlogits.Data != nil {
		checkDense("Loss", dlogits)
		tensor.Want("Loss: dlogits", logits.Shape, dlogits.Shape)
	}
	if logits.C < 2 {
		panic(fmt.Sprintf("tensor: Loss: want at least two classes, got %v", logits.Shape))
	}
	tensor.WantLen("Loss: items", logits.N, len(items))
	tensor.WantLen("Loss: target", logits.Pixels(), len(target))
	if op.Classes != nil {
		tensor.WantLen("Loss: Classes", logits.C, len(op.Classes))
	}
	for _, t := range target {
		if int(t) >= logits.C {
			panic(fmt.Sprintf("tensor: Loss: target %d of %d classes", t, logits.C))
		}
	}
}
