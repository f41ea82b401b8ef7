// Peer is our side of bench/compare_torch.py: it reads requests such as
//
//	train 16 4 128 128 5
//	infer 16 8 128 128 5
//
// (what, width, items, height, width of the image, repetitions) from standard input and answers each with the seconds
// that one repetition took, after one that does not count. Between requests it sleeps, so that the other side is measured alone.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/nextslice/nextslice/nn"
	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/native"
)

type request struct {
	what                     string
	width, items, h, w, reps int
}

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func serve() error {
	e, err := native.New(runtime.GOMAXPROCS(0))
	if err != nil {
		return err
	}
	defer e.Close()
	works := map[request]func(){}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var r request
		if _, err := fmt.Sscan(in.Text(), &r.what, &r.width, &r.items, &r.h, &r.w, &r.reps); err != nil {
			return fmt.Errorf("request %q: %w", in.Text(), err)
		}
		reps := r.reps
		r.reps = 0
		work, ok := works[r]
		if !ok {
			if work, err = r.work(e); err != nil {
				return err
			}
			works[r] = work
		}
		work()
		begin := time.Now()
		for range reps {
			work()
		}
		fmt.Println(time.Since(begin).Seconds() / float64(reps))
	}
	return in.Err()
}

// work returns one repetition: a full training step with dropout, or an inference pass to class probabilities.
func (r request) work(e tensor.Engine) (func(), error) {
	net := unet.New(e, unet.Config{Classes: 2, Width: r.width, Dropout: 0.5}, random.Stream(1, "init"))
	x := tensor.New(tensor.Shape{N: r.items, H: r.h, W: r.w, C: 1})
	rng := random.Stream(1, "input")
	for i := range x.Data {
		x.Data[i] = float32(rng.NormFloat64())
	}
	target := make([]uint8, x.Pixels())
	for i := range target {
		target[i] = uint8(rng.IntN(2))
	}
	switch r.what {
	case "train":
		adam := nn.NewAdam(net.Params(), 1e-4)
		loss := tensor.Loss{CE: 0.5, Dice: 0.5, Smooth: 1e-9}
		items := make([]float32, r.items)
		var dlogits tensor.Tensor
		seed := uint64(0)
		return func() {
			seed++
			logits := net.Forward(x, unet.Pass{Train: true, Dropout: true, Seed: seed})
			dlogits.Resize(logits.Shape)
			e.Loss(loss, dlogits, items, logits, target)
			net.Backward(dlogits)
			adam.Step(e, 1e-4)
		}, nil
	case "infer":
		var p tensor.Tensor
		return func() {
			logits := net.Forward(x, unet.Pass{})
			p.Resize(logits.Shape)
			e.Softmax(p, logits)
		}, nil
	}
	return nil, fmt.Errorf("unknown work %q: want train or infer", r.what)
}
