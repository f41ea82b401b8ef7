package annotate_test

import (
	"bytes"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/annotatetest"
	"github.com/nextslice/nextslice/volume"
)

// In lockstep, slices that are ignored throughout are in no pool, as in a simulation: who answers by the masks has no answer. Else people
// may be asked for them.
func TestLockstepNeverAsksForIgnoredSlices(t *testing.T) {
	nothing := annotate.Item{Case: "c0", Slice: 0}
	for _, lockstep := range []bool{true, false} {
		p := open(t, annotate.Options{Data: ignoring(t), Change: func(c *annotate.Config) {
			c.InitialSize, c.QuerySize, c.Masks, c.ValidationShare, c.Lockstep = 12, 1, annotate.MasksIgnore, 0, lockstep
		}})
		queue := must(p.Queue.List(t.Context()))
		asked := slices.ContainsFunc(queue, func(q annotate.QueueEntry) bool { return q.Item == nothing.String() })
		if asked == lockstep || lockstep && len(queue) != 11 {
			t.Errorf("lockstep %v: %d slices are asked for, %v among them: %v", lockstep, len(queue), nothing, asked)
		}
	}
}

// record is a log that tests read.
type record struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.String()
}

// Voxels that are no numbers are told to the person who runs the server, and on the page.
func TestNaNIsTold(t *testing.T) {
	data := annotatetest.Data(t, 2)
	path := filepath.Join(data, "images", "c1.nii.gz")
	v := must(volume.Read(path))
	v.Data[5], v.Data[7], v.Stored = float32(math.NaN()), float32(math.Inf(1)), "float32"
	if err := volume.WriteVolume(path, v); err != nil {
		t.Fatal(err)
	}
	var log record
	p := open(t, annotate.Options{Data: data, Change: small, Log: slog.New(slog.NewTextHandler(&log, nil))})
	until(t, "the page tells", func() bool {
		s := must(p.Dashboard.Summary(t.Context()))
		return slices.ContainsFunc(s.Warnings, func(w string) bool { return strings.Contains(w, "c1: 2 voxels are NaN or infinite") })
	})
	if !strings.Contains(log.String(), "c1: 2 voxels are NaN or infinite") {
		t.Errorf("log: %s", log.String())
	}
	task := must(p.Queue.Task(t.Context(), ana, annotate.Item{Case: "c1"}))
	if w := task.Window; w.Low != w.Low || w.High != w.High || math.IsInf(w.High, 0) {
		t.Errorf("window %+v", w)
	}
}

// A project within the folder of its data is none of the data's problems, however often it is opened.
func TestProjectAmongTheData(t *testing.T) {
	data := annotatetest.Data(t, 3)
	dir := filepath.Join(data, "labelling")
	for range 2 {
		var log record
		p := open(t, annotate.Options{Data: data, Dir: dir, Change: small, Log: slog.New(slog.NewTextHandler(&log, nil))})
		until(t, "a label", func() bool { _, ok := p.label(ana); return ok })
		until(t, "its file", func() bool {
			found, _ := filepath.Glob(filepath.Join(dir, "labels", "final", "*"))
			return len(found) > 0
		})
		p.close()
		if strings.Contains(log.String(), "labelling") || strings.Contains(log.String(), "not used") {
			t.Errorf("log: %s", log.String())
		}
	}
}

// Data that name no class are labelled with one; the page says so.
func TestOneClassIsGuessed(t *testing.T) {
	data := annotatetest.Data(t, 2)
	if err := os.RemoveAll(filepath.Join(data, "labels")); err != nil {
		t.Fatal(err)
	}
	var log record
	p := open(t, annotate.Options{Data: data, Log: slog.New(slog.NewTextHandler(&log, nil)), Change: func(c *annotate.Config) { c.InitialSize = 2 }})
	s := must(p.Dashboard.Summary(t.Context()))
	if len(s.Classes) != 2 || s.Classes[1].Name != annotate.Guessed || !strings.Contains(strings.Join(s.Warnings, " "), "--classes") || !strings.Contains(log.String(), "--classes") {
		t.Errorf("classes %+v, warnings %q, log %s", s.Classes, s.Warnings, log.String())
	}
	p.close()
	q := open(t, annotate.Options{Data: data, Dir: p.Dir()}) // and goes on so
	if len(q.Config.Classes) != 2 || q.Config.Classes[1].Name != annotate.Guessed {
		t.Errorf("classes %+v", q.Config.Classes)
	}
}

// A case whose mask does not fit is labelled where no masks are taken over; else it is left out, and the page names it.
func TestMasksThatDoNotFit(t *testing.T) {
	data := annotatetest.Data(t, 3)
	path := filepath.Join(data, "labels", "c1.nii.gz")
	m := must(volume.ReadMask(path))
	m.Size[0]--
	m.Data = m.Data[:m.Len()]
	if err := volume.WriteMask(path, m); err != nil {
		t.Fatal(err)
	}
	for masks, slices := range map[string]int{annotate.MasksIgnore: 18, annotate.MasksAll: 12} {
		p := open(t, annotate.Options{Data: data, Change: func(c *annotate.Config) { small(c); c.Masks = masks }})
		s := must(p.Dashboard.Summary(t.Context()))
		warnings := strings.Join(s.Warnings, "\n")
		if s.Items != slices || !strings.Contains(warnings, "c1:") || strings.Contains(warnings, "left out") == (masks == annotate.MasksIgnore) {
			t.Errorf("%s: %d slices, want %d; warnings: %s", masks, s.Items, slices, warnings)
		}
		p.close()
	}
}

// No two classes have one colour, however many there are.
func TestColours(t *testing.T) {
	names := []string{"background"}
	for range 60 {
		names = append(names, "class")
	}
	seen := map[string]bool{}
	for _, c := range annotate.MakeClasses(names) {
		if len(c.Color) != 7 || seen[c.Color] {
			t.Errorf("class %d has %s, like another one", c.Value, c.Color)
		}
		seen[c.Color] = true
	}
}
