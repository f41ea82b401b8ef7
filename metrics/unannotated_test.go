package metrics

import (
	"testing"

	"github.com/nextslice/nextslice/volume"
)

// A class that nobody has looked for in a case has no value there, whatever is predicted and under any rule for empty masks; the other classes
// and the other cases are measured as ever.
func TestUnannotated(t *testing.T) {
	size := [3]int{6, 6, 2}
	names := []string{"background", "liver", "spleen"}
	for _, rule := range []string{EmptyUndefined, EmptyOne} {
		pair := func() (pred, ref *volume.Mask) {
			pred, ref = mask(size, oneMM), mask(size, oneMM)
			fill(ref, 1, [3]int{1, 1, 0}, [3]int{4, 4, 2})
			fill(pred, 1, [3]int{2, 1, 0}, [3]int{4, 4, 2})
			fill(pred, 2, [3]int{5, 5, 0}, [3]int{6, 6, 2})
			return pred, ref
		}
		rules := Rules{Empty: rule, Further: &Tolerances{NSD: 1, LesionOverlap: 0.1}}
		whole, partly := NewAccumulator(names, rules), NewAccumulator(names, rules)
		pred, ref := pair()
		whole.Add("a", pred, ref)
		partly.AddPartly("a", pred, ref, []bool{false, false, true})
		one, other := whole.Summary(), partly.Summary()
		if one.Classes[0] != other.Classes[0] {
			t.Errorf("%s: liver is %+v, want %+v", rule, other.Classes[0], one.Classes[0])
		}
		spleen := other.PerCase[0].Classes[1]
		for name, m := range map[string]Measure{"dice_3d": spleen.Dice3D, "dice_2d": spleen.Dice2D, "hd95": spleen.HD95, "assd": spleen.ASSD, "nsd": spleen.NSD,
			"precision": spleen.Precision, "recall": spleen.Recall, "volume": spleen.VolumeDifference, "share": spleen.RelativeVolumeDifference} {
			if want := map[bool]int{true: 2, false: 1}[name == "dice_2d"]; m.N != 0 || m.Undefined != want || m.Value == m.Value {
				t.Errorf("%s: %s of the spleen is %+v, want no value", rule, name, m)
			}
		}
		if l := spleen.Lesions; l.FalsePositives != 0 {
			t.Errorf("%s: lesions %+v", rule, l)
		}
		if got, want := other.Mean.Dice3D.Value, other.Classes[0].Dice3D.Value; got != want {
			t.Errorf("%s: mean over classes %v, want that of the liver, %v", rule, got, want)
		}
		partly.Add("b", pred, ref)
		if m := partly.Summary().Classes[1].Dice3D; m.N != 1 || m.Value != 0 {
			t.Errorf("%s: of the case where the spleen was looked for %+v", rule, m)
		}
	}
}
