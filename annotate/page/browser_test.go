package page_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/inspector"
	protocol "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/nextslice/nextslice/annotate/page/bundle"
	"github.com/nextslice/nextslice/volume"
)

// built bundles the page once for all tests of this package.
var built = sync.OnceValues(func() (string, error) {
	dist, err := folder("nextslice-page")
	if err != nil {
		return "", err
	}
	return dist, bundle.Page(".", dist)
})

// folders are those that all tests share, until the last one ends.
var folders struct {
	sync.Mutex
	all []string
}

func folder(name string) (string, error) {
	dir, err := os.MkdirTemp("", name)
	folders.Lock()
	defer folders.Unlock()
	folders.all = append(folders.all, dir)
	return dir, err
}

// tabs is how many tests run beside each other: they wait most of the time, for the browser and for what the page does in its own time.
const tabs = 4

func TestMain(m *testing.M) {
	flag.Parse()
	if n, err := strconv.Atoi(flag.Lookup("test.parallel").Value.String()); err == nil && n < tabs {
		flag.Set("test.parallel", strconv.Itoa(tabs))
	}
	code := m.Run()
	if shared.stop != nil {
		shared.stop()
	}
	for _, dir := range folders.all {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// window is a browser's window on the annotation page.
type window struct {
	t      testing.TB
	ctx    context.Context
	close  func() // the window: a server that ends is an error to the page in it
	server *fake
	url    string
	// settings of the page before it opens, JSON.
	settings string

	mu      sync.Mutex
	console []string // warnings and errors
	allowed []string // parts of messages that a test expects
	dialogs []string // types of dialogs that opened; they were accepted
}

// Settings of the page in tests, which look at single pixels. The viewer is closed, as it is for people without a graphics card: to imitate one takes
// more time than all else that a test does.
const (
	withoutViewer = `{"smooth":false,"viewer":false}`
	withViewer    = `{"smooth":false,"viewer":true}`
)

// openPage opens the page of a fake server, logged in as ada, with other settings than withoutViewer if there are any.
func openPage(t testing.TB, settings ...string) *window {
	t.Helper()
	return openOn(t, nil, settings...)
}

// openOn is openPage on a fake server that prepare has changed.
func openOn(t testing.TB, prepare func(*fake), settings ...string) *window {
	t.Helper()
	p := startBrowser(t)
	if len(settings) > 0 {
		p.settings = settings[0]
	}
	dist, err := built()
	if err != nil {
		t.Fatal(err)
	}
	f, server := newFake(t, dist)
	if prepare != nil {
		prepare(f)
	}
	p.server, p.url = f, server.URL
	t.Cleanup(p.close)
	p.login()
	return p
}

// beside holds the tests that run beside others already: each has browsers and a server of its own, and mostly waits for them.
var beside sync.Map

// startBrowser opens a browser's window of 1280 x 800 pixels, for a test that from now on runs beside others. What its console says in
// warnings and errors fails the test.
func startBrowser(t testing.TB, flags ...chromedp.ExecAllocatorOption) *window {
	t.Helper()
	if test, ok := t.(*testing.T); ok {
		if _, is := beside.LoadOrStore(t.Name(), true); !is {
			test.Parallel()
		}
	}
	p := &window{t: t, settings: withoutViewer, allowed: []string{"GPU stall due to ReadPixels", "/api/v1/events"}} // software rendering; the end of an event stream
	ctx, cancel := newTab(t, flags...)
	p.ctx, p.close = ctx, cancel
	dialogs := chromedp.Events(ctx, protocol.JavascriptDialogOpening)
	go func() {
		for e, err := range dialogs {
			if err != nil {
				return
			}
			p.mu.Lock()
			p.dialogs = append(p.dialogs, string(e.Type))
			p.mu.Unlock()
			if _, err := chromedp.Call(ctx, protocol.HandleJavaScriptDialog, protocol.HandleJavaScriptDialogParams{Accept: true}); err != nil {
				return
			}
		}
	}()
	crashes := chromedp.Events(ctx, inspector.TargetCrashed)
	go func() {
		for _, err := range crashes {
			if err != nil {
				return
			}
			p.mu.Lock()
			p.console = append(p.console, "exception: the page has crashed")
			p.mu.Unlock()
		}
	}()
	listening := make(chan struct{})
	go func() {
		messages := chromedp.Console(ctx)
		close(listening)
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.IsException() || m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleWarning {
				p.mu.Lock()
				p.console = append(p.console, m.String()+" "+m.URL)
				p.mu.Unlock()
			}
		}
	}()
	<-listening
	t.Cleanup(p.checkConsole)
	return p
}

// login answers the page's login form.
func (p *window) login() {
	p.t.Helper()
	p.allow("401 (Unauthorized)") // the page asks who is logged in
	if p.settings != "" {         // before the page reads them; about:blank has no storage
		first := "if (location.protocol === 'http:') localStorage['nextslice/settings'] ??= '" + p.settings + "'"
		if _, err := chromedp.Call(p.ctx, protocol.AddScriptToEvaluateOnNewDocument, protocol.AddScriptToEvaluateOnNewDocumentParams{Source: first}); err != nil {
			p.t.Fatal(err)
		}
	}
	p.do(chromedp.Navigate(p.url+"/"), chromedp.WaitVisible(chromedp.CSS("input[name=name]")))
	p.do(chromedp.SendKeys(chromedp.CSS("input[name=name]"), "ada\r"), chromedp.WaitVisible(chromedp.CSS(".tools")))
	p.until("the first slice is open", `!!document.querySelector('.corner.top.left')`)
}

// stopClock has the page's time stand still until it is advanced.
func (p *window) stopClock() {
	p.t.Helper()
	eval[bool](p, `(window.testTime = performance.now(), performance.now = () => window.testTime, true)`)
}

func (p *window) advance(milliseconds int) {
	p.t.Helper()
	eval[bool](p, fmt.Sprintf(`(window.testTime += %d, true)`, milliseconds))
}

// leave goes from the annotation page to an empty one.
func (p *window) leave() {
	p.do(chromedp.Navigate("about:blank"))
}

// allow says that the console may hold messages with such a part.
func (p *window) allow(part string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.allowed = append(p.allowed, part)
}

// threw tells whether a script of the page ended with an exception.
func (p *window) threw() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.console, func(m string) bool { return strings.HasPrefix(m, "exception") })
}

// asked tells whether the page asked to stay when it was closed or loaded anew.
func (p *window) asked() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.dialogs) > 0
}

func (p *window) checkConsole() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.console {
		if !slices.ContainsFunc(p.allowed, func(part string) bool { return strings.Contains(m, part) }) {
			p.t.Errorf("console: %s", m)
		}
	}
}

func (p *window) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// eval is the value of a JavaScript expression.
func eval[T any](p *window, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// patience is how long the browser may take for anything, on a busy machine.
const patience = time.Minute

// until waits until a JavaScript expression is true. What it looks at need not be there yet: an expression that throws
// is not true.
func (p *window) until(what, expression string) {
	p.t.Helper()
	probe := "(() => { try { return (" + expression + ") ? 'yes' : 'no' } catch (e) { return String(e) } })()"
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		answer := eval[string](p, probe)
		if answer == "yes" {
			return
		}
		if p.threw() {
			p.t.FailNow()
		}
		if time.Now().After(deadline) {
			p.shoot("failed-" + strings.ReplaceAll(p.t.Name(), "/", "-"))
			p.t.Fatalf("not so after a minute: %s (%s)\npage: %s", what, answer, eval[string](p, "document.body.innerText"))
		}
	}
}

// wait waits until something is true of the server.
func (p *window) wait(what string, ok func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("not so after a minute: %s\nnote: %s", what, eval[string](p, "document.querySelector('.note')?.innerText ?? ''"))
		}
	}
}

// untilItem waits until the page shows an item, ready to be drawn on.
func (p *window) untilItem(item string) {
	p.t.Helper()
	p.until("shows "+item, fmt.Sprintf(`decodeURIComponent(location.hash) === "#/item/%s" && document.querySelector(".screen") && !document.querySelector(".screen").dataset.busy`, item))
}

func (p *window) key(keys string, modifiers ...chromedp.Modifier) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(keys, chromedp.KeyModifiers(modifiers...)))
}

func (p *window) click(selector string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(selector)))
}

// shoot writes a picture of the page into the folder NEXTSLICE_SCREENSHOTS names, if it does.
func (p *window) shoot(name string) {
	p.t.Helper()
	dir := os.Getenv("NEXTSLICE_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// setDown makes the server fail every request, or answer again.
func (p *window) setDown(down bool) {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	p.server.down = down
}

// place is where a slice lies in the browser's window.
type place struct {
	left, top, right, bottom float64 // of the slice's voxels
	columns, rows            int
	flipped                  bool // both ways, as RAS slices are for display
}

// fitted computes where a newly opened item of the fake server must be.
func (p *window) fitted(item string) place {
	p.t.Helper()
	c, name, _ := p.server.split(item)
	return p.fittedGrid(c.image.Grid, name == "wide")
}

// fittedGrid computes where a newly opened axial slice must be: in the middle of the
// canvas, as large as fits with margins of 26 pixels, in the proportions of its voxels.
func (p *window) fittedGrid(g volume.Grid, flipped bool) place {
	p.t.Helper()
	box := eval[[]float64](p, `(() => { const b = document.querySelector('.screen canvas').getBoundingClientRect(); return [b.left, b.top, b.width, b.height] })()`)
	s, size := g.Spacing(), g.Size
	w, h := float64(size[0])*s[0], float64(size[1])*s[1]
	scale := min((box[2]-52)/w, (box[3]-52)/h)
	left, top := box[0]+(box[2]-w*scale)/2, box[1]+(box[3]-h*scale)/2
	return place{left, top, left + w*scale, top + h*scale, size[0], size[1], flipped}
}

// at is the middle of a voxel on the screen.
func (l place) at(column, row int) (x, y float64) {
	u, v := (float64(column)+0.5)/float64(l.columns), (float64(row)+0.5)/float64(l.rows)
	if l.flipped {
		u, v = 1-u, 1-v
	}
	return l.left + u*(l.right-l.left), l.top + v*(l.bottom-l.top)
}

// drag moves the mouse with a button down over voxels.
func (p *window) drag(l place, voxels [][2]int, options ...chromedp.MouseOption) {
	p.t.Helper()
	if len(options) == 0 {
		options = []chromedp.MouseOption{chromedp.ButtonLeft}
	}
	with := func(more ...chromedp.MouseOption) []chromedp.MouseOption {
		return append(append([]chromedp.MouseOption{}, options...), more...)
	}
	x, y := l.at(voxels[0][0], voxels[0][1])
	p.do(chromedp.MouseEvent(chromedp.MouseMoved, x, y), chromedp.MouseEvent(chromedp.MousePressed, x, y, with(chromedp.ClickCount(1))...))
	for _, v := range voxels[1:] {
		x, y = l.at(v[0], v[1])
		p.do(chromedp.MouseEvent(chromedp.MouseMoved, x, y, with()...))
	}
	p.do(chromedp.MouseEvent(chromedp.MouseReleased, x, y, with(chromedp.ClickCount(1))...))
}
