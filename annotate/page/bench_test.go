package page_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/nextslice/nextslice/annotate/page/bundle"
	"github.com/nextslice/nextslice/volume"
)

// TestBenchPage measures what annotators feel and prints it for docs/performance.md. NEXTSLICE_BENCH_PAGE says over how many slices:
//
//	make bench-page SLICES=500
//	make bench-page PART=Memory
func TestBenchPage(t *testing.T) {
	count, err := strconv.Atoi(os.Getenv("NEXTSLICE_BENCH_PAGE"))
	if err != nil {
		t.Skip("takes minutes and wants a quiet machine: run make bench-page")
	}
	alone := func(name string, measure func(t *testing.T)) {
		t.Run(name, func(t *testing.T) {
			beside.Store(t.Name(), true) // not beside the others
			measure(t)
		})
	}
	alone("Slices", func(t *testing.T) { benchSlices(t, min(10, max(2, count/10))) })
	alone("Pointer", func(t *testing.T) { benchPointer(t, 128, 256, 512, 1024, 2048, 4096) })
	alone("Next", func(t *testing.T) { benchNext(t, count) })
	alone("Memory", func(t *testing.T) { benchMemory(t, count) })
}

// plain are the flags of a browser without a graphics card, not even an imitated one: its frames alone take longer.
func plain() []chromedp.ExecAllocatorOption {
	return []chromedp.ExecAllocatorOption{chromedp.Flag("use-angle", false), chromedp.Flag("enable-unsafe-swiftshader", false),
		chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-3d-apis", true), chromedp.Flag("enable-precise-memory-info", true)}
}

// benchOn starts a browser on a fake server of such cases.
func benchOn(t *testing.T, prepare func(f *fake)) *window {
	t.Helper()
	p := startBrowser(t, plain()...)
	p.settings = `{"smooth":true,"viewer":false}`
	dist, err := built()
	if err != nil {
		t.Fatal(err)
	}
	f, server := newFake(t, dist)
	prepare(f)
	p.server, p.url = f, server.URL
	t.Cleanup(p.close)
	p.login()
	return p
}

func p95(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[min(len(v)-1, int(math.Ceil(0.95*float64(len(v))))-1)]
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// look is how long the scripted annotator looks at a slice before it does anything.
const look = 800 * time.Millisecond

// benchSlices labels phantoms of which nothing is known, empty ones, and ones with a good and a bad proposal.
func benchSlices(t *testing.T, each int) {
	c := phantomCase()
	w, h := c.mask.Size[0], c.mask.Size[1]
	moved := func(mask []byte, dx, dy int) []byte {
		out := make([]byte, len(mask))
		for y := range h {
			for x := range w {
				if u, v := x-dx, y-dy; u >= 0 && v >= 0 && u < w && v < h {
					out[y*w+x] = mask[v*w+u]
				}
			}
		}
		return out
	}
	var largest []int // slices with much foreground
	for k := range c.mask.Size[2] {
		if n := len(c.slice(k)) - bytes.Count(c.slice(k), []byte{0}); n > 400 {
			largest = append(largest, k)
		}
	}
	type kind struct {
		name     string
		proposal func(truth []byte) []byte // nil: there is none
		label    func(h *hand, at place, truth, proposal []byte)
	}
	outline := func(h *hand, at place, truth []byte) {
		h.press("p")
		h.stroke(at, around(truth, w))
		h.press(kb.Enter)
	}
	hints := func(h *hand, at place, truth, proposal []byte) {
		if !eval[bool](h.p, `[...document.querySelectorAll('.tools [aria-pressed="true"]')].some((e) => e.innerText.includes('Hint'))`) {
			h.press("G", chromedp.ModifierShift)
		}
		// points at what is most wrong, until it is good or that does not help
		now := proposal
		if now == nil {
			now = make([]byte, len(truth))
		}
		for range 8 {
			missing := func(i int) bool { return truth[i] == 1 && now[i] == 0 }
			over := func(i int) bool { return truth[i] == 0 && now[i] == 1 }
			few, line, modifiers := 0, middle(w, w*w, missing), []chromedp.Modifier{}
			for i := range truth {
				if missing(i) {
					few++
				}
				if over(i) {
					few--
				}
			}
			if wrong := middle(w, w*w, over); line == nil || wrong != nil && few < 0 {
				line, modifiers = wrong, []chromedp.Modifier{chromedp.ModifierAlt}
			}
			if line == nil || dice(now, truth, 1) > 0.92 {
				break
			}
			item := h.p.server.order[0]
			for _, other := range h.p.server.order { // the first that is not saved
				if _, saved := h.p.server.latest(other); !saved {
					item = other
					break
				}
			}
			before := h.p.server.draft(item)
			h.stroke(at, line, modifiers...)
			begin := time.Now()
			for bytes.Equal(h.p.server.draft(item), before) && time.Since(begin) < 5*time.Second {
				time.Sleep(20 * time.Millisecond)
			}
			h.waited += time.Since(begin)
			now = bytes.Clone(h.p.server.draft(item))
			if now == nil {
				break
			}
		}
		time.Sleep(100 * time.Millisecond) // sees what comes of it
		h.press(kb.Enter)
	}
	bad := func(truth []byte) []byte { return moved(truth, 9, 5) }
	kinds := []kind{
		{"blank, outlined", nil, func(h *hand, at place, truth, _ []byte) { outline(h, at, truth) }},
		{"blank, by a hint", nil, hints},
		{"empty, as the model says", func(truth []byte) []byte { return make([]byte, len(truth)) }, func(h *hand, _ place, _, _ []byte) { h.press(kb.Enter) }},
		{"empty, without a model", nil, func(h *hand, _ place, _, _ []byte) { h.press("k") }},
		{"good proposal", func(truth []byte) []byte { return moved(truth, 1, 0) }, func(h *hand, _ place, _, _ []byte) { h.press(kb.Enter) }},
		{"bad proposal, outlined anew", bad, func(h *hand, at place, truth, _ []byte) { h.press(kb.Delete); outline(h, at, truth) }},
		{"bad proposal, by hints", bad, hints},
	}
	fmt.Printf("\n| slice | actions | s a slice, of which looking %.1f | Dice of the proposal | Dice of the label |\n|---|---:|---:|---:|---:|\n", look.Seconds())
	for _, kind := range kinds {
		var items []string
		for n := range each {
			items = append(items, fmt.Sprintf("prostate/%03d", largest[n%len(largest)]))
		}
		items = slices.Compact(slices.Sorted(slices.Values(items)))
		p := benchOn(t, func(f *fake) {
			f.order = items
			f.propose = func(item string) []byte {
				_, _, k := f.split(item)
				if kind.proposal == nil {
					return make([]byte, w*h)
				}
				return kind.proposal(c.slice(k))
			}
			f.chances = func(item string, class int) []byte {
				out := f.propose(item)
				for i, v := range out {
					out[i] = 8 + 232*v
				}
				return out
			}
			if kind.proposal == nil {
				f.change = func(_ string, task map[string]any) { task["proposal"], task["uncertainty"] = false, false }
			}
		})
		hand, seconds, before, after := p.hand(), []float64{}, []float64{}, []float64{}
		for _, item := range items {
			p.untilItem(item)
			_, _, k := p.server.split(item)
			truth, begin := c.slice(k), time.Now()
			var proposal []byte
			if kind.proposal != nil {
				proposal = kind.proposal(truth)
				before = append(before, dice(proposal, truth, 1))
			}
			time.Sleep(look)
			kind.label(hand, p.fitted(item), truth, proposal)
			p.wait("it is saved", func() bool { _, ok := p.server.latest(item); return ok })
			seconds = append(seconds, (time.Since(begin) - hand.waited).Seconds())
			hand.waited = 0
			got, _ := p.server.latest(item)
			after = append(after, dice(got.mask, truth, 1))
		}
		was, is := "–", fmt.Sprintf("%.2f", median(after))
		if strings.HasPrefix(kind.name, "empty") {
			is = "–"
		} else if len(before) > 0 {
			was = fmt.Sprintf("%.2f", median(before))
		}
		fmt.Printf("| %s | %.1f | %.1f | %s | %s |\n", kind.name, float64(hand.actions)/float64(len(items)), median(seconds), was, is)
	}
}

// benchPointer measures from the mouse's event to the frame with what it has painted, and from the end of a hint to the frame with its mask.
func benchPointer(t *testing.T, sizes ...int) {
	fmt.Print("\n| slice | pointer event to painted frame, ms: median | p95 | a hint: median | p95 |\n|---|---:|---:|---:|---:|\n")
	for _, size := range sizes {
		name := fmt.Sprintf("of%d", size)
		p := benchOn(t, func(f *fake) {
			f.cases[name] = discCase(size, 1)
			f.order = []string{name + "/000"}
			f.change = func(_ string, task map[string]any) { task["proposal"], task["uncertainty"] = false, false }
		})
		item := name + "/000"
		p.untilItem(item)
		eval[bool](p, `(() => {
			window.frames = [], window.hints = [];
			const canvas = document.querySelector('.screen canvas'), next = (of, e) => requestAnimationFrame(() => {
				const { port1, port2 } = new MessageChannel(); // comes after the frame
				port1.onmessage = () => of.push(performance.now() - e.timeStamp);
				port2.postMessage(0);
			});
			canvas.addEventListener('pointermove', (e) => { if (e.buttons === 1) next(frames, e); });
			let done = 0;
			window.addEventListener('pointerup', (e) => {
				const look = () => {
					const all = performance.getEntriesByName('hint').length;
					if (all === done) return setTimeout(look);
					done = all;
					next(hints, e);
				};
				look();
			});
			return true;
		})()`)
		at, hand := p.fitted(item), p.hand()
		for range 3 {
			var ring [][2]int
			for i := range 60 {
				ring = append(ring, [2]int{size/2 + int(float64(size)*0.3*math.Cos(float64(i)/9)), size/2 + int(float64(size)*0.3*math.Sin(float64(i)/9))})
			}
			hand.stroke(at, ring)
			p.key("z")
		}
		frames := eval[[]float64](p, `window.frames`)
		p.key("G", chromedp.ModifierShift)
		time.Sleep(look) // where to point
		for n := range 5 {
			hand.stroke(at, [][2]int{{size * 4 / 10, size/2 + n}, {size * 6 / 10, size/2 + n}})
			p.until("the hint is done", fmt.Sprintf(`window.hints.length === %d`, n+1))
		}
		hints := eval[[]float64](p, `window.hints`)
		fmt.Printf("| %d² | %.0f | %.0f | %.0f | %.0f |\n", size, median(frames), p95(frames), median(hints), p95(hints))
	}
}

// discCase is a bright disc on a dark ground with some noise, on every slice.
func discCase(size, slices int) *fakeCase {
	grid := volume.Grid{Size: [3]int{size, size, slices}, Unit: "mm", Affine: [3][4]float64{{-0.5, 0, 0, 0}, {0, -0.5, 0, 0}, {0, 0, 3, 0}}}
	image := &volume.Volume{Grid: grid, Data: make([]float32, grid.Len()), Stored: "int16"}
	mask := &volume.Mask{Grid: grid, Data: make([]uint8, grid.Len())}
	for i := range image.Data {
		x, y := float64(i%size)/float64(size)-0.5, float64(i/size%size)/float64(size)-0.5
		image.Data[i] = float32(uint32(i)*2654435761>>26) + 100
		if math.Hypot(x, y) < 0.25 {
			image.Data[i] += 100
			mask.Data[i] = 1
		}
	}
	return &fakeCase{image, mask, map[string]string{"left": "R", "right": "L", "top": "A", "bottom": "P"}}
}

// benchNext goes through the queue of the program itself, with 1,000 cases and two large CTs, and measures from the key to the next slice
// on the screen, and the server's memory.
func benchNext(t *testing.T, count int) {
	p := startBrowser(t, plain()...)
	p.settings = `{"smooth":true,"viewer":false}`
	p.allow("net::ERR_")
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	for _, err := range []error{os.Mkdir(data, 0o700), os.Mkdir(filepath.Join(data, "images"), 0o700), bundle.Page(".", "dist")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for n := range 3 {
		if err := volume.WriteVolume(filepath.Join(dir, fmt.Sprintf("small%d.nii.gz", n)), discCase(96, 12).image); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 1000 {
		if err := os.Symlink(filepath.Join(dir, fmt.Sprintf("small%d.nii.gz", n%3)), filepath.Join(data, "images", fmt.Sprintf("case%04d.nii.gz", n))); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 2 {
		ct := discCase(512, 300).image
		for i := range ct.Data {
			ct.Data[i] = 10*ct.Data[i] - 1024
		}
		if err := volume.WriteVolume(filepath.Join(data, "images", fmt.Sprintf("ct%d.nii.gz", n)), ct); err != nil {
			t.Fatal(err)
		}
	}
	s := &service{t: t, data: data, project: filepath.Join(dir, "project")}
	s.build()
	s.listen("serve", "--data", data, "--project", s.project, "--classes", "organ", "--no-train", "--initial-size", strconv.Itoa(count+20))
	p.url = s.url
	p.login()
	p.until("the first slice", `document.querySelector('.screen') && !document.querySelector('.screen').dataset.busy`)
	time.Sleep(look) // keys are deaf just behind a slice's opening
	measured := func(what string, move func(n int) string, times int) {
		t.Helper()
		eval[bool](p, `(performance.clearMeasures('open'), true)`)
		for n := range times {
			from := eval[string](p, `location.hash`)
			if to := move(n); to != "" {
				p.untilItem(to)
			} else {
				p.until("another slice", fmt.Sprintf(`location.hash !== %q && !document.querySelector('.screen').dataset.busy`, from))
			}
			time.Sleep(look) // nobody is faster, and what comes next is loaded meanwhile
		}
		times95 := eval[[]float64](p, `performance.getEntriesByName('open').map((e) => e.duration)`)
		fmt.Printf("| %s | %d | %.0f | %.0f | %.0f |\n", what, len(times95), median(times95), p95(times95), slices.Max(times95))
	}
	fmt.Print("\n| next slice, ms from the key to the picture | n | median | p95 | longest |\n|---|---:|---:|---:|---:|\n")
	measured("1,002 cases, in the queue's order", func(int) string { p.key("k"); return "" }, count)
	open := func(item string) string {
		eval[bool](p, fmt.Sprintf(`(location.hash = '#/item/' + encodeURIComponent(%q), true)`, item))
		return item
	}
	measured("a CT of 512×512×300 for the first time", func(n int) string { return open(fmt.Sprintf("ct%d/100", n)) }, 2)
	measured("its slices, and from one CT to the other", func(n int) string { return open(fmt.Sprintf("ct%d/%03d", n%2, 101+n)) }, max(4, count/10))
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.command.Process.Pid))
	if err != nil {
		t.Logf("the server's memory: %v", err)
	}
	for line := range strings.Lines(string(status)) {
		if kind, size, ok := strings.Cut(line, ":"); ok && (kind == "VmHWM" || kind == "VmRSS") {
			kb, _ := strconv.Atoi(strings.Fields(size)[0])
			fmt.Printf("\nserver's memory, %s: %d MB\n", map[string]string{"VmHWM": "at most", "VmRSS": "afterwards"}[kind], kb/1024)
		}
	}
	p.leave()
}

// benchMemory labels many slices and measures what the page keeps.
func benchMemory(t *testing.T, count int) {
	p := benchOn(t, func(f *fake) {
		f.cases["long"] = discCase(128, count)
		f.order = nil
		for k := range count {
			f.order = append(f.order, fmt.Sprintf("long/%03d", k))
		}
	})
	var settled, last float64 // MB: when what is kept beside the slice is full, and at the end
	fmt.Print("\n| slices labelled | the page's memory, MB | nodes |\n|---:|---:|---:|\n")
	for k := range count {
		p.untilItem(fmt.Sprintf("long/%03d", k))
		if every := max(1, count/10); k%every == 0 || k == count-1 {
			if _, err := chromedp.Call(p.ctx, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
				t.Fatal(err)
			}
			used := eval[[]float64](p, `[performance.memory.usedJSHeapSize / 1e6, document.getElementsByTagName('*').length]`)
			fmt.Printf("| %d | %.1f | %.0f |\n", k, used[0], used[1])
			if last = used[0]; k <= count/5 {
				settled = used[0]
			}
		}
		if k < count-1 {
			p.drag(p.fitted(fmt.Sprintf("long/%03d", k)), [][2]int{{50, 50}, {70, 60}})
			p.key(kb.Enter)
		}
	}
	if last > 1.25*settled {
		t.Errorf("the page's memory is not flat: %.1f MB after a fifth of the slices, %.1f MB after all", settled, last)
	}
}
