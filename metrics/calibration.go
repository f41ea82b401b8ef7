package metrics

import (
	"fmt"
	"math"
	"slices"

	"github.com/nextslice/nextslice/volume"
)

// Calibration compares the probabilities of a model with how often it is right, over all pixels added.
//
// Most pixels of a medical image are background that no model doubts, and they pull the error towards 0: compare values
// over the same region only.
type Calibration struct {
	classes int
	bins    []Bin // with sums in place of means
}

// Bin holds the pixels of one interval of confidence. The n bins are (0, 1/n], (1/n, 2/n] and so on.
type Bin struct {
	Pixels     int     `json:"pixels"`
	Confidence float64 `json:"confidence"` // mean probability of the predicted class; 0 without pixels
	Accuracy   float64 `json:"accuracy"`   // share of pixels whose predicted class is the reference's; 0 without pixels
}

// DefaultBins is the number of confidence bins in Guo et al. 2017.
const DefaultBins = 15

// NewCalibration returns a Calibration with no pixels. It panics with fewer than two classes or no bin.
func NewCalibration(classes, bins int) *Calibration {
	if classes < 2 || bins < 1 {
		panic(fmt.Sprintf("metrics: NewCalibration: %d classes and %d bins, want at least 2 and 1", classes, bins))
	}
	return &Calibration{classes: classes, bins: make([]Bin, bins)}
}

// Add counts pixels with the class probabilities probs [pixels K] and the labels ref [pixels]. The predicted class is
// the most probable one, the lowest of several. Pixels whose label is [volume.Ignored] do not count. It panics on other lengths, on a label that is no class, and on a
// probability that is NaN or outside 0 to 1 (with 1e-4 to spare, for float32 softmax).
func (c *Calibration) Add(probs []float32, ref []uint8) {
	if len(probs) != c.classes*len(ref) {
		panic(fmt.Sprintf("metrics: Calibration.Add: want [%d %d] probabilities, got %d", len(ref), c.classes, len(probs)))
	}
	const slack = 1e-4
	for x, label := range ref {
		if int(label) >= c.classes && label == volume.Ignored {
			continue
		}
		if int(label) >= c.classes {
			panic(fmt.Sprintf("metrics: Calibration.Add: label %d, want 0 to %d", label, c.classes-1))
		}
		predicted, confidence := 0, math.Inf(-1)
		for k, p32 := range probs[x*c.classes : (x+1)*c.classes] {
			p := float64(p32)
			if !(p >= -slack && p <= 1+slack) {
				panic(fmt.Sprintf("metrics: Calibration.Add: probability %v of class %d at pixel %d, want 0 to 1", p32, k, x))
			}
			if p > confidence {
				predicted, confidence = k, p
			}
		}
		n := len(c.bins)
		b := &c.bins[min(max(int(math.Ceil(confidence*float64(n)))-1, 0), n-1)]
		b.Pixels++
		b.Confidence += confidence
		if predicted == int(label) {
			b.Accuracy++
		}
	}
}

// Bins returns the reliability diagram: mean confidence and accuracy of each bin, from the least confident.
func (c *Calibration) Bins() []Bin {
	return means(slices.Clone(c.bins))
}

// ECE returns the expected calibration error of a reliability diagram, 0 (calibrated) to 1, or NaN without pixels:
//
//	sum over bins of (pixels in bin / pixels) · |accuracy - confidence|
//
// Source: Guo et al. 2017, "On calibration of modern neural networks", equation 3.
func ECE(bins []Bin) float64 {
	sum, pixels := 0.0, 0
	for _, b := range bins {
		sum += float64(b.Pixels) * math.Abs(b.Accuracy-b.Confidence)
		pixels += b.Pixels
	}
	return sum / float64(pixels)
}

// MergeBins returns the reliability diagram of the pixels of several. It panics if they differ in their number of bins.
func MergeBins(diagrams ...[]Bin) []Bin {
	if len(diagrams) == 0 {
		return nil
	}
	out := make([]Bin, len(diagrams[0]))
	for _, bins := range diagrams {
		if len(bins) != len(out) {
			panic(fmt.Sprintf("metrics: MergeBins: diagrams of %d and %d bins", len(out), len(bins)))
		}
		for i, b := range bins {
			out[i].Pixels += b.Pixels
			out[i].Confidence += float64(b.Pixels) * b.Confidence
			out[i].Accuracy += float64(b.Pixels) * b.Accuracy
		}
	}
	return means(out)
}

// means divides the sums of each bin by its pixels, in place.
func means(bins []Bin) []Bin {
	for i := range bins {
		if b := &bins[i]; b.Pixels > 0 {
			b.Confidence /= float64(b.Pixels)
			b.Accuracy /= float64(b.Pixels)
		}
	}
	return bins
}
