package compare

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/volume"
)

// How far a mask's file is cut down to what is outlined changes no measure; where the whole is not known, that is told.
func TestCutMasks(t *testing.T) {
	dir := t.TempDir()
	whole := volume.Grid{Size: [3]int{12, 10, 8}, Unit: volume.Millimetre, Affine: [3][4]float64{{1, 0, 0, 5}, {0, 1, 0, 7}, {0, 0, 3, 9}}}
	part := whole
	part.Size[2] = 1
	part.Affine[2][3] += 3 * 4
	three := part
	three.Size[2] = 3
	three.Affine[2][3] -= 3
	write := func(name string, g volume.Grid, slices ...int) string { // a square in slices of the whole
		m := &volume.Mask{Grid: whole, Data: make([]uint8, whole.Len())}
		for _, k := range slices {
			from := 2
			if strings.HasPrefix(name, "small") {
				from = 5
			}
			for j := from; j < 8; j++ {
				for i := 3; i < 9; i++ {
					m.Data[i+12*(j+10*k)] = 1
				}
			}
		}
		m, err := m.On(g)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if volume.IsSegmentation(name) {
			err = volume.WriteSegmentation(path, volume.NewSegmentation(m, []string{"", "gland"}))
		} else {
			err = volume.WriteMask(path, m)
		}
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	pred, ref := write("pred/a.nii", whole, 3, 4, 5), write("ref/a.nii", whole, 4)
	predPart, refPart := write("predPart/a.seg.nrrd", three, 3, 4, 5), write("refPart/a.seg.nrrd", part, 4)
	emptyPart := write("emptyPart/a.seg.nrrd", part)
	image := write("images/a.nii", whole)
	data := filepath.Dir(write("data/imagesTr/a.nii", whole))
	inData := write("data/labelsTr/a.nii", part, 4)
	if err := os.WriteFile(filepath.Join(filepath.Dir(data), "dataset.json"), []byte(`{"labels": {"gland": 1}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	measure := func(pred, ref, image string) (s metrics.ClassSummary, warned bool) {
		t.Helper()
		o := Options{Axis: 2, Image: image, Rules: metrics.Rules{Empty: metrics.EmptyOne}, Note: func(string) {}, Warn: func(text string) {
			warned = warned || strings.Contains(text, "look like parts of an image that is not known")
		}}
		e, err := Masks(t.Context(), pred, ref, o)
		if err != nil {
			t.Fatalf("%s, %s: %v", pred, ref, err)
		}
		return e.Classes[0], warned
	}
	want, _ := measure(pred, ref, "")
	small := write("small/a.nii", whole, 4)
	inside, _ := measure(small, ref, "")
	without, _ := measure(write("none/a.nii", whole), ref, "")
	for name, c := range map[string]struct {
		pred, ref, image string
		want             metrics.ClassSummary
		warned           bool
	}{
		"reference":            {pred, refPart, "", want, false},
		"folders":              {filepath.Dir(pred), filepath.Dir(refPart), "", want, false},
		"reference as numbers": {pred, write("refNumbers/a.nii", part, 4), "", want, false},
		"its folder":           {filepath.Dir(pred), filepath.Join(dir, "refNumbers"), "", want, false},
		"prediction":           {predPart, ref, "", want, false},
		"both":                 {predPart, refPart, image, want, false},
		"both, a folder":       {predPart, refPart, filepath.Dir(image), want, false},
		"a data set":           {predPart, inData, "", want, false},
		"inside the reference": {small, refPart, "", inside, false},
		"empty":                {emptyPart, refPart, image, without, false},
		"no image":             {predPart, refPart, "", metrics.ClassSummary{}, true},
	} {
		got, warned := measure(c.pred, c.ref, c.image)
		if warned != c.warned {
			t.Errorf("%s: warned %v", name, warned)
		}
		pick := func(s metrics.ClassSummary) []float64 {
			return []float64{s.Dice2D.Value, s.Dice3D.Value, s.HD95.Value, s.ASSD.Value}
		}
		if !c.warned && !slices.Equal(pick(got), pick(c.want)) {
			t.Errorf("%s: 2D and 3D Dice, HD95 and ASSD are %.4v, of the whole masks %.4v", name, pick(got), pick(c.want))
		}
	}
}
