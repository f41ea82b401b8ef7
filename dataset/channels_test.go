package dataset

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/volume"
)

// image writes an image of value(i) at the i-th voxel.
func valuesImage(t *testing.T, g volume.Grid, value func(i int) float32, path ...string) {
	t.Helper()
	v := &volume.Volume{Grid: g, Data: make([]float32, g.Len()), Stored: "float32"}
	for i := range v.Data {
		v.Data[i] = value(i)
	}
	if err := volume.WriteVolume(create(t, path...), v); err != nil {
		t.Fatal(err)
	}
}

// Two channels become the two halves of each image, each normalised by itself, in the order that was asked for.
func TestUseChannels(t *testing.T) {
	dir := t.TempDir()
	square := func(i int) float32 { return float32(i * i) }
	for _, name := range []string{"a", "b"} {
		writeImage(t, grid(), 5, dir, "imagesTr", name+"_0000.nii.gz")
		valuesImage(t, grid(), square, dir, "imagesTr", name+"_0001.nii.gz")
	}
	writeText(t, `{"channel_names": {"0": "T2", "1": "ADC"}, "labels": {"background": 0, "x": 1}}`, dir, "dataset.json")
	one := func(channel int) [][]float32 {
		d := open(t, dir)
		if err := d.UseChannel(channel); err != nil {
			t.Fatal(err)
		}
		return load(t, d)
	}
	t2, adc := one(0), one(1)
	for selection, want := range map[string][2][][]float32{"all": {t2, adc}, "0,1": {t2, adc}, "adc,T2": {adc, t2}} {
		d := open(t, dir)
		if err := d.UseChannels(strings.Split(selection, ","), false); err != nil {
			t.Fatal(err)
		}
		for i, image := range load(t, d) {
			if !slices.Equal(image, slices.Concat(want[0][i], want[1][i])) {
				t.Errorf("%s: image %d is not its two channels one after the other", selection, i)
			}
		}
		if len(d.Problems) > 0 && strings.Contains(fmt.Sprint(d.Problems), oneIsRead) {
			t.Errorf("%s: %v", selection, d.Problems)
		}
	}
	d := open(t, dir)
	if err := d.UseChannels([]string{"ADC"}, false); err != nil || len(d.Channels) != 1 || !slices.Equal(load(t, d)[0], adc[0]) {
		t.Errorf("ADC alone: %v, %v", d.Channels, err)
	}
	for selection, want := range map[string]string{
		"2": "2 channels (T2, ADC)", "DWI": `no channel "DWI"`, "0,T2": "listed twice", "-1": `no channel "-1"`, "": `no channel ""`, "all,0": `no channel "all"`,
	} {
		if err := open(t, dir).UseChannels(strings.Split(selection, ","), false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", selection, err, want)
		}
	}
}

func load(t *testing.T, d *Dataset) [][]float32 {
	t.Helper()
	var all []int
	for i := range d.Cases {
		all = append(all, i)
	}
	s, err := Load(t.Context(), d, all, d.Preprocess(2), nil)
	if err != nil {
		t.Fatal(err)
	}
	return s.Images
}

// Cases of which a channel is missing or lies elsewhere are left out and named; those that can be reordered are taken.
func TestUseChannelsOnOtherGrids(t *testing.T) {
	turned, larger, coarse, shifted, small := grid(), grid(), grid(), grid(), grid()
	turned.Affine = [3][4]float64{{0.6, 0, 0, 10 - 4*0.6}, {0, -0.6, 0, 20}, {0, 0, 3.6, -30}} // i runs the other way
	larger.Size[2], larger.Affine[2][3] = 5, -30-3.6
	coarse.Size, coarse.Affine[0][0], coarse.Affine[1][1] = volume.Size{3, 2, 3}, -1.2, -1.2
	shifted.Affine[0][3] += 0.3
	small.Size[0] = 4
	dir := t.TempDir()
	column := func(i int) float32 { return float32(i % 5) }
	for name, g := range map[string]volume.Grid{"same": grid(), "turned": turned, "larger": larger, "coarse": coarse, "shifted": shifted, "small": small} {
		writeImage(t, grid(), 0, dir, "imagesTr", name+"_0000.nii.gz")
		valuesImage(t, g, func(i int) float32 {
			if name == "larger" { // slice 0 is one that the case does not have
				return float32(i - 20)
			}
			return column(i)
		}, dir, "imagesTr", name+"_0001.nii.gz")
	}
	writeImage(t, grid(), 0, dir, "imagesTr", "missing_0000.nii.gz")
	d := open(t, dir)
	if err := d.UseChannels([]string{AllChannels}, false); err != nil {
		t.Fatal(err)
	}
	var kept []string
	for i, c := range d.Cases {
		kept = append(kept, c.ID)
		images, err := d.Images(i)
		if err != nil || len(images) != 2 || images[1].Grid != c.Grid {
			t.Fatalf("%s: %d images, %v", c.ID, len(images), err)
		}
		for n, x := range images[1].Data {
			want := map[string]float32{"same": column(n), "turned": 4 - column(n), "larger": float32(n)}[c.ID]
			if x != want {
				t.Fatalf("%s: voxel %d: got %v, want %v", c.ID, n, x, want)
			}
		}
	}
	if !slices.Equal(kept, []string{"larger", "same", "turned"}) {
		t.Errorf("kept %v", kept)
	}
	for id, want := range map[string]string{
		"missing": "no channel 1: there is no file", "coarse": "another grid", "shifted": "do not coincide", "small": "only a part",
	} {
		if !slices.ContainsFunc(d.Problems, func(p Problem) bool { return p.Case == id && p.LeftOut && strings.Contains(p.Text, want) }) {
			t.Errorf("%s: want a problem %q among %v", id, want, d.Problems)
		}
	}

	d = open(t, dir)
	if err := d.UseChannels([]string{"0", "1"}, true); err != nil || len(d.Cases) != 6 {
		t.Fatalf("resampled: %d cases, %v", len(d.Cases), err)
	}
	images, err := d.Images(d.Index("shifted"))
	if err != nil {
		t.Fatal(err)
	}
	// World x falls along i: half a voxel to the side is half a column, at the edge the edge's value.
	for n, x := range images[1].Data {
		if want := min(column(n)+0.5, 4); max(x-want, want-x) > 1e-5 {
			t.Fatalf("shifted: voxel %d: got %v, want %v", n, x, want)
		}
	}
}

// Elsewhere files are channels of one case where all images are named so.
func TestUseChannelsOfPlainFolder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a_0000", "a_0001", "b_0000", "b_0001"} {
		writeImage(t, grid(), 0, dir, name+".nii.gz")
	}
	d := open(t, dir)
	if len(d.Cases) != 4 {
		t.Fatalf("%d cases without a choice of channels", len(d.Cases))
	}
	if err := d.UseChannels([]string{AllChannels}, false); err != nil || len(d.Cases) != 2 || d.Cases[0].ID != "a" || len(d.Channels) != 2 {
		t.Errorf("%+v, %v", d.Cases, err)
	}
}
