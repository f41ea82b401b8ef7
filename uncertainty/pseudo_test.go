package uncertainty

import (
	"math"
	"slices"
	"testing"
)

// sure returns 16 pixels of two classes whose larger probability is p, but for the last one, where it is last. The foreground is the larger one in odd
// pixels.
func sure(p, last float32) (probs []float32) {
	for i := range 16 {
		if i == 15 {
			p = last
		}
		if i%2 == 0 {
			probs = append(probs, p, 1-p)
		} else {
			probs = append(probs, 1-p, p)
		}
	}
	return probs
}

// An item that is sure but for one pixel is taken as long as its mean entropy, 0.033843 nats, is below 0.05 - 0.0033·c.
func TestPseudoMask(t *testing.T) {
	x, y := sure(0.998, 0.9), sure(0.99, 0.99)
	mask := make([]uint8, 16)
	for cycle := range 17 {
		threshold := max(0, 0.05-0.0033*float64(cycle))
		for _, way := range []struct {
			name          string
			items, pixels bool
		}{{"both", true, true}, {"item", true, false}, {"pixel", false, true}} {
			if taken, want := PseudoMask(mask, x, 2, threshold, way.items, way.pixels), cycle <= 4 || way.name == "pixel" && threshold > 0.0144; taken != want {
				t.Errorf("%s, cycle %d: item X taken %v, want %v", way.name, cycle, taken, want)
			}
			if last := mask[15] == Ignored; cycle <= 4 && (last != way.pixels || mask[0] != 0 || mask[1] != 1) {
				t.Errorf("%s, cycle %d: mask %v", way.name, cycle, mask)
			}
			if taken := PseudoMask(mask, y, 2, threshold, way.items, way.pixels); taken && way.name != "pixel" {
				t.Errorf("%s, cycle %d: item Y is taken", way.name, cycle)
			}
		}
	}
	if PseudoMask(mask, x, 2, 0, false, true) || PseudoMask(mask, x, 2, 0, true, false) {
		t.Error("a threshold of 0 takes an item")
	}
	x[6] = float32(math.NaN())
	if PseudoMask(mask, x, 2, 0.5, false, true) {
		t.Error("an item with a NaN is taken")
	}
}

// Mutual information of images of two intensities, by hand.
func TestMutualInformation(t *testing.T) {
	x := []float32{0, 0, 1, 1}
	for name, c := range map[string]struct {
		other []float32
		want  float64
	}{
		"itself": {[]float32{0, 0, 1, 1}, math.Ln2}, "independent": {[]float32{0, 1, 0, 1}, 0}, "partly": {[]float32{0, 1, 1, 1}, 0.215762},
		"empty": {[]float32{0, 0, 0, 0}, 0}, "inverted": {[]float32{1, 1, 0, 0}, math.Ln2},
	} {
		if got := MutualInformation([][]float32{x}, [][]float32{c.other})[0]; math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	got := MutualInformation([][]float32{x, {0, 1, 0, 1}}, [][]float32{x, {0, 1, 1, 1}})
	if want := (math.Ln2 + 0.215762) / 2; math.Abs(got[0]-want) > 1e-6 || math.Abs(got[1]-0.215762/2) > 1e-6 {
		t.Errorf("in the mean over two: %v, want %v and %v", got, want, 0.215762/2)
	}
	if got := MutualInformation([][]float32{x}, nil); got[0] != 0 {
		t.Errorf("with no labelled item: %v", got)
	}
	if got := MutualInformation([][]float32{{3, 3, 3, 3}}, [][]float32{x}); got[0] != 0 {
		t.Errorf("of equal intensities: %v", got)
	}
}

// Of three items the second wins, that is neither known nor sure; with a plus it would be the first.
func TestDiminishing(t *testing.T) {
	u, mi := []float64{1, 0.9, 0.2}, []float64{math.Ln2, 0, 0}
	got := Diminishing(u, mi, 1)
	for i, want := range []float64{0, 0.875, 0} {
		if math.Abs(got[i]-want) > 1e-12 {
			t.Errorf("item %d: %v, want %v", i, got[i], want)
		}
	}
	if got := Diminishing(u, mi, 2); math.Abs(got[0]-1.5) > 1e-12 {
		t.Errorf("alpha 2: %v, want 1.5", got[0])
	}
	if got := Diminishing([]float64{3, 3}, []float64{1, 1}, 1); !slices.Equal(got, []float64{0, 0}) {
		t.Errorf("all equal: %v", got)
	}
}
