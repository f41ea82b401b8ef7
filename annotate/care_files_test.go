package annotate_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/annotatetest"
	"github.com/nextslice/nextslice/volume"
)

// Mask files that are deleted or garbled are written again; one that another program has changed is reported, kept, and can be taken over.
func TestMaskFilesAreLookedAfter(t *testing.T) {
	o, want := labelled(t)
	path := func(name string) string { return filepath.Join(o.Dir, "labels", "final", name+".nii.gz") }
	if err := os.Remove(path("c0")); err != nil {
		t.Fatal(err)
	}
	change(t, path("c1"), func(b []byte) []byte { return b[:len(b)/2] })
	m, err := volume.ReadMask(path("c2"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range m.Data[2*120 : 3*120] {
		m.Data[2*120+i] = uint8(i % 2)
	}
	if err := volume.WriteMask(path("c2"), m); err != nil {
		t.Fatal(err)
	}
	edited := slices.Clone(m.Data)
	o.Change = nil
	p := open(t, o)
	whole := func(name string) bool {
		m, err := volume.ReadMask(path(name))
		return err == nil && slices.Equal(m.Slice(2, 2), want[annotate.Item{Case: name, Slice: 2}])
	}
	until(t, "the files are there again", func() bool { return whole("c0") && whole("c1") })
	until(t, "the edit is reported", func() bool {
		texts, _ := p.Events.Problems()
		return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, "take-over") })
	})
	if m, err := volume.ReadMask(path("c2")); err != nil || !slices.Equal(m.Data, edited) {
		t.Error("the edited file was overwritten")
	}
	p.close()
	if n, err := annotate.TakeOver(t.Context(), o.Dir, []string{"c2"}, time.Now); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	p = open(t, o)
	item := annotate.Item{Case: "c2", Slice: 2}
	versions := must(p.Labels.Versions(t.Context(), ana, item))
	if last := versions[len(versions)-1]; len(versions) != 2 || last.Action != "outside" {
		t.Errorf("versions: %+v", versions)
	}
	want[item] = edited[2*120 : 3*120]
	has(t, p, want)
	if problems, _ := p.Events.Problems(); len(problems) > 0 {
		t.Errorf("problems: %q", problems)
	}

	until(t, "the files are up to date", func() bool { return len(must(p.Store().Stale(t.Context()))) == 0 })
	// Edited once more, and then labelled on the page: the edit is kept aside.
	m.Data[0] = 1
	if err := volume.WriteMask(path("c2"), m); err != nil {
		t.Fatal(err)
	}
	save(t, p, annotate.Item{Case: "c2", Slice: 4}, make([]uint8, 120))
	until(t, "the edit is kept", func() bool {
		kept, _ := filepath.Glob(filepath.Join(o.Dir, "labels", "outside", "c2-*.nii.gz"))
		return len(kept) == 1
	})
}

// A kill between the list of the mask files and a file leaves the file of before: it is the project's own, and is replaced, also where more is saved
// at once.
func TestKilledBetweenListAndFile(t *testing.T) {
	o, want := labelled(t)
	path := filepath.Join(o.Dir, "labels", "final", "c0.nii.gz")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	o.Change = nil
	item := annotate.Item{Case: "c0", Slice: 2}
	written := func(p *project) bool { return len(must(p.Store().Stale(t.Context()))) == 0 }
	p := open(t, o)
	want[item] = slices.Repeat([]uint8{1}, 120)
	save(t, p, item, want[item])
	until(t, "the file is written", func() bool { return written(p) })
	p.close()
	execute(t, o.Dir, `UPDATE cases SET written = 0 WHERE name = 'c0'`) // which comes after the file
	os.Remove(filepath.Join(o.Dir, "project.seal"))
	if err := os.WriteFile(path, before, 0o600); err != nil {
		t.Fatal(err)
	}
	p = open(t, o)
	item.Slice = 3
	want[item] = slices.Repeat([]uint8{1, 0}, 60)
	save(t, p, item, want[item])
	until(t, "the file is written again", func() bool { return written(p) })
	if aside, _ := filepath.Glob(filepath.Join(o.Dir, "labels", "outside", "*")); len(aside) > 0 {
		t.Errorf("taken for another program's: %v", aside)
	}
	if m, err := volume.ReadMask(path); err != nil || !slices.Equal(m.Slice(2, 2), want[annotate.Item{Case: "c0", Slice: 2}]) || !slices.Equal(m.Slice(2, 3), want[item]) {
		t.Errorf("the file does not hold the labels: %v", err)
	}
	has(t, p, want)
}

// A folder that cannot be written to stops neither the start nor a save; it is shown as long as it lasts, and tried again.
func TestUnwritableMaskFolder(t *testing.T) {
	o, want := labelled(t)
	final := filepath.Join(o.Dir, "labels", "final")
	if err := errors.Join(os.RemoveAll(final), os.WriteFile(final, []byte("in the way"), 0o600)); err != nil {
		t.Fatal(err)
	}
	o.Change = nil
	p := open(t, o)
	item := annotate.Item{Case: "c3", Slice: 1}
	want[item] = p.mask(item)
	save(t, p, item, want[item])
	until(t, "the page says so", func() bool { return len(must(p.Dashboard.Summary(t.Context())).Problems) > 0 })
	time.Sleep(3 * time.Second) // the tries that the start and the save ask for are over: only the waiting ones are left
	if err := os.Remove(final); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	until(t, "it is tried again", func() bool { _, err := os.Stat(filepath.Join(final, "c3.nii.gz")); return err == nil })
	if waited := time.Since(begin); waited > 30*time.Second {
		t.Errorf("tried again after %v: by the look at the files each minute, not by a try of its own", waited)
	}
	until(t, "all is well", func() bool { return len(must(p.Dashboard.Summary(t.Context())).Problems) == 0 })
	has(t, p, want)
}

// An image or a mask of the data with other bytes, though of the same size, is reported as long as it is there.
func TestDataReplaced(t *testing.T) {
	for _, name := range []string{"images/c1.nii.gz", "labels/c2.nii.gz"} {
		o := annotate.Options{Data: annotatetest.Data(t, 4), Dir: filepath.Join(t.TempDir(), "project")}
		p := open(t, o)
		until(t, "the data were looked at", func() bool {
			seen, err := p.Store().Seen(t.Context())
			return err == nil && len(seen) == 4
		})
		p.close()
		path := filepath.Join(o.Data, filepath.FromSlash(name))
		kept, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		copyTo(t, strings.NewReplacer("c1", "c3", "c2", "c3").Replace(path), path)
		reported := func(p *project) bool {
			texts, _ := p.Events.Problems()
			return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, filepath.Base(path)) })
		}
		for range 2 {
			p = open(t, o)
			until(t, "it is reported", func() bool { return reported(p) })
			p.close()
		}
		if err := os.WriteFile(path, kept, 0o600); err != nil {
			t.Fatal(err)
		}
		p = open(t, o)
		until(t, "today's copy, which is made after the look", func() bool {
			copies, _ := filepath.Glob(filepath.Join(o.Dir, "backups", "*.db"))
			return len(copies) > 0
		})
		if reported(p) {
			t.Errorf("%s: reported though it is back", name)
		}
	}
}

// What a project holds is for its owner alone.
func TestProjectIsPrivate(t *testing.T) {
	o, _ := labelled(t)
	p := open(t, o)
	until(t, "a copy", func() bool { _, err := os.Stat(filepath.Join(o.Dir, "backups")); return err == nil })
	p.close()
	err := filepath.WalkDir(o.Dir, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
