package quickselect

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Against sorting, with many ties.
func TestNth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.Float32Range(-1e6, 1e6)
		if rapid.Bool().Draw(t, "ties") {
			value = rapid.Map(rapid.IntRange(0, 3), func(i int) float32 { return float32(i) })
		}
		x := rapid.SliceOfN(value, 1, 60).Draw(t, "x")
		n := rapid.IntRange(0, len(x)-1).Draw(t, "n")
		sorted := slices.Sorted(slices.Values(x))
		Nth(x, n)
		if x[n] != sorted[n] || n > 0 && slices.Max(x[:n]) > x[n] || slices.Min(x[n:]) < x[n] {
			t.Fatalf("place %d is %v in %v, want %v", n, x[n], x, sorted[n])
		}
		slices.Sort(x)
		if !slices.Equal(x, sorted) {
			t.Fatalf("values are lost: %v, want %v", x, sorted)
		}
	})
	Nth([]int(nil), 0)
}

// A slice of background, or one that is sorted already, must not take quadratic time: at a million values that would be hours.
func TestNthIsLinear(t *testing.T) {
	for name, value := range map[string]func(i int) int{"equal": func(int) int { return 1 }, "sorted": func(i int) int { return i }, "reversed": func(i int) int { return -i }} {
		x := make([]int, 1_000_000)
		for i := range x {
			x[i] = value(i)
		}
		want := slices.Sorted(slices.Values(x))[1000]
		if Nth(x, 1000); x[1000] != want {
			t.Errorf("%s: got %d, want %d", name, x[1000], want)
		}
	}
}
