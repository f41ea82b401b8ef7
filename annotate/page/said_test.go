package page_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/nextslice/nextslice/annotate/fault"
)

// What the server refuses and why there is no proposal is said in the person's language; what only a newer server says, in the server's words.
func TestServerSpeaksTheLanguage(t *testing.T) {
	encoded := func(m fault.Message) string {
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	p := openOn(t, func(f *fake) {
		f.change = func(item string, task map[string]any) {
			task["proposal"], task["uncertainty"] = false, false
			task["proposal_note"], task["proposal_why"] = "No model yet: it takes 3 more labels.", fault.Say(fault.ProposalUntil, "n", 3)
		}
	})
	p.do(chromedp.EmulateViewport(1366, 768))
	p.untilItem("prostate/010")
	eval[bool](p, `(window.ask = window.fetch, window.answer = null, window.fetch = (path, init) => window.answer && init?.method === 'PUT' && path.includes('/label')
		? Promise.resolve(new Response(window.answer, { status: 409, headers: { 'Content-Type': 'application/problem+json' } })) : window.ask(path, init), true)`)
	p.drag(p.fitted("prostate/010"), [][2]int{{40, 40}, {50, 50}})
	for _, c := range []struct{ language, held string }{
		{"de", "grace arbeitet an prostate, Schicht 11."},
		{"fr", "grace travaille sur prostate, coupe 11."},
		{"es", "grace está trabajando en prostate, corte 11."},
		{"en", "grace is working on prostate, slice 11."},
	} {
		eval[bool](p, fmt.Sprintf(`(() => { const s = document.querySelector('.bar .language'); s.value = %q; s.dispatchEvent(new Event('change', { bubbles: true })); return true })()`, c.language))
		for _, a := range []struct{ message, want string }{
			{encoded(fault.Say(fault.Held, "who", "grace", "item", "prostate/010")), c.held},
			{`{"code":"of a newer server","values":{}}`, "Words of the server."},
		} {
			answer := strings.TrimSuffix(a.message, "}") + `,"detail":"Words of the server.","status":409}`
			eval[bool](p, fmt.Sprintf(`(window.answer = %q, true)`, answer))
			p.key(kb.Enter)
			p.until(c.language+": "+a.want, fmt.Sprintf(`document.querySelector('.note').innerText.includes(%q)`, a.want))
		}
		p.shoot("said-" + c.language)
	}
	for _, c := range [][2]string{
		{"es", "Falló la copia diaria del proyecto: «disk on fire»"}, {"de", "Die tägliche Kopie des Projekts ist fehlgeschlagen: „disk on fire“"}, {"en", "The daily copy of the project failed: “disk on fire”"},
	} {
		eval[bool](p, fmt.Sprintf(`(() => { const s = document.querySelector('.bar .language'); s.value = %q; s.dispatchEvent(new Event('change', { bubbles: true })); return true })()`, c[0]))
		f := encoded(fault.Say(fault.BackupFailed, "text", "disk on fire"))
		p.server.events <- `{"type":"problem","text":"daily copy: disk on fire","said":[` + f + `]}`
		p.until(c[0]+": "+c[1], fmt.Sprintf(`document.querySelector('.note')?.innerText.includes(%q)`, c[1]))
	}
	eval[bool](p, `(window.answer = null, true)`)
	p.key(kb.Enter)
	p.untilItem("wide/003")
	for _, c := range [][2]string{{"fr", "Pas encore de modèle : il manque 3 annotations."}, {"en", "No model yet: it takes 3 more labels."}} {
		eval[bool](p, fmt.Sprintf(`(() => { const s = document.querySelector('.bar .language'); s.value = %q; s.dispatchEvent(new Event('change', { bubbles: true })); return true })()`, c[0]))
		p.until("why there is no proposal: "+c[1], fmt.Sprintf(`document.querySelector('.why').innerText === %q`, c[1]))
	}
}

// What is said of two readings is what became of them, and an empty queue is said to be what it is.
func TestWhatIsSaidIsTrue(t *testing.T) {
	for agreement, c := range map[float64]struct{ says, not string }{
		0.656: {"is saved as a reading. The two readings differ (Dice 0.656): an adjudicator decides.", "agree"},
		0.931: {"is saved. The two readings agree (Dice 0.931).", "differ"},
	} {
		p := openOn(t, func(f *fake) { f.agreement = &agreement })
		p.untilItem("prostate/010")
		p.key(kb.Enter)
		p.untilItem("wide/003")
		p.note(c.says)
		if note := eval[string](p, `document.querySelector('.note').innerText`); strings.Contains(note, c.not) {
			t.Errorf("Dice %.3f: %s", agreement, note)
		}
	}
	for items, c := range map[int]struct{ says, not string }{
		62: {"Nothing waits for you now.", "Every slice"}, // others have the rest
		19: {"Every slice is labelled or skipped. Thank you.", "when the model"},
	} {
		p := openOn(t, func(f *fake) { f.order, f.items = []string{"prostate/010"}, items })
		p.untilItem("prostate/010")
		p.key(kb.Enter)
		p.server.events <- `{"type":"queue"}` // as the program tells
		p.until("what is left", fmt.Sprintf(`document.querySelector('.empty').innerText.replace(/\s+/g, ' ').includes(%q)`, c.says))
		if text := eval[string](p, `document.querySelector('.empty').innerText`); strings.Contains(text, c.not) {
			t.Errorf("%d slices: %s", items, text)
		}
	}
}

// A slice has one name everywhere: that of the picture's corner, counted from 1. Files and the API count from 0.
func TestSlicesHaveOneName(t *testing.T) {
	p := openOn(t, func(f *fake) { f.drafts["prostate/012"] = make([]byte, 128*128) }, withViewer)
	p.untilItem("prostate/010")
	p.until("its name", `document.querySelector('.corner.top.left').innerText.includes('slice 11 of 20')`)
	p.key("x")
	p.until("the same name", `document.querySelector('dialog.skip').innerText.includes('prostate, slice 11')`)
	p.key(kb.Escape)
	look := func(where string) {
		t.Helper()
		if ids := eval[[]string](p, `document.body.innerText.match(/\w+\/\d{3}\b|\bslice 0\d+/g) ?? []`); len(ids) > 0 {
			t.Errorf("%s names slices as files do: %s", where, ids)
		}
	}
	look("the editor")
	p.key(kb.Enter)
	p.untilItem("wide/003")
	p.note("prostate, slice 11")
	look("the editor after saving")
	for _, page := range []string{"dashboard", "review"} {
		p.click(fmt.Sprintf(`nav a[href="#/%s"]`, page))
		p.until("the page", fmt.Sprintf(`document.querySelector('main.%s')?.innerText.includes('prostate')`, page))
		look("the " + page)
	}
}
