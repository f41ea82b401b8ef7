package dataset

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/volume"
)

func threeCases(t *testing.T) *Dataset {
	dir := t.TempDir()
	for i, id := range []string{"a", "b", "c"} {
		g := grid()
		g.Size[2] += i
		writeImage(t, g, float32(100*i), dir, "images", id+".nii.gz")
		if id != "b" {
			writeMask(t, g, []uint8{0, uint8(i + 1)}, dir, "labels", id+".nii.gz")
		}
	}
	writeMask(t, grid(), []uint8{0, 1, 2, 3}, dir, "labels/a.nii.gz")
	return open(t, dir)
}

func TestLoad(t *testing.T) {
	d := threeCases(t)
	c := d.Preprocess(2)
	c.ClipLow, c.ClipHigh = 0, 100
	var seen []int
	s, err := Load(t.Context(), d, []int{2, 0, 1}, c, func(done, total int) { seen = append(seen, done, total) })
	if err != nil {
		t.Fatal(err)
	}
	want := "c/000 c/001 c/002 c/003 c/004 a/000 a/001 a/002 b/000 b/001 b/002 b/003"
	if got := strings.Join(s.Names, " "); got != want {
		t.Errorf("items %s, want %s", got, want)
	}
	if !slices.Equal(seen, []int{1, 3, 2, 3, 3, 3}) {
		t.Errorf("progress %v", seen)
	}
	for i, item := range s.Items {
		if d.ItemName(item) != s.Names[i] {
			t.Errorf("item %v, name %s", item, s.Names[i])
		}
		if (s.Labels[i] != nil) != (d.Cases[item.Case].Label != "") {
			t.Errorf("%s: labels %v", s.Names[i], s.Labels[i])
		}
	}
	for index, want := range [][2]int{{5, 3}, {8, 4}, {0, 5}} {
		if first, n := s.Range(index); first != want[0] || n != want[1] {
			t.Errorf("case %d: items %d + %d, want %v", index, first, n, want)
		}
	}

	// Case a counts from 0 to 59, so its slice 1 runs from 20 to 39, of mean 29.5 and variance (60² - 1)/12.
	std := math.Sqrt((60*60 - 1) / 12.)
	top, left := (c.Height-4)/2, (c.Width-5)/2
	image := s.Images[6]
	for y := range 4 {
		for x := range 5 {
			want := (float64(20+5*y+x) - 29.5) / std
			if got := float64(image[(top+y)*c.Width+left+x]); math.Abs(got-want) > 1e-6 {
				t.Fatalf("pixel (%d, %d): got %v, want %v", y, x, got, want)
			}
		}
	}
	if got := s.Labels[5][top*c.Width+left:][:5]; !slices.Equal(got, []uint8{0, 1, 2, 3, 0}) {
		t.Errorf("labels %v", got)
	}
}

// The last step of the arrow: the labels of a case, taken through the canvas and back, are its reference.
func TestLoadedLabelsGiveTheReferenceBack(t *testing.T) {
	d := threeCases(t)
	for axis := range 3 {
		c := d.Preprocess(axis)
		s, err := Load(t.Context(), d, []int{0, 2}, c, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, index := range []int{0, 2} {
			ref, err := d.Reference(index)
			if err != nil {
				t.Fatal(err)
			}
			back := &volume.Mask{Grid: d.Cases[index].Grid, Data: make([]uint8, len(ref.Data))}
			first, n := s.Range(index)
			h, w := c.SliceSize(back.Grid)
			slice, probs := make([]uint8, h*w), make([]float32, h*w*4)
			for k := range n {
				canvas := make([]float32, c.Height*c.Width*4)
				for i, class := range s.Labels[first+k] {
					canvas[4*i+int(class)] = 1
				}
				c.Back(canvas, 4, back.Grid, k, probs)
				preprocess.Argmax(slice, probs, 4)
				back.SetSlice(c.Axis, k, slice)
			}
			if !slices.Equal(back.Data, ref.Data) {
				t.Errorf("axis %d, case %d: not the same", axis, index)
			}
		}
	}
}

// Faults that only the voxels show, of every kind, leave their case out and let the others be.
func TestLoadLeavesOutBadCases(t *testing.T) {
	faults := map[string]func(*testing.T, *Dataset){
		"all 60 voxels are NaN": func(t *testing.T, d *Dataset) {
			v, err := volume.Read(d.Cases[0].Image)
			if err != nil {
				t.Fatal(err)
			}
			for i := range v.Data {
				v.Data[i] = float32(math.NaN())
			}
			if err := volume.WriteVolume(d.Cases[0].Image, v); err != nil {
				t.Fatal(err)
			}
		},
		"a.nii.gz: label value 200 has no class": func(t *testing.T, d *Dataset) { writeMask(t, d.Cases[0].Grid, []uint8{0, 200}, d.Cases[0].Label) },
		"the image has 5 x 4 x 3 voxels, its mask 5 x 4 x 4": func(t *testing.T, d *Dataset) {
			g := d.Cases[0].Grid
			g.Size[2]++
			writeMask(t, g, []uint8{0, 1}, d.Cases[0].Label)
		},
		"has changed since": func(t *testing.T, d *Dataset) {
			g := d.Cases[0].Grid
			g.Size[2]++
			writeImage(t, g, 0, d.Cases[0].Image)
		},
		"images/a.nii.gz": func(t *testing.T, d *Dataset) { cut(t, d.Cases[0].Image) },
		"labels/a.nii.gz": func(t *testing.T, d *Dataset) { cut(t, d.Cases[0].Label) },
		"no such file":    func(t *testing.T, d *Dataset) { os.Remove(d.Cases[0].Image) },
	}
	for words, spoil := range faults {
		d := threeCases(t)
		spoil(t, d)
		s, err := Load(t.Context(), d, []int{1, 0, 2}, d.Preprocess(2), nil)
		if err != nil {
			t.Errorf("%s: %v", words, err)
			continue
		}
		if len(s.LeftOut) != 1 || s.LeftOut[0].Case != "a" || !s.LeftOut[0].LeftOut || !strings.Contains(s.LeftOut[0].Text, words) ||
			!strings.Contains(s.LeftOut[0].Text, "s/a.nii.gz") || strings.Contains(s.LeftOut[0].Text, d.Dir) || strings.Contains(s.LeftOut[0].Text, "\n") {
			t.Errorf("%s: %q", words, s.LeftOut)
		}
		want := "b/000 b/001 b/002 b/003 c/000 c/001 c/002 c/003 c/004"
		if got := strings.Join(s.Names, " "); got != want || len(s.Items) != 9 || len(s.Images) != 9 || len(s.Labels) != 9 {
			t.Errorf("%s: items %s, want %s", words, got, want)
		}
		if first, n := s.Range(2); first != 4 || n != 5 || s.Labels[4] == nil || s.Labels[3] != nil {
			t.Errorf("%s: case c is at %d, %d", words, first, n)
		}
		_, err = Load(t.Context(), d, []int{0}, d.Preprocess(2), nil)
		if err == nil || !strings.Contains(err.Error(), "no case of 1 can be used; a: ") || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: no case is left: %v", words, err)
		}
	}
	d := threeCases(t)
	if _, err := Load(t.Context(), d, []int{1}, preprocess.Config{}, nil); err == nil {
		t.Error("a configuration that means nothing must be refused")
	}
}

// cut takes the end of a file away.
func cut(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, data[:len(data)/2], 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestLoadIsCancelled(t *testing.T) {
	d := threeCases(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Load(ctx, d, []int{0, 1, 2, 0, 1, 2, 0, 1, 2}, d.Preprocess(2), func(done, total int) {
		cancel()
		if done > 2 {
			t.Errorf("case %d was still read", done)
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestLoadRealCases(t *testing.T) {
	d := open(t, shared(t, "promise12"))
	index := d.Index("Case13")
	c := d.Preprocess(-1)
	s, err := Load(t.Context(), d, []int{index, d.Index("Case25")}, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Items) != 15+18 || s.Names[14] != "Case13/014" {
		t.Errorf("%d items, the 15th is %s", len(s.Items), s.Names[14])
	}
	// 160 × 160 pixels on 128 × 128: the prostate must keep its part of the image.
	ref, err := d.Reference(index)
	if err != nil {
		t.Fatal(err)
	}
	share := func(labels []uint8) float64 {
		n := 0
		for _, v := range labels {
			n += int(v)
		}
		return float64(n) / float64(len(labels))
	}
	own, canvas := share(ref.Data), share(slices.Concat(s.Labels[:15]...))
	if own < 0.005 || math.Abs(canvas/own-1) > 0.02 {
		t.Errorf("share of the prostate: %v on the case's grid, %v on the canvas", own, canvas)
	}
	if filepath.Base(d.Cases[index].Label) != "Case13_segmentation.mhd" {
		t.Error(d.Cases[index].Label)
	}
}

// NaN outside the body does not keep a case from being loaded: it is counted, and it changes nothing else.
func TestLoadNaN(t *testing.T) {
	d := threeCases(t)
	v, err := volume.Read(d.Cases[0].Image)
	if err != nil {
		t.Fatal(err)
	}
	v.Data[3], v.Data[7] = float32(math.NaN()), float32(math.Inf(1))
	if err := volume.WriteVolume(d.Cases[0].Image, v); err != nil {
		t.Fatal(err)
	}
	s, err := Load(t.Context(), d, []int{0, 1}, d.Preprocess(2), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "a: 2 voxels are NaN or infinite") {
		t.Errorf("warnings %q", s.Warnings)
	}
	for i, slice := range s.Images {
		for _, x := range slice {
			if x-x != 0 {
				t.Fatalf("%s holds %v", s.Names[i], x)
			}
		}
	}

	value := 50.0
	c := d.Preprocess(2)
	c.NaN = &value
	read, err := Load(t.Context(), d, []int{0, 1}, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(read.Warnings) != 1 || !strings.Contains(read.Warnings[0], "a: 2 voxels are NaN or infinite: they are read as 50") {
		t.Errorf("warnings %q", read.Warnings)
	}
	v.Data[3], v.Data[7] = 50, 50
	if err := volume.WriteVolume(d.Cases[0].Image, v); err != nil {
		t.Fatal(err)
	}
	written, err := Load(t.Context(), d, []int{0, 1}, d.Preprocess(2), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range written.Images {
		if !slices.Equal(read.Images[i], written.Images[i]) {
			t.Errorf("%s: NaN read as 50 is not what 50 gives", read.Names[i])
		}
	}
}
