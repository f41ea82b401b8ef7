package preprocess

import (
	"errors"
	"fmt"
	"math"
)

// Scaling is how a volume's intensities become those that a network sees.
type Scaling string

// Scalings. The zero value is ZScore.
const (
	// ZScore clips to percentiles and scales to mean 0 and variance 1: what all networks are trained with here.
	ZScore Scaling = "z-score"
	// Unit clips to percentiles and scales those to 0 and 1.
	Unit Scaling = "unit"
	// Fixed is the same function for all volumes: see Window.
	Fixed Scaling = "fixed"
)

// Window is a function of intensities: x is clipped to Low … High and becomes (x - Mean) / Std.
type Window struct {
	Low  *float64 `json:"low,omitempty" yaml:"low"` // nil: nothing is clipped
	High *float64 `json:"high,omitempty" yaml:"high"`
	Mean float64  `json:"mean" yaml:"mean"`
	Std  float64  `json:"std" yaml:"std"`
}

func (s Scaling) validate(w *Window) error {
	switch s {
	case "", ZScore, Unit:
		if w != nil {
			return fmt.Errorf("window: it belongs to scaling %s, got %q", Fixed, s)
		}
		return nil
	case Fixed:
	default:
		return fmt.Errorf("scaling: want %s, %s or %s, got %q", ZScore, Unit, Fixed, s)
	}
	if w == nil || !(w.Std > 0) || math.IsInf(w.Std, 0) || w.Mean-w.Mean != 0 {
		return fmt.Errorf("scaling %s: want mean and std, a number above 0, by which x becomes (x - mean) / std", Fixed)
	}
	if w.Low != nil && w.High != nil && !(*w.Low < *w.High) {
		return fmt.Errorf("scaling %s: want low below high, got %g and %g", Fixed, *w.Low, *w.High)
	}
	for _, v := range []*float64{w.Low, w.High} {
		if v != nil && *v-*v != 0 {
			return errors.New("scaling fixed: want numbers for low and high")
		}
	}
	return nil
}

// apply scales data in place.
func (w Window) apply(data []float32) {
	low, high := math.Inf(-1), math.Inf(1)
	if w.Low != nil {
		low = *w.Low
	}
	if w.High != nil {
		high = *w.High
	}
	for i, x := range data {
		data[i] = float32((min(max(float64(x), low), high) - w.Mean) / w.Std)
	}
}

// unit scales data in place from their least to their greatest value to 0 … 1; all the same are 0.
func unit(data []float32) {
	low, high := data[0], data[0]
	for _, x := range data {
		low, high = min(low, x), max(high, x)
	}
	if low == high {
		clear(data)
		return
	}
	for i, x := range data {
		data[i] = float32((float64(x) - float64(low)) / (float64(high) - float64(low)))
	}
}
