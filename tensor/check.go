package tensor

import "fmt"

// The Check functions panic unless the arguments of an operation fit each other. Every engine calls them first, so that
// each operation's rules about shapes are in one place.

// CheckData panics unless t holds at least one element and its memory reaches to the last one.
func CheckData(op string, t Tensor) {
	if t.N < 1 || t.H < 1 || t.W < 1 || t.C < 1 || t.Stride < t.C || len(t.Data) < (t.Pixels()-1)*t.Stride+t.C {
		panic(fmt.Sprintf("tensor: %s: %v of stride %d with %d elements", op, t.Shape, t.Stride, len(t.Data)))
	}
}

// CheckDense panics unless every tensor is dense and its memory reaches to the last element.
func CheckDense(op string, ts ...Tensor) {
	for _, t := range ts {
		CheckData(op, t)
		if !t.Dense() {
			panic(fmt.Sprintf("tensor: %s: want a dense tensor, got %v of stride %d", op, t.Shape, t.Stride))
		}
	}
}

// CheckSame panics unless a has the shape of b.
func CheckSame(op string, a, b Tensor) {
	CheckData(op, a)
	CheckData(op, b)
	Want(op, b.Shape, a.Shape)
}

// CheckLens panics unless every slice has the wanted length.
func CheckLens(op string, want int, slices ...[]float32) {
	for _, s := range slices {
		WantLen(op, want, len(s))
	}
}

// CheckConv checks a convolution, forward or backward: x and dx have the same shape, as have y and dy, w and dw. It does not
// ask for a dense y.
func CheckConv(op string, c Conv, y, x Tensor, w []float32) {
	CheckDense(op, x)
	CheckData(op, y)
	CheckDropout(op, c.Dropout, x.Shape)
	if c.K != 1 && c.K != 3 {
		panic(fmt.Sprintf("tensor: %s: want a kernel of 1 or 3, got %d", op, c.K))
	}
	CheckSlope(op, c.Slope)
	if (c.Add || c.Shuffle) && op != "Conv" {
		panic(fmt.Sprintf("tensor: %s: Add and Shuffle have no gradient", op))
	}
	want := x.Shape
	want.C = y.C
	if c.Shuffle {
		want.H, want.W = 2*want.H, 2*want.W
	}
	Want(op, want, y.Shape)
	WantLen(op+": w", c.K*c.K*x.C*c.Outputs(y.C), len(w))
}

// CheckUp checks a transposed convolution, forward or backward.
func CheckUp(op string, y, x Tensor, w []float32) {
	CheckDense(op, x)
	CheckData(op, y)
	want := Shape{N: x.N, H: 2 * x.H, W: 2 * x.W, C: y.C}
	if y.H == want.H+1 {
		want.H++
	}
	if y.W == want.W+1 {
		want.W++
	}
	Want(op, want, y.Shape)
	WantLen(op+": w", 4*x.C*y.C, len(w))
}

// CheckNorm checks a normalisation.
func CheckNorm(n Norm, y, x Tensor) {
	CheckSlope("Norm", n.Slope)
	CheckSame("Norm", y, x)
	CheckLens("Norm", x.C, n.Gamma, n.Beta, n.Mean, n.Variance)
}

// CheckNormBackward checks the gradients of a normalisation.
func CheckNormBackward(n Norm, dx, dy, x Tensor) {
	CheckSlope("NormBackward", n.Slope)
	CheckSame("NormBackward", dx, x)
	CheckSame("NormBackward", dy, x)
	CheckLens("NormBackward", x.C, n.Gamma, n.Beta, n.Mean, n.Variance, n.DGamma, n.DBeta)
}

// CheckSlope panics unless 0 ≤ slope ≤ 1, where LeakyReLU is the larger of v and slope·v.
func CheckSlope(op string, slope float32) {
	if !(slope >= 0 && slope <= 1) {
		panic(fmt.Sprintf("tensor: %s: want a slope in [0, 1], got %v", op, slope))
	}
}

// CheckDropout panics unless 0 ≤ P < 1, and the period is that of the dropped tensor or 0.
func CheckDropout(op string, d Dropout, dropped Shape) {
	if !(d.P >= 0 && d.P < 1) {
		panic(fmt.Sprintf("tensor: %s: want a probability in [0, 1), got %v", op, d.P))
	}
	if want := dropped.H * dropped.W * dropped.C; d.Period != 0 && d.Period != want {
		panic(fmt.Sprintf("tensor: %s: want a dropout's period of 0 or %d, got %d", op, want, d.Period))
	}
}

// CheckPool checks a pooling, forward or backward.
func CheckPool(op string, p Pool, y, x Tensor, argmax []uint8) {
	CheckDense(op, y)
	CheckData(op, x)
	CheckDropout(op, p.Dropout, y.Shape)
	Want(op, Shape{N: x.N, H: x.H / 2, W: x.W / 2, C: x.C}, y.Shape)
	WantLen(op+": argmax", y.Len(), len(argmax))
}

// CheckNormPool checks a normalisation with pooling.
func CheckNormPool(op string, n Norm, y, x Tensor, argmax []uint8) {
	CheckSlope(op, n.Slope)
	CheckLens(op, x.C, n.Gamma, n.Beta, n.Mean, n.Variance)
	CheckPool(op, Pool{}, y, x, argmax)
}

// CheckNormPoolBackward checks the gradients of a normalisation with pooling.
func CheckNormPoolBackward(n Norm, dx, dy, x Tensor, argmax []uint8) {
	CheckNormPool("NormPoolBackward", n, dy, x, argmax)
	CheckSame("NormPoolBackward", dx, x)
	CheckLens("NormPoolBackward", x.C, n.DGamma, n.DBeta)
}

// CheckLoss checks a loss: at least two classes and every target below their number and not merged, or Ignore.
func CheckLoss(op Loss, dlogits Tensor, items []float32, logits Tensor, target []uint8) {
	CheckDense("Loss", logits)
	if dlogits.Data != nil {
		CheckDense("Loss", dlogits)
		Want("Loss: dlogits", logits.Shape, dlogits.Shape)
	}
	if logits.C < 2 {
		panic(fmt.Sprintf("tensor: Loss: want at least two classes, got %v", logits.Shape))
	}
	WantLen("Loss: items", logits.N, len(items))
	WantLen("Loss: target", logits.Pixels(), len(target))
	if op.Classes != nil {
		WantLen("Loss: Classes", logits.C, len(op.Classes))
	}
	for _, t := range target {
		if int(t) >= logits.C && t != Ignore {
			panic(fmt.Sprintf("tensor: Loss: target %d of %d classes", t, logits.C))
		}
	}
	if op.Merged == nil {
		return
	}
	WantLen("Loss: Merged", logits.N*logits.C, len(op.Merged))
	for i, t := range target {
		n := i / (logits.H * logits.W)
		if op.Merged[n*logits.C] || int(t) < logits.C && op.Merged[n*logits.C+int(t)] {
			panic(fmt.Sprintf("tensor: Loss: item %d has target %d, which is merged, or merges the background", n, t))
		}
	}
}

// CheckAdam panics unless the step counts from 1 and all slices have one length.
func CheckAdam(op Adam, w, m, v, g []float32) {
	if op.Step < 1 {
		panic(fmt.Sprintf("tensor: Adam: steps count from 1, got %d", op.Step))
	}
	CheckLens("Adam", len(w), m, v, g)
}
