package dataset

import (
	"testing"

	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/volume"
)

func TestPreprocessFor(t *testing.T) {
	of := func(h, w int) *Dataset {
		return &Dataset{Cases: []Case{{Grid: volume.Grid{Size: [3]int{w, h, 5}}}, {Grid: volume.Grid{Size: [3]int{w - 1, h - 1, 5}}}}}
	}
	for name, c := range map[string]struct {
		set     *Dataset
		largest [2]int
		canvas  []int
		h, w    int
		fit     string
	}{
		"small slices":         {of(60, 70), [2]int{128, 128}, nil, 64, 72, preprocess.Pad},
		"larger than allowed":  {of(200, 70), [2]int{128, 96}, nil, 128, 96, preprocess.Resize},
		"no limit":             {of(200, 70), [2]int{}, nil, 128, 128, preprocess.Resize},
		"a canvas of its own":  {of(60, 70), [2]int{128, 128}, []int{80, 96}, 80, 96, preprocess.Pad},
		"a canvas that is low": {of(60, 70), [2]int{128, 128}, []int{32, 96}, 32, 96, preprocess.Resize},
	} {
		p := c.set.PreprocessFor(2, c.largest, c.canvas)
		if p.Height != c.h || p.Width != c.w || p.Fit != c.fit || p.Axis != 2 {
			t.Errorf("%s: got %d x %d, %v", name, p.Height, p.Width, p.Fit)
		}
	}
}
