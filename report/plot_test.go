package report

import (
	"math"
	"testing"
)

func TestLegendPlace(t *testing.T) {
	x, y := axis{low: 10, high: 70}, axis{low: 0, high: 100}
	flat := func(name string, level float64) Series {
		return Series{Name: name, Points: []Place{{10, level, math.NaN(), math.NaN(), 1}, {70, level, level - 5, level + 5, 3}}}
	}
	rising := Series{Name: "random", Points: []Place{{10, 20, 10, 30, 3}, {40, 80, 70, 90, 3}, {70, 85, 80, 90, 3}}}
	for _, c := range []struct {
		name string
		l    Lines
		p    Panel
		left bool
		low  float64 // the lift is between these
		high float64
	}{
		{"lower right is free", Lines{}, Panel{Series: []Series{rising}}, false, 0, 0},
		{"between two curves", Lines{}, Panel{Series: []Series{flat("a", 10), flat("b", 90)}}, false, 0.1, 0.73},
		{"above a low curve", Lines{}, Panel{Series: []Series{flat("a", 5)}}, false, 0.05, 0.9},
		{"not on the line of equality", Lines{Equal: true}, Panel{Series: []Series{{Name: "a", Points: []Place{{10, 95, 95, 95, 1}, {70, 95, 95, 95, 1}}}}}, false, 0, 0},
		{"not on the line at zero", Lines{Zero: "random"}, Panel{Series: []Series{rising}}, false, 0.02, 0.7},
		{"left of a curve that falls on the right", Lines{}, Panel{Series: []Series{{Name: "a", Points: []Place{{10, 100, 100, 100, 1}, {60, 100, 100, 100, 1}, {65, 0, 0, 0, 1}, {66, 100, 100, 100, 1}}}}}, true, 0, 0},
	} {
		left, lift := c.l.legendPlace(c.p, x, y)
		if left != c.left || lift < c.low || lift > c.high {
			t.Errorf("%s: left %v, lifted by %.2f", c.name, left, lift)
		}
	}
}
