package annotate_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/annotatetest"
	"github.com/nextslice/nextslice/annotate/store"
	"github.com/nextslice/nextslice/volume"
)

// What is painted unsure is kept and exported; it is not learnt and not compared.
func TestUnsure(t *testing.T) {
	learner := &annotatetest.Learner{}
	data := annotatetest.Data(t, 3)
	p := open(t, annotate.Options{Data: data, Learner: learner.New, Change: func(c *annotate.Config) {
		small(c)
		c.Preset, c.Unsure, c.Lockstep = "demo", true, true
	}})
	s := must(p.Dashboard.Summary(t.Context()))
	if last := s.Classes[len(s.Classes)-1]; len(s.Classes) != 3 || last.Value != 255 || last.Name != "unsure" || last.Color == "" || len(p.Config.Classes) != 2 {
		t.Fatalf("classes to draw with: %+v", s.Classes)
	}
	// The first labels are unsure in their first row, one of them throughout.
	var throughout annotate.Item
	for len(p.models()) == 0 {
		task, err := p.Queue.Next(t.Context(), ana, nil)
		if errors.Is(err, store.ErrNotFound) {
			time.Sleep(time.Millisecond)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		item := must(p.Cases.Item(task.Item))
		mask := slices.Clone(p.mask(item))
		all := throughout == annotate.Item{} && task.Purpose == "training"
		for i := range mask {
			if i < 12 || all {
				mask[i] = annotate.Unsure
			}
		}
		if all {
			throughout = item
		}
		if _, err := p.Labels.Save(t.Context(), ana, annotate.Answer{Item: item, Mask: mask, Action: annotate.Edited}); err != nil {
			t.Fatal(err)
		}
		kept, _, err := p.Labels.Label(t.Context(), ana, item)
		if err != nil || !slices.Equal(kept, mask) {
			t.Errorf("%s: got %v, %v, want %v", item, kept, err, mask)
		}
	}
	if got := learner.Trained(); got[0] != 3 {
		t.Errorf("trained on %v labels, want 3 of 4: one says nothing", got)
	}
	if _, err := p.Labels.Save(t.Context(), ana, annotate.Answer{Item: throughout, Mask: slices.Repeat([]uint8{254}, 120)}); !errors.Is(err, annotate.ErrInvalid) {
		t.Errorf("a value that is no class: %v", err)
	}

	var export bytes.Buffer
	if err := p.Exporter.Write(t.Context(), ana, &export, annotate.Export{Format: annotate.FormatNRRD, Partial: true}); err != nil {
		t.Fatal(err)
	}
	on, err := volume.ReadSegmentation(unzip(t, export.Bytes(), throughout.Case+".seg.nrrd"))
	if err != nil {
		t.Fatal(err)
	}
	last := on.Segments[len(on.Segments)-1]
	if last.Name != "unsure" || last.Value != 255 || last.Color != [3]uint8{128, 128, 128} {
		t.Errorf("exported segment %+v", last)
	}
	p.close()
	// NIfTI holds the value 255, as --ignore 255 reads it; once begun with, it stays.
	q := open(t, annotate.Options{Data: data, Dir: p.Dir()})
	if !q.Config.Unsure {
		t.Error("the project forgot that people can be unsure")
	}
	m := must(volume.ReadMask(filepath.Join(p.Dir(), "labels", "final", throughout.Case+".nii.gz")))
	if !slices.Equal(m.Slice(2, throughout.Slice), slices.Repeat([]uint8{255}, 120)) {
		t.Error("the mask file does not hold 255")
	}
	q.close()
	// Exported as another value, in NIfTI; the project's own files stay as they are.
	r := open(t, annotate.Options{Data: data, Dir: p.Dir(), Change: func(c *annotate.Config) { c.UnsureValue = 77 }})
	export.Reset()
	if err := r.Exporter.Write(t.Context(), ana, &export, annotate.Export{Format: annotate.FormatNIfTI, Partial: true}); err != nil {
		t.Fatal(err)
	}
	m = must(volume.ReadMask(unzip(t, export.Bytes(), throughout.Case+".nii.gz")))
	if !slices.Equal(m.Slice(2, throughout.Slice), slices.Repeat([]uint8{77}, 120)) {
		t.Error("the exported mask does not hold 77")
	}
	r.close()
	if _, err := annotate.Open(t.Context(), annotate.Options{Data: data, Dir: p.Dir(), Change: func(c *annotate.Config) { c.UnsureValue = 1 }}); err == nil || !strings.Contains(err.Error(), "unsure value: want one above") {
		t.Errorf("the value of a class: %v", err)
	}
}

func TestUnsureIsRefusedWhereTheProjectHasItNot(t *testing.T) {
	p := open(t, annotate.Options{Data: annotatetest.Data(t, 2), Change: small})
	mask := make([]uint8, 120)
	mask[3] = annotate.Unsure
	if _, err := p.Labels.Save(t.Context(), ana, annotate.Answer{Item: annotate.Item{Case: "c0"}, Mask: mask}); !errors.Is(err, annotate.ErrInvalid) {
		t.Errorf("got %v", err)
	}
	if s := must(p.Dashboard.Summary(t.Context())); len(s.Classes) != 2 {
		t.Errorf("classes %+v", s.Classes)
	}
}

// ignoring returns data whose masks hold 2, named ignore: slice 0 of c0 throughout, and a row of all others.
func ignoring(t *testing.T) string {
	data := annotatetest.Data(t, 2)
	for _, name := range []string{"c0", "c1"} {
		path := filepath.Join(data, "labels", name+".nii.gz")
		m := must(volume.ReadMask(path))
		for i := range m.Data {
			if i%120 < 12 || name == "c0" && i < 120 {
				m.Data[i] = 2
			}
		}
		if err := volume.WriteMask(path, m); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(data, "dataset.json"), []byte(`{"labels": {"background": 0, "ball": 1, "ignore": 2}}`), 0o666); err != nil {
		t.Fatal(err)
	}
	return data
}

// Masks with an ignore label are taken over as unsure; a slice that is ignored throughout is not labelled.
func TestIgnoredMasksAreTakenOver(t *testing.T) {
	for masks, want := range map[string]int{annotate.MasksAll: 11, annotate.MasksForeground: 8} {
		p := open(t, annotate.Options{Data: ignoring(t), Change: func(c *annotate.Config) { c.Masks = masks }})
		s := must(p.Dashboard.Summary(t.Context()))
		if s.Labelled != want || len(p.Config.Classes) != 2 || !p.Config.Unsure {
			t.Errorf("%s: %d labelled, want %d; %+v", masks, s.Labelled, want, p.Config.Classes)
		}
		mask, _, err := p.Labels.Label(t.Context(), ana, annotate.Item{Case: "c1", Slice: 2})
		if err != nil || mask[0] != annotate.Unsure || slices.Contains(mask[12:], annotate.Unsure) {
			t.Errorf("%s: %v, %v", masks, mask, err)
		}
	}
}

// A project that has learnt the label ignore as a class goes on so; another value is refused.
func TestProjectThatLearnsIgnore(t *testing.T) {
	data := ignoring(t)
	p := open(t, annotate.Options{Data: data, Change: small})
	p.close()
	stored(t, p.Dir(), func(c *annotate.Config) { // as older programs had it
		c.Classes, c.Unsure = annotate.MakeClasses([]string{"background", c.Classes[1].Name, "ignore"}), false
	})
	q := open(t, annotate.Options{Data: data, Dir: p.Dir()})
	if len(q.Config.Classes) != 3 || q.Config.Unsure {
		t.Errorf("classes %+v", q.Config.Classes)
	}
	q.close()
	_, err := annotate.Open(t.Context(), annotate.Options{Data: data, Dir: p.Dir(), Change: func(c *annotate.Config) { c.Ignore = 2 }})
	if err == nil || !strings.Contains(err.Error(), "ignore") {
		t.Errorf("got %v", err)
	}
}
