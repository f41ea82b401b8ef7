package page_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// clipped lists texts that do not fit where they stand.
const clipped = `[...document.querySelectorAll('.tools button, .tools h2, .tools summary, .tools label span, .tools output, .tools .choice, .actions button, .bar nav a, .bar button, .side dt, .side button, .dashboard h2, .dashboard button, .figure p, .review h2, .review .buttons button')]
	.filter((e) => e.checkVisibility() && (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline' || e.getBoundingClientRect().right > e.parentElement.getBoundingClientRect().right + 1))
	.map((e) => e.innerText + ' in ' + e.parentElement.className)`

// The page speaks the browser's language, or the one that was chosen, which it keeps; in each everything fits, also into small windows.
func TestLanguages(t *testing.T) {
	p := startBrowser(t, chromedp.Flag("accept-lang", "de-AT,de,en"))
	dist, err := built()
	if err != nil {
		t.Fatal(err)
	}
	f, server := newFake(t, dist)
	p.server, p.url, p.settings = f, server.URL, withViewer
	t.Cleanup(p.close)
	p.login()
	const item = "prostate/010"
	p.untilItem(item)
	p.until("German, as the browser", `document.documentElement.lang === 'de' && document.querySelector('.actions .primary').innerText.includes('So übernehmen')`)
	choose := func(language string) {
		t.Helper()
		eval[bool](p, fmt.Sprintf(`(() => { const s = document.querySelector('.bar .language'); s.value = %q; s.dispatchEvent(new Event('change', { bubbles: true })); return true })()`, language))
		p.until("the language is "+language, fmt.Sprintf(`document.documentElement.lang === %q`, language))
	}
	eval[bool](p, `(document.querySelectorAll('.tools details').forEach((d) => d.open = false), true)`)
	for _, c := range []struct{ language, save, dashboard, review string }{
		{"fr", "Accepter", "Courbe d’apprentissage", "Cas"}, {"es", "Aceptar así", "Curva de aprendizaje", "Casos"}, {"de", "So übernehmen", "Lernkurve", "Fälle"}, {"en", "Accept as it is", "Learning curve", "Cases"},
	} {
		choose(c.language)
		for _, size := range [][2]int64{{1440, 900}, {1024, 768}, {800, 1100}, {640, 900}} {
			p.do(chromedp.EmulateViewport(size[0], size[1]))
			p.click(`nav a[href="#/"]`)
			p.until("the editor in "+c.language, fmt.Sprintf(`document.querySelector('.actions .primary').innerText.includes(%q)`, c.save))
			for _, page := range []string{"editor", "dashboard", "review"} {
				if page != "editor" {
					p.click(fmt.Sprintf(`nav a[href="#/%s"]`, page))
				}
				if page == "dashboard" {
					p.until("charts", `document.querySelectorAll('.plot canvas').length === 3`)
				}
				p.until("the page", fmt.Sprintf(`!!document.querySelector('main.%s')`, page))
				name := fmt.Sprintf("%s-%s-%d", page, c.language, size[0])
				p.shoot(name)
				if cut := eval[[]string](p, clipped); len(cut) > 0 {
					t.Errorf("%s: does not fit: %s", name, strings.Join(cut, "; "))
				}
				if eval[bool](p, `document.documentElement.scrollWidth > innerWidth || document.documentElement.scrollHeight > innerHeight`) {
					t.Errorf("%s: the page is larger than the window", name)
				}
			}
		}
	}
	choose("es")
	p.do(chromedp.Reload())
	p.until("Spanish, as chosen", `document.documentElement.lang === 'es' && document.querySelector('.bar nav').innerText.includes('Panel')`)
	p.click(`nav a[href="#/"]`)
	p.until("the editor", `!!document.querySelector('.screen:not([data-busy]) .corner')`)
	p.click(`.tools button[aria-keyshortcuts="?"]`)
	p.until("the keys in Spanish", `document.querySelector('dialog.help').open && document.querySelector('dialog.help').innerText.includes('Goma') && !/Eraser|undefined/.test(document.querySelector('dialog.help').innerText)`)
	p.shoot("help-es")
}
