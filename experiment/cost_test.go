package experiment

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/train/recipe"
)

// BenchmarkQuery measures what a query of 10 out of 1,000 unlabelled items costs each strategy, with the network and
// canvas of preset quick: seconds of forward passes and of picking, passes, and the largest resident memory of the
// process. Training is left out: an ensemble of M takes M - 1 trainings more.
//
//	go test ./experiment -run '^$' -bench Query -benchtime 1x
func BenchmarkQuery(b *testing.B) {
	const labelled, unlabelled, size = 100, 1000, 10
	c, err := record.ReadConfig("", func(c *record.Config) { c.Preset = "quick" })
	if err != nil {
		b.Fatal(err)
	}
	c.Train.Steps = 1
	d := noise(labelled+unlabelled, 64)
	engines, err := newEngines(context.Background(), Options{Threads: 1}, recipe.Config{}, 1)
	if err != nil {
		b.Fatal(err)
	}
	defer engines[0].Close()
	b.Log(EnvironmentOf(engines[0]).EngineText())
	items := make([]int, labelled+unlabelled)
	for i := range items {
		items[i] = i
	}
	for _, name := range everyStrategy(b) {
		if strings.HasSuffix(name, "+sb") && name != "entropy+sb" {
			continue // about 1 - 1/e of the score's passes
		}
		b.Run(name, func(b *testing.B) {
			l := &learner{config: c, data: d, engine: engines[0], start: record.Unit{Set: 1}, report: func(int, int, int, float64) {}}
			l.learn(items[:labelled])
			l.spec = record.Unit{Strategy: name}.Spec()
			if err := l.train(b.Context()); err != nil {
				b.Fatal(err)
			}
			var t record.Timing
			for b.Loop() {
				debug.FreeOSMemory()
				l.timing = record.Timing{}
				if _, err := l.spec.Strategy.Select(l.Pool(b.Context(), items[labelled:]), size, random.Stream(1)); err != nil {
					b.Fatal(err)
				}
				t = l.costs()
			}
			b.ReportMetric(t.Score, "s-passes")
			b.ReportMetric(t.Query, "s-picking")
			b.ReportMetric(float64(t.Passes), "passes")
			b.ReportMetric(t.PeakMB, "peak-MB")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// noise returns a pool of n slices that are all alike: noise, brighter in the lower half, which is the foreground.
func noise(n, side int) *data {
	d := &data{preprocess: preprocess.Config{Height: side, Width: side}, classes: []string{"background", "prostate"}, pool: &dataset.Slices{}}
	rng := random.Stream(1)
	for i := range n {
		image, labels := make([]float32, side*side), make([]uint8, side*side)
		for p := range image {
			labels[p] = uint8(2 * p / len(image))
			image[p] = float32(labels[p]) + float32(rng.NormFloat64())
		}
		d.pool.Images, d.pool.Labels = append(d.pool.Images, image), append(d.pool.Labels, labels)
		d.pool.Names = append(d.pool.Names, fmt.Sprintf("case%d/%03d", i/20, i%20))
		d.positions = append(d.positions, query.Position{Case: i / 20, Slice: i % 20})
		d.foreground = append(d.foreground, true)
	}
	return d
}
