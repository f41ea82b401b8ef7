package annotate_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/annotatetest"
	"github.com/nextslice/nextslice/volume/source"
)

// openCT opens a project on small series, whose slices are cut across an axis.
func openCT(t *testing.T, dir string, axis int) *annotate.Project {
	t.Helper()
	return openIn(t, filepath.Join(t.TempDir(), "project"), dir, axis)
}

func openIn(t *testing.T, project, dir string, axis int) *annotate.Project {
	t.Helper()
	p, err := annotate.Open(t.Context(), annotate.Options{Data: dir, Dir: project, Axis: axis, Classes: []string{"organ"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// Slices of a series are those of its volume, and its window is nearly that of all its voxels, along the stack and across it.
func TestSlicesOfASeries(t *testing.T) {
	dir := t.TempDir()
	annotatetest.CT(t, filepath.Join(dir, "a"), 64, 40)
	annotatetest.CT(t, filepath.Join(dir, "b"), 16, 3)
	whole, _, err := source.Read(filepath.Join(dir, "a"), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	windows := map[int]annotate.Window{}
	for _, axis := range []int{2, 1} {
		p := openCT(t, dir, axis)
		for k := range whole.Slices(axis).Count {
			got, err := p.Cases.Image(annotate.Item{Case: "a", Slice: k}, 0)
			if err != nil || !slices.Equal(got, whole.Slice(axis, k)) {
				t.Fatalf("axis %d, slice %d differs, %v", axis, k, err)
			}
		}
		task, err := p.Queue.Task(t.Context(), annotate.Person{Name: "ada"}, annotate.Item{Case: "a", Slice: 1})
		if err != nil {
			t.Fatal(err)
		}
		windows[axis] = task.Window
		if want := []annotate.Preset{{Name: "MEDIASTINUM", Window: annotate.Window{Low: -125, High: 275}}}; !slices.Equal(task.Presets, want) || task.Modality != "CT" {
			t.Errorf("windows of the header: %v of %q, want %v", task.Presets, task.Modality, want)
		}
		if small, err := p.Cases.Preview("a", 0); err != nil || small.Size != whole.Size {
			t.Errorf("preview of %v, %v", small.Size, err)
		} else if v := float64(small.Data[20*64*64+32*64+32])*small.Slope + small.Intercept; v < -40 || v > 180 {
			t.Errorf("the middle of the preview has %.0f HU", v)
		}
	}
	if a, b := windows[2], windows[1]; a.Low < b.Low-20 || a.Low > b.Low+20 || a.High < b.High-20 || a.High > b.High+20 {
		t.Errorf("the window of some slices is %v, that of all %v", a, b)
	}
}

// A slice is there before the others of its series have been read: one whose pixels are damaged, which its header does not tell, is missed where it
// is asked for.
func TestFirstSliceNeedsFewOthers(t *testing.T) {
	dir := t.TempDir()
	annotatetest.CT(t, filepath.Join(dir, "a"), 32, 100)
	annotatetest.CT(t, filepath.Join(dir, "b"), 16, 3)
	name := filepath.Join(dir, "a", "0051.dcm")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte("1.2.840.10008.1.2.1\x00"), []byte("1.2.840.10008.1.2.5\x00"), 1) // RLE
	text = text[:len(text)-2*32*32-4]
	text = append(text, "\xff\xff\xff\xff\xfe\xff\x00\xe0\x00\x00\x00\x00\xfe\xff\x00\xe0\x40\x00\x00\x00"...)
	text = append(append(text, bytes.Repeat([]byte{7}, 64)...), "\xfe\xff\xdd\xe0\x00\x00\x00\x00"...)
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	p := openCT(t, dir, 2)
	if _, err := p.Cases.Image(annotate.Item{Case: "a", Slice: 50}, 0); err != nil {
		t.Errorf("a slice beside a damaged one: %v", err)
	}
	if _, err := p.Cases.Image(annotate.Item{Case: "a", Slice: 51}, 0); !errors.Is(err, annotate.ErrGone) || !strings.Contains(err.Error(), "RLE") {
		t.Errorf("a damaged slice: %v", err)
	}
}

// A series whose files were replaced while it was open is read anew; where a file is gone the case is, until it comes back.
func TestSeriesThatChanges(t *testing.T) {
	dir := t.TempDir()
	annotatetest.CT(t, filepath.Join(dir, "a"), 16, 8)
	annotatetest.CT(t, filepath.Join(dir, "b"), 16, 3)
	p := openCT(t, dir, 2)
	item := annotate.Item{Case: "a", Slice: 4}
	name := filepath.Join(dir, "a", "0004.dcm")
	before, err := p.Cases.Image(item, 0)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	other := slices.Clone(text)
	other[len(other)-1] ^= 1 // the high byte of the last pixel
	write := func(text []byte, later time.Duration) {
		if err := errors.Join(os.WriteFile(name, text, 0o600), os.Chtimes(name, time.Time{}, time.Now().Add(later))); err != nil {
			t.Fatal(err)
		}
	}
	write(other, time.Hour)
	after, err := p.Cases.Image(item, 0)
	if err != nil || after[len(after)-1] != before[len(before)-1]+256 && after[len(after)-1] != before[len(before)-1]-256 {
		t.Errorf("the last voxel is %g, before %g, %v", after[len(after)-1], before[len(before)-1], err)
	}
	if err := os.Rename(name, name+".away"); err != nil {
		t.Fatal(err)
	}
	ada := annotate.Person{Name: "ada"}
	if _, err := p.Queue.Task(t.Context(), ada, item); !errors.Is(err, annotate.ErrGone) {
		t.Errorf("the task of a slice without a file: %v", err)
	}
	if err := os.Rename(name+".away", name); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Queue.Task(t.Context(), ada, item); err != nil {
		t.Errorf("the file is back: %v", err)
	}
}

// What comes next is read while the data are still being loaded, and whoever wants to see an image goes before what is loaded for networks.
func TestAhead(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b", "c"} {
		annotatetest.CT(t, filepath.Join(dir, name), 16, 5)
	}
	project := filepath.Join(t.TempDir(), "project")
	openIn(t, project, dir, 2).Close()
	p := openIn(t, project, dir, 2) // whose queue is there already
	release := p.Cases.HoldLoading()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	queue, err := p.Queue.List(ctx)
	if err != nil || len(queue) == 0 {
		t.Fatal(err)
	}
	first, err := p.Cases.Item(queue[0].Item)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); !p.Cases.Shown(first.Case); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("case %s, which comes next, is not read ahead", first.Case)
		}
	}
	if p.Cases.Loaded() {
		t.Error("the data are loaded though somebody waits to see an image")
	}
	release()
	for deadline := time.Now().Add(20 * time.Second); !p.Cases.Loaded(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the data are not loaded")
		}
	}
	cancel()
	<-ended
}

// What is made of an image is made again when one file of its series changes, though the folder itself stays as it is.
func TestStampOfASeries(t *testing.T) {
	dir := t.TempDir()
	annotatetest.CT(t, filepath.Join(dir, "a"), 16, 3)
	p := openCT(t, dir, 2)
	before, err := p.Cases.Stamp("a")
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	one := filepath.Join(dir, "a", files[1].Name())
	if err := os.Chtimes(one, time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if now, err := p.Cases.Stamp("a"); err != nil || now == before {
		t.Errorf("with another file in the series the stamp stays %q, %v", now, err)
	}
}
