package page_test

import (
	"bytes"
	"testing"
	"time"

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
