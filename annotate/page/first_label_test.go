package page_test

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/nextslice/nextslice/dataset/phantom"
)

// TestBenchFirstLabel measures from the start of the program, which is there, to the first saved label: the server on volumes of its own, the page, a name, a
// stroke, Enter. The aim is 30 s:
//
//	make bench-first-label
func TestBenchFirstLabel(t *testing.T) {
	if os.Getenv("NEXTSLICE_BENCH_FIRST") == "" {
		t.Skip("wants a quiet machine: run make bench-first-label")
	}
	p := startBrowser(t, plain()...)
	p.settings = `{"viewer":false}`
	dir := t.TempDir()
	s := &service{t: t, data: filepath.Join(dir, "data"), project: filepath.Join(dir, "project")}
	s.build()
	if err := phantom.Write(t.Context(), s.data, 6, 7, nil); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	s.listen("serve", "--data", s.data, "--project", s.project, "--masks", "ignore")
	served := time.Since(begin)
	shown := p.firstLabel(s)
	all := time.Since(begin)
	fmt.Printf("\nprogram there to first label: %.1f s (server answers after %.1f s, first slice after %.1f s); aim: 30 s\n", all.Seconds(), served.Seconds(), shown.Sub(begin).Seconds())
	if all > 30*time.Second {
		t.Errorf("the first label took %.1f s, want at most 30", all.Seconds())
	}
	p.leave()
}

// firstLabel logs in, draws a stroke on the first slice and saves it. It returns when that slice was shown.
func (p *window) firstLabel(s *service) (shown time.Time) {
	p.t.Helper()
	p.url = s.url
	p.login()
	item := p.nextItem(nil)
	shown = time.Now()
	mask, _ := s.mask(filepath.Join(s.data, "labelsTr"), item)
	grid := mask.Grid
	p.drag(p.fittedGrid(grid, false), [][2]int{{grid.Size[0] / 2, grid.Size[1] / 2}, {grid.Size[0]/2 + 9, grid.Size[1] / 2}})
	p.key(kb.Enter)
	p.nextItem(map[string][]byte{item: nil})
	s.get("/items/" + url.PathEscape(item) + "/label") // fails unless it is saved
	return shown
}

// TestBenchClone measures from git clone to the first saved label, with the build: the clone is of what is committed here, Go's build cache is empty, so that
// Go's own library is compiled too, and so is the folder of the page's packages; modules of Go and packages of npm come from their download caches where they are
// there. The browser is there. The aim is two minutes:
//
//	make bench-clone
func TestBenchClone(t *testing.T) {
	from := os.Getenv("NEXTSLICE_BENCH_CLONE")
	if from == "" {
		t.Skip("takes minutes and wants a quiet machine: run make bench-clone")
	}
	p := startBrowser(t, plain()...)
	p.settings = `{"viewer":false}`
	dir := t.TempDir()
	clone, runs := filepath.Join(dir, "nextslice"), filepath.Join(dir, "runs")
	if err := os.Mkdir(runs, 0o700); err != nil {
		t.Fatal(err)
	}
	run := func(in, name string, arguments ...string) (processor time.Duration) {
		t.Helper()
		c := exec.CommandContext(t.Context(), name, arguments...)
		c.Dir, c.Env = in, append(os.Environ(), "GOCACHE="+filepath.Join(dir, "gocache"), "MAKEFLAGS=", "MAKELEVEL=")
		c.Env = slices.DeleteFunc(c.Env, func(v string) bool { return strings.HasPrefix(v, "GIT_") })
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s %v: %v\n%s", name, arguments, err, out)
		}
		return c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	}
	begin := time.Now()
	run(dir, "git", "clone", "--quiet", "--no-local", from, clone)
	cloned := time.Since(begin)
	processor := run(clone, "make", "build")
	built := time.Since(begin)
	s := &service{t: t, program: filepath.Join(clone, "nextslice"), dir: runs, data: filepath.Join(runs, "nextslice-demo-data")}
	s.listen("serve", "--demo")
	p.firstLabel(s)
	all := time.Since(begin)
	fmt.Printf("\nclone to first label, with the build: %.0f s (cloned after %.0f s, built after %.0f s, with %.0f s of processor time); aim: 120 s\n",
		all.Seconds(), cloned.Seconds(), built.Seconds(), processor.Seconds())
	if all > 2*time.Minute {
		t.Errorf("the first label took %.0f s, want at most 120", all.Seconds())
	}
	p.leave()
}
