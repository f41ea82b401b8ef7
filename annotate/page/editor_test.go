package page_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// painted is what a round brush of a diameter in voxels of the finer spacing
// leaves along a path, by the distance of each voxel's centre.
func painted(c *fakeCase, mask []byte, path [][2]int, diameter int, label byte) []byte {
	s, size := c.image.Spacing(), c.image.Size
	radius := float64(diameter) / 2 * min(s[0], s[1])
	out := bytes.Clone(mask)
	for i := 1; i < len(path); i++ {
		a, b := path[i-1], path[i]
		ax, ay, bx, by := float64(a[0])*s[0], float64(a[1])*s[1], float64(b[0])*s[0], float64(b[1])*s[1]
		length2 := (bx-ax)*(bx-ax) + (by-ay)*(by-ay)
		for k := range out {
			x, y := float64(k%size[0])*s[0], float64(k/size[0])*s[1]
			t := 0.0
			if length2 > 0 {
				t = min(1, max(0, ((x-ax)*(bx-ax)+(y-ay)*(by-ay))/length2))
			}
			if math.Hypot(x-ax-t*(bx-ax), y-ay-t*(by-ay)) <= radius+1e-9 {
				out[k] = label
			}
		}
	}
	return out
}

func differ(a, b []byte) (n int) {
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

func (p *window) wantSaved(item, action string, mask []byte) {
	p.t.Helper()
	p.wait(item+" is saved", func() bool { _, ok := p.server.latest(item); return ok })
	got, _ := p.server.latest(item)
	if got.Action != action {
		p.t.Errorf("%s: saved as %s, want %s", item, got.Action, action)
	}
	if n := differ(got.mask, mask); n > 0 {
		p.t.Errorf("%s: %d of %d voxels differ from what was drawn", item, n, len(mask))
	}
	if got.Seconds < 0 || got.Seconds > 60 {
		p.t.Errorf("%s: %g seconds on task", item, got.Seconds)
	}
}

func TestDrawUndoSave(t *testing.T) {
	p := openPage(t)
	const item = "prostate/010"
	p.untilItem(item)
	c, _, _ := p.server.split(item)
	at := p.fitted(item)
	want := p.server.proposal(item)

	path := [][2]int{{30, 30}, {60, 34}, {61, 70}}
	p.drag(at, path)
	stroke := painted(c, want, path, 9, 1)
	p.drag(at, [][2]int{{90, 90}, {100, 90}})
	p.key("z") // the second stroke goes
	p.key("2")
	p.key("]")
	second := [][2]int{{20, 100}, {50, 110}}
	p.drag(at, second)
	p.key("z", chromedp.ModifierCtrl)
	p.key("y")
	want = painted(c, stroke, second, 10, 2)

	p.key("e")
	third := [][2]int{{28, 31}, {45, 31}}
	p.drag(at, third)
	want = painted(c, want, third, 10, 0)

	p.key("1")
	p.key("p") // a square of 8 x 6 voxels by its corners
	for _, v := range [][2]int{{10, 10}, {18, 10}, {18, 16}, {10, 16}} {
		x, y := at.at(v[0], v[1])
		half := (at.right - at.left) / float64(at.columns) / 2
		p.do(chromedp.MouseClickXY(x-half, y-half))
	}
	p.key(kb.Enter)
	for y := 10; y < 16; y++ {
		for x := 10; x < 18; x++ {
			want[y*at.columns+x] = 1
		}
	}
	p.key("f") // fills it with another class
	p.key("2")
	x, y := at.at(12, 12)
	p.do(chromedp.MouseClickXY(x, y))
	for y := 10; y < 16; y++ {
		for x := 10; x < 18; x++ {
			want[y*at.columns+x] = 2
		}
	}
	p.shoot("editor-dark")
	p.key(kb.Enter)
	p.wantSaved(item, "edited", want)
	p.untilItem("wide/003")
}

func TestUndoThirtySteps(t *testing.T) {
	p := openPage(t)
	const item = "prostate/010"
	p.untilItem(item)
	c, _, _ := p.server.split(item)
	at := p.fitted(item)
	p.key("2") // no voxel has it yet: every stroke changes something
	var paths [][][2]int
	for i := range 35 {
		paths = append(paths, [][2]int{{10 + 3*i, 5 + 2*i}, {10 + 3*i, 9 + 2*i}})
		p.drag(at, paths[i])
	}
	for range 35 {
		p.key("z")
	}
	for range 33 {
		p.key("y")
	}
	want := p.server.proposal(item)
	for _, path := range paths[:33] {
		want = painted(c, want, path, 9, 2)
	}
	p.key(kb.Enter)
	p.wantSaved(item, "edited", want)
}

// Slices that are stored mirrored and with flat voxels are drawn where the mouse is.
func TestDrawMirroredAnisotropic(t *testing.T) {
	p := openPage(t)
	const item = "wide/003"
	p.key("n")
	p.untilItem(item)
	c, _, _ := p.server.split(item)
	at := p.fitted(item)
	path := [][2]int{{40, 60}, {200, 80}, {210, 250}}
	p.drag(at, path)
	p.shoot("mirrored")
	p.key(kb.Enter)
	p.wantSaved(item, "edited", painted(c, p.server.proposal(item), path, 9, 1))
}

func TestReloadFindsDraft(t *testing.T) {
	p := openPage(t)
	const item = "prostate/010"
	p.untilItem(item)
	c, _, _ := p.server.split(item)
	at := p.fitted(item)

	path := [][2]int{{20, 20}, {40, 25}}
	p.drag(at, path)
	want := painted(c, p.server.proposal(item), path, 9, 1)
	p.wait("the draft is on the server", func() bool { return bytes.Equal(p.server.draft(item), want) })
	p.until("the page knows", `Object.keys(localStorage).some((k) => k.startsWith('nextslice/draft/') && JSON.parse(localStorage[k]).onServer)`)
	p.do(chromedp.Reload())
	p.until("the draft is announced", `document.querySelector('.note')?.innerText.includes('draft of this slice is back')`)
	p.untilItem(item)

	// the server is away: the browser alone keeps the next stroke
	p.allow("Failed to load resource")
	p.setDown(true)
	second := [][2]int{{80, 100}, {100, 105}}
	p.drag(at, second)
	want = painted(c, want, second, 9, 1)
	p.until("the page says where the draft is", `document.querySelector('.note')?.innerText.includes('in this browser only')`)
	if p.asked() {
		t.Error("asked to stay with a draft that was on the server")
	}
	p.key(kb.Enter)
	p.until("a failed save is said", `document.querySelector('.note.error')?.innerText.includes('does not answer')`)
	if _, saved := p.server.latest(item); saved {
		t.Fatal("saved on a server that is down")
	}
	p.do(chromedp.Reload())
	if !p.asked() {
		t.Error("not asked to stay while strokes are in this browser only")
	}
	p.setDown(false)
	p.do(chromedp.Reload())
	p.until("open again", `document.querySelector('.note')?.innerText.includes('draft of this slice is back')`)
	p.untilItem(item)
	p.wait("the newer draft reaches the server", func() bool { return bytes.Equal(p.server.draft(item), want) })
	p.key(kb.Enter)
	p.wantSaved(item, "edited", want)
}

func TestKeyboardOnly(t *testing.T) {
	p := openPage(t)
	p.untilItem("prostate/010")
	p.key(kb.Enter)
	p.wantSaved("prostate/010", "accepted", p.server.proposal("prostate/010"))

	p.untilItem("wide/003")
	p.key("k")
	c, _, k := p.server.split("wide/003")
	p.wantSaved("wide/003", "empty", make([]byte, len(c.slice(k))))

	p.untilItem("prostate/012")
	p.key("x")
	p.until("the dialog is open", `document.querySelector('dialog.skip').open`)
	p.key(kb.ArrowDown)
	p.key(kb.Enter)
	p.untilItem("wide/004")
	if got := p.server.skips["prostate/012"]; got != "Artefact or poor image quality" {
		t.Errorf("skipped with reason %q", got)
	}

	p.key("n")
	p.untilItem("prostate/007")
	p.key("N", chromedp.ModifierShift)
	p.untilItem("wide/004")
	p.key("n")
	p.untilItem("prostate/007")

	// the pen moves voxel by voxel: down at the middle of the slice, five right, up
	p.key(kb.Delete)
	p.key("[[[[[[[[[[")
	p.key(".")
	for range 5 {
		p.key(kb.ArrowRight, chromedp.ModifierShift)
	}
	p.key(".")
	p.key(kb.Enter)
	want := make([]byte, 128*128)
	for x := 64; x <= 69; x++ {
		want[64*128+x] = 1
	}
	p.wantSaved("prostate/007", "edited", want)

	p.key("?")
	p.until("the help is open", `document.querySelector('dialog.help').open`)
	p.shoot("help")
	p.key(kb.Escape)
	p.until("the help is closed", `!document.querySelector('dialog.help').open`)
}

func TestNothingDrawnIsNotSaved(t *testing.T) {
	p := openPage(t)
	p.untilItem("prostate/010")
	p.key(kb.Delete)
	p.key(kb.Enter)
	p.until("asks to mark it as empty", `document.querySelector('.note').innerText.includes('Press K')`)
	if _, saved := p.server.latest("prostate/010"); saved {
		t.Error("an empty mask was saved by Enter")
	}
}
