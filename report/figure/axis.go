package figure

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// axis is a range with the values that are written on it.
type axis struct {
	low, high float64
	ticks     []float64
}

// niceAxis returns an axis over the values with about n round ticks at its ends and between; NaN is passed over.
func niceAxis(values []float64, n int) axis {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if !math.IsNaN(v) {
			low, high = min(low, v), max(high, v)
		}
	}
	if low > high {
		low, high = 0, 1
	}
	if high-low < 1e-9 {
		low, high = low-0.5, high+0.5
	}
	step := math.Pow(10, math.Floor(math.Log10((high-low)/float64(n))))
	for _, k := range []float64{1, 2, 5, 10} {
		if (high-low)/(k*step) <= float64(n) {
			step *= k
			break
		}
	}
	a := axis{low: math.Floor(low/step+1e-9) * step, high: math.Ceil(high/step-1e-9) * step}
	for i := 0; a.low+float64(i)*step <= a.high+step/2; i++ {
		a.ticks = append(a.ticks, math.Round((a.low+float64(i)*step)/step)*step)
	}
	return a
}

// tickText writes a tick without the noise of floating point, and without the sign of a zero.
func tickText(v float64) string {
	if v == 0 {
		return "0"
	}
	return strings.Replace(strconv.FormatFloat(v, 'g', 6, 64), "-", "−", 1)
}

// of returns how a panel is drawn, and its axes: those that all share, or its own.
func (l Lines) of(p Panel) (own Lines, x, y axis) {
	panels := l.Panels
	if l.Apart {
		l.X, l.Y, l.Zero, l.Unit, l.From0 = p.X, p.Y, p.Zero, p.Unit, l.From0 && p.Zero == ""
		panels = []Panel{p}
	}
	x, y = l.axes(panels)
	return l, x, y
}

// axes returns the axes that panels share: x with its ticks at label counts, y over curves and intervals.
func (l Lines) axes(panels []Panel) (x, y axis) {
	var labels, values []float64
	if l.Zero != "" || l.From0 {
		values = append(values, 0)
	}
	for _, p := range panels {
		if p.Level != nil {
			values = append(values, p.Level.Value)
		}
		for _, s := range p.Series {
			for _, q := range s.Points {
				labels = append(labels, q.X)
				values = append(values, q.Mean, q.Low, q.High)
			}
		}
	}
	if l.Equal {
		x = niceAxis(append(values, labels...), 6)
		return x, x
	}
	slices.Sort(labels)
	labels = slices.Compact(labels)
	x = axis{low: labels[0], high: labels[len(labels)-1]}
	if x.low == x.high {
		x.low, x.high = x.low-1, x.high+1
	}
	const most = 8
	every := (len(labels) + most - 1) / most
	for i, n := range labels {
		if i%every == 0 {
			x.ticks = append(x.ticks, n)
		}
	}
	return x, niceAxis(values, 6)
}

// axis returns the axis of a forest, which holds zero.
func (f Forest) axis() axis {
	values := []float64{0}
	for _, r := range f.Rows {
		if !r.Title {
			values = append(values, r.Mean, r.Low, r.High)
			values = append(values, r.Sets...)
		}
	}
	return niceAxis(values, 8)
}
