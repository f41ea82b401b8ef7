package page_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
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
	s := &service{t: t, program: filepath.Join(dir, "nextslice"), data: filepath.Join(dir, "data"), project: filepath.Join(dir, "project")}
	s.build()
	if err := phantom.Write(t.Context(), s.data, 6, 7, nil); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	s.listen("serve", "--data", s.data, "--project", s.project, "--masks", "ignore")
	served := time.Since(begin)
	p.url = s.url
	p.login()
	item := p.nextItem(nil)
	shown := time.Since(begin)
	mask, _ := s.mask(filepath.Join(s.data, "labelsTr"), item)
	grid := mask.Grid
	p.drag(p.fittedGrid(grid, false), [][2]int{{grid.Size[0] / 2, grid.Size[1] / 2}, {grid.Size[0]/2 + 9, grid.Size[1] / 2}})
	p.key(kb.Enter)
	p.nextItem(map[string][]byte{item: nil})
	s.get("/items/" + url.PathEscape(item) + "/label") // fails unless it is saved
	all := time.Since(begin)
	fmt.Printf("\nprogram there to first label: %.1f s (server answers after %.1f s, first slice after %.1f s); aim: 30 s\n", all.Seconds(), served.Seconds(), shown.Seconds())
	if all > 30*time.Second {
		t.Errorf("the first label took %.1f s, want at most 30", all.Seconds())
	}
	p.leave()
}
