package volume

import (
	"math"
	"strings"
	"testing"
)

// Headers that contradict themselves lie where ITK places them, with a warning; the values are those of internal/bench/volume_forms.py.
func TestForms(t *testing.T) {
	diagonal := func(a, b, c float64) [3][4]float64 {
		return [3][4]float64{{a, 0, 0, 10}, {0, b, 0, 20}, {0, 0, c, 30}}
	}
	one, right, none := diagonal(1, 1, 1), diagonal(1.3, 1.3, 10), [3][4]float64{}
	nan := none
	nan[1][1] = math.NaN()
	spacing := [4]float64{1, 1.3, 1.3, 10}
	size := [3]int{5, 4, 3}
	for name, c := range map[string]struct {
		n    NIfTI
		want [3][4]float64
		unit Unit
		warn string // "" is no warning
	}{
		"scale":                  {NIfTI{SCode: 1, SRow: one, QCode: 1, Pixdim: spacing, Units: 2}, right, Millimetre, "contradicts pixdim 1.3 x 1.3 x 10: the qform is used"},
		"scale, aligned":         {NIfTI{SCode: 2, SRow: one, QCode: 1, Pixdim: spacing, Units: 2}, right, Millimetre, "the qform is used"},
		"scale without qform":    {NIfTI{SCode: 2, SRow: one, Pixdim: spacing, Units: 2}, right, Millimetre, "pixdim is used"},
		"pixdim never set":       {NIfTI{SCode: 2, SRow: right, Pixdim: [4]float64{1, 1, 1, 1}, Units: 2}, right, Millimetre, "the sform is used"},
		"agree":                  {NIfTI{SCode: 2, SRow: right, QCode: 1, Pixdim: spacing, Units: 2}, right, Millimetre, ""},
		"rounded":                {NIfTI{SCode: 2, SRow: right, QCode: 1, Pixdim: [4]float64{1, 1.30005, 1.3, 10}, Units: 2}, right, Millimetre, ""},
		"no sform":               {NIfTI{QCode: 1, Pixdim: spacing, Units: 2}, right, Millimetre, ""},
		"zero sform":             {NIfTI{SCode: 1, QCode: 1, Pixdim: spacing, Units: 2}, right, Millimetre, "no inverse"},
		"NaN sform":              {NIfTI{SCode: 1, SRow: nan, QCode: 1, Pixdim: spacing, Units: 2}, right, Millimetre, "no inverse"},
		"flat sform":             {NIfTI{SCode: 1, SRow: [3][4]float64{{1.3, 1.3, 0, 10}, {}, {0, 0, 10, 30}}, QCode: 1, Pixdim: spacing, Units: 2}, right, Millimetre, "no inverse"},
		"negative pixdim, qform": {NIfTI{QCode: 1, Pixdim: [4]float64{1, -1.3, 1.3, 10}, Units: 2}, diagonal(-1.3, 1.3, 10), Millimetre, "pixdim[1] negative"},
		"negative pixdim, sform": {NIfTI{SCode: 1, SRow: right, Pixdim: [4]float64{1, -1.3, -1.3, 10}, Units: 2}, diagonal(-1.3, -1.3, 10), Millimetre, "pixdim[1] and pixdim[2]"},
		"negative pixdim, both":  {NIfTI{SCode: 1, SRow: right, QCode: 1, Pixdim: [4]float64{1, -1.3, 1.3, 10}, Units: 2}, diagonal(-1.3, 1.3, 10), Millimetre, "pixdim[1]"},
		"no unit, sform":         {NIfTI{SCode: 2, SRow: one, Pixdim: [4]float64{1, 1, 1, 1}}, one, Millimetre, ""},
		"no unit, qform":         {NIfTI{QCode: 1, Pixdim: [4]float64{1, 1, 1, 1}}, one, Millimetre, ""},
		"no unit, no form":       {NIfTI{Pixdim: [4]float64{1, 1, 1, 1}}, [3][4]float64{{-1, 0, 0, 2}, {0, 1, 0, -1.5}, {0, 0, 1, -1}}, Voxel, ""},
		"metres":                 {NIfTI{SCode: 2, SRow: diagonal(.0013, .0013, .01), Pixdim: [4]float64{1, .0013, .0013, .01}, Units: 1}, [3][4]float64{{1.3, 0, 0, 10000}, {0, 1.3, 0, 20000}, {0, 0, 10, 30000}}, Millimetre, ""},
		"metres, scale":          {NIfTI{SCode: 1, SRow: right, Pixdim: [4]float64{1, 2, 1.3, 10}, Units: 1}, [3][4]float64{{2000, 0, 0, 10000}, {0, 1300, 0, 20000}, {0, 0, 10000, 30000}}, Millimetre, "pixdim is used"},
	} {
		c.n.QOffset = [3]float64{10, 20, 30}
		a, unit, warnings, err := c.n.place(size)
		if err != nil || unit != c.unit || !(Grid{Size: size, Affine: a}).Same(Grid{Size: size, Affine: c.want}, 1e-3) {
			t.Errorf("%s: %v %s, %v, want %v", name, a, unit, err, c.want)
		}
		if text := strings.Join(warnings, "; "); !strings.Contains(text, c.warn) || (text == "") != (c.warn == "") {
			t.Errorf("%s: warnings %q, want %q", name, text, c.warn)
		}
	}
	// Other places than the qform's are told, beyond half a voxel.
	n := NIfTI{SCode: 1, SRow: right, QCode: 1, QOffset: [3]float64{12, 20, 30}, Pixdim: spacing, Units: 2}
	if _, _, w, err := n.place(size); err != nil || len(w) != 1 || !strings.Contains(w[0], "up to 2 mm apart") {
		t.Errorf("sform and qform 2 mm apart: %v, %v", w, err)
	}
}
