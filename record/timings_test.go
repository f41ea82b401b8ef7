package record

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/active"
)

// A record has the times of its runs, and one without any has no file of them.
func TestTimings(t *testing.T) {
	x := Export{Config: []byte("data: x\n"), Runs: runs()}
	dir := filepath.Join(t.TempDir(), "record")
	if err := x.Write(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, TimingsFile)
	if _, err := os.Stat(path); err == nil {
		t.Error("times of runs that have none")
	}
	want := []Timing{{Cycle: 0, Score: 1.5, Query: 0.25, Passes: 712, PeakMB: 512}, {Cycle: 1, Train: 20.125, Evaluate: 2, Members: 80}}
	x.Runs[1].Timings = want
	if err := x.Write(dir); err != nil {
		t.Fatal(err)
	}
	got, err := ReadExport(dir)
	timed, _ := Find(got.Runs, x.Runs[1].Unit)
	other, _ := Find(got.Runs, x.Runs[0].Unit)
	if err != nil || !slices.Equal(timed.Timings, want) || other.Timings != nil {
		t.Errorf("%v: %+v and %+v", err, timed.Timings, other.Timings)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(text), "\n")
	for broken, says := range map[string]string{
		"":                                    "empty file",
		"grid,strategy\n":                     "train_s is missing",
		head + "\n,other,1,0,0,0,0,0,0,0,0\n": "line 2: peak_mb: there is no run",
		strings.Replace(string(text), "1.500", "-1", 1):   "score_s: want a number, 0 or more",
		strings.Replace(string(text), "1.500", "soon", 1): "score_s: want a number",
	} {
		if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadExport(dir); err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "without this file") {
			t.Errorf("%q: got %v, want %q", broken, err, says)
		}
	}
}

// Of two lines of a cycle the last counts, and half a line is none.
func TestFolderTimings(t *testing.T) {
	f := &Folder{Dir: t.TempDir()}
	u := Unit{Strategy: "random", Set: 1}
	if got, err := f.Timings(u); got != nil || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	path := f.path("units", u.Name(), "timings.jsonl")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(`{"cycle":0,"score_s":9}
{"cycle":0,"score_s":2.00049,"peak_mb":511.7}
{"cycle":1,"sco{"cycle":1,"train_s":3}
{"cycle":2,"train_s":4`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Timings(u); err != nil || !slices.Equal(got, []Timing{{Score: 2, PeakMB: 512}}) {
		t.Errorf("%+v, %v", got, err)
	}
}

// What a crash left of a line does not take the next one with it.
func TestTornTimings(t *testing.T) {
	f := &Folder{Dir: t.TempDir()}
	u := Unit{Strategy: "random", Set: 1}
	path := f.path("units", u.Name(), "timings.jsonl")
	for torn, want := range map[string][]Timing{
		"":                                  {{Cycle: 1, Train: 3}},
		"{\"cyc":                            {{Cycle: 1, Train: 3}},
		"{\"cycle\":0}\n":                   {{}, {Cycle: 1, Train: 3}},
		"{\"cycle\":0}\n{\"cycle\":1,\"sco": {{}, {Cycle: 1, Train: 3}},
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.RemoveAll(f.path("units", u.Name(), "cycles.jsonl")), os.WriteFile(path, []byte(torn), 0o600)); err != nil {
			t.Fatal(err)
		}
		for range 2 { // what is whole stays
			_, r, err := f.OpenUnit(u, func() Timing { return Timing{Cycle: 1, Train: 3} }, func(active.Cycle) {})
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(r.Record(active.Cycle{}), r.Close()); err != nil {
				t.Fatal(err)
			}
			if got, err := f.Timings(u); err != nil || !slices.Equal(got, want) {
				t.Errorf("behind %q: %+v, %v", torn, got, err)
			}
		}
	}
}
