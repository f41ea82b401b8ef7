package page_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// becomes changes who answers to the page: another project, or somebody else who is logged in.
func (f *fake) becomes(id, session string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.id, f.session = id, session
}

// unsent is true if this browser keeps a draft of ada's for the first project that no server has taken.
const unsent = `JSON.parse(localStorage['nextslice/draft/PROJECTID/ada/prostate/010']).onServer === false`

// An open page saves nothing into another project that answers at its address, though that has a slice of the same name.
func TestPageBelongsToItsProject(t *testing.T) {
	p := openPage(t)
	p.allow("412 (Precondition Failed)")
	const item = "prostate/010"
	p.untilItem(item)
	time.Sleep(500 * time.Millisecond) // the slice has been seen
	p.server.becomes("ANOTHER", "")
	p.key(kb.Enter)
	p.until("it is told", `document.querySelector('main.message').innerText.includes('Another project is served at this address now')`)
	if _, saved := p.server.latest(item); saved {
		t.Fatal("the mask is saved in another project")
	}
	p.click("main.message button")
	p.untilItem(item) // of the other project

	// a drawing does not go there by itself either, and is there when its project is back
	p.server.becomes("PROJECTID", "")
	p.do(chromedp.Reload())
	p.untilItem(item)
	p.server.becomes("ANOTHER", "")
	p.drag(p.fitted(item), [][2]int{{30, 30}, {60, 34}})
	p.until("it is told", `document.querySelector('main.message').innerText.includes('Another project')`)
	time.Sleep(6 * time.Second) // a draft that did not arrive is tried again after five
	if p.server.draft(item) != nil {
		t.Fatal("the drawing is a draft of another project")
	}
	p.until("it is kept", unsent)
	p.click("main.message button")
	p.untilItem(item)
	if p.asked() {
		t.Error("the page asked to stay")
	}
	p.server.becomes("PROJECTID", "")
	p.do(chromedp.Reload())
	p.wait("the drawing is a draft of its project", func() bool { return p.server.draft(item) != nil })
}

// An open page saves nothing as somebody else, whether they log in in another tab or on the page itself.
func TestPageBelongsToItsPerson(t *testing.T) {
	p := openPage(t)
	p.allow("412 (Precondition Failed)")
	const item = "prostate/010"
	p.untilItem(item)
	p.server.becomes("PROJECTID", "ben")
	p.drag(p.fitted(item), [][2]int{{30, 30}, {60, 34}})
	p.until("it is told", `document.querySelector('main.message').innerText.includes('ben is logged in in this browser now')`)
	p.until("the drawing is kept", unsent)

	p.server.becomes("PROJECTID", "") // ada again
	p.click("main.message button")
	p.untilItem(item)
	p.wait("the drawing is her draft", func() bool { return p.server.draft(item) != nil })
	p.until("the page knows", `!(`+unsent+`)`)
	before := p.server.draft(item)
	p.server.becomes("PROJECTID", "nobody")
	p.drag(p.fitted(item), [][2]int{{90, 30}, {96, 34}})
	p.do(chromedp.WaitVisible(chromedp.CSS("input[name=name]")))
	eval[bool](p, `(window.before = true)`)
	p.do(chromedp.SendKeys(chromedp.CSS("input[name=name]"), "ben\r"))
	p.until("the page is loaded anew for ben", `!window.before && document.querySelector('.bar .person').innerText === 'ben'`)
	time.Sleep(6 * time.Second)
	if differ(p.server.draft(item), before) > 0 {
		t.Error("ada's drawing is ben's draft")
	}
	p.until("her drawing is kept", unsent)
}
