package compare

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/volume"
)

// segment is a segment of one voxel, that of the index.
type segment struct {
	name  string
	value uint8
	at    int
}

// segmented writes a mask of segments.
func segmented(t *testing.T, path string, segments ...segment) {
	t.Helper()
	g := volume.Grid{Size: [3]int{4, 3, 2}, Unit: volume.Millimetre, Affine: [3][4]float64{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 2, 0}}}
	s := &volume.Segmentation{Grid: g, Layers: [][]uint8{make([]uint8, g.Len())}}
	for _, one := range segments {
		s.Segments = append(s.Segments, volume.Segment{Name: one.name, Value: one.value})
		s.Layers[0][one.at] = one.value
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := volume.WriteSegmentation(path, s); err != nil {
		t.Fatal(err)
	}
}

// Segments without a name are numbers: they are compared with what names have the number of, and with nothing where that is not known.
func TestNamelessSegments(t *testing.T) {
	for name, test := range map[string]struct {
		refs, preds map[string][]segment
		dice        map[string]float64 // of the case n
		leftOut     string             // why n is
	}{
		"by number": {
			map[string][]segment{"a": {{"gland", 1, 3}, {"lesion", 2, 5}}, "n": {{"Segment_1", 1, 3}, {"lesion", 2, 5}}},
			map[string][]segment{"a": {{"lesion", 1, 5}, {"gland", 2, 3}}, "n": {{"lesion", 1, 5}, {"gland", 2, 3}}},
			map[string]float64{"gland": 1, "lesion": 1}, "",
		},
		"gaps": {
			map[string][]segment{"a": {{"liver", 2, 3}, {"spleen", 5, 5}}, "n": {{"liver", 2, 3}, {"spleen", 5, 5}}},
			map[string][]segment{"a": {{"liver", 1, 3}, {"spleen", 2, 5}}, "n": {{"Segment_2", 2, 3}, {"Segment_5", 5, 5}}},
			map[string]float64{"liver": 1, "spleen": 1}, "",
		},
		"numbers differ": {
			map[string][]segment{"a": {{"gland", 1, 3}, {"lesion", 2, 5}}, "b": {{"lesion", 1, 3}, {"gland", 2, 5}}, "n": {{"Segment_1", 1, 3}}},
			map[string][]segment{"a": {{"gland", 1, 3}}, "b": {{"lesion", 1, 3}}, "n": {{"gland", 1, 3}}},
			nil, `its segment "Segment_1" has no name but a number, whose meaning differs between the references`,
		},
		"another number": {
			map[string][]segment{"a": {{"gland", 1, 3}}, "n": {{"gland", 1, 3}}},
			map[string][]segment{"a": {{"gland", 1, 3}}, "n": {{"Segment_2", 1, 3}}},
			nil, `its segment "Segment_2" has the number 1: give it the name of a class`,
		},
	} {
		dir := t.TempDir()
		for folder, masks := range map[string]map[string][]segment{"refs": test.refs, "preds": test.preds} {
			for id, segments := range masks {
				segmented(t, filepath.Join(dir, folder, id+".seg.nrrd"), segments...)
			}
		}
		quiet := func(string) {}
		e, err := Masks(t.Context(), filepath.Join(dir, "preds"), filepath.Join(dir, "refs"), Options{Axis: 2, Note: quiet, Warn: quiet})
		if err != nil {
			t.Fatal(err)
		}
		if test.leftOut != "" {
			if len(e.LeftOut) != 1 || e.LeftOut[0].Case != "n" || !strings.Contains(e.LeftOut[0].Text, test.leftOut) {
				t.Errorf("%s: left out %v, want %q", name, e.LeftOut, test.leftOut)
			}
			continue
		}
		if len(e.LeftOut) > 0 || len(e.Classes) != len(test.dice) {
			t.Errorf("%s: left out %v, classes %+v", name, e.LeftOut, e.Classes)
		}
		for _, c := range e.Classes {
			if c.Dice3D.Value != test.dice[c.Name] {
				t.Errorf("%s: Dice of %s is %v", name, c.Name, c.Dice3D.Value)
			}
		}
	}
}

// An NRRD file names its segments whatever it is called: classes that change places are not one.
func TestSegmentsInOtherNRRD(t *testing.T) {
	dir := t.TempDir()
	ref, pred := filepath.Join(dir, "ref", "a.nrrd"), filepath.Join(dir, "pred", "a.nrrd")
	segmented(t, ref+".seg.nrrd", segment{"liver", 1, 3}, segment{"spleen", 2, 5})
	segmented(t, pred+".seg.nrrd", segment{"spleen", 1, 3}, segment{"liver", 2, 5})
	for _, path := range []string{ref, pred} {
		if err := os.Rename(path+".seg.nrrd", path); err != nil {
			t.Fatal(err)
		}
	}
	quiet := func(string) {}
	e, err := Masks(t.Context(), pred, ref, Options{Axis: 2, Note: quiet, Warn: quiet})
	if err != nil || len(e.Classes) != 2 || e.Classes[0].Name != "liver" || e.Classes[0].Dice3D.Value != 0 || e.Classes[1].Dice3D.Value != 0 {
		t.Errorf("%+v, %v", e.Classes, err)
	}
}
