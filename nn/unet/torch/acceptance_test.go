package torch_test

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/nn/unet/torch"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
	"github.com/nextslice/nextslice/train"
	"github.com/nextslice/nextslice/train/recipe"
)

// acceptance skips a test unless NEXTSLICE_GPU_CHECK is set: what follows is for `make gpu-check`, on a GPU or, as a rehearsal and smaller, on the
// processor.
func acceptance(t *testing.T) {
	t.Helper()
	if os.Getenv("NEXTSLICE_GPU_CHECK") == "" {
		t.Skip("part of make gpu-check")
	}
}

// paperLoss is that of the paper's recipe.
var paperLoss = tensor.Loss{CE: 0.5, Dice: 0.5, Smooth: 1e-9}

// step carries out one step of a network of a width on fixed images and returns its logits, losses and gradients.
func step(t *testing.T, e tensor.Engine, width, size int) (logits, items, grad []float32) {
	t.Helper()
	net := unet.New(e, unet.Config{Classes: 2, Width: width}, random.Stream(1, "init")) // without dropout, whose masks are exact's alone
	data := discs(4, size)
	b := unet.Batch{X: tensor.New(tensor.Shape{N: 4, H: size, W: size, C: 1}), LR: 1e-4}
	for i := range data.Images {
		copy(b.X.Items(i, i+1).Data, data.Images[i])
		b.Target = append(b.Target, data.Labels[i]...)
	}
	trainer, items := unet.NewTrainer(net, paperLoss, 1e-4), make([]float32, 4)
	if err := trainer.Step(items, b, nil); err != nil {
		t.Fatal(err)
	}
	return slices.Clone(trainer.Logits().Data), items, slices.Clone(net.Params().Grad)
}

func relative(got, want []float32) float64 {
	var diff, sum float64
	for i := range got {
		d := float64(got[i]) - float64(want[i])
		diff += d * d
		sum += float64(want[i]) * float64(want[i])
	}
	return math.Sqrt(diff / sum)
}

// One step of the paper's network in each arithmetic, beside float32 of the same PyTorch on the processor.
func TestPaperStep(t *testing.T) {
	acceptance(t)
	width, size := onGPU(64, 16), onGPU(128, 64)
	want, wantItems, wantGrad := step(t, start(t, torch.Options{Device: "cpu", Precision: "float32"}), width, size)
	for _, c := range []struct {
		precision    string
		logits, grad float64
	}{{"exact", 1e-4, 2e-3}, {"float32", 1e-4, 2e-3}, {"tf32", 5e-3, 3e-2}, {"bfloat16", 3e-2, 1e-1}} {
		t.Run(c.precision, func(t *testing.T) {
			e, err := torch.New(t.Context(), ref.New(1), torch.Options{Python: python(t), Device: device, Precision: c.precision})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			logits, items, grad := step(t, e, width, size)
			l, i, g := relative(logits, want), relative(items, wantItems), relative(grad, wantGrad)
			t.Logf("width %d: logits off by %.1e, losses by %.1e, gradients by %.1e", width, l, i, g)
			if !(l < c.logits && g < c.grad) {
				t.Errorf("want below %.0e and %.0e", c.logits, c.grad)
			}
		})
	}
}

// Trainings with PyTorch's own masks end as well as with those of the other engines.
func TestMasks(t *testing.T) {
	acceptance(t)
	steps := onGPU(300, 60)
	data := discs(12, 32)
	mean := func(precision string) float64 {
		e := start(t, torch.Options{Precision: precision})
		sum := 0.0
		for seed := range uint64(3) {
			c := config(steps)
			c.Width, c.Batch, c.LearningRate.Peak = 8, 4, 3e-3
			r, err := train.Run(t.Context(), e, c, data, seed, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range r.Losses[steps*2/3:] {
				sum += l / float64(3*(steps-steps*2/3))
			}
		}
		return sum
	}
	exact, own := mean("exact"), mean("float32")
	t.Logf("mean loss of the last third of %d steps: %.4f exact, %.4f with PyTorch's masks", steps, exact, own)
	if d := math.Abs(own/exact - 1); d > onGPU(0.05, 0.1) {
		t.Errorf("they differ by %.1f %%", 100*d)
	}
}

// How long steps take: of the worker alone, with the step captured or eager, and of a training whose slices are augmented meanwhile. A GPU must not wait
// for these.
func TestSpeed(t *testing.T) {
	acceptance(t)
	steps, size := onGPU(300, 6), onGPU(128, 64)
	if n, err := strconv.Atoi(os.Getenv("NEXTSLICE_STEPS")); err == nil && n > 0 {
		steps = n
	}
	for _, precision := range []string{"tf32", "bfloat16"} {
		for _, eager := range []bool{true, false} {
			e, err := torch.New(t.Context(), ref.New(onGPU(runtime.NumCPU(), 1)), torch.Options{Python: python(t), Device: device, Precision: precision, Eager: eager})
			if err != nil {
				t.Fatal(err)
			}
			t.Log(e.Detail())
			for _, width := range onGPU([]int{16, 32, 64}, []int{16}) {
				t.Run(fmt.Sprintf("width %d %s eager=%v", width, precision, eager), func(t *testing.T) {
					alone := stepTimes(t, e, width, size, steps)
					c := config(steps)
					c.Width, c.Batch, c.Loss.Smooth = width, 4, 1e-9
					c.Augment = recipe.Augment{Noise: 0.01, NoiseProbability: 0.5, Rotate: 10, Scale: 0.1, Shift: 0.05, Contrast: 0.2}
					var times []float64
					last := time.Now()
					if _, err := train.Run(t.Context(), e, c, discs(12, size), 1, func(train.Progress) {
						times = append(times, time.Since(last).Seconds()*1e3)
						last = time.Now()
					}); err != nil {
						t.Fatal(err)
					}
					fed := median(times)
					t.Logf("%.2f ms a step, %.2f ms with augmentation (%d steps)", alone, fed, steps)
					if device == "cpu" {
						return
					}
					if fed > 1.15*alone+0.1 {
						t.Errorf("augmentation makes the GPU wait: %.2f ms a step, %.2f ms without", fed, alone)
					}
					if most := map[bool]float64{true: 6, false: 3}[eager]; strings.Contains(e.Detail(), "H200") && width == 64 && (eager || precision == "bfloat16") && alone > most {
						t.Errorf("%.2f ms a step, want at most %v on an H200", alone, most)
					}
				})
			}
			e.Close()
		}
	}
}

// stepTimes returns the median time of steps on images that lie ready, in ms.
func stepTimes(t *testing.T, e tensor.Engine, width, size, steps int) float64 {
	t.Helper()
	net := unet.New(e, unet.Config{Classes: 2, Width: width, Dropout: 0.5}, random.Stream(1, "init"))
	s := tensor.Shape{N: 4, H: size, W: size, C: 1}
	b := unet.Batch{X: tensor.New(s), Target: make([]uint8, s.Pixels()), LR: 1e-4}
	rng := random.Stream(1, "input")
	for i := range b.X.Data {
		b.X.Data[i], b.Target[i] = float32(rng.NormFloat64()), uint8(rng.IntN(2))
	}
	trainer, items := unet.NewTrainer(net, paperLoss, 1e-4), make([]float32, 4)
	var times []float64
	for i := range steps + 5 {
		b.Seed = uint64(i)
		begin := time.Now()
		if err := trainer.Step(items, b, nil); err != nil {
			t.Fatal(err)
		}
		if i >= 5 {
			times = append(times, time.Since(begin).Seconds()*1e3)
		}
	}
	return median(times)
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}

// Two workers compute at the same time, on one GPU or on two, what each computes alone.
func TestTwoWorkers(t *testing.T) {
	acceptance(t)
	var engines [2]*torch.Engine
	for job := range engines {
		engines[job] = start(t, torch.Options{Device: strings.TrimRight(device, ":0123456789"), Job: job, Precision: "exact"})
		t.Logf("job %d: %s, %s", job, engines[job].Device(), engines[job].Detail())
	}
	losses := func(job int) []float64 {
		r, err := train.Run(t.Context(), engines[job], config(onGPU(200, 20)), discs(6, 32), uint64(job), nil)
		if err != nil {
			t.Error(err)
			return nil
		}
		return r.Losses
	}
	var together [2][]float64
	var both sync.WaitGroup
	for job := range engines {
		both.Go(func() { together[job] = losses(job) })
	}
	both.Wait()
	for job := range engines {
		if alone := losses(job); len(alone) == 0 || !slices.Equal(alone, together[job]) {
			t.Errorf("job %d: losses %v beside another, %v alone", job, together[job], alone)
		}
	}
	if slices.Equal(together[0], together[1]) {
		t.Error("both jobs trained one network")
	}
}
