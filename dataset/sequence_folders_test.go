package dataset

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/volume"
)

// sequenceNames are the names of a data set's channels.
func (d *Dataset) sequenceNames() string { return strings.Join(d.channelNames, " ") }

// A folder that holds T2 and ADC of one patient is a case, and of two patients, two studies or two time points it is several.
func TestSequenceFolders(t *testing.T) {
	const study = " \x00\x0d\x00UI\x1c\x001.2.826.0.1.3680043.10.30."
	move := func(dir, from, to string) {
		t.Helper()
		to = filepath.Join(dir, to)
		os.MkdirAll(filepath.Dir(to), 0o777)
		if err := os.Rename(filepath.Join(dir, from), to); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		change             func(dir string) // of a folder with p2's T2, ADC and labels/p2.dcm
		cases, names, told string
	}{
		"one patient":      {func(string) {}, "one*", "T2 ADC", "are taken as sequences of 1 case"},
		"called by others": {func(dir string) { move(dir, "T2", "t2_tse_tra"); move(dir, "ADC", "DWI") }, "one*", "t2_tse_tra DWI", "are taken as sequences"},
		"dataset.json": {func(dir string) {
			move(dir, "T2", "fine")
			move(dir, "ADC", "coarse")
			os.WriteFile(filepath.Join(dir, "dataset.json"), []byte(`{"channel_names": {"0": "Fine", "1": "COARSE"}}`), 0o666)
		}, "one*", "Fine COARSE", ""},
		"overruled": {func(dir string) {
			os.WriteFile(filepath.Join(dir, "dataset.json"), []byte(`{"training": [{"image": "T2"}, {"image": "ADC"}]}`), 0o666)
		}, "ADC T2", "", ""},
		"other names":  {func(dir string) { move(dir, "ADC", "Miller") }, "Miller T2", "", ""},
		"two patients": {func(dir string) { edit(t, dir+"/ADC/*.dcm", "LO\x02\x00S2", "LO\x02\x00S5") }, "ADC T2", "", "are called as sequences, but are of several patients"},
		"two studies":  {func(dir string) { edit(t, dir+"/ADC/*.dcm", study+"2", study+"8") }, "ADC T2", "", "are called as sequences, but are of several studies"},
		"time points":  {func(dir string) { move(dir, "ADC", "T1") }, "one*", "T2 T1", "are taken as sequences"}, // the mask was drawn on T2
		"no PatientID": {func(dir string) {
			edit(t, dir+"/*/*.dcm", "LO\x02\x00S2", "LO\x02\x00  ")
		}, "one*", "T2 ADC", "are taken as sequences"},
		"no PatientID, time points": {func(dir string) {
			edit(t, dir+"/*/*.dcm", "LO\x02\x00S2", "LO\x02\x00  ")
			move(dir, "ADC", "T1")
		}, "T1 T2", "", "may be sequences of one patient, time points or cases"},
		"copies": {func(dir string) {
			os.RemoveAll(filepath.Join(dir, "ADC"))
			if err := os.CopyFS(filepath.Join(dir, "ADC"), os.DirFS(filepath.Join(dir, "T2"))); err != nil {
				t.Fatal(err)
			}
		}, "ADC T2", "", "hold one series"},
	} {
		t.Run(name, func(t *testing.T) {
			from := unpack(t, "sequences.zip")
			dir := filepath.Join(t.TempDir(), "one")
			move(filepath.Dir(from), "set/p2", "../"+filepath.Base(filepath.Dir(dir))+"/x")
			if err := os.Rename(filepath.Join(filepath.Dir(dir), "x"), dir); err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(filepath.Join(dir, "labels"), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(filepath.Join(from, "labels", "p2.dcm"), filepath.Join(dir, "labels", "one.dcm")); err != nil {
				t.Fatal(err)
			}
			test.change(dir)
			d := open(t, dir)
			if ids(d) != test.cases || d.sequenceNames() != test.names {
				t.Fatalf("cases %s of %q, problems %v", ids(d), d.sequenceNames(), d.Problems)
			}
			told := slices.ContainsFunc(d.Problems, func(p Problem) bool { return test.told != "" && strings.Contains(p.Text, test.told) })
			if test.told != "" && !told {
				t.Errorf("told %v, want %q", d.Problems, test.told)
			}
			if test.names == "" {
				return
			}
			if err := d.UseChannels(Selection{"all"}, true); err != nil {
				t.Fatal(err)
			}
			images, err := d.Images(0)
			if err != nil || len(images) != 2 || images[0].Grid != images[1].Grid || slices.Equal(images[0].Data, images[1].Data) {
				t.Errorf("%d images, %v", len(images), err)
			}
			if m, err := d.Reference(0); err != nil || slices.Max(m.Data) == 0 {
				t.Errorf("mask: %v", err)
			}
		})
	}
}

// The same with files: those of one name in the folders of the sequences are a case.
func TestSequenceFiles(t *testing.T) {
	for name, test := range map[string]struct {
		files, masks       []string
		json               string
		cases, names, told string
		leftOut            string // by UseChannels of all
	}{
		"one patient":  {files: []string{"T2/a.nii", "ADC/b.nii"}, masks: []string{"labels/set.nii"}, cases: "set*", names: "T2 ADC", told: "taken as sequences of 1 case"},
		"called so":    {files: []string{"T2/T2.nii", "ADC/adc.nii.gz"}, cases: "set", names: "T2 ADC", told: "taken as sequences of 1 case"},
		"two patients": {files: []string{"T2/p1.nii", "T2/p2.nii", "ADC/p1.nii", "ADC/p2.nii"}, masks: []string{"labels/p1.nii", "labels/p2.nii"}, cases: "p1* p2*", names: "T2 ADC", told: "taken as sequences of 2 cases"},
		"suffixes":     {files: []string{"FLAIR/p1_FLAIR.nii", "FLAIR/p2_FLAIR.nii", "T1/p1_t1.nii", "T1/p2-T1.nii"}, cases: "p1 p2", names: "FLAIR T1", told: "of 2 cases"},
		"no separator": {files: []string{"T2/p1T2.nii", "T2/p2t2.nii", "ADC/p1ADC.nii", "ADC/p2ADC.nii"}, masks: []string{"T2/p2T2_seg.nii"}, cases: "p1 p2*", names: "T2 ADC", told: "of 2 cases"},
		"letters":      {files: []string{"T1/subject1.nii", "T1/subject2.nii", "T2/subject1.nii", "T2/subject2.nii"}, masks: []string{"T1/subject2_seg.nii"}, cases: "subject1 subject2*", names: "T1 T2", told: "of 2 cases"},
		"letters, named": {files: []string{"T1/subject1.nii", "T1/subject2.nii", "T2/subject1.nii", "T2/subject2.nii"}, json: `{"channel_names": {"0": "T1", "1": "T2"}}`,
			cases: "subject1 subject2", names: "T1 T2"},
		"all end so":   {files: []string{"T1/patient1.nii", "T1/subject1.nii", "T2/patient1.nii", "T2/subject1.nii"}, cases: "patient1 subject1", names: "T1 T2", told: "of 2 cases"},
		"two subjects": {files: []string{"T1/subject1.nii", "T2/subject2.nii"}},
		"one lacks":    {files: []string{"T2/p1.nii", "T2/p2.nii", "ADC/p1.nii", "ADC/p3.nii"}, cases: "p1 p2", names: "T2 ADC", told: "it has no channel T2", leftOut: "p2"},
		"time points":  {files: []string{"T1/p1.nii", "T1/p2.nii", "T2/p1.nii", "T2/p2.nii"}, cases: "p1 p2", names: "T1 T2", told: "of 2 cases"},
		"masks beside": {files: []string{"T2/p1.nii", "T2/p2.nii", "ADC/p1.nii", "ADC/p2.nii"}, masks: []string{"T2/p1_seg.nii", "ADC/p2_T2-mask.nii"}, cases: "p1* p2", names: "T2 ADC",
			told: "the mask p2_T2-mask.nii in the folder ADC is not used"},
		"one with a mask":      {files: []string{"T2/a.nii", "ADC/b.nii"}, masks: []string{"T2/a_seg.nii"}, cases: "set*", names: "T2 ADC", told: "of 1 case"},
		"two masks":            {files: []string{"T2/p1.nii", "ADC/p1.nii"}, masks: []string{"T2/p1_seg.nii", "labels/p1.nii"}, cases: "p1*", names: "T2 ADC", told: "it has two masks, labels/p1.nii and p1_seg.nii: the second is not used"},
		"two files of a name":  {files: []string{"T2/p1.nii", "T2/p1_T2.nii", "ADC/p1.nii"}, cases: "p1", names: "T2 ADC", told: "it has two images of T2, p1.nii and p1_T2.nii: the second is not used"},
		"a mask without image": {files: []string{"T2/p1.nii", "ADC/p1.nii"}, masks: []string{"T2/p2_seg.nii"}, cases: "p1", names: "T2 ADC", told: "the mask p2_seg.nii has no image"},
		"nothing shared":       {files: []string{"T2/p1.nii", "T2/p2.nii", "ADC/p3.nii", "ADC/p4.nii"}},
		"doubtful":             {files: []string{"T1/a.nii", "T2/b.nii"}},
		"named":                {files: []string{"T1/a.nii", "T2/b.nii"}, json: `{"channel_names": {"0": "T2", "1": "T1"}}`, cases: "set", names: "T2 T1"},
		"other names":          {files: []string{"left/p1.nii", "right/p1.nii"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "set")
			for n, file := range test.files {
				writeImage(t, grid(), float32(10*n), dir, file)
			}
			for _, file := range test.masks {
				writeMask(t, grid(), []uint8{1}, dir, file)
			}
			if test.json != "" {
				if err := os.WriteFile(filepath.Join(dir, "dataset.json"), []byte(test.json), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if test.cases == "" {
				if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "layout is not recognised") || !strings.Contains(err.Error(), "sequences          T2/X") {
					t.Errorf("%v", err)
				}
				return
			}
			d := open(t, dir)
			if ids(d) != test.cases || d.sequenceNames() != test.names || d.Layout != SequenceFolders {
				t.Fatalf("%s: cases %s of %q, problems %v", d.Layout, ids(d), d.sequenceNames(), d.Problems)
			}
			told := slices.ContainsFunc(d.Problems, func(p Problem) bool { return strings.Contains(p.Text, test.told) })
			if !told {
				t.Errorf("told %v, want %q", d.Problems, test.told)
			}
			first, err := d.Image(0)
			if err != nil {
				t.Fatal(err)
			}
			for _, selection := range []Selection{{"all"}, {"1", "0"}} {
				if err := d.UseChannels(selection, false); err != nil {
					t.Fatal(err)
				}
				images, err := d.Images(0)
				if err != nil || len(images) != 2 || (images[0].Data[0] == first.Data[0]) != (selection[0] == "all") || images[0].Data[0] == images[1].Data[0] {
					t.Errorf("%v: %v", selection, err)
				}
			}
			if test.leftOut != "" {
				wantProblem(t, d.Problems, test.leftOut, true, "it has no channel ADC: there is no image of p2 in the folder")
			}
			d = open(t, dir)
			if err := d.Choose(1, nil, false); err != nil {
				t.Fatal(err)
			}
			var second *volume.Volume
			if second, err = d.Image(0); err != nil || second.Data[0] == first.Data[0] {
				t.Errorf("channel 1: %v", err)
			}
		})
	}
}
