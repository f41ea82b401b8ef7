package unet

import (
	"fmt"

	"github.com/nextslice/nextslice/tensor"
)

// Pass says how a forward pass runs. The zero value is plain inference; Monte Carlo dropout is Dropout alone.
type Pass struct {
	Train    bool   // normalise with the batch's statistics, move the running ones, keep what Backward needs
	Dropout  bool   // the six dropout layers are active
	Seed     uint64 // of this pass's dropout masks
	Same     bool   // one mask for all images, whatever their place in the mini-batch: the pass is one network, see tensor.Dropout.Period
	Features bool   // compute what [Net.Features] returns

	// Encoder ends the pass after center: Features without logits, which are then the zero Tensor.
	Encoder bool
	// SameImages says that x is that of the last Forward, and that neither pass is for training: enc1, which has no dropout
	// before it, is then not computed again.
	SameImages bool
}

// Positions of the dropout layers, in order of the forward pass.
const (
	dropPool = 0 // + level: after the max pooling of enc1, enc2, enc3
	dropCat  = 3 // + level from below: the input of dec1, dec2, dec3
)

// dropout returns the mask of the layer at a position 0 … 5, which drops elements of a tensor. Its seed is the SplitMix64 output function (Steele,
// Lea, Flood 2014) of the pass's seed plus (position+1)·0x9e3779b97f4a7c15.
func (n *Net) dropout(position int, dropped tensor.Tensor) tensor.Dropout {
	if !n.pass.Dropout {
		return tensor.Dropout{}
	}
	z := n.pass.Seed + uint64(position+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	d := tensor.Dropout{P: float32(n.config.Dropout), Seed: z ^ z>>31}
	if n.pass.Same {
		d.Period = dropped.Len() / dropped.N
	}
	return d
}

// Forward computes the logits [N H W K] of images x [N H W Channels], dense, H and W at least 8. They are valid until the
// next call; x must stay as it is until Backward.
//
// It panics if p.SameImages does not follow an inference pass over images of this shape, and for a training pass of a network that computes
// elsewhere, which only a [Trainer] trains.
func (n *Net) Forward(x tensor.Tensor, p Pass) tensor.Tensor {
	if x.C != max(1, n.config.Channels) || x.N < 1 || x.H < 1<<Levels || x.W < 1<<Levels {
		panic(fmt.Sprintf("unet: Forward: want [N H W %d] of at least 8×8, got %v", max(1, n.config.Channels), x.Shape))
	}
	if p.SameImages && (p.Train || n.pass.Train || n.last != x.Shape) {
		panic("unet: Forward: SameImages does not follow an inference pass over images of this shape")
	}
	if n.away(&p) {
		return n.forwardAway(x, p)
	}
	n.pass, n.last, n.overwritten = p, x.Shape, false
	e, a := n.engine, &n.act
	for level := range Levels {
		here := n.channels(level)
		s, from, before := x.Shape, 2*here, a.cat[level].C
		if n.merges(s) {
			from = 0
		}
		s.C = from + here
		a.cat[level].Resize(s)
		enc := a.cat[level].Channels(from, from+here)
		if level > 0 || !p.SameImages || before != s.C { // else it is still there
			n.enc[level].forward(e, enc, x, tensor.Dropout{}, p.Train)
		}
		n.feature(level, enc)

		a.pooled[level].Resize(tensor.Shape{N: s.N, H: s.H / 2, W: s.W / 2, C: here})
		a.argmax[level] = resize(a.argmax[level], a.pooled[level].Len())
		e.MaxPool(tensor.Pool{Dropout: n.dropout(dropPool+level, a.pooled[level])}, a.pooled[level], a.argmax[level], enc)
		x = a.pooled[level]
	}

	s := x.Shape
	s.C = n.channels(Levels)
	a.center.Resize(s)
	n.center.forward(e, a.center, x, tensor.Dropout{}, p.Train)
	n.feature(Levels, a.center)
	if p.Encoder {
		return tensor.Tensor{}
	}
	x = a.center

	for level := Levels - 1; level >= 0; level-- {
		here := n.channels(level)
		s := a.cat[level].Shape
		s.C = here
		a.dec[level].Resize(s)
		if d := &n.dec[level]; n.merges(s) {
			d.mid.Resize(s)
			n.merged[level].Forward(e, d.mid, x, a.cat[level])
			d.second.Forward(e, a.dec[level], d.mid, tensor.Dropout{}, false)
		} else {
			n.up[level].Forward(e, a.cat[level].Channels(0, 2*here), x)
			d.forward(e, a.dec[level], a.cat[level], n.dropout(dropCat+Levels-1-level, a.cat[level]), p.Train)
		}
		x = a.dec[level]
	}

	s = x.Shape
	s.C = n.config.Classes
	a.logits.Resize(s)
	n.out.Forward(e, a.logits, x)
	return a.logits
}

// merges reports whether this pass computes the transposed convolution to a level and the convolution after it as one: at
// plain inference nothing lies between them, and even sizes leave no row without a source.
func (n *Net) merges(s tensor.Shape) bool {
	return !n.pass.Train && !n.pass.Dropout && s.H%2 == 0 && s.W%2 == 0
}

// Backward computes the gradients of all weights, Params().Grad, from that of the logits. It belongs to the last
// Forward and panics unless that was a training pass, once: each activation makes room for its gradient.
func (n *Net) Backward(dlogits tensor.Tensor) { n.BackwardFeatures(dlogits, Features{}) }

// BackwardFeatures is Backward with a second gradient that flows in: that of [Net.Features]. A nil element counts
// as zero.
func (n *Net) BackwardFeatures(dlogits tensor.Tensor, dfeatures Features) {
	if !n.pass.Train || n.pass.Encoder || n.overwritten {
		panic("unet: Backward: the last Forward was not a whole training pass, or this is its second Backward")
	}
	n.overwritten = true
	tensor.Want("unet: Backward", n.act.logits.Shape, dlogits.Shape)
	e, a := n.engine, &n.act
	n.out.Backward(e, a.dec[0], dlogits)

	for level := range Levels {
		n.dec[level].backward(e, a.cat[level], a.dec[level])
		below := a.center
		if level+1 < Levels {
			below = a.dec[level+1]
		}
		n.up[level].Backward(e, below, a.cat[level].Channels(0, 2*n.channels(level)))
		if n.deep != nil && level+1 < Levels {
			n.deep.add(level+1, below)
		}
	}

	n.addFeature(a.center, dfeatures[Levels])
	n.center.backward(e, a.pooled[Levels-1], a.center)

	for level := Levels - 1; level >= 0; level-- {
		here := n.channels(level)
		skip := a.cat[level].Channels(2*here, 3*here)
		enc := a.dec[level] // as large, and no longer needed
		e.MaxPoolBackward(tensor.Pool{Dropout: n.dropout(dropPool+level, a.pooled[level])}, enc, a.pooled[level], a.argmax[level], skip)
		n.addFeature(enc, dfeatures[level])
		var dx tensor.Tensor // the images need no gradient
		if level > 0 {
			dx = a.pooled[level-1]
		}
		n.enc[level].backward(e, dx, enc)
	}
}

// Features are the means over H and W of the outputs of enc1, enc2, enc3 and center, before pooling and dropout:
// [N w], [N 2w], [N 4w], [N 8w] at width w.
type Features [Levels + 1][]float32

// Features returns those of the last Forward, which must have asked for them. They are valid until the next call.
func (n *Net) Features() Features {
	if !n.pass.Features {
		panic("unet: Features: the last Forward did not ask for them")
	}
	return n.act.features
}

func (n *Net) feature(level int, x tensor.Tensor) {
	if !n.pass.Features {
		return
	}
	n.act.features[level] = resize(n.act.features[level], x.N*x.C)
	n.engine.Mean(n.act.features[level], x)
}

func (n *Net) addFeature(dx tensor.Tensor, dfeature []float32) {
	if dfeature != nil {
		n.engine.MeanBackward(dx, dfeature)
	}
}
