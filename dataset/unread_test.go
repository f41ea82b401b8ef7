package dataset

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
)

// Whatever stands beside the cases and is not read is told: what may be a case as left out, masks with where they belong.
func TestUnread(t *testing.T) {
	for name, test := range map[string]struct {
		files []string // folders p1, p2 … are DICOM series; with _seg, _gt or in a folder labels… or masks… files are masks
		json  string
		cases string
		told  []string // each of one problem; with a ! it is left out, with a ? only noted
	}{
		"a logo above patients": {files: []string{"p1/", "p2/", "logo.png", "preview.gif", "DICOMDIR"}, cases: "p1 p2",
			told: []string{"?2 pictures (logo.png, preview.gif): not used, since no case is a picture"}},
		"pictures beside patients":     {files: []string{"a.png", "b.png", "p1/"}, cases: "a b", told: []string{"!1 folder (p1) with DICOM files: not used, since the cases are the image files"}},
		"as many pictures as patients": {files: []string{"a.png", "b.png", "p1/", "p2/"}, cases: "p1 p2", told: []string{"?2 pictures (a.png, b.png): not used"}},
		"a picture with a mask":        {files: []string{"a.png", "a_seg.png", "p1/", "p2/"}, cases: "a*", told: []string{"!2 folders (p1, p2) with DICOM files"}},
		"a picture with a final mask":  {files: []string{"a.png", "labels/final/a.png", "p1/", "p2/"}, cases: "a*", told: []string{"!2 folders (p1, p2) with DICOM files"}},
		"a logo, and a patient's mask": {files: []string{"logo.png", "labels/final/q.png", "p1/", "p2/"}, cases: "p1 p2", told: []string{"?1 picture (logo.png)", "!q: the mask q.png has no image"}},
		"beside files": {files: []string{"a.nii.gz", "b.mgz", "d.dcm", "sub/c.nii.gz", "p1/", "p2/", "shots/x.png", "notes/read.txt", "v.raw", "half.img"}, cases: "a", told: []string{
			"!2 files (b.mgz, half.img) of a format that is not read here", "!1 DICOM file (d.dcm): not used, since the cases are the image files of the data set's folder",
			"!1 folder (sub) with images: not used", "!2 folders (p1, p2) with DICOM files: not used", "?1 folder (shots) with pictures: not used"}},
		"a pair of files": {files: []string{"a.hdr", "a.img", "b.nii"}, cases: "b", told: []string{"!a:"}}, // the header is text
		"pairs in images": {files: []string{"images/b.nii", "images/a.hdr", "images/a.img", "images/half.img", "labels/b.nii"}, cases: "b*", told: []string{"!a:", "!1 file (images/half.img) of a format"}},
		"below":           {files: []string{"a.nii.gz", "x/y/z/c.nii.gz"}, cases: "a", told: []string{"!1 folder (x) with images: not used"}},
		"pictures":        {files: []string{"a.png", "more/b.png", "c.bmp"}, cases: "a", told: []string{"!1 folder (more) with images", "!1 file (c.bmp) of a format"}},
		"labels beside files": {files: []string{"a.nii.gz", "b.nii.gz", "labels/a.nii.gz", "labels/b_seg.nii.gz", "labels/original/b.nii.gz"}, cases: "a b",
			told: []string{"the folder labels holds 2 files (a.nii.gz, b_seg.nii.gz) called as cases, which are not used: masks belong in labels/final, under the cases' names, or beside the images as X_seg"}},
		"labels and final":  {files: []string{"a.nii.gz", "b.nii.gz", "labels/final/a.nii.gz", "labels/b.nii.gz"}, cases: "a* b", told: []string{"the folder labels holds 1 file (b.nii.gz) called as cases"}},
		"no masks in masks": {files: []string{"a.nii.gz", "masks/c.nii.gz"}, cases: "a", told: []string{"1 folder (masks) with masks of no case: not used; masks belong in labels/final, under the cases' names, or beside the images as X_seg"}},
		"outputs": {files: []string{"a.nii", "b.nii", "m1/a.nii", "m1/b.nii", "m1/dataset.json", "entropies/a.nii", "new/a.nii", "new/c.nii", "m0/x.png", "m0/a.nii"}, cases: "a b",
			told: []string{"?3 folders (entropies, m0, m1) whose files are all called as the cases", "!1 folder (new) with images"}},
		"outputs of patients":  {files: []string{"p1/", "p2/", "m1/p1.nii"}, cases: "p1 p2", told: []string{"?1 folder (m1) whose files are all called as the cases"}},
		"segmentations":        {files: []string{"a.nii", "Segmentations/x1.nii", "done/a1.seg.nrrd", "done/a2.seg.nrrd", "mixed/a1.seg.nrrd", "mixed/c.nii", "sent/_1.dcm"}, cases: "a", told: []string{"3 folders (Segmentations, done, sent) with masks of no case", "!1 folder (mixed) with images"}},
		"an overview":          {files: []string{"images/a.png", "images/b.png", "overview.png"}, cases: "a b", told: []string{"?1 picture (overview.png): not used, since the cases are those in the folder images"}},
		"further pictures":     {files: []string{"images/a.png", "images/b.png", "c.png", "d.png"}, cases: "a b", told: []string{"!2 images (c.png, d.png): not used"}},
		"loose masks":          {files: []string{"images/a.nii", "a_gt.nii", "x.seg.nrrd", "d.nii"}, cases: "a", told: []string{"2 images (a_gt.nii, x.seg.nrrd), called as a case or a segmentation", "!1 image (d.nii)"}},
		"projects and queries": {files: []string{"a.nii", "mine/project.db", "mine/labels/final/q.nii", "asked/query.json", "asked/b.nii", "cluster/shard-1-of-2/query.json", "cluster/shard-1-of-2/c.nii"}, cases: "a"},
		"project of patients":  {files: []string{"p1/", "p2/", "mine/project.db", "mine/labels/final/_q.dcm", "asked/query.json"}, cases: "p1 p2"},
		"images and masks":     {files: []string{"images/a.nii", "images/b.nii", "masks/a.nii", "masks/b_gt.nii"}, cases: "a b", told: []string{"the folder masks holds 2 files (a.nii, b_gt.nii) called as cases, which are not used: masks belong in labels, under"}},
		"within images": {files: []string{"images/a.nii", "images/more/c.nii", "images/labels/final/a.nii", "images/e.mgz", "images/f.dcm", "d.nii", "logo.png"}, cases: "a", told: []string{
			"!1 folder (images/more) with images: not used, since the cases are those in the folder images", "the folder images/labels holds 1 file (a.nii)", "!1 file (images/e.mgz)",
			"!1 DICOM file (images/f.dcm)", "!1 image (d.nii): not used", "?1 picture (logo.png): not used"}},
		"final of labels": {files: []string{"images/a.nii", "labels/final/a.nii"}, cases: "a", told: []string{"the folder labels/final holds 1 file (a.nii)"}},
		"imagesTr": {files: []string{"imagesTr/a.nii", "imagesTs/b.nii", "labelsTr/a.nii", "labelsTs/b.nii", "imagesVal/c.nii", "labels/a.nii"}, cases: "a*", told: []string{
			"!1 folder (imagesVal) with images: not used, since the cases are those in the folder imagesTr", "the folder labels holds 1 file (a.nii) called as cases, which are not used: masks belong in labelsTr"}},
		"a list of cases": {files: []string{"x/a.nii", "y/b.nii", "labelsTr/a.nii", "c.nii"}, json: `{"training": ["x/a.nii"]}`, cases: "a", told: []string{
			"1 folder (y) with images: not used, since the cases are those that dataset.json lists", "the folder labelsTr holds 1 file (a.nii) called as cases, which are not used: masks belong in the list of dataset.json (label)"}},
		"inside patients":   {files: []string{"p1/", "p1/seg.nii.gz", "p1/deep/x.mgz", "p1/key.png", "p2/"}, cases: "p1 p2", told: []string{"p1: its folder holds 2 images (x.mgz, seg.nii.gz) beside the DICOM files: not used; a mask belongs in labels"}},
		"beside patients":   {files: []string{"p1/", "p2/", "more/c.nii", "masks/p1.nii", "loose.dcm", "x.mgz"}, cases: "p1 p2", told: []string{"!1 folder (more) with images", "the folder masks holds 1 file (p1.nii)", "!1 DICOM file (loose.dcm)", "!1 file (x.mgz)"}},
		"beside sequences":  {files: []string{"T2/a.nii", "ADC/a.nii", "T2/b.mgz", "x/y/c.nii", "masks/a.nii", "labels/a.nii"}, cases: "a*", told: []string{"!1 file (T2/b.mgz)", "!1 folder (x) with images: not used, since the cases are those in the folders T2, ADC", "the folder masks holds 1 file (a.nii)"}},
		"masks beside them": {files: []string{"a.nii", "b.nii", "a_seg.nii", "a.json"}, cases: "a* b", told: []string{"b: it has no mask"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, file := range test.files {
				switch ext := filepath.Ext(file); {
				case strings.HasSuffix(file, "/"):
					if err := os.CopyFS(filepath.Join(dir, file), os.DirFS(filepath.Join("..", "volume", "testdata", "ct"))); err != nil {
						t.Fatal(err)
					}
				case ext == ".nrrd":
					named(t, filepath.Join(dir, filepath.Dir(file)), "x", []string{"gland"}, []uint8{1})
					if err := os.Remove(filepath.Join(dir, filepath.Dir(file), "x.nrrd")); err != nil {
						t.Fatal(err)
					}
					rename(t, filepath.Join(dir, filepath.Dir(file), "x.seg.nrrd"), filepath.Join(dir, file))
				case ext == ".dcm" && strings.Contains(file, "_"):
					series, _, err := dicom.Find(filepath.Join("..", "volume", "testdata", "ct"), "")
					if err != nil {
						t.Fatal(err)
					}
					s := &volume.Segmentation{Grid: series.Grid, Layers: [][]uint8{make([]uint8, series.Len())}, Segments: []volume.Segment{{Name: "gland", Value: 1}}}
					s.Layers[0][300] = 1
					if err := dicom.WriteSegmentation(create(t, dir, file), s, series, time.Unix(0, 0)); err != nil {
						t.Fatal(err)
					}
				case ext == ".png":
					writePNG(t, []uint8{1, 2, 3}, 9, dir, file)
				case strings.Contains(file, "labels") || strings.Contains(file, "masks") || strings.Contains(file, "_"):
					writeMask(t, grid(), []uint8{1}, dir, file)
				case ext == ".nii" || ext == ".gz":
					writeImage(t, grid(), 0, dir, file)
				default:
					writeText(t, "text", dir, file)
				}
			}
			if test.json != "" {
				writeText(t, test.json, dir, "dataset.json")
			}
			d := open(t, dir)
			if ids(d) != test.cases {
				t.Errorf("cases %s, want %s", ids(d), test.cases)
			}
			problems := slices.DeleteFunc(slices.Clone(d.Problems), func(p Problem) bool {
				return p.OneIsRead() || strings.Contains(p.Text, "one PatientID") || strings.Contains(p.Text, "taken as sequences")
			})
			for _, want := range test.told {
				text, left := strings.CutPrefix(want, "!")
				text, note := strings.CutPrefix(text, "?")
				if !slices.ContainsFunc(problems, func(p Problem) bool {
					return strings.HasPrefix(p.String(), text) && p.LeftOut == left && p.Note == note
				}) {
					t.Errorf("not told: %q", want)
				}
			}
			if len(problems) != len(test.told) {
				t.Errorf("told %q", problems)
			}
			without, err := OpenWith(t.Context(), dir, OpenOptions{NoMasks: true})
			if err != nil {
				t.Fatal(err)
			}
			left := func(problems []Problem) (n int) {
				for _, p := range problems {
					if p.LeftOut {
						n++
					}
				}
				return n
			}
			if left(without.Problems) != left(d.Problems) {
				t.Errorf("without masks, told %q", without.Problems)
			}
			if slices.ContainsFunc(without.Problems, func(p Problem) bool {
				return strings.Contains(p.Text, "called as cases") || strings.Contains(p.Text, "no mask")
			}) {
				t.Errorf("without masks, told of masks: %q", without.Problems)
			}
		})
	}
}

// Folders that are written to are no part of the data set that they lie in.
func TestOutputsAreNotUnread(t *testing.T) {
	dir := t.TempDir()
	writeImage(t, grid(), 0, dir, "a.nii")
	writeImage(t, grid(), 0, dir, "out/b.nii")
	for outputs, want := range map[string]int{"": 1, "out": 0, "out/deeper": 0, "ou": 1} {
		d, err := OpenWith(t.Context(), dir, OpenOptions{NoMasks: true, Outputs: []string{filepath.Join(dir, outputs)}})
		if outputs == "" {
			d, err = Open(dir)
		}
		if err != nil || len(d.Problems) != want {
			t.Errorf("%s: %v, %v", outputs, d.Problems, err)
		}
	}
}
