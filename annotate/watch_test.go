package annotate_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/annotatetest"
	"github.com/nextslice/nextslice/annotate/store"
	"github.com/nextslice/nextslice/internal/contents"
)

// tells reports whether a case is said to be another file, once the data were looked at: today's copy is made after that.
func tells(t *testing.T, p *project, name string) bool {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(p.Dir(), "backups")); err != nil {
		t.Fatal(err)
	}
	p.close()
	p = open(t, annotate.Options{Data: p.data.Dir, Dir: p.Dir()})
	defer p.close()
	until(t, "the look at the data", func() bool {
		copies, _ := filepath.Glob(filepath.Join(p.Dir(), "backups", "*.db"))
		return len(copies) > 0
	})
	problems, _ := p.Events.Problems()
	if n := len(problems); n > 1 {
		t.Errorf("problems: %q", problems)
	}
	return slices.ContainsFunc(problems, func(text string) bool {
		return strings.Contains(text, name+": ") && strings.Contains(text, "is another file")
	})
}

// renote notes what is noted under a place under other paths instead, as older programs did.
func renote(t *testing.T, dir string, paths func(place string) []string) {
	t.Helper()
	s := must(store.Open(t.Context(), dir, time.Now))
	before := must(s.Seen(t.Context()))
	err := s.ForgetContents(t.Context())
	for name, notes := range before {
		now := map[string]contents.Seen{}
		for place, seen := range notes {
			for _, path := range paths(place) {
				now[path] = seen
			}
		}
		err = errors.Join(err, s.NoteSeen(t.Context(), name, now))
	}
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
}

// A replaced image is told wherever the data folder is, however it is spelled, and whatever the file is called; one that is the same is not.
func TestDataReplacedElsewhere(t *testing.T) {
	rename := func(from, to string) {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	for how, elsewhere := range map[string]func(data, dir string) string{
		"relative": func(data, _ string) string {
			t.Chdir(filepath.Dir(data))
			return filepath.Base(data)
		},
		"here": func(data, _ string) string {
			t.Chdir(data)
			return "."
		},
		"moved": func(data, _ string) string {
			rename(data, data+"-moved")
			return data + "-moved"
		},
		"another name": func(data, _ string) string {
			rename(filepath.Join(data, "images"), filepath.Join(data, "imagesTr"))
			rename(filepath.Join(data, "labels"), filepath.Join(data, "labelsTr"))
			return data
		},
		"noted by an older program": func(data, dir string) string {
			renote(t, dir, func(place string) []string { return []string{"d1" + place[1:]} })
			return data
		},
		"noted by an older program, twice": func(data, dir string) string {
			renote(t, dir, func(place string) []string {
				return []string{"/abs/d1" + place[1:], `C:\d1` + strings.ReplaceAll(place[1:], "/", `\`)}
			})
			return data
		},
	} {
		for _, replaced := range []bool{false, true} {
			t.Run(fmt.Sprint(how, ", replaced ", replaced), func(t *testing.T) {
				o := annotate.Options{Data: annotatetest.Data(t, 4), Dir: filepath.Join(t.TempDir(), "project"), Change: small}
				p := open(t, o)
				until(t, "the data were looked at", func() bool { return len(must(p.Store().Seen(t.Context()))) == 4 })
				p.close()
				if image := filepath.Join(o.Data, "images", "c1.nii.gz"); replaced {
					copyTo(t, strings.Replace(image, "c1", "c3", 1), image)
				}
				p.data.Dir = elsewhere(o.Data, o.Dir)
				for range 2 {
					if got := tells(t, p, "c1"); got != replaced {
						t.Errorf("told: %v", got)
					}
				}
			})
		}
	}
}

// What an older program has noted of one file under two spellings, with other bytes, cannot both be right: that is told. A mask that is added is no other file.
func TestDataNotedTwice(t *testing.T) {
	o := annotate.Options{Data: annotatetest.Data(t, 4), Dir: filepath.Join(t.TempDir(), "project"), Change: small}
	mask := filepath.Join(o.Data, "labels", "c2.nii.gz")
	kept := must(os.ReadFile(mask))
	if err := os.Remove(mask); err != nil {
		t.Fatal(err)
	}
	p := open(t, o)
	until(t, "the data were looked at", func() bool { return len(must(p.Store().Seen(t.Context()))) == 4 })
	p.close()
	if err := os.WriteFile(mask, kept, 0o600); err != nil {
		t.Fatal(err)
	}
	if tells(t, p, "c2") {
		t.Error("a mask that is added is told")
	}
	p.close()
	renote(t, o.Dir, func(place string) []string { return []string{"d1" + place[1:]} })
	s := must(store.Open(t.Context(), o.Dir, time.Now))
	other := must(s.Seen(t.Context()))["c3"]["d1/images/c3.nii.gz"]
	if err := errors.Join(s.NoteSeen(t.Context(), "c1", map[string]contents.Seen{"/abs/d1/images/c1.nii.gz": other}), s.Close()); err != nil || other.SHA256 == "" {
		t.Fatal(err, other)
	}
	if !tells(t, p, "c1") {
		t.Error("not told")
	}
	if _, err := annotate.Repair(t.Context(), o.Dir, time.Now); err != nil {
		t.Fatal(err)
	}
	if tells(t, p, "c1") {
		t.Error("told after a repair")
	}
}

// A file that is replaced while it is served is told, and put back no longer.
func TestDataReplacedWhileServed(t *testing.T) {
	t.Cleanup(annotate.DataEvery(20 * time.Millisecond))
	o := annotate.Options{Data: annotatetest.Data(t, 4), Dir: filepath.Join(t.TempDir(), "project"), Change: small}
	p := open(t, o)
	until(t, "the data were looked at", func() bool { return len(must(p.Store().Seen(t.Context()))) == 4 })
	image := filepath.Join(o.Data, "images", "c1.nii.gz")
	kept := must(os.ReadFile(image))
	told := func() bool {
		problems, _ := p.Events.Problems()
		return slices.ContainsFunc(problems, func(text string) bool {
			return strings.Contains(text, "c1: ") && strings.Contains(text, "is another file")
		})
	}
	copyTo(t, strings.Replace(image, "c1", "c3", 1), image)
	until(t, "it is told", told)
	if err := os.WriteFile(image, kept, 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, "it is told no longer", func() bool { return !told() })
	p.close()
}
