package figure

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

// A line across is on the axis even where no curve comes near it, and is named.
func TestLevel(t *testing.T) {
	l := &Lines{Panels: []Panel{
		{Series: []Series{{Name: "random", Points: []Point{{X: 10, Mean: 40, Low: 38, High: 42}, {X: 20, Mean: 60, Low: 55, High: 61}}}}, Level: &Level{"all 712 slices", 87}},
	}}
	if _, y := l.axes(l.Panels); y.high < 87 {
		t.Errorf("the axis ends at %v", y.high)
	}
	f := Figure{Title: "curves", Lines: l}
	if page := string(f.HTML()); strings.Count(page, `class="level"`) != 2 || !strings.Contains(page, "all 712 slices") { // the legend's and the panel's
		t.Error(page)
	}
	var b bytes.Buffer
	if err := f.Write(&b, "svg"); err != nil || !strings.Contains(b.String(), "all 712 slices") {
		t.Errorf("%v: no line in the file", err)
	}
}

// Panels with axes of their own: each has its title, its range and its line at zero. Dots are not joined, and keep their intervals.
func TestApart(t *testing.T) {
	nan := math.NaN()
	l := &Lines{Apart: true, From0: true, Columns: 2, Panels: []Panel{
		{X: "labels", Y: "share", Series: []Series{{Name: "a", Points: []Point{{X: 10, Mean: 40, Low: nan}, {X: 60, Mean: 80, Low: nan}}}}},
		{X: "cases", Y: "gain", Zero: "random", Series: []Series{{Name: "a", Dots: true, Points: []Point{{X: 1, Mean: -2, Low: -3, High: 1}, {X: 2, Mean: 5, Low: nan}, {X: 3, Mean: 1, Low: 0, High: 2}}}}},
	}}
	own, x, y := l.of(l.Panels[0])
	if x.low != 10 || x.high != 60 || y.low != 0 || y.high != 80 || own.Y != "share" || !own.From0 {
		t.Errorf("first: %v, %v, %q", x, y, own.Y)
	}
	own, x, y = l.of(l.Panels[1])
	if x.low != 1 || x.high != 3 || y.low > -3 || y.high > 10 || own.Zero != "random" || own.From0 {
		t.Errorf("second: %v, %v", x, y)
	}
	f := Figure{Title: "best", Lines: l}
	page := string(f.HTML())
	for _, want := range []string{">share<", ">gain<", ">labels<", ">cases<"} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is not on the page", want)
		}
	}
	if n := strings.Count(page, `class="interval`); n != 2 {
		t.Errorf("%d intervals, want 2", n)
	}
	if n := strings.Count(page, `class="curve r0" d="M`); n != 2+2 { // two in legends, one curve, one line at zero
		t.Errorf("%d curves", n)
	}
	for _, format := range []string{"png", "svg"} {
		if err := f.Write(&bytes.Buffer{}, format); err != nil {
			t.Error(err)
		}
	}
}
