package page_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var (
	errNoChromium = errors.New("chromium is not installed")
	errNoPackages = errors.New("npm packages are not installed: run make web")
)

// chromium is a browser process; it ends when its context does.
type chromium struct {
	ctx  context.Context
	stop func()
}

// startChromium starts a browser without windows that anybody sees, until stop.
func startChromium(flags ...chromedp.ExecAllocatorOption) (c chromium, err error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return c, errNoChromium
	}
	if _, err := os.Stat("node_modules"); err != nil {
		return c, errNoPackages
	}
	// The page is put together without an imitated graphics card, which is slow; WebGL has one.
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1280, 800),
		chromedp.Flag("use-angle", "swiftshader-webgl"), chromedp.Flag("enable-unsafe-swiftshader", true),
		// No page of its own for each window's address bar, and none in reserve.
		chromedp.Flag("disable-features", "Translate,BlinkGenPropertyTrees,WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup,SpareRendererForSitePerProcess"))
	options = slices.Concat(options, unraised(), flags)
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	c = chromium{ctx, func() { cancel(); stopAllocator() }}
	if err := chromedp.Do(ctx); err != nil { // starts it
		c.stop()
		return chromium{}, fmt.Errorf("start chromium: %w", err)
	}
	return c, nil
}

// unraised are options that have a browser run as it does for people. One that root starts gives itself a higher priority than all other programs,
// and the tests of other packages wait for it.
func unraised() []chromedp.ExecAllocatorOption {
	setpriv, err := exec.LookPath("setpriv") // of util-linux
	if err != nil || os.Geteuid() != 0 {
		return nil
	}
	return []chromedp.ExecAllocatorOption{chromedp.ModifyCmdFunc(func(cmd *exec.Cmd) {
		cmd.Args = slices.Concat([]string{setpriv, "--pdeathsig=KILL", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice", cmd.Path}, cmd.Args[1:])
		cmd.Path = setpriv
	})}
}

// shared is the browser of all tests that want nothing else of it; TestMain stops it. To start one takes more time than most tests.
var shared struct {
	sync.Once
	chromium
	err error
}

func sharedChromium() (chromium, error) {
	shared.Do(func() { shared.chromium, shared.err = startChromium() })
	return shared.chromium, shared.err
}

// newTab opens a tab for one test: of the shared browser, with cookies, storage and a window of its own, or, with flags, of a browser of its own.
func newTab(t testing.TB, flags ...chromedp.ExecAllocatorOption) (context.Context, context.CancelFunc) {
	t.Helper()
	var browser chromium
	var err error
	if len(flags) > 0 {
		if browser, err = startChromium(flags...); err == nil {
			t.Cleanup(browser.stop)
		}
	} else {
		browser, err = sharedChromium()
	}
	switch {
	case errors.Is(err, errNoChromium) || errors.Is(err, errNoPackages):
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	case browser.ctx.Err() != nil:
		t.Fatal("chromium has ended during another test")
	}
	ctx, cancel := chromedp.NewContext(browser.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 800)); err != nil { // opens the tab
		t.Fatal(err)
	}
	// Only one window has the focus; all are to behave as if they had.
	if _, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		t.Fatal(err)
	}
	return ctx, cancel
}
