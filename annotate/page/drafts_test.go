package page_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// label has somebody label an item, as they do on another machine.
func (f *fake) label(item, who string, mask []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.save(item, fakeVersion{Who: who, When: time.Now(), Action: "edited", mask: mask})
}

// outlined waits until the outline of version 1 is on the screen.
func (p *window) outlined() {
	p.t.Helper()
	p.until("the other label is outlined", `document.querySelector('.compared')?.innerText === 'version 1'`)
}

// A draft that is older than the label does not replace it unseen: the page shows both, and a first save asks.
func TestDraftOlderThanTheLabel(t *testing.T) {
	p := openPage(t)
	p.allow("409 (Conflict)")
	const item = "prostate/010"
	p.untilItem(item)
	c, _, _ := p.server.split(item)
	path := [][2]int{{30, 30}, {60, 34}}
	p.drag(p.fitted(item), path)
	drawn := painted(c, p.server.proposal(item), path, 9, 1)
	p.wait("the draft", func() bool { return bytes.Equal(p.server.draft(item), drawn) })
	p.until("the page knows", `Object.keys(localStorage).some((k) => k.startsWith('nextslice/draft/') && JSON.parse(localStorage[k]).onServer)`)
	theirs := bytes.Clone(drawn)
	theirs[0] = 2
	p.server.label(item, "ben", theirs)

	p.do(chromedp.Navigate(p.url + "/#/item/prostate%2F010"))
	p.do(chromedp.Reload())
	p.untilItem(item)
	p.note("Version 1 was saved since you began it")
	p.outlined()
	p.key(kb.Enter)
	p.note("ben has saved version 1 of prostate, slice 11 in the meantime")
	p.note("saving once more replaces it")
	if got, _ := p.server.latest(item); got.Who != "ben" {
		t.Fatalf("the draft has replaced ben's label: %+v", got.Version)
	}

	p.click(".note .act") // theirs instead, and back
	p.note("The drawing is replaced")
	p.wait("theirs is the draft", func() bool { return bytes.Equal(p.server.draft(item), theirs) })
	p.click(".note .act")
	p.wait("the drawing is the draft", func() bool { return bytes.Equal(p.server.draft(item), drawn) })
	p.key(kb.Enter)
	p.untilItem("wide/003")
	if got, _ := p.server.latest(item); got.Who != "ada" || got.Version != 2 || !bytes.Equal(got.mask, drawn) {
		t.Errorf("version %d of %s", got.Version, got.Who)
	}
}

// Between a save and the next slice nothing is drawn: it would be in neither the label nor a draft.
func TestNothingIsDrawnDuringASave(t *testing.T) {
	saving := make(chan struct{})
	p := openOn(t, func(f *fake) { f.saving = saving })
	const item = "prostate/010"
	p.untilItem(item)
	c, _, _ := p.server.split(item)
	at, path := p.fitted(item), [][2]int{{30, 30}, {60, 34}}
	p.drag(at, path)
	drawn := painted(c, p.server.proposal(item), path, 9, 1)
	const draft = `Object.keys(localStorage).filter((k) => k.startsWith('nextslice/draft/')).map((k) => JSON.parse(localStorage[k]).runs).join()`
	before := eval[string](p, draft)
	p.key(kb.Enter)
	p.until("the save is on its way", `!!document.querySelector('.screen').dataset.busy`)
	for what, change := range map[string]func(){
		"a stroke":  func() { p.drag(at, [][2]int{{90, 90}, {100, 90}}) },
		"undo":      func() { p.key("z") },
		"clearing":  func() { p.key(kb.Delete) },
		"smoothing": func() { p.key("S", chromedp.ModifierShift) },
	} {
		change()
		if after := eval[string](p, draft); after != before || before == "" {
			t.Errorf("%s: the draft was %q and is %q", what, before, after)
		}
	}
	close(saving)
	p.wantSaved(item, "edited", drawn)
	p.untilItem("wide/003")
	if left := eval[string](p, draft); left != "" {
		t.Errorf("a draft is left of the slice that is labelled: %s", left)
	}
}

// A stroke belongs to the mask that it began on: no key saves half of it, or takes the rest to another slice.
func TestKeysWaitForTheStroke(t *testing.T) {
	p := openPage(t)
	const item = "prostate/010"
	p.untilItem(item)
	c, _, _ := p.server.split(item)
	at, path := p.fitted(item), [][2]int{{30, 30}, {60, 34}, {61, 70}}
	time.Sleep(500 * time.Millisecond) // the slice has been seen
	move := func(v [2]int, kind input.DispatchMouseEventType) {
		x, y := at.at(v[0], v[1])
		p.do(chromedp.MouseEvent(kind, x, y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	}
	move(path[0], chromedp.MousePressed)
	move(path[1], chromedp.MouseMoved)
	for _, press := range []func(){
		func() { p.key("s", chromedp.ModifierCtrl) }, func() { p.key("k") }, func() { p.key("n") }, func() { p.key("x") }, func() { p.key(kb.ArrowDown) },
	} {
		press()
	}
	p.note("Finish the stroke first")
	move(path[2], chromedp.MouseMoved)
	move(path[2], chromedp.MouseReleased)
	if _, saved := p.server.latest(item); saved {
		t.Fatal("half a stroke is saved")
	}
	p.key("s", chromedp.ModifierCtrl)
	p.wantSaved(item, "edited", painted(c, p.server.proposal(item), path, 9, 1))
	p.untilItem("wide/003")

	// a polygon that a key closes while it is drawn ends there
	at = p.fitted("wide/003")
	time.Sleep(500 * time.Millisecond)
	p.key("p")
	move([2]int{60, 60}, chromedp.MousePressed)
	for _, v := range [][2]int{{100, 60}, {100, 100}, {60, 100}} {
		move(v, chromedp.MouseMoved)
	}
	p.key(kb.Enter)
	move([2]int{150, 150}, chromedp.MouseMoved)
	move([2]int{150, 150}, chromedp.MouseReleased)
	p.wait("the polygon is drawn", func() bool { d := p.server.draft("wide/003"); return d != nil && d[80*320+80] == 1 })
}

// A label that comes while the slice is open is not replaced unseen, whoever saved it; and the page is not in the way of who has seen it.
func TestLabelSavedMeanwhile(t *testing.T) {
	p := openPage(t)
	p.allow("409 (Conflict)")
	const item = "prostate/010"
	p.untilItem(item)
	other := bytes.Clone(p.server.proposal(item))
	other[0] = 2
	p.server.label(item, "ada", other) // in another tab
	time.Sleep(500 * time.Millisecond) // the slice has been seen
	p.key(kb.Enter)
	p.note("saving once more replaces it")
	p.outlined()
	if got, _ := p.server.latest(item); got.Version != 1 {
		t.Fatal("the proposal has replaced the corrected label")
	}
	p.key(kb.Enter)
	p.untilItem("wide/003")
	if got, _ := p.server.latest(item); got.Version != 2 || got.Action != "accepted" {
		t.Errorf("version %d, %s", got.Version, got.Action)
	}
}
