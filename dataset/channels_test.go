package dataset

import (
	"fmt"
	"os"
	"path/filepath"
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

// In a folder of any layout whose images are all called X_0000, X_0001 … these are channels of one case, whether one is read or several.
func TestChannelsOfAnyFolder(t *testing.T) {
	numbers := func(x string, n int) (files []string) {
		for i := range n {
			files = append(files, fmt.Sprintf("%s_%04d.nii", x, i))
		}
		return files
	}
	names := func(files ...string) string { return strings.ReplaceAll(strings.Join(files, " "), ".nii", "") }
	visits := []string{"p1_visit_0000.nii", "p1_visit_0001.nii", "p2-Visit_0000.nii"}
	named := []string{`{"channel_names": {"0": "T2", "1": "ADC", "2": "b0", "3": "b500", "4": "b1000"}}`}
	for name, test := range map[string]struct {
		images, masks []string
		layout, want  string
		told          string   // of one more channel
		json          []string // dataset.json
	}{
		"flat":             {[]string{"a_0000.nii", "a_0001.nii", "b_0000.nii", "b_0001.nii"}, nil, NNUNet, "a b", "2 images of further channels", nil},
		"one of several":   {[]string{"a_0000.nii", "a_0001.nii", "b_0000.nii"}, nil, NNUNet, "a b", "1 image of further channels", nil},
		"without first":    {[]string{"a_0000.nii", "a_0001.nii", "b_0001.nii"}, nil, NNUNet, "a", "b_0001: there is no first channel b_0000", nil},
		"a mask beside":    {[]string{"a_0000.nii", "a_0001.nii", "b_0000.nii"}, []string{"a_seg.nii"}, NNUNet, "a* b", "b: it has no mask", nil},
		"final":            {[]string{"a_0000.nii", "a_0001.nii"}, []string{"labels/final/a.nii"}, NNUNet, "a*", "1 image of further channels", nil},
		"images":           {[]string{"images/a_0000.nii", "images/a_0001.nii"}, nil, NNUNet, "a", "1 image of further channels", nil},
		"a mask of each":   {[]string{"a_0000.nii", "a_0001.nii"}, []string{"a_0000_seg.nii", "a_0001_seg.nii"}, Beside, "a_0000* a_0001*", "", nil},
		"its whole name":   {[]string{"images/a_0000.nii", "images/a_0001.nii"}, []string{"labels/a_0000.nii"}, Plain, "a_0000* a_0001", "", nil},
		"another beside":   {[]string{"a_0000.nii", "a_0001.nii", "b.nii"}, nil, ImagesOnly, "a_0000 a_0001 b", "", nil},
		"frames of two":    {append(numbers("f", mostChannels+1), "g_0000.nii"), nil, ImagesOnly, names(append(numbers("f", mostChannels+1), "g_0000.nii")...), "", nil},
		"one file of each": {[]string{"a_0000.nii", "b_0000.nii"}, nil, ImagesOnly, "a_0000 b_0000", "", nil},
		"patients":         {numbers("case", 5), nil, ImagesOnly, names(numbers("case", 5)...), "", nil},
		"patients' images": {[]string{"images/a_0000.nii", "images/a_0001.nii", "images/a_0002.nii", "images/a_0003.nii", "images/a_0004.nii"}, nil, Plain, names(numbers("a", 5)...), "", nil},
		"four of one":      {numbers("a", 4), nil, NNUNet, "a", "3 images of further channels", nil},
		"five with names":  {numbers("a", 5), nil, NNUNet, "a", "4 images of further channels", named},
		"six, five names":  {numbers("a", 6), nil, ImagesOnly, names(numbers("a", 6)...), "", named},
		"scans":            {numbers("scan", 2), nil, ImagesOnly, "scan_0000 scan_0001", "", nil},
		"visits":           {visits, nil, ImagesOnly, names(visits...), "2 cases are taken as those of 1 patient", nil},
		"endings of one":   {[]string{"a_ED_0000.nii", "a_ED_0001.nii"}, nil, NNUNet, "a_ED", "1 image of further channels", nil},
		"pictures":         {[]string{"a_0000.png", "a_0001.png", "b_0000.png"}, nil, ImagesOnly, "a_0000 a_0001 b_0000", "", nil},
		"a mask of one":    {[]string{"a_0000.nii", "a_0001.nii", "b_0000.nii", "b_0001.nii"}, []string{"a_0000_seg.nii"}, Beside, "a_0000* a_0001 b_0000 b_0001", "it has no mask", nil},
		"labels of one":    {[]string{"images/a_0000.nii", "images/a_0001.nii", "images/b_0000.nii"}, []string{"labels/a_0000_seg.nii"}, Plain, "a_0000* a_0001 b_0000", "", nil},
		"final of one":     {[]string{"a_0000.nii", "a_0001.nii", "b_0000.nii"}, []string{"labels/final/a_0000-label.nii"}, MONAILabel, "a_0000* a_0001 b_0000", "", nil},
	} {
		dir := t.TempDir()
		for n, image := range test.images {
			if strings.HasSuffix(image, ".png") {
				writePNG(t, []uint8{1, 2, 3}, 9, dir, image)
				continue
			}
			writeImage(t, grid(), float32(100*n), dir, image)
		}
		for _, json := range test.json {
			writeText(t, json, dir, "dataset.json")
		}
		for _, mask := range test.masks {
			writeMask(t, grid(), []uint8{1}, dir, mask)
		}
		d := open(t, dir)
		if d.Layout != test.layout || ids(d) != test.want {
			t.Errorf("%s: %s, cases %s, want %s", name, d.Layout, ids(d), test.want)
			continue
		}
		if told := fmt.Sprint(d.Problems); !strings.Contains(told, test.told) || test.told == "" && len(d.Problems) > 0 {
			t.Errorf("%s: told %s, want %q", name, told, test.told)
		}
		if test.layout != NNUNet {
			continue
		}
		if err := d.UseChannel(1); err != nil || len(d.Cases) == 0 || d.Cases[0].ID != strings.Fields(test.want)[0][:len(d.Cases[0].ID)] {
			t.Fatalf("%s: channel 1: %v, %v", name, ids(d), err)
		}
		if v, err := d.Image(0); err != nil || v.Data[0] != 100 {
			t.Errorf("%s: channel 1: %v", name, err)
		}
		d = open(t, dir)
		if err := d.UseChannels([]string{AllChannels}, false); err != nil || d.Cases[0].ID != strings.Fields(test.want)[0][:len(d.Cases[0].ID)] || len(d.Channels) < 2 {
			t.Errorf("%s: all channels: %s, %v", name, ids(d), err)
		}
	}
}

// Folders X_0000, X_0001 … with a DICOM series each are channels too.
func TestChannelsInFolders(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a_0000", "a_0001", "b_0000", "b_0001"} {
		if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(filepath.Join("..", "volume", "testdata", "ct"))); err != nil {
			t.Fatal(err)
		}
	}
	writeText(t, `{"channel_names": {"0": "T2", "1": "ADC"}}`, dir, "dataset.json")
	create(t, dir, "labels", "a.nii")
	g := open(t, dir).Cases[0].Grid
	writeMask(t, g, []uint8{1}, dir, "labels", "a.nii")
	d := open(t, dir)
	if ids(d) != "a* b" || d.Layout != NNUNet {
		t.Fatalf("%s: cases %s, problems %v", d.Layout, ids(d), d.Problems)
	}
	if err := d.UseChannels([]string{"ADC"}, false); err != nil || ids(d) != "a* b" || !strings.Contains(d.Reads(0), "a_0001") {
		t.Errorf("ADC: %v, %s", err, d.Reads(0))
	}
	d = open(t, dir)
	if err := d.UseChannel(1); err != nil || !strings.Contains(d.Reads(1), "b_0001") {
		t.Errorf("channel 1: %v, %s", err, d.Reads(1))
	}
}

// In nnU-Net's folder of images to segment the names of cases and the formats do not count.
func TestChannelsInImagesTs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "imagesTs")
	for n := range 5 {
		writePNG(t, []uint8{1, 2, 3}, 9, dir, fmt.Sprintf("p1_slice_%04d.png", n))
	}
	if d := open(t, dir); ids(d) != "p1_slice" || d.Layout != NNUNet {
		t.Errorf("%s: cases %s", d.Layout, ids(d))
	}
}

// Numbered folders of DICOM files are no channels where their PatientIDs differ.
func TestPatientsInNumberedFolders(t *testing.T) {
	from, dir := unpack(t, "rtstruct.zip"), t.TempDir()
	rename(t, filepath.Join(from, "a"), filepath.Join(dir, "case_0000"))
	rename(t, filepath.Join(from, "b"), filepath.Join(dir, "case_0001"))
	d := open(t, dir)
	if d.Layout != DICOM || !strings.HasPrefix(ids(d), "case_0000 case_0001") {
		t.Errorf("%s: cases %s", d.Layout, ids(d))
	}
	wantProblem(t, d.Problems, "", false, "2 folders (case_0000, case_0001): called as channels of one case, but of several patients")
}
