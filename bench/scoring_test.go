//go:build cgo

package bench

import (
	"slices"
	"testing"
	"time"

	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor/onednn"
	"github.com/nextslice/nextslice/train"
	"github.com/nextslice/nextslice/uncertainty"
	"github.com/nextslice/nextslice/unet"
)

// BenchmarkEntropyOverInference alternates predicting 256 slices with scoring them by entropy, and reports the median of the
// ratios: what the score costs beyond the prediction.
func BenchmarkEntropyOverInference(b *testing.B) {
	e, err := onednn.New(0)
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	net := unet.New(e, unet.Config{Classes: 2, Width: 16, Dropout: 0.2}, random.Stream(1))
	const side = 128
	images, rng := make([][]float32, 256), random.Stream(2)
	for i := range images {
		images[i] = make([]float32, side*side)
		for j := range images[i] {
			images[i][j] = float32(rng.NormFloat64())
		}
	}
	seconds := func(err error, begin time.Time) float64 {
		if err != nil {
			b.Fatal(err)
		}
		return time.Since(begin).Seconds()
	}
	var ratios []float64
	for b.Loop() {
		begin := time.Now()
		plain := seconds(train.Predict(b.Context(), net, side, side, images, unet.Pass{}, func(int, []float32) error { return nil }), begin)
		begin = time.Now()
		scored := seconds(train.Score(b.Context(), net, side, side, images, train.Scoring{Config: uncertainty.Config{Map: uncertainty.EntropyMap}},
			rng, func(int, float64) error { return nil }), begin)
		ratios = append(ratios, scored/plain)
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
}
