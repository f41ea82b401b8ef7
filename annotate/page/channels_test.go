package page_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// panels are where the slice lies in each of two channels side by side, as newly opened.
func (p *window) panels(item string) [2]place {
	p.t.Helper()
	c, name, _ := p.server.split(item)
	box := eval[[]float64](p, `(() => { const b = document.querySelector('.screen canvas').getBoundingClientRect(); return [b.left, b.top, b.width, b.height] })()`)
	s, size := c.image.Spacing(), c.image.Size
	w, h := float64(size[0])*s[0], float64(size[1])*s[1]
	width := float64(int(box[2] / 2))
	var out [2]place
	for n := range out {
		scale := min((width-52)/w, (box[3]-52)/h)
		left, top := box[0]+float64(n)*width+(width-w*scale)/2, box[1]+(box[3]-h*scale)/2
		out[n] = place{left, top, left + w*scale, top + h*scale, size[0], size[1], name == "wide"}
	}
	return out
}

func several(f *fake) { f.channels = true }

// All channels of a slice are shown side by side, each in its own window; what is drawn on one is on all.
func TestChannelsSideBySide(t *testing.T) {
	p := openOn(t, several)
	p.allow("willReadFrequently")
	const item = "prostate/010"
	p.untilItem(item)
	p.key("s") // no mask
	c, _, k := p.server.split(item)
	at := p.panels(item)
	const column, row = 64, 64
	window := p.server.task(item)["window"].(map[string]float32)
	low, high := float64(window["low"]), float64(window["high"])
	value := float64(c.image.Data[(k*128+row)*128+column])
	first, second := grey(value, low, high), grey(1000-value, 1000-high/0.8, 1000-low)
	p.untilPixel("the first channel", at[0], column, row, [3]int{first, first, first})
	p.untilPixel("the second channel", at[1], column, row, [3]int{second, second, second})
	p.until("names of both", `[...document.querySelectorAll('.channel')].map((e) => e.innerText).join() === 'T2,ADC'`)
	p.shoot("channels")

	// right drag on the second changes its window, and not the first one's
	x, y := at[1].at(column, row)
	right := chromedp.ButtonRight
	p.do(chromedp.MouseEvent(chromedp.MousePressed, x, y, right, chromedp.ClickCount(1)), chromedp.MouseEvent(chromedp.MouseMoved, x-100, y, right), chromedp.MouseEvent(chromedp.MouseReleased, x-100, y, right, chromedp.ClickCount(1)))
	p.until("the controls are the second channel's", `[...document.querySelectorAll('.tools h2')].some((e) => e.textContent.includes('ADC'))`)
	p.wait("another window", func() bool { return p.pixel(at[1], column, row)[0] != second })
	p.untilPixel("the first channel as before", at[0], column, row, [3]int{first, first, first})
	p.key("0")
	p.untilPixel("the second channel's automatic window", at[1], column, row, [3]int{second, second, second})

	// a stroke on the second channel is in the mask, and seen on both
	p.key("s")
	p.key(kb.Delete)
	path := [][2]int{{30, 100}, {60, 104}}
	p.drag(at[1], path)
	teal := [3]int{0x35, 0xd0, 0xba}
	for n, v := range []float64{float64(c.image.Data[(k*128+102)*128+45]), 1000 - float64(c.image.Data[(k*128+102)*128+45])} {
		under := grey(v, low, high)
		if n == 1 {
			under = grey(v, 1000-high/0.8, 1000-low)
		}
		p.untilPixel(fmt.Sprintf("the stroke on channel %d", n), at[n], 45, 102, mix(under, teal, 0.3))
	}
	p.key(kb.Enter)
	want := make([]byte, 128*128)
	p.wantSaved(item, "edited", painted(c, want, path, 9, 1))
}

// A key folds the channels to one, another one switches it; zoom stays common to all.
func TestChannelsFoldAndSwitch(t *testing.T) {
	p := openOn(t, several, withViewer)
	p.allow("willReadFrequently")
	const item = "prostate/010"
	p.untilItem(item)
	p.key("s")
	c, _, k := p.server.split(item)
	const column, row = 64, 64
	window := p.server.task(item)["window"].(map[string]float32)
	low, high := float64(window["low"]), float64(window["high"])
	value := float64(c.image.Data[(k*128+row)*128+column])
	first, second := grey(value, low, high), grey(1000-value, 1000-high/0.8, 1000-low)
	p.until("two channels", `document.querySelectorAll('.frame').length === 2`)
	p.key("C", chromedp.ModifierShift)
	p.until("one channel", `document.querySelectorAll('.frame').length === 1`)
	at := p.fitted(item)
	p.untilPixel("the first channel, in the middle", at, column, row, [3]int{first, first, first})
	p.key("c")
	p.untilPixel("the second channel", at, column, row, [3]int{second, second, second})
	p.until("the three-plane viewer loads the second channel", `performance.getEntriesByType('resource').some((e) => e.name.includes('/image.nii.gz') && e.name.includes('channel=1'))`)
	p.key("c")
	p.untilPixel("the first channel again", at, column, row, [3]int{first, first, first})
	// neighbours are shown in the channel in view
	p.key("c")
	p.key(kb.ArrowDown)
	next := grey(1000-float64(c.image.Data[((k+1)*128+row)*128+column]), 1000-high/0.8, 1000-low)
	p.untilPixel("the neighbour in the second channel", at, column, row, [3]int{next, next, next})
	p.key("q")
	p.key("C", chromedp.ModifierShift)
	p.until("two channels", `document.querySelectorAll('.frame').length === 2`)
	side := p.panels(item)
	p.untilPixel("the first channel beside the second", side[0], column, row, [3]int{first, first, first})
	p.untilPixel("the second channel beside the first", side[1], column, row, [3]int{second, second, second})
	// the middle of each panel stays where it is while both are zoomed
	p.key("+")
	middle := func(n int) [3]int {
		s := side[n]
		x, y := (s.left+s.right)/2, (s.top+s.bottom)/2
		return p.pixel(place{x, y, x + 1, y + 1, 1, 1, false}, 0, 0)
	}
	p.until("zoomed", `Number(/([\d.]+) %/.exec([...document.querySelectorAll('.tools .facts')].at(-1).innerText)[1]) > 0`)
	if a, b := middle(0), middle(1); a == b {
		t.Errorf("both panels show %v", a)
	}
}

// Unsure is painted with its own key, hatched, saved as 255 and read back.
func TestUnsure(t *testing.T) {
	p := openOn(t, func(f *fake) { f.unsure = true })
	p.allow("willReadFrequently")
	const item = "prostate/010"
	p.untilItem(item)
	c, _, _ := p.server.split(item)
	at := p.fitted(item)
	p.key("o")
	p.until("unsure is chosen", `document.querySelector('.classes button[aria-checked="true"]').innerText.includes('unsure')`)
	path := [][2]int{{30, 100}, {60, 104}}
	p.drag(at, path)
	want := painted(c, p.server.proposal(item), path, 9, 255)
	p.key("ddddddddddddddd") // opaque
	for _, v := range [][2]int{{45, 102}, {46, 102}, {47, 102}, {48, 102}} {
		if u := (v[0] + v[1]) / 2 % 2; u == 0 {
			p.untilPixel(fmt.Sprintf("a white stripe at %v", v), at, v[0], v[1], [3]int{255, 255, 255})
		} else {
			p.untilPixel(fmt.Sprintf("a black stripe at %v", v), at, v[0], v[1], [3]int{20, 20, 20})
		}
	}
	p.shoot("unsure")
	p.key(kb.Enter)
	p.wantSaved(item, "edited", want)
	p.untilItem("wide/003")
	p.key("N", chromedp.ModifierShift)
	p.untilItem(item)
	p.untilPixel("the hatch is back", at, 45, 102, map[int][3]int{0: {255, 255, 255}, 1: {20, 20, 20}}[(45+102)/2%2])
	p.click(`.classes button[aria-keyshortcuts="1"]`)
	p.click(`.classes button[aria-keyshortcuts="O"]`) // and by the mouse
	second := [][2]int{{80, 100}, {90, 100}}
	p.drag(at, second)
	p.key(kb.Enter)
	p.untilItem("wide/003")
	got, _ := p.server.latest(item)
	if n := differ(got.mask, painted(c, want, second, 9, 255)); n > 0 || got.Version != 2 {
		t.Errorf("version %d: %d voxels differ", got.Version, n)
	}
}
