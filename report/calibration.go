package report

import (
	"math"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/report/figure"
	"github.com/nextslice/nextslice/stats"
)

// Calibration says how far the probabilities of a strategy's last models are from how often they are right.
type Calibration struct {
	ECE  stats.Summary `json:"ece"`  // expected calibration error, over initial sets that have all recipes: of several recipes their mean
	Bins []metrics.Bin `json:"bins"` // reliability diagram of the pixels of all runs
}

const calibrationNote = "ECE: expected calibration error of the last model (Guo et al. 2017): the mean distance between its confidence and how often it is " +
	"right, over pixels of test slices with foreground, near it (10 voxels around the box of the case's reference)."

// calibration joins the diagrams of runs; nil where none has one.
func calibration(runs []record.Run, recipes int) *Calibration {
	var diagrams [][]metrics.Bin
	diagram := func(r record.Run) []metrics.Bin {
		bins := r.Cycles[len(r.Cycles)-1].Calibration
		if len(diagrams) > 0 && len(bins) != len(diagrams[0]) {
			return nil // that of another program version, whose bins are others
		}
		return bins
	}
	for _, r := range runs {
		if bins := diagram(r); bins != nil {
			diagrams = append(diagrams, bins)
		}
	}
	if diagrams == nil {
		return nil
	}
	var errors []float64
	for _, set := range complete(runs, recipes) {
		sum := 0.0
		for _, r := range set {
			if bins := diagram(r); bins != nil {
				sum += metrics.ECE(bins)
			} else {
				sum = math.NaN()
			}
		}
		errors = append(errors, sum/float64(recipes))
	}
	return &Calibration{ECE: stats.Describe(errors), Bins: metrics.MergeBins(diagrams...)}
}

// reliability shows the diagrams.
func (g Group) reliability() figure.Figure {
	const few = 100 // pixels: bins with fewer say nothing
	l := &figure.Lines{X: "confidence (%)", Y: "right (%)", Unit: "% confidence", Equal: true}
	l.Panels = g.panelsOf(true, func(st Strategy) (out []figure.Point) {
		if st.Calibration == nil {
			return nil
		}
		for _, b := range st.Calibration.Bins {
			if b.Pixels >= few {
				out = append(out, figure.Point{X: math.Round(1000*b.Confidence) / 10, Mean: 100 * b.Accuracy, Low: math.NaN(), High: math.NaN(), N: st.Calibration.ECE.N})
			}
		}
		return out
	})
	return figure.Figure{Name: "calibration", Section: sectionCurves, Title: "Calibration of the last models", Lines: l,
		Note: "How often the predicted class is right, at each confidence of the model; on the line it is calibrated, below it is too sure. " +
			"Pixels of test slices with foreground, within 10 voxels of the box of the case's reference; all runs together, bins with 100 pixels or more."}
}
