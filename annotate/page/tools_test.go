package page_test

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Growing and smoothing by key, on the class in hand alone.
func TestGrowAndSmoothByKey(t *testing.T) {
	p := openPage(t)
	const item = "prostate/010"
	p.untilItem(item)
	at := p.fitted(item)
	p.key(kb.Delete)
	p.key("[[[[[[[[[[") // one voxel wide
	p.drag(at, [][2]int{{20, 20}, {40, 20}, {40, 40}, {20, 40}, {20, 20}})
	p.key("F", chromedp.ModifierShift)
	p.drag(at, [][2]int{{40, 30}, {48, 30}}) // a spike
	p.key("2")
	p.drag(at, [][2]int{{70, 70}, {80, 70}})
	p.key("1")
	is := func(what string, want map[[2]int]byte) {
		t.Helper()
		p.wait(what, func() bool {
			d := p.server.draft(item)
			for at, label := range want {
				if d == nil || d[at[1]*128+at[0]] != label {
					return false
				}
			}
			return true
		})
	}
	is("drawn", map[[2]int]byte{{19, 25}: 0, {30, 30}: 1, {47, 30}: 1, {75, 70}: 2})
	p.key("S", chromedp.ModifierShift)
	is("smooth", map[[2]int]byte{{47, 30}: 0, {44, 30}: 0, {30, 30}: 1, {75, 70}: 2})
	p.key(">")
	is("a voxel more", map[[2]int]byte{{19, 25}: 1, {18, 25}: 0, {30, 41}: 1, {30, 42}: 0, {75, 70}: 2, {75, 71}: 0})
}

// The wheel with Alt makes the brush for like values more or less choosy.
func TestRangeByWheel(t *testing.T) {
	p := openPage(t)
	const item = "prostate/010"
	p.untilItem(item)
	at := p.fitted(item)
	p.key(kb.Delete)
	p.key("j")
	size := func() int { d := p.server.draft(item); return len(d) - bytes.Count(d, []byte{0}) }
	turn := func(delta int, times int) {
		for range times {
			eval[bool](p, fmt.Sprintf(`document.querySelector('.screen canvas').dispatchEvent(new WheelEvent('wheel', { deltaY: %d, altKey: true, bubbles: true, cancelable: true, clientX: 600, clientY: 400 }))`, delta))
		}
	}
	painted := func() (n int) {
		t.Helper()
		p.drag(at, [][2]int{{64, 64}, {64, 20}})
		p.wait("a stroke", func() bool { n = size(); return n > 0 })
		p.key("z")
		p.wait("undone", func() bool { return size() == 0 })
		return n
	}
	middle := painted()
	turn(-120, 6)
	if more := painted(); more <= middle {
		t.Errorf("%d voxels with a wide range, %d before", more, middle)
	}
	turn(120, 12)
	if less := painted(); less >= middle {
		t.Errorf("%d voxels with a narrow range, %d before", less, middle)
	}
	if !eval[bool](p, `document.querySelector('.corner.top.left').innerText.includes('slice 11 of 20')`) {
		t.Error("the wheel went to another slice")
	}
}

// A click with Ctrl on a segment takes its class, and draws nothing.
func TestClassByClick(t *testing.T) {
	p := openPage(t)
	const item = "prostate/010"
	p.untilItem(item)
	at := p.fitted(item)
	p.key("2")
	chosen := func(name string) {
		t.Helper()
		p.until(name, fmt.Sprintf(`document.querySelector('.classes button[aria-checked="true"]').innerText.includes(%q)`, name))
	}
	chosen("transition zone")
	x, y := at.at(64, 64) // in the gland
	p.do(chromedp.MouseClickXY(x, y, chromedp.ButtonModifiers(chromedp.ModifierCtrl)))
	chosen("prostate")
	time.Sleep(100 * time.Millisecond)
	if p.server.draft(item) != nil {
		t.Error("it has drawn")
	}
}

// The model's mask is there on a key on any slice, also one that nobody asked for and that is labelled.
func TestModelOnAnySlice(t *testing.T) {
	const item = "prostate/004"
	p := openOn(t, func(f *fake) {
		f.save(item, fakeVersion{Who: "grace", When: time.Now(), Action: "edited", mask: make([]byte, 128*128)})
	})
	p.untilItem("prostate/010")
	eval[bool](p, fmt.Sprintf(`(location.hash = '#/item/' + encodeURIComponent(%q), true)`, item))
	p.untilItem(item)
	if eval[bool](p, `document.querySelector('.corner.bottom.right').innerText.includes('proposal')`) {
		t.Error("the label of a person is covered before a key asks")
	}
	p.key("h")
	p.until("the model's outline", `document.querySelector('.corner.bottom.right .dashed')?.innerText === 'proposal'`)
	p.key("H", chromedp.ModifierShift)
	p.wait("the model's mask is the draft", func() bool { return bytes.Equal(p.server.draft(item), p.server.proposal(item)) })
}

// Pictures are interpolated unless a person wants voxels.
func TestPicturesAreInterpolated(t *testing.T) {
	p := openPage(t, `{"viewer":false}`)
	p.allow("willReadFrequently")
	const item = "prostate/010"
	p.untilItem(item)
	p.key("s") // without the mask
	c, _, k := p.server.split(item)
	window := p.server.task(item)["window"].(map[string]float32)
	grey := func(i int) int {
		return grey(float64(c.image.Data[k*128*128+i]), float64(window["low"]), float64(window["high"]))
	}
	at := p.fitted(item)
	border := 0
	for i := 20 * 128; i < 108*128; i++ {
		if d := grey(i+1) - grey(i); i%128 > 20 && i%128 < 108 && math.Abs(float64(d)) > math.Abs(float64(grey(border+1)-grey(border))) {
			border = i
		}
	}
	a, b := grey(border), grey(border+1)
	x0, y := at.at(border%128, border/128)
	x1, _ := at.at(border%128+1, border/128)
	beside := func(part float64) int {
		x := x0 + part*(x1-x0)
		return eval[int](p, fmt.Sprintf(`(() => { const c = document.querySelector('.screen canvas'), b = c.getBoundingClientRect();
			return c.getContext('2d').getImageData((%g - b.left) * c.width / b.width, (%g - b.top) * c.height / b.height, 1, 1).data[0] })()`, x, y))
	}
	between := func(v int) bool { return v > min(a, b)+abs(a-b)/8 && v < max(a, b)-abs(a-b)/8 }
	p.wait(fmt.Sprintf("a mean of %d and %d between the voxels", a, b), func() bool { return between(beside(0.35)) && between(beside(0.65)) })
	eval[bool](p, `(document.querySelectorAll('.tools details').forEach((d) => d.open = true), [...document.querySelectorAll('.tools label')].find((l) => l.innerText.includes('Smooth image') || l.innerText.includes('mooth'))?.click(), true)`)
	p.wait("voxels as they are", func() bool { return !between(beside(0.35)) && !between(beside(0.65)) })
}

func abs(v int) int { return max(v, -v) }

// Below a third of the slice's largest uncertainty nothing is shown: what is shown stands out, of early models too. The legend says in plain words what it is.
func TestUncertaintyFromAThird(t *testing.T) {
	p := openPage(t)
	p.allow("willReadFrequently")
	const item = "prostate/010"
	p.untilItem(item)
	p.key("s")
	p.key("u")
	p.until("the legend", `document.querySelector('.legend')?.title`)
	u := p.server.uncertainty(item)
	top := float32(0)
	for _, v := range u {
		top = max(top, v)
	}
	c, _, k := p.server.split(item)
	window := p.server.task(item)["window"].(map[string]float32)
	at, tried := p.fitted(item), map[bool]int{}
	for i, v := range u {
		low := v < top/3-1e-4
		if v == 0 || tried[low] == 3 || !low && v < top/2 {
			continue
		}
		tried[low]++
		bare := grey(float64(c.image.Data[k*128*128+i]), float64(window["low"]), float64(window["high"]))
		if low {
			p.untilPixel("nothing below a third", at, i%128, i/128, [3]int{bare, bare, bare})
		} else if got := p.pixel(at, i%128, i/128); abs(got[0]-bare)+abs(got[1]-bare)+abs(got[2]-bare) < 30 {
			t.Errorf("an uncertainty of %g of %g is not seen: %v on %d", v, top, got, bare)
		}
	}
	if tried[true] == 0 || tried[false] == 0 {
		t.Fatalf("tried %v: nothing is tested", tried)
	}
	hint := eval[string](p, `document.querySelector('.legend').title`)
	if want := fmt.Sprintf("%.0f %% of the most there can be", 100*float64(top)/math.Log(3)); !strings.Contains(hint, want) || strings.Contains(hint, "nats") {
		t.Errorf("the legend says %q, want %q in it", hint, want)
	}
}
