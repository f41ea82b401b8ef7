package page_test

import (
	"bytes"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// dice is that of a class in two masks.
func dice(a, b []byte, class byte) float64 {
	both, sum := 0, 0
	for i := range a {
		if a[i] == class {
			sum++
		}
		if b[i] == class {
			sum++
		}
		if a[i] == class && b[i] == class {
			both++
		}
	}
	return 2 * float64(both) / float64(max(1, sum))
}

// Hints draw the class anew from the model's chances and the image, or from the image alone; what was drawn by hand stays, and an undone
// hint does not count.
func TestHints(t *testing.T) {
	const item, alone = "prostate/010", "wide/003"
	p := openOn(t, func(f *fake) {
		c, _, k := f.split(item)
		truth := c.slice(k)
		f.chances = func(of string, class int) []byte { // the model has missed what lies below row 70
			out := make([]byte, len(truth))
			for i, v := range truth {
				out[i] = 8
				if int(v) == class && i/128 < 70 {
					out[i] = 240
				}
			}
			return out
		}
		f.change = func(of string, task map[string]any) {
			if of == alone {
				task["proposal"], task["uncertainty"] = false, false
			}
		}
		f.noProposal = map[string]bool{item: true}
	})
	p.untilItem(item)
	c, _, k := p.server.split(item)
	truth, at := c.slice(k), p.fitted(item)
	low := 0 // the lowest row of the gland
	for i, v := range truth {
		if v == 1 {
			low = i / 128
		}
	}
	p.key("G", chromedp.ModifierShift)
	p.until("the browser has practised them", `performance.getEntriesByName('practised').length === 1`)
	p.until("hints are the tool", `[...document.querySelectorAll('.tools [aria-pressed="true"]')].some((e) => e.innerText.includes('Hint'))`)
	drawn := func(what string, ok func(mask []byte) bool) []byte {
		t.Helper()
		p.wait(what, func() bool { d := p.server.draft(item); return d != nil && ok(d) })
		return p.server.draft(item)
	}
	p.drag(at, [][2]int{{55, low - 8}, {72, low - 8}})
	first := drawn("a mask", func(d []byte) bool { return true })
	p.shoot("hints")
	if v := dice(first, truth, 1); v < 0.9 {
		t.Errorf("the gland is drawn with Dice %.3f", v)
	}

	// by hand, then a hint elsewhere: the stroke stays
	p.key("b")
	stroke := [][2]int{{20, 20}, {30, 20}}
	p.drag(at, stroke)
	byHand := painted(c, first, stroke, 9, 1)
	drawn("the stroke", func(d []byte) bool { return bytes.Equal(d, byHand) })
	p.key("G", chromedp.ModifierShift)
	p.drag(at, [][2]int{{60, 60}, {66, 60}}, chromedp.ButtonLeft, chromedp.ButtonModifiers(chromedp.ModifierAlt))
	second := drawn("what does not belong has gone", func(d []byte) bool { return d[60*128+60] == 0 && d[60*128+63] == 0 && d[60*128+66] == 0 })
	for x := 20; x <= 30; x++ {
		if second[20*128+x] != 1 {
			t.Fatalf("column %d of the stroke that was drawn by hand has gone", x)
		}
	}
	if second[(low-8)*128+60] != 1 {
		t.Error("the first hint is forgotten")
	}
	p.key("z")
	drawn("undone", func(d []byte) bool { return bytes.Equal(d, byHand) })
	p.drag(at, [][2]int{{100, 110}, {104, 110}})
	third := drawn("another hint", func(d []byte) bool { return !bytes.Equal(d, byHand) })
	if third[60*128+60] != 1 || third[60*128+63] != 1 {
		t.Error("a hint that was undone still counts")
	}
	p.key(kb.Enter)
	p.wantSaved(item, "edited", third)

	// the image alone
	p.untilItem(alone)
	c, _, k = p.server.split(alone)
	truth, at = bytes.ReplaceAll(bytes.Clone(c.slice(k)), []byte{2}, []byte{1}), p.fitted(alone)
	p.drag(at, [][2]int{{110, 170}, {190, 170}})
	p.wait("something is drawn", func() bool { return p.server.draft(alone) != nil })
	p.key("G", chromedp.ModifierShift)
	p.drag(at, [][2]int{{40, 70}, {260, 70}})
	p.drag(at, [][2]int{{40, 270}, {260, 270}})
	p.until("four more masks", `performance.getEntriesByName('hint').length === 6`)
	p.shoot("hints-alone")
	p.wait("most of the shape is found in the image", func() bool { return dice(p.server.draft(alone), truth, 1) > 0.75 })
	p.key("G", chromedp.ModifierShift)
	p.drag(at, [][2]int{{150, 118}, {150, 222}})
	p.wait("another hint, and it is found whole", func() bool { return dice(p.server.draft(alone), truth, 1) > 0.88 })
	t.Logf("ms: %.0f", eval[[]float64](p, `performance.getEntriesByName('hint').map((e) => e.duration)`))
}
