package figure

import (
	"math"
	"testing"
)

func TestLegendPlace(t *testing.T) {
	x, y := axis{low: 10, high: 70}, axis{low: 0, high: 100}
	flat := func(name string, level float64) Series {
		return Series{Name: name, Points: []Point{{10, level, math.NaN(), math.NaN(), 1}, {70, level, level - 5, level + 5, 3}}}
	}
	rising := Series{Name: "random", Points: []Point{{10, 20, 10, 30, 3}, {40, 80, 70, 90, 3}, {70, 85, 80, 90, 3}}}
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
		{"not on the line of equality", Lines{Equal: true}, Panel{Series: []Series{{Name: "a", Points: []Point{{10, 95, 95, 95, 1}, {70, 95, 95, 95, 1}}}}}, false, 0, 0},
		{"not on the line at zero", Lines{Zero: "random"}, Panel{Series: []Series{rising}}, false, 0.02, 0.7},
		{"left of a curve that falls on the right", Lines{}, Panel{Series: []Series{{Name: "a", Points: []Point{{10, 100, 100, 100, 1}, {60, 100, 100, 100, 1}, {65, 0, 0, 0, 1}, {66, 100, 100, 100, 1}}}}}, true, 0, 0},
	} {
		left, lift, _ := c.l.legendPlace(c.p, x, y)
		if left != c.left || lift < c.low || lift > c.high {
			t.Errorf("%s: left %v, lifted by %.2f", c.name, left, lift)
		}
	}
}

// Many names over many curves have no place among them: they stand under the axes, which keep their size.
func TestLegendBelow(t *testing.T) {
	var many Panel
	for i := range 7 {
		s := Series{Name: "entropy+sb(q=100000)"}
		for x := range 6 {
			s.Points = append(s.Points, Point{X: float64(10 * x), Mean: float64(40 + (i+3*x)%11), Low: math.NaN(), High: math.NaN()})
		}
		many.Series = append(many.Series, s)
	}
	few := Panel{Series: many.Series[:1]}
	plots, below, err := Lines{Panels: []Panel{many, few}}.plots()
	if err != nil {
		t.Fatal(err)
	}
	if len(below) != 1 || below[plots[0]] == nil {
		t.Fatalf("legends below: %v, want that of the first panel", below)
	}
	height := func(p Panel) float64 {
		d, err := Figure{Lines: &Lines{Panels: []Panel{p}}}.draw()
		if err != nil {
			t.Fatal(err)
		}
		return d.height.Points()
	}
	if a, b := height(many), height(few); a < b+7*8 { // seven lines of eight points
		t.Errorf("a figure with the legend below is %.0f points high, one without %.0f", a, b)
	}
}

func TestTickText(t *testing.T) {
	for v, want := range map[float64]string{math.Copysign(0, -1): "0", -0.5: "−0.5", 0.1 + 0.2: "0.3", 40: "40"} {
		if got := tickText(v); got != want {
			t.Errorf("%v: %q, want %q", v, got, want)
		}
	}
}
