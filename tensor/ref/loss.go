package ref

import (
	"math"

	"github.com/nextslice/nextslice/tensor"
)

// Softmax is tensor.Engine's Softmax.
func (k Kernels[T]) Softmax(p, logits Tensor[T]) {
	k.each(p.Pixels(), func(from, to int) {
		probs := make([]float64, p.C)
		for i := from; i < to; i++ {
			softmax(probs, logits.pixel(i))
			store(p.pixel(i), probs)
		}
	})
}

// Entropy is tensor.Engine's Entropy.
func (k Kernels[T]) Entropy(h []T, p Tensor[T]) {
	k.each(p.Pixels(), func(from, to int) {
		for i := from; i < to; i++ {
			var sum float64
			for _, v := range p.pixel(i) {
				if v != 0 {
					sum -= float64(v) * math.Log(float64(v))
				}
			}
			h[i] = T(sum)
		}
	})
}

// softmax writes the probabilities and returns the logarithm of Σ exp(logits).
func softmax[T Float](probs []float64, logits []T) float64 {
	top := math.Inf(-1)
	for _, v := range logits {
		top = max(top, float64(v))
	}
	var sum float64
	for c, v := range logits {
		probs[c] = math.Exp(float64(v) - top)
		sum += probs[c]
	}
	for c := range probs {
		probs[c] /= sum
	}
	return top + math.Log(sum)
}

// sigmoid returns 1/(1+exp(-x)) and ln(1+exp(x)), neither of which overflows.
func sigmoid(x float64) (p, softplus float64) {
	return 1 / (1 + math.Exp(-x)), max(x, 0) + math.Log1p(math.Exp(-math.Abs(x)))
}

// Loss is tensor.Engine's Loss.
func (k Kernels[T]) Loss(op tensor.Loss, dlogits Tensor[T], items []T, logits Tensor[T], target []uint8) {
	area := logits.H * logits.W
	k.each(logits.N, func(from, to int) {
		l := itemLoss[T]{op: op, probs: make([]float64, area*logits.C)}
		for n := from; n < to; n++ {
			if op.Merged != nil {
				l.merged = op.Merged[n*logits.C:][:logits.C]
			}
			x := logits.Data[n*area*logits.C:][:area*logits.C]
			items[n] = T(l.forward(x, target[n*area:][:area], logits.C))
			if dlogits.Data != nil {
				l.backward(dlogits.Data[n*area*logits.C:][:area*logits.C], x, 1/float64(logits.N))
			}
		}
	})
}

// itemLoss is the loss of one item; forward keeps what backward needs.
type itemLoss[T Float] struct {
	op     tensor.Loss
	probs  []float64 // [pixels K]
	target []uint8   // [pixels]
	merged []bool    // [K], or nil

	weights             float64   // sum of the pixels' class weights
	numerator, division []float64 // of the Dice term, per class
}

// isMerged reports whether class c is one that nobody has looked for.
func (l *itemLoss[T]) isMerged(c int) bool { return l.merged != nil && l.merged[c] }

// among returns the probabilities of the background and the merged classes among each other, softmax over their logits alone, 0 for the
// others, and ln Σ exp of these logits.
func (l *itemLoss[T]) among(logits []T) (q []float64, lse float64) {
	only := make([]float64, len(logits))
	for c, v := range logits {
		only[c] = float64(v)
		if c > 0 && !l.isMerged(c) {
			only[c] = math.Inf(-1)
		}
	}
	q = make([]float64, len(logits))
	return q, softmax(q, only)
}

// terms returns the number of classes in the Dice term.
func (l *itemLoss[T]) terms() (n int) {
	for c := 1; c < len(l.numerator); c++ {
		if !l.isMerged(c) {
			n++
		}
	}
	return n
}

// weight returns the cross-entropy's weight of a pixel of class t.
func (l *itemLoss[T]) weight(t uint8) float64 {
	if l.op.Classes == nil {
		return 1
	}
	return float64(l.op.Classes[t])
}

func (l *itemLoss[T]) forward(logits []T, target []uint8, classes int) float64 {
	l.target = target
	l.numerator, l.division = make([]float64, classes), make([]float64, classes)
	l.weights = 0
	counted := false // whether there is a pixel that is not ignored
	for c := range classes {
		l.numerator[c], l.division[c] = float64(l.op.Smooth), float64(l.op.Smooth)
	}
	var ce float64
	for i, t := range target {
		if int(t) >= classes { // tensor.Ignore
			continue
		}
		counted = true
		x, p := logits[i*classes:][:classes], l.probs[i*classes:][:classes]
		var nats float64 // cross-entropy of this pixel
		if l.op.Sigmoid {
			for c := range p {
				var softplus float64
				p[c], softplus = sigmoid(float64(x[c]))
				if !l.open(t, c) {
					nats += softplus / float64(classes)
				}
			}
			if !l.open(t, int(t)) {
				nats -= float64(x[t]) / float64(classes)
			}
		} else {
			nats = softmax(p, x) - float64(x[t])
			if t == 0 && l.merged != nil {
				_, lse := l.among(x)
				nats += float64(x[t]) - lse
			}
		}
		ce += l.weight(t) * nats
		l.weights += l.weight(t)
		for c := range p {
			l.division[c] += p[c]
		}
		l.numerator[t] += 2 * p[t]
		l.division[t]++
	}
	if !counted {
		return 0
	}
	if l.weights > 0 {
		ce /= l.weights
	}
	terms := l.terms()
	if terms == 0 {
		return float64(l.op.CE) * ce
	}
	var dice float64
	for c := 1; c < classes; c++ {
		if !l.isMerged(c) {
			dice += l.ratio(c) / float64(terms)
		}
	}
	return float64(l.op.CE)*ce + float64(l.op.Dice)*(1-dice)
}

// open reports whether, with sigmoids, channel c does not count at a pixel of target t: it is not known whether the pixel is of class c.
func (l *itemLoss[T]) open(t uint8, c int) bool {
	return t == 0 && (l.isMerged(c) || c == 0 && l.merged != nil && l.terms() < len(l.merged)-1)
}

// ratio returns the Dice term of class c. Without smoothing a class that is absent from a target and whose
// probabilities all underflow to zero counts as 0.
func (l *itemLoss[T]) ratio(c int) float64 {
	if l.division[c] == 0 {
		return 0
	}
	return l.numerator[c] / l.division[c]
}

// backward writes the gradient times scale.
func (l *itemLoss[T]) backward(dlogits, logits []T, scale float64) {
	classes, terms := len(l.numerator), l.terms()
	dp := make([]float64, classes) // of the Dice term
	for i, t := range l.target {
		if int(t) >= classes {
			clear(dlogits[i*classes:][:classes])
			continue
		}
		p := l.probs[i*classes:][:classes]
		var mean float64 // Σ_k p_k·dp_k, the softmax's own coupling
		for c := 1; c < classes; c++ {
			dp[c] = 0
			if l.division[c] > 0 && !l.isMerged(c) {
				dp[c] = l.ratio(c) / l.division[c]
				if c == int(t) {
					dp[c] -= 2 / l.division[c]
				}
			}
			dp[c] *= float64(l.op.Dice) / float64(max(1, terms))
			mean += p[c] * dp[c]
		}
		ce := 0.0
		if l.weights > 0 {
			ce = float64(l.op.CE) * l.weight(t) / l.weights
		}
		var among []float64
		if t == 0 && l.merged != nil && !l.op.Sigmoid {
			among, _ = l.among(logits[i*classes:][:classes])
		}
		for c := range p {
			diff := p[c]
			switch {
			case among != nil:
				diff -= among[c]
			case l.op.Sigmoid && l.open(t, c):
				diff = 0
			case c == int(t):
				diff--
			}
			var d float64
			if l.op.Sigmoid {
				d = ce*diff/float64(classes) + dp[c]*p[c]*(1-p[c])
			} else {
				d = ce*diff + p[c]*(dp[c]-mean)
			}
			dlogits[i*classes+c] = T(scale * d)
		}
	}
}
