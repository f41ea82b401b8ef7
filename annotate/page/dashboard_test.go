package page_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// The dashboard is read without a mouse: the newest numbers stand at the charts, why a model is in use opens by a key, and all of the export is seen
// without scrolling, under warnings too.
func TestDashboardWithoutAMouse(t *testing.T) {
	p := openPage(t)
	p.untilItem("prostate/010")
	p.click(`nav a[href="#/dashboard"]`)
	p.until("three charts", `document.querySelectorAll('.plot canvas').length === 3`)
	for n, want := range []string{"validation 0.847", "proposal to saved 0.861"} {
		if text := eval[string](p, `document.querySelector('.plot .u-legend').innerText`); !strings.Contains(text, want) {
			t.Errorf("line %d: %q, want %q", n, text, want)
		}
	}
	for _, size := range [][2]int64{{1280, 800}, {1366, 768}, {1920, 1080}} {
		p.do(chromedp.EmulateViewport(size[0], size[1]))
		p.until("the width", `innerWidth === `+strconv.FormatInt(size[0], 10))
		if below := eval[[]string](p, `[...document.querySelectorAll('.export button, .export select, .export input')].filter((e) => e.getBoundingClientRect().bottom > innerHeight).map((e) => e.innerText || e.tagName)`); len(below) > 0 {
			t.Errorf("%v: below the window: %q", size, below)
		}
	}
	why := `document.querySelector('.why-model span').checkVisibility()`
	if eval[bool](p, why) {
		t.Error("the reason is open from the start")
	}
	eval[bool](p, `(document.querySelector('.why-model summary').focus(), true)`)
	p.key(kb.Enter)
	p.until("why the model is in use", why+` && document.querySelector('.why-model span').innerText.includes('the model before 0.812')`)
}
