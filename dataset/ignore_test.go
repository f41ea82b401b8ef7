package dataset

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/volume"
)

// ignoreCases writes a case of 5 x 4 x 3 voxels: its slice 0 holds class 1 and a value to ignore, slice 1 is ignored throughout, slice 2
// is background. labels go into a dataset.json, unless they are empty.
func ignoreCases(t *testing.T, value uint8, labels string) string {
	dir := t.TempDir()
	values := slices.Concat([]uint8{0, 1, value}, make([]uint8, 17), slices.Repeat([]uint8{value}, 20))
	writeImage(t, grid(), 0, dir, "imagesTr", "a_0000.nii.gz")
	writeMask(t, grid(), values, dir, "labelsTr", "a.nii.gz")
	if labels != "" {
		writeText(t, `{"labels": `+labels+`, "channel_names": {"0": "T2"}, "numTraining": 1, "file_ending": ".nii.gz"}`, dir, "dataset.json")
	}
	return dir
}

func TestIgnore(t *testing.T) {
	for _, c := range []struct {
		value  uint8
		labels string
		flag   int
	}{
		{2, `{"background": 0, "gland": 1, "ignore": 2}`, 0},
		{2, `{"background": 0, "gland": 1, "ignore": 2}`, 2},
		{2, `{"background": 0, "gland": 1, "unsure": 2}`, 2},
		{4, `{"background": 0, "gland": 1, "unsure": 4}`, 4},
		{255, `{"background": 0, "gland": 1, "ignore": 255}`, 0},
		{7, "", 7},
		{255, "", 255},
	} {
		d, err := OpenWith(t.Context(), ignoreCases(t, c.value, c.labels), OpenOptions{Ignore: c.flag})
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Classes) != 2 || d.Ignore != c.value || len(d.Problems) > 0 {
			t.Fatalf("%+v: classes %v, ignore %d, problems %v", c, d.Classes, d.Ignore, d.Problems)
		}
		p := d.Preprocess(2)
		p.Height, p.Width = 6, 8
		s, err := Load(t.Context(), d, []int{0}, p, nil)
		if err != nil {
			t.Fatal(err)
		}
		if s.Labels[0] == nil || s.Labels[1] != nil || s.Labels[2] == nil {
			t.Errorf("%+v: want no mask of the slice that is ignored throughout, and those of the others", c)
		}
		counts := map[uint8]int{}
		for _, v := range s.Labels[0] {
			counts[v]++
		}
		if counts[1] != 1 || counts[volume.Ignored] != 1 || counts[0] != 46 {
			t.Errorf("%+v: values of slice 0 on the canvas: %v", c, counts)
		}
		if with := s.Labelled(); strings.Join(with.Names, " ") != "a/000 a/002" || len(with.Images) != 2 || len(with.Labels) != 2 {
			t.Errorf("%+v: labelled items %v", c, with.Names)
		}

		r, err := Inspect(t.Context(), d, nil, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		last := r.Cases[0].Labels[len(r.Cases[0].Labels)-1]
		if want := (LabelCount{Value: int(c.value), Class: "ignore", Voxels: 21}); last != want || r.Cases[0].Foreground != 1 || len(r.Problems) > 0 {
			t.Errorf("%+v: inspect counts %+v, %d slices with foreground, problems %v", c, last, r.Cases[0].Foreground, r.Problems)
		}
		var text strings.Builder
		r.WriteText(&text)
		lines := strings.Split(text.String(), "\n")
		if f := strings.Fields(lines[3]); !strings.HasSuffix(lines[2], "ignored") || strings.Join(f[len(f)-3:], " ") != "1 1 21" {
			t.Errorf("%+v: inspect writes\n%s", c, text.String())
		}
	}
}

// What cannot be meant is refused, and 255 is no secret word.
func TestIgnoreRefused(t *testing.T) {
	for _, c := range []struct {
		value  uint8
		labels string
		flag   int
		want   string
	}{
		{2, `{"background": 0, "gland": 1, "cyst": 2}`, 1, `1 is below the value of a class, "cyst" (2)`},
		{2, `{"background": 0, "gland": 1, "ignore": 2}`, 3, "dataset.json says 2, not 3"},
		{2, "", 256, "want a label value from 1 to 255"},
		{255, "", 7, "label value 255 has no class"},
	} {
		_, err := OpenWith(t.Context(), ignoreCases(t, c.value, c.labels), OpenOptions{Ignore: c.flag})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v", c, err)
		}
	}
	// A value that leaves a gap is a class, and is said to be one; it is not ignored.
	d := open(t, ignoreCases(t, 255, ""))
	if problems := fmt.Sprint(d.Problems); d.Ignore != 0 || len(d.Classes) != 3 || !strings.Contains(problems, "label values with gaps") {
		t.Errorf("255 without a name: ignore %d, classes %v, %s", d.Ignore, d.Classes, problems)
	}
	d, err := OpenWith(t.Context(), ignoreCases(t, 5, `{"background": 0, "gland": 1, "cyst": 4, "ignore": 5}`), OpenOptions{Ignore: Learn})
	if err != nil || strings.Join(d.Classes, " ") != "background gland cyst ignore" || d.Ignore != 0 {
		t.Errorf("an ignored value that is learned, after a gap: %v, %v", d, err)
	}
	d = open(t, ignoreCases(t, 255, `{"background": 0, "gland": 1, "ignore": 7}`))
	if _, err := d.Reference(0); err == nil || !strings.Contains(err.Error(), "label value 255 has no class") {
		t.Errorf("255 where 7 is ignored: got %v", err)
	}
	d = open(t, ignoreCases(t, 255, `{"background": 0, "gland": 1}`))
	if _, err := d.Reference(0); err == nil || !strings.Contains(err.Error(), "label value 255 has no class") {
		t.Errorf("255 where nothing is ignored: got %v", err)
	}
}

// Segments called ignore, unsure, void or not labelled are voxels to ignore, also where they overlap a class; a class of that name in dataset.json, and
// Learn, make them classes.
func TestIgnoreByName(t *testing.T) {
	for _, name := range []string{"ignore", " Unsure", "VOID", "not labelled"} {
		dir := t.TempDir()
		named(t, dir, "a", []string{"gland", name}, []uint8{1, 2})
		named(t, dir, "b", []string{name, "gland"}, []uint8{1, 2})
		named(t, dir, "c", []string{"gland"}, []uint8{1})
		d := open(t, dir)
		if !slices.Equal(d.Classes, []string{"background", "gland"}) || d.Ignore != volume.Ignored || len(d.Problems) > 0 {
			t.Fatalf("%s: classes %q, ignored %d, problems %v", name, d.Classes, d.Ignore, d.Problems)
		}
		for id, want := range map[string][2]int{"a": {1, 2}, "b": {2, 1}, "c": {1, 0}} {
			m, err := d.Reference(d.Index(id))
			if err != nil {
				t.Fatal(err)
			}
			var got [2]int
			for _, v := range m.Data {
				switch v {
				case 1:
					got[0]++
				case volume.Ignored:
					got[1]++
				}
			}
			if got != want {
				t.Errorf("%s: case %s: gland and ignored are %v, want %v", name, id, got, want)
			}
		}
		learnt, err := OpenWith(t.Context(), dir, OpenOptions{Ignore: Learn})
		if err != nil || len(learnt.Classes) != 3 || learnt.Ignore != 0 {
			t.Errorf("%s: learnt: classes %q, ignored %d, %v", name, learnt.Classes, learnt.Ignore, err)
		}
		writeText(t, `{"labels": {"background": 0, "gland": 1, "`+strings.TrimSpace(strings.ToLower(name))+`": 2}}`, dir, "dataset.json")
		d = open(t, dir)
		if name != "ignore" { // named as a class; of "ignore" the file itself says that it is none
			if len(d.Classes) != 3 || d.Ignore != 0 {
				t.Errorf("%s: a class by dataset.json: %q, ignored %d", name, d.Classes, d.Ignore)
			}
		} else if len(d.Classes) != 2 || d.Ignore != 2 || len(d.Problems) > 0 {
			t.Errorf("%s: by dataset.json: %q, ignored %d, %v", name, d.Classes, d.Ignore, d.Problems)
		}
	}
	s := &volume.Segmentation{Grid: volume.Grid{Size: [3]int{3, 1, 1}}, Layers: [][]uint8{{1, 1, 0}, {0, 1, 1}},
		Segments: []volume.Segment{{Name: "gland", Value: 1}, {Name: "unsure", Value: 1, Layer: 1}}}
	c := Case{ignore: volume.Ignored}
	if m, err := c.maskOf(s, []string{"background", "gland"}); err != nil || !slices.Equal(m.Data, []uint8{1, volume.Ignored, volume.Ignored}) {
		t.Errorf("overlap: %v, %v", m, err)
	}
}
