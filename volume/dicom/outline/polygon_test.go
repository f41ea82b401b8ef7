package outline

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Too many comparisons are refused, not waited for.
func TestFillTooMuch(t *testing.T) {
	many := Contour{Points: make([][2]float64, 100)}
	if _, err := Fill(make([]bool, 1), 1, 1, []Contour{many, many}, 100*100); err == nil || !strings.Contains(err.Error(), "more contours within each other than any drawing has") {
		t.Errorf("%v", err)
	}
}

// Filling agrees with asking, for every pixel, whether a ray to the left crosses an odd number of edges.
func TestSpansAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const width, height = 7, 6
		number := rapid.OneOf(rapid.Float64Range(-3, 9), rapid.Map(rapid.IntRange(-3, 9), func(i int) float64 { return float64(i) }))
		points := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) [2]float64 {
			return [2]float64{number.Draw(t, "x"), number.Draw(t, "y")}
		}), 1, 9).Draw(t, "points")
		plane := make([]bool, width*height)
		drawn := newPolygon(points)
		toggle := func(v int) { plane[v] = !plane[v] }
		drawn.spans(width, height, toggle)
		for v, got := range plane {
			x, y := float64(v%width), float64(v/width)
			want := false
			for n, a := range points {
				b := points[(n+1)%len(points)]
				if (a[1] <= y) != (b[1] <= y) {
					if a[1] > b[1] {
						a, b = b, a
					}
					if a[0]+(y-a[1])/(b[1]-a[1])*(b[0]-a[0]) <= x {
						want = !want
					}
				}
			}
			if got != want {
				t.Fatalf("pixel (%v, %v): %v, want %v, for %v", x, y, got, want, points)
			}
		}
		drawn.spans(width, height, toggle)
		if slices.Contains(plane, true) {
			t.Fatal("twice is not nothing")
		}
	})
}

// The area of a disc comes out right.
func TestSpansDisc(t *testing.T) {
	var disc [][2]float64
	for a := range 360 {
		s, c := math.Sincos(float64(a) * math.Pi / 180)
		disc = append(disc, [2]float64{50.3 + 40*c, 49.6 + 40*s})
	}
	plane := make([]bool, 100*100)
	newPolygon(disc).spans(100, 100, func(v int) { plane[v] = true })
	n := 0
	for _, in := range plane {
		if in {
			n++
		}
	}
	if area := math.Pi * 1600; math.Abs(float64(n)-area) > 0.005*area {
		t.Errorf("%d pixels, want about %.0f", n, area)
	}
}
