package page_test

import (
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// axe fails for what axe-core finds wrong with the page for people who see, hear or move otherwise.
func (p *window) axe(where string) {
	p.t.Helper()
	if !eval[bool](p, `'axe' in window`) {
		source, err := os.ReadFile("node_modules/axe-core/axe.min.js")
		if err != nil {
			p.t.Fatal(err)
		}
		eval[bool](p, string(source)+"; true")
	}
	for _, found := range eval[[]string](p, `axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations.map((v) => v.id + ': ' + v.help + ': ' + v.nodes.slice(0, 4).map((n) => n.target.join(' ') + ' ' + (n.any[0]?.message ?? n.all[0]?.message ?? '')).join('; ')))`) {
		p.t.Errorf("%s: %s", where, found)
	}
}

// axe-core finds nothing on any page, in both colours, nor in dialogs and in what lies over the slice.
func TestAxe(t *testing.T) {
	p := startBrowser(t)
	dist, err := built()
	if err != nil {
		t.Fatal(err)
	}
	f, server := newFake(t, dist)
	f.unsure, f.channels = true, true
	p.server, p.url, p.settings = f, server.URL, withViewer
	t.Cleanup(p.close)
	p.allow("401 (Unauthorized)")
	p.do(chromedp.Navigate(p.url+"/"), chromedp.WaitVisible(chromedp.CSS("input[name=name]")))
	p.axe("login")
	p.login()
	p.untilItem("prostate/010")
	for _, theme := range []string{"light", "dark"} {
		eval[bool](p, `(document.querySelectorAll('.tools details').forEach((d) => d.open = true), true)`)
		p.axe("editor, " + theme)
		p.key("u")
		p.key("h")
		p.key("?")
		p.until("the keys", `document.querySelector('dialog.help').open`)
		p.axe("keys, " + theme)
		p.key(kb.Escape)
		p.until("closed", `!document.querySelector('dialog[open]')`)
		p.until("no keys", `!document.activeElement.closest('dialog')`) // as of the next frame
		p.key("x")
		p.until("the reasons", `document.querySelector('dialog.skip').open`)
		p.axe("skip, " + theme)
		p.key(kb.Escape)
		p.until("closed", `!document.querySelector('dialog[open]')`)
		p.until("no reasons", `!document.activeElement.closest('dialog')`)
		p.key(kb.ArrowDown)
		p.until("a neighbour", `!!document.querySelector('.banner')`)
		p.axe("neighbour, " + theme)
		p.key("q")
		for _, page := range []string{"dashboard", "review"} {
			p.click(`nav a[href="#/` + page + `"]`)
			p.until("the page", `document.querySelector('main.`+page+`')?.innerText.includes('prostate')`)
			p.axe(page + ", " + theme)
		}
		p.click(`nav a[href="#/"]`)
		p.until("the editor", `!!document.querySelector('.screen:not([data-busy]) .corner')`)
		for strings.Contains("light", theme) && eval[string](p, `document.documentElement.dataset.theme`) != "dark" {
			p.click(".bar button")
		}
	}
}
