//go:build cgo

package bench

import (
	"slices"
	"testing"
	"time"

	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor/native"
	"github.com/nextslice/nextslice/uncertainty"
)

const side = 128

// pool returns a network of width 16 and so many slices of noise.
func pool(b *testing.B, n int) (model.Network, [][]float32) {
	e, err := native.New(0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close() })
	images, rng := make([][]float32, n), random.Stream(2)
	for i := range images {
		images[i] = make([]float32, side*side)
		for j := range images[i] {
			images[i][j] = float32(rng.NormFloat64())
		}
	}
	net := unet.New(e, unet.Config{Classes: 2, Width: 16, Dropout: 0.2}, random.Stream(1))
	return model.Network{Net: net, Preprocess: preprocess.Config{Height: side, Width: side}}, images
}

// ratio alternates two pieces of work and reports the median of second/first.
func ratio(b *testing.B, first, second func() error) {
	took := func(work func() error) float64 {
		begin := time.Now()
		if err := work(); err != nil {
			b.Fatal(err)
		}
		return time.Since(begin).Seconds()
	}
	var ratios []float64
	for b.Loop() {
		of := took(first)
		ratios = append(ratios, took(second)/of)
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
}

// BenchmarkEntropyOverInference: what scoring 256 slices by entropy costs beyond predicting them.
func BenchmarkEntropyOverInference(b *testing.B) {
	net, images := pool(b, 256)
	rng := random.Stream(3)
	ratio(b, func() error {
		return net.Predict(b.Context(), images, func(int, []float32) error { return nil })
	}, func() error {
		_, err := net.Score(b.Context(), images, uncertainty.Score{}, rng)
		return err
	})
}

// BenchmarkDropoutOverPasses: scoring 32 slices by 8 dropout passes against predicting them 8 times with dropout.
func BenchmarkDropoutOverPasses(b *testing.B) {
	const passes = 8
	net, images := pool(b, 32)
	rng := random.Stream(3)
	ratio(b, func() error {
		for range passes {
			err := net.Forward(b.Context(), images, unet.Pass{Dropout: true, Seed: rng.Uint64()}, func(int, []float32) error { return nil })
			if err != nil {
				return err
			}
		}
		return nil
	}, func() error {
		_, err := net.Score(b.Context(), images, uncertainty.Score{Map: uncertainty.JSD, Passes: passes, Dropout: true}, rng)
		return err
	})
}
