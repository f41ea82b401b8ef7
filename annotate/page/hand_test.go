package page_test

import (
	"math"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/nextslice/nextslice/random"
)

// hand is that of a scripted annotator: it moves the mouse as people trace a border, at a steady pace, with a tremor, and counts what it does.
type hand struct {
	p       *window
	speed   float64       // CSS pixels a second
	tremor  float64       // standard deviation, CSS pixels
	actions int           // strokes and keys
	waited  time.Duration // until the server had what is on the screen, which a person sees at once
	rng     interface{ NormFloat64() float64 }
}

func (p *window) hand() *hand {
	return &hand{p: p, speed: 400, tremor: 0.7, rng: random.Stream(1, "hand")}
}

// press presses a key.
func (h *hand) press(key string, modifiers ...chromedp.Modifier) {
	h.actions++
	h.p.key(key, modifiers...)
}

// stroke draws along voxels with the left button, 60 times a second a step.
func (h *hand) stroke(at place, voxels [][2]int, modifiers ...chromedp.Modifier) {
	h.p.t.Helper()
	h.actions++
	button := func() []chromedp.MouseOption {
		return []chromedp.MouseOption{chromedp.ButtonLeft, chromedp.ClickCount(1), chromedp.ButtonModifiers(modifiers...)}
	}
	x, y := at.at(voxels[0][0], voxels[0][1])
	h.p.do(chromedp.MouseEvent(chromedp.MouseMoved, x, y), chromedp.MouseEvent(chromedp.MousePressed, x, y, button()...))
	begin, way := time.Now(), 0.0
	for _, v := range voxels[1:] {
		toX, toY := at.at(v[0], v[1])
		length := math.Hypot(toX-x, toY-y)
		steps := max(1, int(math.Round(length/h.speed*60)))
		for step := range steps {
			part := float64(step+1) / float64(steps)
			if wait := time.Duration((way+part*length)/h.speed*float64(time.Second)) - time.Since(begin); wait > 0 {
				time.Sleep(wait)
			}
			h.p.do(chromedp.MouseEvent(chromedp.MouseMoved, x+part*(toX-x)+h.tremor*h.rng.NormFloat64(), y+part*(toY-y)+h.tremor*h.rng.NormFloat64(), button()...))
		}
		x, y, way = toX, toY, way+length
	}
	h.p.do(chromedp.MouseEvent(chromedp.MouseReleased, x, y, button()...))
}

// around is a way round the foreground of a mask that is star-shaped, by its outermost voxels in 48 directions.
func around(mask []byte, width int) (ring [][2]int) {
	var x, y, n float64
	for i, class := range mask {
		if class != 0 {
			x, y, n = x+float64(i%width), y+float64(i/width), n+1
		}
	}
	x, y = x/n, y/n
	for turn := range 49 {
		sin, cos := math.Sincos(float64(turn) / 48 * 2 * math.Pi)
		r := 0.0
		for {
			column, row := int(math.Round(x+r*cos)), int(math.Round(y+r*sin))
			if column < 0 || row < 0 || column >= width || row*width+column >= len(mask) || mask[row*width+column] == 0 {
				break
			}
			r += 0.25
		}
		ring = append(ring, [2]int{int(math.Round(x + (r-0.25)*cos)), int(math.Round(y + (r-0.25)*sin))})
	}
	return ring
}

// middle is the middle half of the longest run along a row of the voxels that a function names, nil where no run has four.
func middle(width, size int, is func(i int) bool) [][2]int {
	row, left, longest := 0, 0, 3
	for i, run := 0, 0; i < size; i++ {
		if i%width == 0 {
			run = 0
		}
		if !is(i) {
			run = 0
			continue
		}
		if run++; run > longest {
			row, left, longest = i/width, i%width-run+1, run
		}
	}
	if longest < 4 {
		return nil
	}
	return [][2]int{{left + longest/4, row}, {left + longest - 1 - longest/4, row}}
}
