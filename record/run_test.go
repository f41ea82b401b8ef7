package record

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/fuzztest"
)

// summary evaluates two small cases of two classes; one class of one case is in neither mask, one is missed.
func summary() metrics.Summary {
	mask := func(labels ...uint8) *volume.Mask {
		return &volume.Mask{Grid: volume.Grid{Size: [3]int{4, 2, 1}, Affine: [3][4]float64{{0.7, 0, 0, 0}, {0, 0.7, 0, 0}, {0, 0, 3, 0}}, Unit: "mm"}, Data: labels}
	}
	a := metrics.NewAccumulator([]string{"background", "head", "tail, end"}, metrics.Rules{})
	a.Add("one=1", mask(1, 1, 1, 0, 2, 0, 0, 0), mask(1, 1, 0, 0, 2, 2, 0, 0))
	a.Add("two", mask(0, 0, 0, 0, 0, 0, 0, 0), mask(1, 0, 0, 0, 0, 0, 0, 0))
	return a.Summary()
}

func runs() []Run {
	all := makeRuns()
	all[0].Calibrate([]metrics.Bin{{}, {Pixels: 1234567, Confidence: 0.91239999, Accuracy: 0.5}})
	return all
}

func makeRuns() []Run {
	undefined := metrics.NewAccumulator([]string{"background", "head", "tail, end"}, metrics.Rules{}).Summary()
	return []Run{
		FromCycles(Unit{"steps=300, lr=0.001", "entropy+sb(q=7)", 2}, []string{"b/001", "b/002"}, []active.Cycle{
			{Cycle: 0, Labelled: 2, Query: []string{"one=1/000", "a b/017"}, Scored: 5, Measures: summary()},
			{Cycle: 1, Labelled: 4, Measures: summary()},
		}),
		FromCycles(Unit{"steps=300, lr=0.001", "entropy+sb(q=7)", 1}, nil, []active.Cycle{{Cycle: 0, Labelled: 2, Measures: undefined}}),
	}
}

func TestRoundTrip(t *testing.T) {
	var first bytes.Buffer
	if err := WriteRuns(&first, runs()); err != nil {
		t.Fatal(err)
	}
	got, err := ReadRuns(bytes.NewReader(first.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	want := runs()
	want[0], want[1] = want[1], want[0] // by set
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got[1].Cycles[0].Measures.Unit != "mm" {
		t.Errorf("unit %q", got[1].Cycles[0].Measures.Unit)
	}
	var second bytes.Buffer
	if err := WriteRuns(&second, got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first.String(), second.String()); diff != "" {
		t.Errorf("a second writing differs (-first +second):\n%s", diff)
	}
}

// Copies are a last column where a run has any, and are read back; a file without them, such as an older one, has no such column.
func TestCopies(t *testing.T) {
	all := runs()
	var without, with bytes.Buffer
	if err := WriteRuns(&without, all); err != nil {
		t.Fatal(err)
	}
	copied := []active.Cycle{
		{Cycle: 0, Labelled: 2, Query: []string{"a/1"}, Copies: []string{"b/1", "b/2"}, Measures: summary()},
		{Cycle: 1, Labelled: 3, Measures: summary()},
	}
	all = append(all, FromCycles(Unit{"", "dutp", 1}, nil, copied))
	if err := WriteRuns(&with, all); err != nil {
		t.Fatal(err)
	}
	for text, has := range map[string]bool{without.String(): false, with.String(): true} {
		if head, _, _ := strings.Cut(text, "\n"); strings.HasSuffix(head, ",calibration,copies") != has || strings.Contains(head, "copies") != has {
			t.Errorf("columns %s", head)
		}
	}
	got, err := ReadRuns(bytes.NewReader(with.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	r, found := Find(got, Unit{"", "dutp", 1})
	if !found || !slices.Equal(r.Cycles[0].Copies, copied[0].Copies) || r.Cycles[1].Copies != nil || !slices.Equal(r.ActiveCycles()[0].Copies, copied[0].Copies) {
		t.Errorf("%+v", r)
	}
	if short, _ := r.Within(0); short.Cycles[0].Copies != nil { // they are those of the next cycle
		t.Errorf("of a budget of no query: %+v", short.Cycles)
	}
}

func TestFromCycles(t *testing.T) {
	r := runs()[0]
	if r.Cycles[0].Initial == nil || r.Cycles[1].Initial != nil || r.Cycles[0].Cases != nil {
		t.Errorf("the initial set belongs to the first cycle, the cases to the last: %+v", r)
	}
	// Case one: head 2*2/(3+2) = 0.8, tail 2*1/(1+2) = 0.6667. Case two: head missed, tail in neither mask.
	want := []Case{{"one=1", 0.7333}, {"two", 0}}
	if diff := cmp.Diff(want, r.Cycles[1].Cases); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if b := r.Cycles[1].Calibration[1]; b.Confidence != 0.9124 || r.Cycles[0].Calibration != nil {
		t.Errorf("calibration %+v", r.Cycles[1].Calibration)
	}
	back := r.ActiveCycles()
	if len(back) != 2 || back[0].Labelled != 2 || !active.Finished(back, 1) {
		t.Errorf("%+v", back)
	}
}

func TestReadRefuses(t *testing.T) {
	var b bytes.Buffer
	if err := WriteRuns(&b, runs()); err != nil {
		t.Fatal(err)
	}
	good := b.String()
	for name, test := range map[string]struct{ old, new, want string }{
		"other column":   {"strategy", "method", "strategy is missing, method is unknown"},
		"other order":    {"strategy,set", "set,strategy", "another order"},
		"a cycle twice":  {",2,1,4,", ",2,0,4,", "line 4: entropy+sb(q=7), set 2, steps=300, lr=0.001: want cycle 1, got 0"},
		"text":           {",2,1,4,", ",2,1,many,", `line 4: labelled: want a whole number, 0 or more, got "many"`},
		"bad number":     {"mm,0.53", "mm,0.x53", `dice_3d: want a number`},
		"infinite":       {",0.4,", ",Inf,", "want a number"},
		"case, no value": {"two=0", "two", "case_dice_3d: want CASE=DICE"},
		"bin of two":     {"0:0:0;", "0:0;", "calibration: want PIXELS:CONFIDENCE:ACCURACY"},
	} {
		bad := strings.Replace(good, test.old, test.new, 1)
		if bad == good {
			t.Fatalf("%s: %q is not in\n%s", name, test.old, good)
		}
		if _, err := ReadRuns(strings.NewReader(bad)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
	if _, err := ReadRuns(strings.NewReader("")); err == nil {
		t.Error("an empty file was read")
	}
}

func TestWriteRefuses(t *testing.T) {
	bad := runs()
	bad[0].Cycles[0].Query = []string{"a;b/001"}
	if err := WriteRuns(&bytes.Buffer{}, bad); err == nil || !strings.Contains(err.Error(), "rename the case") {
		t.Errorf("semicolon: got %v", err)
	}
	bad = runs()
	bad[1].Cycles[0].Measures = metrics.NewAccumulator([]string{"background", "head"}, metrics.Rules{}).Summary()
	if err := WriteRuns(&bytes.Buffer{}, bad); err == nil || !strings.Contains(err.Error(), "different experiments") {
		t.Errorf("classes: got %v", err)
	}
}

func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "record")
	f := Export{Config: []byte("data: x\n"), Env: []byte("{}"), Runs: runs()}
	for range 2 { // a record is replaced by a newer one
		if err := f.Write(dir); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ReadExport(dir)
	if err != nil {
		t.Fatal(err)
	}
	if string(got.Config) != "data: x\n" || got.Data != nil || string(got.Env) != "{}" || len(got.Runs) != 2 {
		t.Errorf("%+v", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "thesis.tex"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := f.Write(dir); err == nil || !strings.Contains(err.Error(), "thesis.tex") {
		t.Errorf("got %v", err)
	}
	run := t.TempDir()
	if err := os.WriteFile(filepath.Join(run, ConfigFile), []byte("mine"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := f.Write(run); err == nil {
		t.Error("a folder without a record was overwritten")
	}
	if _, ok := Find(got.Runs, Unit{Strategy: "random", Set: 1}); ok {
		t.Error("found a run that is not there")
	}
	if math.IsNaN(got.Runs[1].Cycles[1].Measures.Mean.Dice3D.Value) {
		t.Error("a value was lost")
	}
}

// What Read accepts, Write writes such that it reads the same.
func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	if err := WriteRuns(&b, runs()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.String())
	f.Add(strings.Join(strings.SplitAfter(b.String(), "\n")[:2], ""))
	f.Fuzz(func(t *testing.T, text string) {
		fuzztest.Bound(t, func() int {
			all, err := ReadRuns(strings.NewReader(text))
			if err != nil {
				return 0
			}
			var first, second bytes.Buffer
			if err := WriteRuns(&first, all); err != nil {
				return 0 // such as runs of other classes
			}
			again, err := ReadRuns(bytes.NewReader(first.Bytes()))
			if err != nil {
				t.Fatalf("%v in\n%s", err, first.String())
			}
			if err := WriteRuns(&second, again); err != nil || first.String() != second.String() {
				t.Errorf("%v; first\n%s\nsecond\n%s", err, first.String(), second.String())
			}
			return 0
		})
	})
}
