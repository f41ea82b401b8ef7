// Package bench measures where the time of a training step and of a prediction goes, against the machine's ceilings.
package bench

import (
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/meter"
)

// Options say what is measured.
type Options struct {
	NetWidth      int // of the network
	Height, Width int // of a slice
	Batch         int // slices per training step
	Items         int // slices that the strategies query
	Rounds        int // repetitions; figures are medians; at most three of a query
	QueriesOnly   bool

	Progress func(what string) // called before each piece of work; nil for none
}

func (o Options) begin(what string) {
	if o.Progress != nil {
		o.Progress(what)
	}
}

// Report is what was measured.
type Report struct {
	Works    []Work   `json:"works"`
	Queries  []Query  `json:"queries"`
	Training Training `json:"training"` // to compare those of the queries with
}

// Work is one kind of work, e.g. a training step.
type Work struct {
	Name    string       `json:"name"`
	Seconds float64      `json:"seconds"` // median of the rounds
	Costs   []meter.Cost `json:"costs,omitempty"`
	Rounds  int          `json:"rounds"` // that the costs are the sum of
}

// Run measures a training step, an inference pass over 8 slices and a query by each strategy on e.
func Run(ctx context.Context, e tensor.Engine, o Options) (report Report, err error) {
	defer tensor.Catch(&err)
	m := meter.New(e)
	image := tensor.Shape{N: 1, H: o.Height, W: o.Width, C: 1}
	batch, eight := image, image
	batch.N, eight.N = o.Batch, 8
	for _, w := range []struct {
		name string
		run  func()
	}{
		{fmt.Sprintf("training step of %d", o.Batch), TrainingStep(m, o.NetWidth, batch, false)},
		{"inference of 8", Inference(m, o.NetWidth, eight)},
	} {
		if o.QueriesOnly {
			break
		}
		o.begin(w.name)
		w.run() // makes buffers
		m.Reset()
		seconds, err := median(ctx, o.Rounds, func() error { w.run(); return nil })
		if err != nil {
			return Report{}, err
		}
		report.Works = append(report.Works, Work{Name: w.name, Seconds: seconds, Costs: m.Costs(), Rounds: o.Rounds})
	}
	images, rng := make([][]float32, o.Items), random.Stream(1, "images")
	for i := range images {
		images[i] = noise(image, rng).Data
	}
	if report.Training, err = training(ctx, m, o); err != nil {
		return Report{}, err
	}
	report.Queries, err = queries(ctx, m, network(m, o.NetWidth, 1), o, images)
	return report, err
}

// median returns the median of the seconds that run takes.
func median(ctx context.Context, rounds int, run func() error) (float64, error) {
	var seconds []float64
	for range rounds {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		begin := time.Now()
		if err := run(); err != nil {
			return 0, err
		}
		seconds = append(seconds, time.Since(begin).Seconds())
	}
	slices.Sort(seconds)
	return seconds[len(seconds)/2], nil
}

// WriteText prints a line per operation and shape of each work, with its share of the ceiling peak (FLOP/s), then the totals
// and the queries.
func (r Report) WriteText(w io.Writer, peak float64) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, work := range r.Works {
		fmt.Fprintf(t, "%s\tcalls\tms\tshare\tGFLOP/s\tof peak\tMB\tGB/s\t\n", work.Name)
		var total, products, flop float64
		for _, c := range work.Costs {
			total += c.Time.Seconds()
			if c.Product {
				products += c.Time.Seconds()
				flop += c.FLOP
			}
		}
		for _, c := range work.Costs {
			s, rounds := c.Time.Seconds(), float64(work.Rounds)
			rate, of := "", ""
			if c.Product {
				rate, of = fmt.Sprintf("%.0f", c.FLOP/s/1e9), percent(c.FLOP/s/peak)
			}
			fmt.Fprintf(t, "%s %s\t%d\t%.2f\t%s\t%s\t%s\t%.1f\t%.1f\t\n", c.Op, c.Shape, c.Calls/work.Rounds, 1e3*s/rounds, percent(s/total), rate, of, c.Bytes/rounds/1e6, c.Bytes/s/1e9)
		}
		fmt.Fprintf(t, "convolutions\t\t%.2f\t%s\t%.0f\t%s\t\t\t\n", 1e3*products/float64(work.Rounds), percent(products/total), flop/products/1e9, percent(flop/products/peak))
		fmt.Fprintf(t, "everything else\t\t%.2f\t%s\t\t\t\t\t\n\n", 1e3*(total-products)/float64(work.Rounds), percent((total-products)/total))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, work := range r.Works {
		fmt.Fprintf(w, "%-28s %8.1f ms\n", work.Name, 1e3*work.Seconds)
	}
	return writeQueries(w, r.Queries, r.Training)
}

func percent(share float64) string { return fmt.Sprintf("%.0f%%", 100*share) }
