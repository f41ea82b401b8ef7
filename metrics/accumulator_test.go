package metrics

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/nextslice/nextslice/volume"
)

var oneMM = [3]float64{1, 1, 1}

// twoCases are two volumes of 4x4x3 with classes 1 and 2. Class 1: case a has Dice 1, 0.5 and none in its slices and
// 24/32 as a volume; case b has a prediction in its first slice and no reference. Class 2 is in no mask.
func twoCases() (ids []string, pred, ref []*volume.Mask) {
	size := [3]int{4, 4, 3}
	for range 2 {
		pred, ref = append(pred, mask(size, oneMM)), append(ref, mask(size, oneMM))
	}
	fill(ref[0], 1, [3]int{0, 0, 0}, [3]int{2, 4, 2})
	fill(pred[0], 1, [3]int{0, 0, 0}, [3]int{2, 4, 1})
	fill(pred[0], 1, [3]int{1, 0, 1}, [3]int{3, 4, 2})
	fill(pred[1], 1, [3]int{0, 0, 0}, [3]int{1, 1, 1})
	return []string{"a", "b"}, pred, ref
}

func evaluate(r Rules, axis int) Summary {
	a := NewAccumulator([]string{"background", "gland", "cyst"}, r)
	a.SliceAxis(axis)
	ids, pred, ref := twoCases()
	for n, id := range ids {
		a.Add(id, pred[n], ref[n])
	}
	return a.Summary()
}

func TestAccumulator(t *testing.T) {
	diagonal := math.Sqrt(16 + 16 + 9)
	// Case a: 16 surface voxels in either mask. Of the prediction 4 are not in the reference, one voxel away; and the
	// other way round 4 have their nearest one voxel below or beside. 95th percentile of 12 zeros and 4 ones: 1.
	gland := ClassSummary{
		Class:  1,
		Name:   "gland",
		Dice2D: Measure{Value: (1 + 0.5 + 0) / 3, N: 3, Undefined: 3},
		Dice3D: Measure{Value: 0.75 / 2, N: 2},
		HD95:   Measure{Value: (1 + diagonal) / 2, N: 2, Flagged: 1},
		ASSD:   Measure{Value: (0.25 + diagonal) / 2, N: 2, Flagged: 1},
	}
	nan := math.NaN()
	cyst := ClassSummary{
		Class: 2, Name: "cyst",
		Dice2D: Measure{Value: nan, Undefined: 6}, Dice3D: Measure{Value: nan, Undefined: 2},
		HD95: Measure{Value: nan, Undefined: 2}, ASSD: Measure{Value: nan, Undefined: 2},
	}
	overall := gland // the only class with values; the counts are totals
	overall.Class, overall.Name = -1, "mean"
	overall.Dice2D.Undefined, overall.Dice3D.Undefined, overall.HD95.Undefined, overall.ASSD.Undefined = 9, 2, 2, 2
	caseA := ClassSummary{
		Class: 1, Name: "gland",
		Dice2D: Measure{Value: 0.75, N: 2, Undefined: 1}, Dice3D: Measure{Value: 0.75, N: 1},
		HD95: Measure{Value: 1, N: 1}, ASSD: Measure{Value: 0.25, N: 1},
	}

	got := evaluate(Rules{}, 2)
	want := Summary{Classes: []ClassSummary{gland, cyst}, Mean: overall, Unit: "mm", Cases: 2}
	equal := cmp.Options{cmpopts.EquateNaNs(), cmpopts.EquateApprox(0, 1e-12)}
	if diff := cmp.Diff(want, got, equal, cmpopts.IgnoreFields(Summary{}, "PerCase")); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	if len(got.PerCase) != 2 || got.PerCase[0].ID != "a" || got.PerCase[1].ID != "b" {
		t.Fatalf("got cases %+v", got.PerCase)
	}
	if diff := cmp.Diff(caseA, got.PerCase[0].Classes[0], equal); diff != "" {
		t.Errorf("case a (-want +got):\n%s", diff)
	}

	for name, want := range map[string]Measure{
		NameDice2D: got.Mean.Dice2D, NameDice3D: got.Mean.Dice3D, NameHD95: got.Mean.HD95, NameASSD: got.Mean.ASSD,
	} {
		if m, known := got.Mean.Measure(name); !known || m != want {
			t.Errorf("%s: got %+v, want %+v", name, m, want)
		}
	}
	if m, known := got.Mean.Measure("dice"); known || !math.IsNaN(m.Value) {
		t.Errorf("a measure that does not exist: got %+v", m)
	}

	data, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), `"dice_3d":{"value":null,"n":0,"undefined":2}`) {
		t.Errorf("NaN is not null in %s", data)
	}
	var again Summary
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, again, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("after JSON (-before +after):\n%s", diff)
	}
}

func TestEmptyOne(t *testing.T) {
	got := evaluate(Rules{Empty: EmptyOne}, 2)
	gland, cyst := got.Classes[0], got.Classes[1]
	if want := (Measure{Value: (1 + 0.5 + 0 + 3) / 6, N: 6}); gland.Dice2D != want {
		t.Errorf("gland, slices: got %+v, want %+v", gland.Dice2D, want)
	}
	if want := (Measure{Value: 1, N: 2}); cyst.Dice3D != want {
		t.Errorf("cyst, volumes: got %+v, want %+v", cyst.Dice3D, want)
	}
	if cyst.HD95.N != 0 || cyst.HD95.Undefined != 2 {
		t.Errorf("the rule is for Dice only, got HD95 %+v", cyst.HD95)
	}
	if want := (0.375 + 1) / 2; got.Mean.Dice3D.Value != want || got.Mean.Dice3D.N != 4 {
		t.Errorf("mean over classes: got %+v, want %v of 4", got.Mean.Dice3D, want)
	}
}

func TestSliceAxis(t *testing.T) {
	// Along i, case a has in its slices 0 to 3 the reference 8, 8, 0, 0, the prediction 4, 8, 4, 0, both 4, 8, 0, 0;
	// case b a prediction in slice 0 only.
	want := Measure{Value: (8.0/12 + 1 + 0 + 0) / 4, N: 4, Undefined: 4}
	if got := evaluate(Rules{}, 0).Classes[0].Dice2D; !near(got.Value, want.Value, 1e-12) || got.N != want.N || got.Undefined != want.Undefined {
		t.Errorf("axis 0: got %+v, want %+v", got, want)
	}
	// Along j, all slices of case a are alike.
	want = Measure{Value: (4*0.75 + 0) / 5, N: 5, Undefined: 3}
	if got := evaluate(Rules{}, 1).Classes[0].Dice2D; !near(got.Value, want.Value, 1e-12) || got.N != want.N || got.Undefined != want.Undefined {
		t.Errorf("axis 1: got %+v, want %+v", got, want)
	}
}

func TestUnits(t *testing.T) {
	a := NewAccumulator([]string{"background", "gland"}, Rules{})
	if got := a.Summary(); got.Cases != 0 || !math.IsNaN(got.Mean.Dice3D.Value) {
		t.Errorf("no case: got %+v", got)
	}
	m := mask([3]int{2, 2, 2}, oneMM)
	for n, step := range []struct{ unit, want string }{{"voxel", "voxel"}, {"voxel", "voxel"}, {"mm", UnitMixed}, {"voxel", UnitMixed}} {
		m.Unit = volume.Unit(step.unit)
		a.Add("", m, m)
		if got := a.Summary().Unit; got != step.want {
			t.Errorf("after case %d: unit %q, want %q", n, got, step.want)
		}
	}
}

func TestPanics(t *testing.T) {
	small, other := mask([3]int{2, 2, 2}, oneMM), mask([3]int{2, 4, 1}, oneMM)
	high := mask([3]int{2, 2, 2}, oneMM)
	high.Data[3] = 2
	classes := []string{"background", "gland"}
	for name, f := range map[string]func(){
		"metrics: Add: prediction of size":      func() { NewAccumulator(classes, Rules{}).Add("a", small, other) },
		"metrics: Add: case a holds label 2":    func() { NewAccumulator(classes, Rules{}).Add("a", high, small) },
		"metrics: NewAccumulator: rule":         func() { NewAccumulator(classes, Rules{Empty: "zero"}) },
		"metrics: NewAccumulator: want":         func() { NewAccumulator(classes[:1], Rules{}) },
		"metrics: SliceAxis: axis 3":            func() { NewAccumulator(classes, Rules{}).SliceAxis(3) },
		"metrics: SurfaceDistances: prediction": func() { SurfaceDistances(small, other, 1) },
		"metrics: Dice: 8 predicted":            func() { Dice(small.Data, small.Data[:7], 1) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if got, _ := recover().(string); !strings.HasPrefix(got, name) {
					t.Errorf("got panic %q, want %q", got, name)
				}
			}()
			f()
		})
	}
}
