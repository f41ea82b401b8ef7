package unet

import (
	"fmt"
	"math/rand/v2"

	"github.com/nextslice/nextslice/nn"
	"github.com/nextslice/nextslice/tensor"
)

// Deep are heads on the decoder's coarser levels, dec1 and dec2, whose losses are part of the training. They are no part of the network:
// nothing of them is saved or used for prediction.
//
// Source: Lee, Xie, Gallagher, Zhang, Tu 2015, "Deeply-supervised nets", AISTATS; on the decoder of a U-Net, with weights that halve from
// level to level, Isensee et al. 2021, "nnU-Net", Nature Methods.
type Deep struct {
	net    *Net
	params nn.Params
	level  [Levels]deepLevel // [0], full resolution, is the network's own head
	target []uint8
	items  []float32
	mirror mirror // of its weights where the network computes
}

type deepLevel struct {
	head            *nn.Head
	logits, dlogits tensor.Tensor
	dx              tensor.Tensor // gradient of the decoder's output
}

// NewDeep returns heads for the network, whose Backward then takes in what Loss has left.
func (n *Net) NewDeep(rng *rand.Rand) *Deep {
	d := &Deep{net: n}
	for level := 1; level < Levels; level++ {
		d.level[level].head = nn.NewHead(&d.params, fmt.Sprint("deep", Levels-level), n.channels(level), n.config.Classes)
	}
	d.params.Alloc(rng)
	n.deep = d
	return d
}

// Params returns the heads' weights and their gradients, as [Net.Params] does the network's.
func (d *Deep) Params() *nn.Params {
	d.mirror.pull(d.net.remote, DeepHeads, &d.params)
	return &d.params
}

// Loss belongs between a training pass and its Backward. It computes the gradients of the heads' losses, 1/2 of the one at half the
// resolution and 1/4 of that at a quarter, against the masks target [N H W], of which every second or fourth pixel counts. It returns
// the sum of the two, the mean over the mini-batch.
func (d *Deep) Loss(op tensor.Loss, target []uint8) (loss float64) {
	n, e, full := d.net, d.net.engine, d.net.last
	d.items = resize(d.items, full.N)
	for level := 1; level < Levels; level++ {
		l, x := &d.level[level], n.act.dec[level]
		s := x.Shape
		s.C = n.config.Classes
		l.logits.Resize(s)
		l.dlogits.Resize(s)
		l.dx.Resize(x.Shape)
		l.head.Forward(e, l.logits, x)

		d.target = d.target[:0]
		for i := range full.N {
			for row := range s.H {
				from := target[(i*full.H+row<<level+1<<level/2)*full.W:]
				for column := range s.W {
					d.target = append(d.target, from[column<<level+1<<level/2])
				}
			}
		}
		e.Loss(op, l.dlogits, d.items, l.logits, d.target)
		weight := 1 / float32(int(1)<<level)
		for _, v := range d.items {
			loss += float64(weight*v) / float64(full.N)
		}
		for i := range l.dlogits.Data {
			l.dlogits.Data[i] *= weight
		}
		l.head.Backward(e, l.dx, l.dlogits)
	}
	return loss
}

// add adds the gradient of a level's head to that of its input.
func (d *Deep) add(level int, dx tensor.Tensor) {
	for i, v := range d.level[level].dx.Data {
		dx.Data[i] += v
	}
}
