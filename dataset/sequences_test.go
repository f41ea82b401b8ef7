package dataset

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/volume/dicom"
)

// edit replaces bytes in all files of a folder whose names begin so; each must have them.
func edit(t *testing.T, pattern, old, new string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v", pattern, err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(data, []byte(old)) || len(old) != len(new) {
			t.Fatalf("%s: %v, %q", path, err, old)
		}
		if err := os.WriteFile(path, bytes.ReplaceAll(data, []byte(old), []byte(new)), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// Two series of a DICOM case are its channels, by folder or by description; the coarser one is brought to the grid of the first as ITK does
// it, and masks lie on the first, whatever the order of their segments.
func TestSequences(t *testing.T) {
	dir := unpack(t, "sequences.zip")
	var want map[string]struct {
		T2       float64
		ADC      [][4]float64 // column, row, slice, value
		Segments map[string][][3]int
	}
	text, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err == nil {
		err = json.Unmarshal(text, &want)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, selection := range [][]string{{"all"}, {"adc", "T2"}} {
		d := open(t, dir)
		if ids(d) != "p1* p2* p3* p4* p5* p6* p7*" || !slices.Equal(d.Classes, []string{"background", "prostate", "lesion"}) || len(d.Problems) != 1 || !d.Problems[0].OneIsRead() {
			t.Fatalf("cases %s, classes %q, problems %v", ids(d), d.Classes, d.Problems)
		}
		if err := d.UseChannels(selection, true); err != nil {
			t.Fatal(err)
		}
		wantProblem(t, d.Problems, "p6", true, "no channel ADC: its folder holds MR \"series 6\"", "folder "+filepath.Join("p6", "ADC"))
		wantProblem(t, d.Problems, "p7", true, "channel ADC", "another frame of reference", "register")
		if ids(d) != "p1* p2* p3* p4* p5*" || len(d.Problems) != 2 {
			t.Fatalf("cases %s, problems %v", ids(d), d.Problems)
		}
		t2, adc := 0, 1
		if len(selection) == 2 {
			t2, adc = 1, 0
		}
		for i, c := range d.Cases {
			images, err := d.Images(i)
			if err != nil || len(images) != 2 || images[adc].Grid != c.Grid || images[t2].Grid != c.Grid {
				t.Fatalf("%s: %d images, %v", c.ID, len(images), err)
			}
			sum := 0.0
			for _, v := range images[t2].Data {
				sum += float64(v)
			}
			if sum != want[c.ID].T2 {
				t.Errorf("%s: the sum of T2 is %v, want %v", c.ID, sum, want[c.ID].T2)
			}
			for _, v := range want[c.ID].ADC {
				at := int(v[0]) + c.Grid.Size[0]*(int(v[1])+c.Grid.Size[1]*int(v[2]))
				if got := float64(images[adc].Data[at]); math.Abs(got-v[3]) > 2e-3 {
					t.Errorf("%s: ADC at %v is %v, want %v", c.ID, v[:3], got, v[3])
				}
			}
			m, err := d.Reference(i)
			if err != nil {
				t.Fatal(err)
			}
			expected := make([]uint8, m.Len())
			for class, name := range d.Classes[1:] {
				for _, at := range want[c.ID].Segments[name] {
					expected[at[0]+m.Size[0]*(at[1]+m.Size[1]*at[2])] = uint8(class + 1)
				}
			}
			if !slices.Equal(m.Data, expected) {
				t.Errorf("%s: the mask is another one", c.ID)
			}
			series, err := d.Series(i)
			if err != nil || series.Grid != c.Grid {
				t.Errorf("%s: the series of the mask: %v", c.ID, err)
			}
		}
	}

	d := open(t, dir) // one alone, on the grid of the first
	if err := d.Choose(1, nil, true); err != nil || ids(d) != "p1* p2* p3* p4* p5*" {
		t.Fatalf("channel 1: %s, %v", ids(d), err)
	}
	v, err := d.Image(0)
	if err != nil || v.Grid != d.Cases[0].Grid || math.Abs(float64(v.Data[int(want["p1"].ADC[0][0])+24*(int(want["p1"].ADC[0][1])+20*int(want["p1"].ADC[0][2]))])-want["p1"].ADC[0][3]) > 2e-3 {
		t.Errorf("channel 1: %v", err)
	}
	d = open(t, dir)
	if err := d.UseChannels([]string{"all"}, false); err == nil || !strings.Contains(err.Error(), "p1: channel ADC: it lies on another grid") {
		t.Errorf("not resampled: %v", err)
	}
	if err := d.Choose(2, nil, true); err == nil || !strings.Contains(err.Error(), "no channel 2: dataset.json names 2") {
		t.Errorf("channel 2: %v", err)
	}
	if d, err = OpenWith(t.Context(), dir, OpenOptions{Channels: []string{"other"}}); err != nil || !slices.Equal(d.channelNames, []string{"T2", "ADC"}) {
		t.Errorf("names of a model beside those of dataset.json: %v, %v", d.channelNames, err)
	}
}

// What the headers do not tell apart, or tell to be of another patient, is refused by name.
func TestSequencesInDoubt(t *testing.T) {
	for name, test := range map[string]struct {
		change  func(dir string)
		leftOut bool
		want    string
		options OpenOptions
	}{
		"no names": {func(dir string) { os.Remove(filepath.Join(dir, "dataset.json")) }, true,
			"2 series, choose one: MR \"t2_tse_tra\"", OpenOptions{}},
		"names of a model": {func(dir string) { os.Remove(filepath.Join(dir, "dataset.json")) }, false, "", OpenOptions{Channels: []string{"T2", "ADC"}}},
		"two of one name": {func(dir string) {
			edit(t, dir+"/p1/7-*.dcm", "ep2d_diff_tra_DYNDIST_ADC ", "t2_tse_cor+t2_tse_tra-adc ")
		}, true, "can be it", OpenOptions{}},
		"one for two names": {func(dir string) {
			edit(t, dir+"/p1/3-*.dcm", "t2_tse_tra", "t2,adc_t2w")
			edit(t, dir+"/p1/7-*.dcm", "ep2d_diff_tra_DYNDIST_ADC ", "ep2d_diff_tra_DYNDIST_xxx ")
		}, true, "can be another channel too", OpenOptions{}},
		"another patient": {func(dir string) { edit(t, dir+"/p1/7-*.dcm", "LO\x02\x00S1", "LO\x02\x00S5") }, true, "channel ADC: it is of another patient", OpenOptions{}},
		"no frame of reference": {func(dir string) {
			edit(t, dir+"/p1/7-*.dcm", "1.2.826.0.1.3680043.10.30.1.99", strings.Repeat("\x00", 30))
		}, false, "the headers of T2 and ADC do not both name a frame of reference", OpenOptions{}},
		"a file is cut short": {func(dir string) {
			if err := os.Truncate(filepath.Join(dir, "p1", "7-2.dcm"), 1100); err != nil {
				t.Fatal(err)
			}
		}, true, "7-2.dcm cannot be read", OpenOptions{}},
		"words, not letters": {func(dir string) { edit(t, dir+"/p1/7-*.dcm", "DYNDIST_ADC ", "DYNDIST_ADCx") }, true, "it has no channel ADC", OpenOptions{}},
		"only the second": {func(dir string) {
			for _, k := range "12345" {
				os.Remove(filepath.Join(dir, "p1", "3-"+string(k)+".dcm"))
			}
		}, true, "it has no channel T2", OpenOptions{}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := unpack(t, "sequences.zip")
			for _, other := range []string{"p2", "p3", "p4", "p6", "p7"} { // p5 stays
				if err := os.RemoveAll(filepath.Join(dir, other)); err != nil {
					t.Fatal(err)
				}
			}
			test.change(dir)
			d, err := OpenWith(t.Context(), dir, test.options)
			if err == nil {
				err = d.UseChannels([]string{"all"}, true)
			}
			switch {
			case name == "no names":
				if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "name them in dataset.json (channel_names)") {
					t.Errorf("%v", err)
				}
				return
			case err != nil:
				t.Fatal(err)
			}
			if (d.Index("p1") < 0) != test.leftOut || d.Index("p5") < 0 {
				t.Errorf("cases %s", ids(d))
			}
			if test.want != "" {
				wantProblem(t, d.Problems, "p1", test.leftOut, test.want)
			}
		})
	}

	// Folders as nnU-Net would call them: the same two rules of place.
	dir := unpack(t, "sequences.zip")
	for from, to := range map[string]string{"p2/T2": "images/a_0000", "p2/ADC": "images/a_0001", "p4/T2": "images/b_0000", "p4/ADC": "images/b_0001"} {
		os.MkdirAll(filepath.Join(dir, "images"), 0o777)
		if err := os.Rename(filepath.Join(dir, filepath.FromSlash(from)), filepath.Join(dir, filepath.FromSlash(to))); err != nil {
			t.Fatal(err)
		}
	}
	os.Rename(filepath.Join(dir, "labels", "p2.dcm"), filepath.Join(dir, "labels", "a.dcm"))
	edit(t, dir+"/images/b_0001/*.dcm", "1.2.826.0.1.3680043.10.30.4.99", "1.2.826.0.1.3680043.10.30.4.98")
	d := open(t, dir)
	if err := d.UseChannels([]string{"T2", "ADC"}, true); err != nil {
		t.Fatal(err)
	}
	wantProblem(t, d.Problems, "b", true, "another frame of reference")
	if m, err := d.Reference(0); ids(d) != "a*" || err != nil || slices.Max(m.Data) != 2 {
		t.Errorf("cases %s, %v, %v", ids(d), err, d.Problems)
	}
	if images, err := d.Images(0); err != nil || len(images) != 2 || slices.Equal(images[0].Data, images[1].Data) {
		t.Errorf("images: %v", err)
	}
	if err := SamePlace(nil, &dicom.Series{Frame: "1.2"}); err != nil {
		t.Errorf("a file has no frame: %v", err)
	}
}
