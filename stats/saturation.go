package stats

import (
	"fmt"
	"math"
)

// Saturation is a curve that rises from its start towards a ceiling, each equal step taking an equal share of what is left:
//
//	y(x) = Ceiling - (Ceiling - Start) · exp(-rate · (x - X0))
//
// Only its rate is fitted. Source: Lüth et al. 2025, "nnActive", whose foreground efficiency is that rate, with x the share of the
// foreground that is annotated.
type Saturation struct {
	Ceiling float64 // y of all there is
	Start   float64 // y at X0
	X0      float64 // smallest x
}

// At returns the curve at x.
func (s Saturation) At(x, rate float64) float64 {
	return s.Ceiling - (s.Ceiling-s.Start)*math.Exp(-rate*(x-s.X0))
}

// Rate returns the rate with which the curve is nearest to points, by least squares in y. It is negative where points lie below the
// start. It is NaN where no rate is the best: with points at X0 alone, a start that is not below the ceiling, or points so near the
// ceiling, or above it, that a faster rise is always better. Rate panics where x and y have different lengths, and on NaN.
func (s Saturation) Rate(x, y []float64) float64 {
	if len(x) != len(y) {
		panic(fmt.Sprintf("stats: Saturation.Rate: %d x and %d y", len(x), len(y)))
	}
	demandNumbers("Saturation.Rate", x)
	demandNumbers("Saturation.Rate", y)
	reach := 0.0
	for _, v := range x {
		reach = max(reach, v-s.X0)
	}
	if reach == 0 || !(s.Start < s.Ceiling) {
		return math.NaN()
	}
	squares := func(rate float64) (sum float64) {
		for i := range x {
			d := y[i] - s.At(x[i], rate)
			sum += d * d
		}
		return sum
	}
	// In steps that are fine around zero and coarse far from it, from a curve that falls to one that is at its ceiling at once.
	const low, high, step = -3.0, 8.0, 0.05
	rate := func(t float64) float64 { return math.Sinh(t) / reach }
	best, least := low, math.Inf(1)
	for i := 0; low+float64(i)*step <= high; i++ {
		if sum := squares(rate(low + float64(i)*step)); sum < least {
			best, least = low+float64(i)*step, sum
		}
	}
	if steepest := squares(rate(high)); best == low || steepest-least <= 1e-9*steepest {
		return math.NaN()
	}
	return rate(golden(func(t float64) float64 { return squares(rate(t)) }, best-step, best+step))
}

// golden returns where a function has its minimum between two places, by golden-section search.
func golden(f func(float64) float64, a, b float64) float64 {
	shrink := (math.Sqrt(5) - 1) / 2
	c, d := b-shrink*(b-a), a+shrink*(b-a)
	fc, fd := f(c), f(d)
	for range 60 {
		if fc < fd {
			b, d, fd = d, c, fc
			c = b - shrink*(b-a)
			fc = f(c)
		} else {
			a, c, fc = c, d, fd
			d = a + shrink*(b-a)
			fd = f(d)
		}
	}
	return (a + b) / 2
}
