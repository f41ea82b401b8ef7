package page_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// pixel is the canvas's red, green and blue at the middle of a voxel.
func (p *window) pixel(l place, column, row int) [3]int {
	p.t.Helper()
	x, y := l.at(column, row)
	return eval[[3]int](p, fmt.Sprintf(`(() => {
		const c = document.querySelector('.screen canvas'), b = c.getBoundingClientRect();
		return [...c.getContext('2d').getImageData((%g - b.left) * c.width / b.width, (%g - b.top) * c.height / b.height, 1, 1).data].slice(0, 3);
	})()`, x, y))
}

// untilPixel waits until a pixel is as wanted, to the rounding of colours.
func (p *window) untilPixel(what string, l place, column, row int, want [3]int) {
	p.t.Helper()
	var got [3]int
	p.wait(what, func() bool {
		got = p.pixel(l, column, row)
		for i := range got {
			if d := got[i] - want[i]; d < -3 || d > 3 {
				return false
			}
		}
		return true
	})
}

// grey is what a voxel of the image looks like in a window.
func grey(v, low, high float64) int {
	return int(math.Round(255 * min(1, max(0, (v-low)/(high-low)))))
}

func mix(under int, over [3]int, opacity float64) (out [3]int) {
	for i := range out {
		out[i] = int(math.Round(float64(under)*(1-opacity) + float64(over[i])*opacity))
	}
	return out
}

func TestOverlaysAndWindow(t *testing.T) {
	p := openPage(t)
	const item = "prostate/010"
	p.untilItem(item)
	c, _, k := p.server.split(item)
	at := p.fitted(item)
	window := p.server.task(item)["window"].(map[string]float32)
	low, high := float64(window["low"]), float64(window["high"])
	p.allow("willReadFrequently") // reading single pixels is this test's, not the page's
	const column, row = 64, 64    // inside the gland
	value := float64(c.image.Data[(k*128+row)*128+column])
	teal := [3]int{0x35, 0xd0, 0xba}
	bare := grey(value, low, high)

	p.untilPixel("the mask lies over the image", at, column, row, mix(bare, teal, 0.3))
	p.key("dd")
	p.untilPixel("a stronger mask", at, column, row, mix(bare, teal, 0.4))
	p.key("s")
	p.untilPixel("the image alone", at, column, row, [3]int{bare, bare, bare})
	p.key("i")
	p.untilPixel("inverted", at, column, row, [3]int{255 - bare, 255 - bare, 255 - bare})
	p.key("i")

	// a neighbour is there to look at
	x, y := at.at(column, row)
	p.do(chromedp.MouseEvent(chromedp.MouseWheel, x, y, func(m *input.DispatchMouseEventParams) { m.DeltaX, m.DeltaY = 1e-6, 120 }))
	next := grey(float64(c.image.Data[((k+1)*128+row)*128+column]), low, high)
	p.untilPixel("the next slice", at, column, row, [3]int{next, next, next})
	p.until("its position", `document.querySelector('.corner.top.left').innerText.includes('slice 12 of 20')`)
	p.shoot("neighbour")
	p.drag(at, [][2]int{{10, 10}, {20, 20}})
	p.until("drawing is refused", `document.querySelector('.note').innerText.includes('to look at only')`)
	p.key("q")
	p.untilPixel("the queued slice again", at, column, row, [3]int{bare, bare, bare})
	if p.server.draft(item) != nil {
		t.Error("a stroke on a neighbour made a draft")
	}

	// right drag: 100 pixels to the left and 50 down
	x, y = at.at(column, row)
	right := func(m *input.DispatchMouseEventParams) { m.Button = "right"; m.Buttons = 2; m.ClickCount = 1 }
	p.do(chromedp.MouseEvent(chromedp.MousePressed, x, y, right), chromedp.MouseEvent(chromedp.MouseMoved, x-100, y+50, right), chromedp.MouseEvent(chromedp.MouseReleased, x-100, y+50, right))
	width := (high - low) * math.Exp(-100.0/250)
	level := (low+high)/2 + 50.0/250*(high-low)
	changed := grey(value, level-width/2, level+width/2)
	p.untilPixel("another window", at, column, row, [3]int{changed, changed, changed})
	p.key("0")
	p.untilPixel("the automatic window", at, column, row, [3]int{bare, bare, bare})

	// most uncertain where most neighbours differ
	u := p.server.uncertainty(item)
	worst := 0
	for i := range u {
		if u[i] > u[worst] {
			worst = i
		}
	}
	p.key("u")
	white := [3]int{255, 255, 255}
	under := grey(float64(c.image.Data[k*128*128+worst]), low, high)
	p.untilPixel("full uncertainty, at its own strength", at, worst%128, worst/128, mix(under, white, 0.8))
	p.key("s")
	p.key("h")
	p.key(kb.Delete)
	p.until("a legend", `document.querySelector('.legend').innerText.includes('uncertainty')`)
	p.shoot("overlays")
}

func TestViewerAndVersions(t *testing.T) {
	p := openPage(t, withViewer)
	p.untilItem("prostate/010")
	p.until("the viewer shows the case", `Number(document.querySelector('.planes').dataset.loaded) > 0`)
	// the coronal plane is the upper left one: its top is the head's side, the last slices of the phantom
	box := eval[[]float64](p, `(() => { const b = document.querySelector('.planes canvas').getBoundingClientRect(); return [b.left, b.top, b.width, b.height] })()`)
	p.shoot("viewer")
	clickAt := func(u, v float64) { p.do(chromedp.MouseClickXY(box[0]+u*box[2], box[1]+v*box[3])) }
	slice := func() int {
		return eval[int](p, `parseInt(/slice (\d+)/.exec(document.querySelector('.corner.top.left')?.innerText)?.[1] ?? 0)`)
	}
	clickAt(0.25, 0.06)
	p.wait("a slice near the head", func() bool { return slice() > 16 })
	clickAt(0.25, 0.40)
	p.wait("a slice near the feet", func() bool { return slice() < 6 })
	p.key("q")
	p.wait("the queued slice again", func() bool { return slice() == 11 })
	p.key("v")
	p.until("folded", `!document.querySelector('.viewer')`)
	p.key("v")

	// every save is a version; an earlier one can be restored
	p.key(kb.Enter)
	p.untilItem("wide/003")
	p.key("N", chromedp.ModifierShift)
	p.untilItem("prostate/010")
	p.key(kb.Delete)
	p.key("k")
	p.untilItem("wide/003")
	p.key("N", chromedp.ModifierShift)
	p.untilItem("prostate/010")
	p.until("two versions", `document.querySelectorAll('.versions li').length === 2`)
	p.shoot("versions")
	p.click(".versions li:nth-child(2) button[aria-pressed]")
	p.until("the first version's outline", `document.querySelector('.compared')?.innerText === 'version 1'`)
	asked, since := 0, time.Now()
	p.wait("the viewer has all it wants", func() bool {
		if n := p.server.asked("/cases/prostate/label.nii.gz"); n != asked {
			asked, since = n, time.Now()
		}
		return asked > 0 && time.Since(since) > 2*time.Second
	})
	p.click(".versions li:nth-child(2) button:last-child")
	p.until("three versions", `document.querySelectorAll('.versions li').length === 3`)
	p.wait("the viewer gets the labels as they are now", func() bool { return p.server.asked("/cases/prostate/label.nii.gz") > asked })
	got, _ := p.server.latest("prostate/010")
	if n := differ(got.mask, p.server.proposal("prostate/010")); n > 0 || got.Version != 3 {
		t.Errorf("version %d after restoring differs from the first in %d voxels", got.Version, n)
	}
}

// Where no graphics card draws, the viewer is folded until it is asked for; a case comes to it once, small, whichever of its slices is open.
func TestViewerIsFedOnce(t *testing.T) {
	p := openPage(t, `{"smooth":false}`) // the browser of tests imitates a graphics card
	p.untilItem("prostate/010")
	if !eval[bool](p, `!document.querySelector('.viewer')`) {
		t.Error("the viewer is open, and no graphics card draws it")
	}
	if n := p.server.asked(".nii.gz"); n > 0 {
		t.Errorf("%d files for a viewer that is folded", n)
	}
	p.key("v")
	p.until("the viewer shows the case", `Number(document.querySelector('.planes').dataset.loaded) > 0`)
	p.key(kb.ArrowDown)
	p.until("a neighbour", `document.querySelector('.banner')?.innerText.includes('to look at only')`)
	p.key(kb.Enter, chromedp.ModifierShift)
	p.untilItem("prostate/011")
	p.until("the viewer is there", `Number(document.querySelector('.planes').dataset.loaded) > 0`)
	if n := p.server.asked("/cases/prostate/image.nii.gz"); n != 1 {
		t.Errorf("the case came %d times to the viewer", n)
	}
	if big := eval[[]string](p, `performance.getEntriesByType('resource').map((e) => e.name).filter((n) => n.includes('.nii.gz') && !n.includes('preview=true'))`); len(big) > 0 {
		t.Errorf("the viewer asked for whole volumes: %s", big)
	}
}

// A viewer that is folded while its case is on the way ends in silence.
func TestViewerFoldedWhileLoading(t *testing.T) {
	p := openPage(t, withViewer)
	p.untilItem("prostate/010")
	for range 2 {
		p.until("the viewer shows the case", `Number(document.querySelector('.planes').dataset.loaded) > 0`)
		p.key("v")
		p.until("folded", `!document.querySelector('.viewer')`)
		gate := make(chan struct{})
		p.server.hold(gate)
		asked := p.server.asked("/image.nii.gz")
		p.key("v")
		p.wait("the case is on the way", func() bool { return p.server.asked("/image.nii.gz") > asked })
		p.key("v")
		p.until("folded", `!document.querySelector('.viewer')`)
		p.server.hold(nil)
		close(gate)
		p.until("the case has come", `performance.getEntriesByType('resource').filter((e) => e.name.includes('/image.nii.gz') && e.responseEnd > 0).length > `+fmt.Sprint(asked))
		p.key("v")
	}
}

func TestDashboard(t *testing.T) {
	p := openOn(t, func(f *fake) { f.drafts["wide/005"] = make([]byte, 320*320) })
	p.do(chromedp.Click(chromedp.CSS(`nav a[href="#/dashboard"]`)))
	p.until("three charts", `document.querySelectorAll('.plot canvas').length === 3`)
	p.shoot("dashboard-light")
	text := eval[string](p, `document.querySelector('.dashboard').innerText`)
	for _, want := range []string{"0.847", "prostate, slice 11", "0.31", "14 validation slices, 11 with foreground, cases: 3", "1 of 2 done", "NaN or infinite", "The last 3 cycles have raised", "The next 6 labels are expected to bring +0.014", "model trained", "saved", "version 1, edited", "grace", "in use", "wide, slice 6", "Slices without a label hold", "255, to be ignored: nobody has looked at them"} {
		if !strings.Contains(text, want) {
			t.Errorf("the dashboard does not say %q", want)
		}
	}
	p.allow("422")
	p.click(`button[data-format="dicom-seg"]`)
	p.until("why there is no export", `document.querySelector('.export .problem').innerText.includes('no case of this project is DICOM')`)
	folder := t.TempDir()
	if _, err := chromedp.CallBrowser(p.ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{Behavior: "allow", DownloadPath: folder, BrowserContextID: chromedp.FromContext(p.ctx).BrowserContextID}); err != nil {
		t.Fatal(err)
	}
	p.click(`button[data-format="csv"]`)
	p.wait("a file with the labels", func() bool {
		text, err := os.ReadFile(filepath.Join(folder, "labels.csv"))
		return err == nil && string(text) == "item,version\n"
	})
	p.server.events <- `{"type":"training","running":true,"phase":"train","step":300,"steps":1200,"epoch":20,"epochs":80,"loss":0.213,"seconds_left":95}`
	p.until("progress of the training", `document.querySelector('.training').innerText.includes('the model learns, epoch 20 of 80 · loss 0.213')`)
	p.do(chromedp.Click(chromedp.CSS(`.dashboard a[href="#/item/wide%2F008"]`)))
	p.untilItem("wide/008")
}

// The window of 1280 x 800 holds everything, in both colours, readable and with names
// for those who cannot see it; and nothing moves by itself.
func TestLayout(t *testing.T) {
	p := openPage(t, withViewer)
	p.untilItem("prostate/010")
	for _, theme := range []string{"light", "dark"} {
		for eval[string](p, `document.documentElement.dataset.theme`) != theme || eval[string](p, `document.querySelector('.bar button').innerText`) == "Auto" {
			p.click(".bar button")
		}
		for _, where := range []string{"editor", "dashboard"} {
			if where == "dashboard" {
				p.click(`nav a[href="#/dashboard"]`)
				p.until("charts", `document.querySelectorAll('.plot canvas').length === 3`)
			} else {
				p.click(`nav a[href="#/"]`)
				p.until("the viewer", `Number(document.querySelector('.planes')?.dataset.loaded) > 0`)
				if hidden := eval[[]string](p, `[...document.querySelectorAll('.tools, .actions, .bar, .side')].filter((e) => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1).map((e) => e.className)`); len(hidden) > 0 {
					t.Errorf("%s: does not fit: %s", theme, hidden)
				}
			}
			p.shoot(where + "-" + theme)
			if eval[bool](p, `document.documentElement.scrollWidth > innerWidth || document.documentElement.scrollHeight > innerHeight`) {
				t.Errorf("%s %s: the page is larger than the window", where, theme)
			}
			if low := eval[[]string](p, lowContrast); len(low) > 0 {
				t.Errorf("%s %s: text with too little contrast: %s", where, theme, strings.Join(low, "; "))
			}
			p.checkNames(where)
		}
	}
	if shift := eval[float64](p, `new Promise((done) => new PerformanceObserver((list, o) => { o.disconnect(); done(list.getEntries().filter((e) => !e.hadRecentInput).reduce((s, e) => s + e.value, 0)) }).observe({ type: 'layout-shift', buffered: true }) || setTimeout(() => done(0), 500))`); shift > 0.02 {
		t.Errorf("layout shifts add up to %.3f", shift)
	}
}

// lowContrast lists texts whose contrast to their background is below 4.5 (WCAG 2.1, 1.4.3); disabled controls are exempt.
const lowContrast = `(() => {
	const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
	const rgba = (c) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
	const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
	const out = new Set();
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walker.nextNode()) {
		const e = walker.currentNode.parentElement;
		if (!walker.currentNode.data.trim() || !e.checkVisibility() || e.closest(':disabled, .disabled, .screen, .planes, dialog, noscript, option')) continue;
		let under = e;
		while (under && rgba(getComputedStyle(under).backgroundColor)[3] < 255) under = under.parentElement;
		const [a, b] = [light(rgba(getComputedStyle(e).color)), light(rgba(getComputedStyle(under ?? document.body).backgroundColor))];
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < 4.5) out.add(walker.currentNode.data.trim() + ' ' + ratio.toFixed(1));
	}
	return [...out];
})()`

// checkNames fails for controls that a screen reader could not name.
func (p *window) checkNames(where string) {
	p.t.Helper()
	tree, err := chromedp.Call(p.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		p.t.Fatal(err)
	}
	controls := 0
	for _, n := range tree.Nodes {
		if n.Ignored || n.Role == nil {
			continue
		}
		role := strings.Trim(string(n.Role.Value), `"`)
		if !slices.Contains([]string{"button", "link", "slider", "checkbox", "radio", "combobox", "textbox"}, role) {
			continue
		}
		controls++
		if n.Name == nil || strings.Trim(string(n.Name.Value), `" `) == "" {
			p.t.Errorf("%s: a %s has no name", where, role)
		}
	}
	if controls < 5 {
		p.t.Errorf("%s: %d controls found", where, controls)
	}
}
