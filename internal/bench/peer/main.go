// Peer is our side of internal/bench/compare_torch.py: it reads requests such as
//
//	train 16 1 4 128 128 5
//	deep 16 3 4 64 64 5
//	infer 16 1 8 128 128 5
//
// (what, of which deep is train with deep supervision, width, input channels, items, height, width of the image, repetitions) from standard input and answers each with the seconds
// that one repetition took, after one that does not count. Between requests it sleeps, so that the other side is measured alone.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/nextslice/nextslice/internal/bench"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/engines"
)

type request struct {
	what                               string
	width, channels, items, h, w, reps int
}

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func serve() error {
	isa := flag.String("isa", "", "instruction set: amx, avx512, avx2 or baseline")
	flag.Parse()
	e, err := engines.NewWith("native", runtime.GOMAXPROCS(0), *isa)
	if err != nil {
		return err
	}
	defer e.Close()
	works := map[request]func(){}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var r request
		if _, err := fmt.Sscan(in.Text(), &r.what, &r.width, &r.channels, &r.items, &r.h, &r.w, &r.reps); err != nil {
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
	s := tensor.Shape{N: r.items, H: r.h, W: r.w, C: r.channels}
	switch r.what {
	case "train", "deep":
		return bench.TrainingStep(e, r.width, s, r.what == "deep"), nil
	case "infer":
		return bench.Inference(e, r.width, s), nil
	}
	return nil, fmt.Errorf("unknown work %q: want train, deep or infer", r.what)
}
