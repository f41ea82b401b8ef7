package page_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// fire sends a pointer event to the canvas, as a browser does for pens and fingers.
func (p *window) fire(event string, id int, kind string, x, y float64, more string) {
	p.t.Helper()
	buttons := 1
	if event == "pointerup" {
		buttons = 0
	}
	eval[bool](p, fmt.Sprintf(`document.querySelector('.screen canvas').dispatchEvent(new PointerEvent(%q, { pointerId: %d, pointerType: %q, clientX: %g, clientY: %g, button: 0, buttons: %d, bubbles: true, cancelable: true, isPrimary: %v%s })) || true`,
		event, id, kind, x, y, buttons, id == 1, more))
}

func (p *window) zoom() float64 {
	p.t.Helper()
	return eval[float64](p, `Number(/([\d.]+) %/.exec([...document.querySelectorAll('.tools .facts')].at(-1).innerText)[1])`)
}

// A second finger or a palm does not draw, and takes back what the first had begun; two fingers move and zoom.
func TestFingers(t *testing.T) {
	p := openPage(t)
	const item = "prostate/010"
	p.untilItem(item)
	at := p.fitted(item)
	point := func(column, row int) (float64, float64) { return at.at(column, row) }
	before := p.zoom()
	x1, y1 := point(40, 64)
	x2, y2 := point(80, 64)
	p.fire("pointerdown", 1, "touch", x1, y1, "")
	p.fire("pointermove", 1, "touch", x1+5, y1, "")
	p.fire("pointerdown", 2, "touch", x2, y2, "")
	p.fire("pointermove", 2, "touch", x2+(x2-x1), y2, "") // twice as far apart
	p.fire("pointerup", 2, "touch", x2+(x2-x1), y2, "")
	p.fire("pointermove", 1, "touch", x1-60, y1+60, "") // the finger that is left draws nothing
	p.fire("pointerup", 1, "touch", x1-60, y1+60, "")
	after := p.zoom()
	for end := time.Now().Add(10 * time.Second); after == before && time.Now().Before(end); after = p.zoom() { // the page draws when it can
		time.Sleep(20 * time.Millisecond)
	}
	if after < 1.7*before || after > 2.3*before {
		t.Errorf("two fingers twice as far apart zoom from %g to %g %%", before, after)
	}
	time.Sleep(1500 * time.Millisecond) // a draft would be on the server by now
	if p.server.draft(item) != nil {
		t.Error("two fingers drew")
	}
	p.key("r")
	// two fingers side by side move the slice
	pixel := `(() => { const c = document.querySelector('.screen canvas'); return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].reduce((s, v, i) => (i % 4 === 0 && v > 20 ? [s[0] + i / 4 % c.width, s[1] + 1] : s), [0, 0]) })()`
	p.allow("willReadFrequently")
	middle := func() float64 { v := eval[[]float64](p, pixel); return v[0] / v[1] } // of what is not black
	p.wait("fitted", func() bool { return p.zoom() == before })
	rest := middle()
	p.fire("pointerdown", 1, "touch", x1, y1, "")
	p.fire("pointerdown", 2, "touch", x2, y2, "")
	for step := range 10 {
		p.fire("pointermove", 1, "touch", x1+10*float64(step+1), y1, "")
		p.fire("pointermove", 2, "touch", x2+10*float64(step+1), y2, "")
	}
	p.fire("pointerup", 1, "touch", x1+100, y1, "")
	p.fire("pointerup", 2, "touch", x2+100, y2, "")
	p.wait("100 pixels to the right", func() bool { d := middle() - rest; return d > 90 && d < 110 })
	p.key("r")
	// one finger sets the window where that is its tool
	width := `Number(document.querySelector('input[aria-label="Width of the window"]').value)`
	was := eval[float64](p, width)
	eval[bool](p, `(document.querySelectorAll('details.more').forEach((d) => { d.open = true }), [...document.querySelectorAll('.more label')].find((e) => e.innerText.includes('Left drag')).querySelector('input').click(), true)`)
	p.fire("pointerdown", 1, "touch", x1, y1, "")
	p.fire("pointermove", 1, "touch", x1+250, y1, "")
	p.fire("pointerup", 1, "touch", x1+250, y1, "")
	p.until("a window as wide as it was, times e", fmt.Sprintf(`Math.abs(%s / %g - Math.E) < 0.01`, width, was))
	p.key("0b")
	// three fingers go through the slices
	for id := 1; id <= 3; id++ {
		x, y := point(30+20*id, 30)
		p.fire("pointerdown", id, "touch", x, y, "")
	}
	for id := 1; id <= 3; id++ {
		x, y := point(30+20*id, 30)
		p.fire("pointermove", id, "touch", x, y+45, "")
	}
	p.until("a neighbour", `document.querySelector('.banner')?.innerText.includes('to look at only')`)
	for id := 1; id <= 3; id++ {
		p.fire("pointerup", id, "touch", 0, 0, "")
	}
	p.key("q")
	// a palm does not draw
	x, y := point(60, 100)
	p.fire("pointerdown", 1, "touch", x, y, ", width: 90, height: 70")
	p.fire("pointermove", 1, "touch", x+30, y, ", width: 90, height: 70")
	p.fire("pointerup", 1, "touch", x+30, y, "")
	time.Sleep(1500 * time.Millisecond)
	if p.server.draft(item) != nil {
		t.Error("a palm drew")
	}
	// one finger draws
	c, _, _ := p.server.split(item)
	xa, ya := point(60, 100)
	xb, yb := point(90, 100)
	p.fire("pointerdown", 1, "touch", xa, ya, "")
	p.fire("pointermove", 1, "touch", xb, yb, "")
	p.fire("pointerup", 1, "touch", xb, yb, "")
	want := painted(c, p.server.proposal(item), [][2]int{{60, 100}, {90, 100}}, 9, 1)
	p.wait("one finger draws", func() bool { return bytes.Equal(p.server.draft(item), want) })
}

// With a pen in the hand, the hand on the screen does not draw.
func TestPenAndHand(t *testing.T) {
	p := openPage(t)
	const item = "prostate/010"
	p.untilItem(item)
	at := p.fitted(item)
	c, _, _ := p.server.split(item)
	hx, hy := at.at(100, 110)
	x, y := at.at(40, 40)
	x2, y2 := at.at(70, 44)
	p.fire("pointerdown", 7, "touch", hx, hy, "") // the hand comes first
	p.fire("pointermove", 7, "touch", hx+4, hy, "")
	p.fire("pointerdown", 3, "pen", x, y, "")
	p.fire("pointermove", 7, "touch", hx+20, hy+9, "")
	p.fire("pointermove", 3, "pen", x2, y2, "")
	p.fire("pointerdown", 8, "touch", hx-30, hy, "")
	p.fire("pointermove", 8, "touch", hx-60, hy-20, "")
	p.fire("pointerup", 3, "pen", x2, y2, "")
	p.fire("pointerup", 7, "touch", hx, hy, "")
	p.fire("pointerup", 8, "touch", hx, hy, "")
	want := painted(c, p.server.proposal(item), [][2]int{{40, 40}, {70, 44}}, 9, 1)
	p.wait("the pen's line alone", func() bool { return bytes.Equal(p.server.draft(item), want) })
}

// A pinch on a trackpad zooms about as far as the fingers move, and a wheel by steps.
func TestPinchOnATrackpad(t *testing.T) {
	p := openPage(t)
	p.untilItem("prostate/010")
	before := p.zoom()
	wheel := func(delta float64) {
		eval[bool](p, fmt.Sprintf(`document.querySelector('.screen canvas').dispatchEvent(new WheelEvent('wheel', { deltaY: %g, ctrlKey: true, bubbles: true, cancelable: true, clientX: 600, clientY: 400 })) || true`, delta))
	}
	for range 10 { // a browser reports a pinch to twice the size as deltas of -69 together
		wheel(-6.9)
	}
	p.wait("twice as large", func() bool { z := p.zoom(); return z > 1.9*before && z < 2.1*before })
	p.key("r")
	p.wait("fitted", func() bool { return p.zoom() == before })
	wheel(-120)
	p.wait("a step", func() bool { z := p.zoom(); return z > 1.15*before && z < 1.5*before })
}

// A stroke, and its undo, draw what they change, not the slice: on large slices nothing else is fast enough.
func TestStrokesDrawWhatTheyChange(t *testing.T) {
	p := openPage(t)
	p.key("n")
	const item = "wide/003" // 320 x 320
	p.untilItem(item)
	at := p.fitted(item)
	time.Sleep(500 * time.Millisecond) // what is loaded ahead draws nothing
	eval[bool](p, `(() => {
		const prototype = CanvasRenderingContext2D.prototype, put = prototype.putImageData;
		window.put = 0;
		prototype.putImageData = function (data, ...rest) {
			const [, , , , w, h] = rest;
			window.put += (w ?? data.width) * (h ?? data.height);
			return put.call(this, data, ...rest);
		};
		const main = document.querySelector('.screen canvas'), fill = prototype.fillRect;
		window.cleared = 0; // the largest part of the picture that was drawn anew at once
		prototype.fillRect = function (x, y, w, h) {
			if (this.canvas === main) window.cleared = Math.max(window.cleared, w * h / main.width / main.height);
			return fill.call(this, x, y, w, h);
		};
		return true;
	})()`)
	path := [][2]int{{100, 100}, {104, 100}, {108, 102}, {112, 104}}
	p.drag(at, path)
	p.wait("a draft", func() bool { return p.server.draft(item) != nil })
	p.key("z")
	p.wait("undone", func() bool { return bytes.Equal(p.server.draft(item), p.server.proposal(item)) })
	if put := eval[int](p, `window.put`); put == 0 || put > 320*320/2 {
		t.Errorf("a short stroke and its undo wrote %d pixels of a slice of %d", put, 320*320)
	}
	if part := eval[float64](p, `window.cleared`); part == 0 || part > 0.25 {
		t.Errorf("a short stroke drew %.0f %% of the picture anew at once", 100*part)
	}
}

// Narrow windows hold everything, the button that saves too.
func TestNarrow(t *testing.T) {
	p := openPage(t)
	for _, size := range [][2]int64{{800, 1100}, {640, 900}, {1440, 900}} {
		p.do(chromedp.EmulateViewport(size[0], size[1]))
		p.until("the slice is open", `document.querySelector('.screen:not([data-busy]) .corner.top.left')?.innerText.includes('slice 11 of 20')`)
		p.until(fmt.Sprint("all buttons are in a window of ", size), `[...document.querySelectorAll('.actions button, .tools button, .bar nav a')].every((e) => { const b = e.getBoundingClientRect(); return b.left >= 0 && b.right <= innerWidth + 0.5 }) && document.querySelector('.actions .primary').getBoundingClientRect().bottom <= innerHeight && document.documentElement.scrollWidth <= innerWidth`)
		p.shoot(fmt.Sprintf("editor-%dx%d", size[0], size[1]))
		p.click(`nav a[href="#/dashboard"]`)
		p.until("charts", `document.querySelectorAll('.plot canvas').length === 3`)
		p.until(fmt.Sprint("the dashboard fits a window of ", size), `document.documentElement.scrollWidth <= innerWidth`)
		p.shoot(fmt.Sprintf("dashboard-%dx%d", size[0], size[1]))
		p.click(`nav a[href="#/"]`)
	}
}

// What a stroke leaves on the screen is what the whole slice drawn anew shows, pixel by pixel, at any zoom and with smooth images.
func TestPartialDrawingIsWholeDrawing(t *testing.T) {
	p := openOn(t, func(f *fake) { f.channels, f.unsure = true, true })
	p.allow("willReadFrequently")
	p.untilItem("prostate/010")
	screen := `(() => { const c = document.querySelector('.screen canvas'); return c.getContext('2d').getImageData(0, 0, c.width, c.height).data })()`
	// two frames after all that was asked for, everything is drawn
	drawn := `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(true)))))`
	for round, keys := range []string{"", "+++", "h"} {
		if round == 2 { // smooth
			p.do(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll('details.more').forEach((d) => { d.open = true })`))
			p.click(`.more label:last-of-type input`)
		}
		p.key(keys)
		p.key("2")
		at := p.panels("prostate/010")[0]
		p.drag(at, [][2]int{{50, 58}, {62, 60}, {70, 71}})
		p.key("o")
		p.drag(at, [][2]int{{60, 70}, {66, 66}})
		p.key("z")
		p.until("the cursor has gone", `(document.querySelector('.screen canvas').dispatchEvent(new PointerEvent('pointerleave')), true)`)
		eval[bool](p, drawn)
		eval[bool](p, `(window.partly = `+screen+`, true)`)
		p.key("ss") // off and on: everything is drawn anew
		eval[bool](p, drawn)
		// to the rounding of colours that are laid over each other
		differ := eval[int](p, `(() => { const whole = `+screen+`; return whole.filter((v, i) => Math.abs(v - window.partly[i]) > 8).length })()`)
		if differ > 0 {
			t.Errorf("round %d: %d values of the canvas differ", round, differ)
		}
	}
}
