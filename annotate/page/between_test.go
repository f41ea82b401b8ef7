package page_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Between two labelled slices all others get a shape: seen beside the slice, opened one after the other, and none a label or a draft before it is saved.
func TestShapesBetween(t *testing.T) {
	item := func(k int) string { return fmt.Sprintf("prostate/%03d", k) }
	var first, last []byte
	p := openOn(t, func(f *fake) {
		f.order = []string{item(7), item(5), item(10), "wide/003"}
		first, last = f.cases["prostate"].slice(5), f.cases["prostate"].slice(10)
		f.save(item(5), fakeVersion{Who: "grace", When: time.Now(), Action: "edited", mask: first})
		f.save(item(10), fakeVersion{Who: "grace", When: time.Now(), Action: "edited", mask: last})
	})
	p.do(chromedp.EmulateViewport(1366, 768))
	p.untilItem(item(7))
	p.key("I", chromedp.ModifierShift)
	p.until("what is proposed", `document.querySelector('.note').innerText.includes('Shapes between slice 6 and slice 11: this one is drawn, 3 more wait to be checked')`)
	p.until("marks of four slices", `document.querySelectorAll('.slicebar .shape').length === 4`)
	p.shoot("between-drawn")
	p.key(kb.ArrowDown)
	p.until("the shape on a neighbour", `document.querySelector('.corner.bottom.right').innerText.includes('shape between labels: not saved')`)
	p.shoot("between-neighbour")
	for k := 6; k < 10; k++ {
		if _, is := p.server.latest(item(k)); is {
			t.Errorf("slice %d is labelled, and nobody has saved it", k)
		}
	}
	p.key("q")
	p.key(kb.Enter)
	p.untilItem(item(8))
	p.until("it says what it is", `document.querySelector('.why').innerText.includes('A shape between slice 8 and slice 11, not a label yet') && document.querySelector('.why').innerText.includes('the next of 3')`)
	p.shoot("between-next")
	p.key(kb.Enter)
	p.untilItem(item(9))
	if n := p.server.draft(item(8)); n != nil {
		t.Error("a shape that was saved as it was is a draft")
	}
	p.do(chromedp.Reload()) // the shapes are there again, this one and those on the slices that wait
	p.until("the shape as before", `document.querySelector('.why').innerText.includes('A shape between slice 9 and slice 11, not a label yet') && document.querySelector('.why').innerText.includes('the next of 2')`)
	p.until("marks of two slices", `document.querySelectorAll('.slicebar .shape').length === 2`)
	p.until("it can be drawn on", `!document.querySelector('.screen').dataset.busy && !document.querySelector('.actions .primary')?.disabled`)
	at := p.fitted(item(9)) // is corrected
	p.drag(at, [][2]int{{3, 3}, {9, 3}})
	p.key(kb.Enter)
	p.untilItem(item(6))
	p.until("the last", `document.querySelector('.why').innerText.includes('It is the last')`)
	for k := 7; k < 10; k++ {
		got, is := p.server.latest(item(k))
		if !is || got.Action != "edited" || got.Proposal != nil && *got.Proposal == 0 {
			t.Fatalf("slice %d: saved %v, %q", k, is, got.Action)
		}
		size := func(m []byte) int { return len(m) - bytes.Count(m, []byte{0}) }
		if n, least, most := size(got.mask), min(size(first), size(last)), max(size(first), size(last)); n < least*8/10 || n > most*12/10 {
			t.Errorf("slice %d has %d voxels of a class, between %d and %d", k, n, least, most)
		}
		drawn := got.mask[3*at.columns+6] != 0
		if drawn != (k == 9) {
			t.Errorf("slice %d has the stroke: %v", k, drawn)
		}
	}
	p.key("n") // goes away without saving
	p.untilItem("wide/003")
	if _, is := p.server.latest(item(6)); is || p.server.draft(item(6)) != nil {
		t.Error("a shape that nobody has confirmed is a label or a draft")
	}
}
