package annotate_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/annotatetest"
	"github.com/nextslice/nextslice/annotate/store"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
)

// unzip writes the one file of an export that has this name to a folder, and returns its path.
func unzip(t *testing.T, export []byte, name string) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(export), int64(len(export)))
	if err != nil {
		t.Fatal(err)
	}
	in, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	data, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestExportDICOM(t *testing.T) {
	const series = "../volume/testdata/ct"
	data := t.TempDir()
	for _, name := range []string{"patient1", "patient2"} {
		if err := os.CopyFS(filepath.Join(data, name), os.DirFS(series)); err != nil {
			t.Fatal(err)
		}
	}
	p, err := annotate.Open(t.Context(), annotate.Options{Data: data, Dir: filepath.Join(t.TempDir(), "project"), Axis: 2, Classes: []string{"lesion"}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	image, err := p.Cases.Channel("patient1", 0)
	if err != nil {
		t.Fatal(err)
	}
	height, width := p.Config.Preprocess.SliceSize(image.Grid)
	mask := make([]uint8, height*width)
	for y := range 9 {
		mask[(y+2)*width+4+y] = 1
	}
	if _, err := p.Labels.Save(t.Context(), ana, annotate.Answer{Item: annotate.Item{Case: "patient1", Slice: 1}, Mask: mask, Action: store.ActionEdited}); err != nil {
		t.Fatal(err)
	}
	var export bytes.Buffer
	if err := p.Exporter.Write(t.Context(), ana, &export, annotate.Export{Format: annotate.FormatDICOMSEG, Partial: true}); err != nil {
		t.Fatal(err)
	}
	s, _, err := dicom.ReadSegmentation(unzip(t, export.Bytes(), "patient1.dcm"))
	if err != nil {
		t.Fatal(err)
	}
	on, err := s.On(image.Grid)
	if err != nil {
		t.Fatal(err)
	}
	got, names, err := on.Mask()
	if err != nil || !slices.Contains(names, "lesion") {
		t.Fatalf("names %v, %v", names, err)
	}
	if !slices.Equal(got.Slice(p.Config.Preprocess.Axis, 1), mask) {
		t.Error("the mask came back changed")
	}
	if n := bytes.Count(got.Data, []byte{1}); n != 9 {
		t.Errorf("%d voxels, want 9", n)
	}
}

func TestExportFillsWithPredictions(t *testing.T) {
	learner := &annotatetest.Learner{}
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 5), Learner: learner.New, Change: func(c *annotate.Config) {
		small(c)
		c.Lockstep = true
	}})
	for len(p.models()) < 1 {
		p.label(ana)
		time.Sleep(time.Millisecond)
	}
	until(t, "a model in use", func() bool {
		task, err := p.Queue.Next(t.Context(), ana, nil)
		return err == nil && task.Proposal || err != nil
	})
	name := ""
	for _, c := range must(p.Store().Cases(t.Context())) {
		if c.Role == store.Training {
			name = c.Name
		}
	}
	var export bytes.Buffer
	if err := p.Exporter.Write(t.Context(), ana, &export, annotate.Export{Format: annotate.FormatNIfTI, Partial: true, Fill: true}); err != nil {
		t.Fatal(err)
	}
	got, err := volume.ReadMask(unzip(t, export.Bytes(), name+".nii.gz"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := p.data.Reference(p.data.Index(name))
	if err != nil || !slices.Equal(got.Data, want.Data) { // the fake's model is right everywhere
		t.Errorf("predictions are not those of the model: %v", err)
	}
}

// One model fills all masks of an export, also where the next one comes into use while it is being written.
func TestExportIsFilledByOneModel(t *testing.T) {
	learner := &annotatetest.Learner{Bad: first(), Wait: make(chan struct{}, 9)}
	learner.Wait <- struct{}{}
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 40), Learner: learner.New, Change: func(c *annotate.Config) {
		small(c)
		c.ValidationCases = []string{"c0", "c1"}
	}})
	p.train(1, 9)
	until(t, "the first model", func() bool { return p.Predictor.InUse() == 1 })
	want := map[string][]uint8{}
	last := p.data.Cases[len(p.data.Cases)-1].ID
	for _, name := range []string{"c2", last} {
		want[name] = must(p.Predictor.Case(t.Context(), name)).Data
	}
	out := &during{do: func() {
		learner.Wait <- struct{}{}
		p.train(2, 9)
		until(t, "the second model", func() bool { return p.Predictor.InUse() == 2 })
	}}
	labelled := map[string]bool{}
	for _, l := range must(p.Store().LabelList(t.Context(), "")) {
		labelled[fmt.Sprint(l.Item.Case, l.Item.Slice)] = true
	}
	if err := p.Exporter.Write(t.Context(), ana, out, annotate.Export{Format: annotate.FormatNIfTI, Partial: true, Fill: true}); err != nil {
		t.Fatal(err)
	}
	if slices.Equal(must(p.Predictor.Case(t.Context(), last)).Data, want[last]) {
		t.Fatal("the two models say the same")
	}
	for name, data := range want {
		mask := must(volume.ReadMask(unzip(t, out.Bytes(), name+".nii.gz")))
		for z := range mask.Grid.Size[2] {
			n := len(data) / mask.Grid.Size[2]
			if !labelled[fmt.Sprint(name, z)] && !slices.Equal(mask.Slice(2, z), data[n*z:n*(z+1)]) {
				t.Errorf("%s, slice %d is not by the model that was in use when the export began", name, z)
			}
		}
	}
}

// Slices that nobody has labelled hold the value to ignore where that is asked for: they are no background.
func TestExportIgnoresWhatIsNotLabelled(t *testing.T) {
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 2), Change: small})
	item := annotate.Item{Case: "c0", Slice: 2}
	if _, err := p.Labels.Save(t.Context(), ana, annotate.Answer{Item: item, Mask: p.mask(item), Action: annotate.Edited}); err != nil {
		t.Fatal(err)
	}
	for _, ignore := range []bool{false, true} {
		var b bytes.Buffer
		if err := p.Exporter.Write(t.Context(), ana, &b, annotate.Export{Format: annotate.FormatNIfTI, Partial: true, Ignore: ignore}); err != nil {
			t.Fatal(err)
		}
		m := must(volume.ReadMask(unzip(t, b.Bytes(), "c0.nii.gz")))
		want := slices.Repeat([]uint8{0}, 120)
		if ignore {
			want = slices.Repeat([]uint8{annotate.Unsure}, 120)
		}
		if !slices.Equal(m.Slice(2, 2), p.mask(item)) || !slices.Equal(m.Slice(2, 3), want) {
			t.Errorf("ignore %v: slice 2 %v, slice 3 %v", ignore, m.Slice(2, 2), m.Slice(2, 3)[:4])
		}
	}
	var b bytes.Buffer
	if err := p.Exporter.Write(t.Context(), ana, &b, annotate.Export{Format: annotate.FormatNRRD, Partial: true, Ignore: true}); err != nil {
		t.Fatal(err)
	}
	s := must(volume.ReadSegmentation(unzip(t, b.Bytes(), "c0.seg.nrrd")))
	if last := s.Segments[len(s.Segments)-1]; last.Name != "not labelled" || last.Value != 255 {
		t.Errorf("%+v", s.Segments)
	}
}

// Names in a zip are such that every system can unpack it, beside each other and in no other folder.
func TestExportNames(t *testing.T) {
	for name, want := range map[string]string{
		"Case1.nii.gz": "Case1.nii.gz", "../../etc/passwd": "_.._.._etc_passwd", `a\b`: "a_b", "a:b*c?": "a_b_c_", "x\x00\x1b[31m\u202ey": "x__[31m_y", "con.nii.gz": "_con.nii.gz",
		"NUL": "_NUL", "lpt1.csv": "_lpt1.csv", "end. . ": "end", "": "_", "..": "_", "\xff": "_", "Prüfung 7": "Prüfung 7",
	} {
		if got := annotate.FileName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	data := annotatetest.Data(t, 4)
	for from, to := range map[string]string{"c0": "a:b", "c1": "a_b", "c2": "A_b", "c3": "=x"} {
		for _, dir := range []string{"images", "labels"} {
			if err := os.Rename(filepath.Join(data, dir, from+".nii.gz"), filepath.Join(data, dir, to+".nii.gz")); err != nil {
				t.Fatal(err)
			}
		}
	}
	p := open(t, annotate.Options{Data: data, Dir: filepath.Join(t.TempDir(), "project"), Axis: 2, Change: func(c *annotate.Config) { small(c); c.Masks = annotate.MasksAll }})
	var b bytes.Buffer
	if err := p.Exporter.Write(t.Context(), ana, &b, annotate.Export{Format: annotate.FormatNIfTI, Partial: true}); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	if want := []string{"=x.nii.gz", "A_b.nii.gz", "a_b-2.nii.gz", "a_b-3.nii.gz", "labelled.csv"}; !slices.Equal(names, want) {
		t.Errorf("names in the zip: %q", names)
	}
}

// during is a writer that does something once, while it is written to.
type during struct {
	bytes.Buffer
	do func()
}

func (d *during) Write(p []byte) (int, error) {
	if d.do != nil {
		d.do()
		d.do = nil
	}
	return d.Buffer.Write(p)
}

// An export is of one moment: what is saved while it is being written, of a case that is still to come, is neither in the masks nor in the list.
func TestExportIsOfOneMoment(t *testing.T) {
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 40), Change: func(c *annotate.Config) { small(c); c.Masks = annotate.MasksAll }})
	eva := annotate.Anybody("eva")
	for _, c := range p.data.Cases {
		if _, err := p.Reviews.Case(t.Context(), eva, c.ID, annotate.Judgement{Status: annotate.ReviewAccepted}); err != nil {
			t.Fatal(err)
		}
	}
	last := p.data.Cases[len(p.data.Cases)-1].ID
	for i, accepted := range []bool{true, false} {
		item := annotate.Item{Case: last, Slice: 2 + i}
		out := &during{do: func() {
			if _, err := p.Labels.Save(t.Context(), ana, annotate.Answer{Item: item, Mask: make([]uint8, 120), Action: annotate.Edited}); err != nil {
				t.Error(err)
			}
		}}
		if err := p.Exporter.Write(t.Context(), ana, out, annotate.Export{Format: annotate.FormatNIfTI, Partial: true, Accepted: accepted}); err != nil {
			t.Fatal(err)
		}
		if m := must(volume.ReadMask(unzip(t, out.Bytes(), last+".nii.gz"))); !slices.Equal(m.Slice(2, item.Slice), p.mask(item)) {
			t.Errorf("accepted only %v: the mask does not hold the version that the list names", accepted)
		}
		list := must(os.ReadFile(unzip(t, out.Bytes(), "labelled.csv")))
		if !bytes.Contains(list, fmt.Appendf(nil, "\n%s,%d,training,1,", last, item.Slice)) && !bytes.Contains(list, fmt.Appendf(nil, "\n%s,%d,validation,1,", last, item.Slice)) {
			t.Errorf("accepted only %v: the list does not name version 1:\n%s", accepted, list)
		}
	}
}

// Masks of values with gaps are exported with these, so that they can lie beside the data's own, and dataset.json says what they mean; where the mark of what is not
// labelled would be one of them, the classes are numbered, and dataset.json says that.
func TestExportHoldsTheValuesOfTheData(t *testing.T) {
	for name, c := range map[string]struct {
		own    uint8
		ignore bool
		want   uint8
		labels string
	}{
		"gap":                  {4, false, 4, `{"background":0,"value 1":1,"value 4":4}`},
		"gap, and a mark":      {4, true, 4, `{"background":0,"ignore":255,"value 1":1,"value 4":4}`},
		"the value of a mark":  {255, true, 2, `{"background":0,"ignore":255,"value 1":1,"value 255":2}`},
		"that no pixel is for": {255, false, 255, `{"background":0,"value 1":1,"value 255":255}`},
	} {
		data := annotatetest.Data(t, 2)
		for n := range 2 {
			path := filepath.Join(data, "labels", fmt.Sprintf("c%d.nii.gz", n))
			m := must(volume.ReadMask(path))
			m.Data[3*120] = c.own // a pixel of slice 3
			if err := volume.WriteMask(path, m); err != nil {
				t.Fatal(err)
			}
		}
		p := open(t, annotate.Options{Data: data, Change: func(c *annotate.Config) { small(c); c.Masks = annotate.MasksAll }})
		export := func(format string) []byte {
			var b bytes.Buffer
			if err := p.Exporter.Write(t.Context(), ana, &b, annotate.Export{Format: format, Partial: true, Ignore: c.ignore}); err != nil {
				t.Fatal(err)
			}
			return b.Bytes()
		}
		zip := export(annotate.FormatNIfTI)
		if m := must(volume.ReadMask(unzip(t, zip, "c0.nii.gz"))); m.Data[3*120] != c.want || !bytes.Contains(m.Data, []byte{1}) {
			t.Errorf("%s: the value %d is exported as %d", name, c.own, m.Data[3*120])
		}
		var list struct{ Labels json.RawMessage }
		if err := json.Unmarshal(must(os.ReadFile(unzip(t, zip, "dataset.json"))), &list); err != nil {
			t.Fatal(err)
		}
		var labels bytes.Buffer
		if err := json.Compact(&labels, list.Labels); err != nil || labels.String() != c.labels {
			t.Errorf("%s: dataset.json %s, want %s, %v", name, labels.String(), c.labels, err)
		}
		s := must(volume.ReadSegmentation(unzip(t, export(annotate.FormatNRRD), "c0.seg.nrrd")))
		if got := s.Segments[1]; got.Name != fmt.Sprintf("value %d", c.own) || got.Value != c.want || s.Layers[0][3*120] != c.want {
			t.Errorf("%s: segments %+v", name, s.Segments)
		}
	}
}
