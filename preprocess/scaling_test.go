package preprocess

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/volume"
)

// The scalings of other programs, by hand: NaN counts as the least of the others.
func TestScalings(t *testing.T) {
	nan := float32(math.NaN())
	low, high := -1.0, 3.0
	for _, c := range []struct {
		config     Config
		data, want []float32
	}{
		{Config{ClipHigh: 100, Scaling: Unit}, []float32{2, 4, nan, 10}, []float32{0, 0.25, 0, 1}},
		{Config{ClipLow: 25, ClipHigh: 75, Scaling: Unit}, []float32{0, 1, 2, 3, 100}, []float32{0, 0, 0.5, 1, 1}},
		{Config{ClipHigh: 100, Scaling: Unit}, []float32{7, 7}, []float32{0, 0}},
		{Config{ClipHigh: 100, Scaling: Fixed, Window: &Window{Mean: 1, Std: 2}}, []float32{-3, 1, 5, nan}, []float32{-2, 0, 2, -2}},
		{Config{ClipHigh: 100, Scaling: Fixed, Window: &Window{Low: &low, High: &high, Mean: 1, Std: 2}}, []float32{-9, 1, 9}, []float32{-1, 0, 1}},
		{Config{ClipHigh: 100, Scaling: Fixed, Window: &Window{Mean: 1, Std: 2}}, []float32{5, 5}, []float32{2, 2}},
	} {
		v := &volume.Volume{Grid: volume.Grid{Size: [3]int{len(c.data), 1, 1}}, Data: c.data}
		got, err := Normalise(v, c.config)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s of %v: %v, want %v, %v", c.config.Scaling, c.data, got, c.want, err)
		}
	}
}

func TestScalingIsValidated(t *testing.T) {
	low, high := 3.0, 1.0
	good := Config{Height: 8, Width: 8, Fit: Pad, ClipHigh: 100}
	for want, c := range map[string]struct {
		s Scaling
		w *Window
	}{
		"want mean and std":   {Fixed, nil},
		"a number above 0":    {Fixed, &Window{Std: -1}},
		"want low below high": {Fixed, &Window{Std: 1, Low: &low, High: &high}},
		"belongs to scaling":  {Unit, &Window{Std: 1}},
		`fixed, got "log"`:    {"log", nil},
		"":                    {Fixed, &Window{Std: 1, Low: &high, High: &low}},
	} {
		p := good
		p.Scaling, p.Window = c.s, c.w
		if err := p.Validate(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q %+v: %v, want %s", c.s, c.w, err, want)
		}
	}
}
