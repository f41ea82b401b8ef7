package page_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// note waits until the note at the bottom has a part.
func (p *window) note(part string) {
	p.t.Helper()
	p.until("the note says "+part, fmt.Sprintf(`document.querySelector('.note')?.innerText.includes(%q)`, part))
}

// A key pressed twice in a row saves one slice: nobody has seen the second.
func TestKeysAreDeafUntilASliceIsSeen(t *testing.T) {
	p := openPage(t)
	p.untilItem("prostate/010")
	// both within the time in which the next slice comes, for which the page's clock stands still
	eval[bool](p, `(() => {
		const now = performance.now();
		performance.now = () => now;
		const press = (key) => document.querySelector('.screen canvas').dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
		press('Enter');
		const wait = () => { if (decodeURIComponent(location.hash) !== '#/item/wide/003') return setTimeout(wait, 1); for (const key of ['Enter', 'k', 'Delete']) press(key); delete performance.now; window.pressed = true; };
		wait();
		return true;
	})()`)
	p.until("pressed again at once", `window.pressed === true`)
	p.untilItem("wide/003")
	time.Sleep(300 * time.Millisecond)
	if _, saved := p.server.latest("wide/003"); saved {
		t.Error("the second slice was saved by the same hand")
	}
	if p.server.draft("wide/003") != nil {
		t.Error("the second slice was cleared by the same hand")
	}
	p.untilItem("wide/003")
}

// An empty proposal does not look like none.
func TestTheModelSaysEmpty(t *testing.T) {
	p := openOn(t, func(f *fake) { f.noProposal = map[string]bool{"prostate/010": true} })
	p.untilItem("prostate/010")
	p.until("it is said, large", `parseFloat(getComputedStyle(document.querySelector('.says b')).fontSize) >= 24 && document.querySelector('.says').innerText.includes('nothing here')`)
	p.until("the button says so too", `document.querySelector('.actions .primary').innerText.includes('empty')`)
	p.shoot("says-empty")
	p.drag(p.fitted("prostate/010"), [][2]int{{30, 30}, {40, 30}})
	p.until("it goes with the first stroke", `!document.querySelector('.says')`)
	p.key("z")
	p.key(kb.Enter)
	p.wantSaved("prostate/010", "accepted", make([]byte, 128*128))
}

// What K, Del and Shift+H take away, a note offers back.
func TestDestroyedDrawingsComeBack(t *testing.T) {
	p := openPage(t)
	const item = "prostate/010"
	p.untilItem(item)
	c, _, _ := p.server.split(item)
	at := p.fitted(item)
	path := [][2]int{{30, 100}, {60, 104}}
	p.drag(at, path)
	drawn := painted(c, p.server.proposal(item), path, 9, 1)

	p.key(kb.Delete)
	p.note("The mask is cleared")
	p.click(".note .act")
	p.wait("the drawing is the draft again", func() bool { return bytes.Equal(p.server.draft(item), drawn) })
	p.key("H", chromedp.ModifierShift)
	p.note("replaced by the model's mask")
	p.click(".note .act")
	p.wait("the drawing is the draft again", func() bool { return bytes.Equal(p.server.draft(item), drawn) })

	// also after more was drawn, and after the page was loaded anew
	p.key(kb.Delete)
	p.note("The mask is cleared")
	p.drag(at, [][2]int{{90, 20}, {96, 20}})
	p.wait("another drawing", func() bool { d := p.server.draft(item); return d[20*128+93] == 1 && d[100*128+30] == 0 })
	p.click(".note .act")
	p.wait("the first drawing is the draft again", func() bool { return bytes.Equal(p.server.draft(item), drawn) })
	p.key(kb.Delete)
	p.wait("it is cleared", func() bool { return bytes.Equal(p.server.draft(item), make([]byte, 128*128)) })
	p.until("the page knows", `!document.querySelector('.note.warning') && Object.keys(localStorage).some((k) => k.startsWith('nextslice/draft/') && JSON.parse(localStorage[k]).onServer)`)
	p.do(chromedp.Reload())
	p.untilItem(item)
	p.key("v") // versions are beside the viewer
	p.click(".versions .kept button")
	p.wait("the drawing is a draft again", func() bool { return bytes.Equal(p.server.draft(item), drawn) })
	p.key("v")

	p.key("k")
	p.wantSaved(item, "empty", make([]byte, 128*128))
	p.untilItem("wide/003")
	p.note("Bring the drawing back")
	p.do(chromedp.Reload()) // also after the note has gone
	p.untilItem("wide/003")
	p.key("N", chromedp.ModifierShift) // no slice before it since the page was loaded
	p.do(chromedp.Navigate(p.url + "/#/item/prostate%2F010"))
	p.untilItem(item)
	p.key("v") // versions are beside the viewer
	p.click(".versions .kept button")
	p.wait("the drawing is a draft again", func() bool { return bytes.Equal(p.server.draft(item), drawn) })
	p.key(kb.Enter)
	p.wait("it is saved", func() bool { got, _ := p.server.latest(item); return got.Version == 2 && bytes.Equal(got.mask, drawn) })
}

// While a neighbour is on the screen, no key changes or saves the slice that nobody sees.
func TestKeysDoNotReachWhatIsNotShown(t *testing.T) {
	for _, key := range []string{"k", kb.Enter, kb.Delete, "x"} {
		p := openPage(t)
		const item = "prostate/010"
		p.untilItem(item)
		p.key(kb.ArrowDown)
		p.until("a neighbour", `document.querySelector('.banner')?.innerText.includes('to look at only')`)
		p.key(key)
		p.note("Back to slice 11")
		if _, saved := p.server.latest(item); saved {
			t.Errorf("%q saved the slice behind the neighbour", key)
		}
		if p.server.draft(item) != nil {
			t.Errorf("%q changed the slice behind the neighbour", key)
		}
		if eval[bool](p, `!!document.querySelector('dialog[open]')`) {
			t.Errorf("%q asks about the slice behind the neighbour", key)
		}
	}
}

// The proposal of a poor model is an outline; the drawing begins empty, and a key takes the outline.
func TestPoorProposalIsAnOutline(t *testing.T) {
	p := openOn(t, func(f *fake) {
		f.change = func(_ string, task map[string]any) {
			task["outline"], task["proposal_note"] = true, "The model is not good enough yet to draw for you (Dice 0.31)."
		}
	})
	const item = "prostate/010"
	p.untilItem(item)
	p.until("why", `document.querySelector('.why').innerText.includes('Dice 0.31')`)
	p.until("an outline", `document.querySelector('.dashed')?.innerText === 'proposal'`)
	p.shoot("outline")
	p.key(kb.Enter)
	p.note("Press Shift+H to take")
	if _, saved := p.server.latest(item); saved {
		t.Fatal("Enter saved a slice on which nothing was drawn")
	}
	c, _, _ := p.server.split(item)
	path := [][2]int{{30, 100}, {60, 104}}
	p.drag(p.fitted(item), path)
	p.wait("the drawing alone is the draft", func() bool { return bytes.Equal(p.server.draft(item), painted(c, make([]byte, 128*128), path, 9, 1)) })
	p.key("H", chromedp.ModifierShift)
	p.key(kb.Enter)
	p.wantSaved(item, "accepted", p.server.proposal(item))
}

// A slice goes back when its tab is closed; one that is drawn on does not.
func TestLeaseEndsWithTheTab(t *testing.T) {
	p := openPage(t)
	p.untilItem("prostate/010")
	p.key("2")
	p.until("it listens", `document.querySelector('.classes button[aria-checked="true"]').innerText.includes("transition")`)
	p.leave()
	p.wait("it is given back", func() bool { return p.server.asked("/items/prostate%2F010/release") == 1 })
	p.do(chromedp.Navigate(p.url+"/"), chromedp.WaitVisible(chromedp.CSS(".tools")))
	p.untilItem("prostate/010")
	p.drag(p.fitted("prostate/010"), [][2]int{{30, 30}, {40, 30}})
	p.wait("a draft", func() bool { return p.server.draft("prostate/010") != nil })
	p.until("the page knows", `document.querySelector('.note').innerText.includes('draft saved')`)
	p.leave()
	time.Sleep(500 * time.Millisecond)
	if n := p.server.asked("/items/prostate%2F010/release"); n != 1 {
		t.Errorf("given back %d times, once with a drawing on it", n-1)
	}
}

// A slice that is somebody else's, or on which somebody else has begun, is said to be so.
func TestOtherPeople(t *testing.T) {
	p := openOn(t, func(f *fake) {
		f.change = func(item string, task map[string]any) {
			switch item {
			case "prostate/010":
				task["lease"] = map[string]any{"person": "grace", "until": time.Now().Add(time.Hour)}
			case "wide/003":
				task["drafts"] = []map[string]any{{"person": "alan", "when": time.Now()}}
			}
		}
	}, withViewer)
	p.untilItem("prostate/010")
	p.note("grace is working on this slice")
	text := eval[string](p, `document.querySelector('.side .facts').innerText`)
	if !strings.Contains(text, "grace has it until") || strings.Contains(text, "you until") {
		t.Errorf("whose it is: %s", text)
	}
	p.key("n")
	p.untilItem("wide/003")
	p.note("alan began to draw this slice")
}

// An adjudicator sees both readings with names, and decides: nothing is drawn before.
func TestAdjudication(t *testing.T) {
	a, b := make([]byte, 128*128), make([]byte, 128*128)
	for i := range a {
		x, y := i%128, i/128
		if x >= 30 && x < 60 && y >= 30 && y < 60 {
			a[i] = 1
		}
		if x >= 45 && x < 75 && y >= 30 && y < 60 {
			b[i] = 1
		}
	}
	union, common := make([]byte, len(a)), make([]byte, len(a))
	for i := range a {
		union[i], common[i] = max(a[i], b[i]), min(a[i], b[i])
	}
	const item = "prostate/010"
	p := openOn(t, func(f *fake) {
		f.labels[item] = []fakeVersion{{Version: 1, Who: "alan", Reading: 1, Action: "edited", mask: a}, {Version: 2, Who: "grace", Reading: 2, Action: "edited", mask: b}}
		f.change = func(of string, task map[string]any) {
			if of == item {
				task["purpose"], task["label"] = "adjudication", nil
			}
		}
	})
	p.do(chromedp.Navigate(p.url + "/#/item/prostate%2F010"))
	p.untilItem(item)
	p.until("both names", `document.querySelector('.banner').innerText.includes("A is alan's, B is grace's")`)
	p.until("a line each", `[...document.querySelectorAll('.compared')].map((e) => e.innerText).join() === 'A: alan,B: grace'`)
	p.shoot("adjudication")
	p.axe("two readings")
	p.key(kb.Enter)
	p.note("Decide first")
	for _, c := range []struct {
		choice string
		want   []byte
	}{{"first", a}, {"second", b}, {"union", union}, {"common", common}} {
		p.click(`.choose[data-choice="` + c.choice + `"]`)
		p.wait(c.choice+" is the draft", func() bool { return bytes.Equal(p.server.draft(item), c.want) })
	}
	p.key("1", chromedp.ModifierAlt)
	p.wait("the key takes A", func() bool { return bytes.Equal(p.server.draft(item), a) })
	p.drag(p.fitted(item), [][2]int{{100, 100}, {110, 100}}) // and what was drawn on it is offered back
	var own []byte
	p.wait("a line more", func() bool { own = p.server.draft(item); return differ(own, a) > 20 })
	p.key("2", chromedp.ModifierAlt)
	p.wait("B", func() bool { return bytes.Equal(p.server.draft(item), b) })
	p.click(".note .act")
	p.wait("the drawing", func() bool { return bytes.Equal(p.server.draft(item), own) })
	p.key("1", chromedp.ModifierAlt)
	p.wait("A again", func() bool { return bytes.Equal(p.server.draft(item), a) })
	p.key(kb.Enter)
	p.wait("it is saved", func() bool { got, _ := p.server.latest(item); return got.Version == 3 && bytes.Equal(got.mask, a) })
}

// Neighbours show their label, or the model's mask, and can be edited; their masks can be copied.
func TestNeighbours(t *testing.T) {
	const item = "prostate/010"
	square := make([]byte, 128*128)
	for y := 30; y < 60; y++ {
		copy(square[y*128+30:y*128+60], bytes.Repeat([]byte{2}, 30))
	}
	p := openOn(t, func(f *fake) {
		f.order = append(f.order, "prostate/009", "prostate/011")
		f.labels["prostate/009"] = []fakeVersion{{Version: 1, Who: "alan", Action: "edited", mask: square}}
	})
	p.allow("willReadFrequently")
	p.untilItem(item)
	at := p.fitted(item)
	c, _, _ := p.server.split(item)
	window := p.server.task(item)["window"].(map[string]float32)
	under := grey(float64(c.image.Data[(9*128+45)*128+45]), float64(window["low"]), float64(window["high"]))
	p.key(kb.ArrowUp)
	p.untilPixel("the label of the slice before", at, 45, 45, mix(under, [3]int{0xff, 0x9f, 0x43}, 0.3))
	p.until("what it is", `document.querySelector('.corner.bottom.right').innerText.includes('saved label')`)
	p.key(kb.ArrowDown)
	p.key(kb.ArrowDown)
	p.until("the model's mask of the slice after", `document.querySelector('.corner.bottom.right').innerText.includes("the model's mask")`)
	p.shoot("neighbour-model")
	p.key("q")
	p.key(kb.Delete)
	p.key("m")
	p.note("The mask of slice 10 is copied")
	p.wait("the label of the slice before is the draft", func() bool { return bytes.Equal(p.server.draft(item), square) })
	p.key("M", chromedp.ModifierShift)
	p.note("The mask of slice 12 is copied (the model's")
	p.wait("the model's mask of the slice after is the draft", func() bool { return bytes.Equal(p.server.draft(item), p.server.proposal("prostate/011")) })
	p.key(kb.ArrowDown)
	p.until("a neighbour", `!!document.querySelector('.banner .edit')`)
	p.click(".banner .edit")
	p.untilItem("prostate/011")
}

// The tools for a class as a whole, locks and the brush for like values change what they say and nothing else.
func TestClassTools(t *testing.T) {
	p := openPage(t)
	const item = "prostate/010"
	p.untilItem(item)
	at := p.fitted(item)
	p.key(kb.Delete)
	p.key("[[[[[[[[[[") // one voxel wide
	frame := func(x0, y0, x1, y1 int) [][2]int { return [][2]int{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}, {x0, y0}} }
	p.drag(at, frame(20, 20, 40, 40))
	p.drag(at, [][2]int{{100, 100}, {104, 100}})
	want := make([]byte, 128*128)
	fill := func(x0, y0, x1, y1 int, label byte) {
		for y := y0; y <= y1; y++ {
			for x := x0; x <= x1; x++ {
				want[y*128+x] = label
			}
		}
	}
	is := func(what string) {
		t.Helper()
		p.wait(what, func() bool { return bytes.Equal(p.server.draft(item), want) })
	}
	fill(20, 20, 40, 40, 1)
	fill(100, 100, 104, 100, 1)
	p.key("F", chromedp.ModifierShift)
	is("the hole is filled")
	fill(100, 100, 104, 100, 0)
	p.key("L", chromedp.ModifierShift)
	is("the largest part is left")
	fill(20, 20, 40, 40, 0)
	fill(21, 21, 39, 39, 1)
	p.key("<")
	is("a voxel less")
	// locked: strokes of another class pass over it
	p.key("l")
	p.key("2")
	p.drag(at, [][2]int{{10, 30}, {50, 30}})
	fill(10, 30, 20, 30, 2)
	fill(40, 30, 50, 30, 2)
	is("a locked class stays")
	p.key("1")
	p.key("l")
	p.key("2")
	p.key("B", chromedp.ModifierShift)
	p.drag(at, [][2]int{{30, 10}, {30, 30}})
	fill(30, 10, 30, 20, 2)
	is("only background is painted")
	p.key("B", chromedp.ModifierShift)
	p.do(chromedp.MouseEvent(chromedp.MouseMoved, at.left+(at.right-at.left)*25.5/128, at.top+(at.bottom-at.top)*25.5/128))
	p.key("t")
	p.until("the class under the cursor", `document.querySelector('.classes button[aria-checked="true"]').innerText.includes('prostate')`)
	p.shoot("class-tools")
}

// The brush for like values paints what is like the voxel under it.
func TestRangeBrush(t *testing.T) {
	p := openPage(t)
	const item = "prostate/010"
	p.untilItem(item)
	c, _, k := p.server.split(item)
	at := p.fitted(item)
	p.key(kb.Delete)
	p.key("j")
	window := p.server.task(item)["window"].(map[string]float32)
	tolerance := (float64(window["high"]) - float64(window["low"])) / 10
	path := [][2]int{{64, 64}, {64, 20}}
	p.drag(at, path)
	image := c.image.Data[k*128*128 : (k+1)*128*128]
	centre := float64(image[64*128+64])
	want := painted(c, make([]byte, 128*128), path, 9, 1)
	kept := 0
	for i, v := range image {
		if want[i] == 1 && (float64(v) < centre-tolerance || float64(v) > centre+tolerance) {
			want[i] = 0
			kept++
		}
	}
	if kept == 0 {
		t.Fatal("the stroke meets nothing unlike: nothing is tested")
	}
	p.wait("only like voxels are painted", func() bool { return differ(p.server.draft(item), want) == 0 && p.server.draft(item) != nil })
}

// Corners of a polygon wait while another tool is used.
func TestPolygonWaits(t *testing.T) {
	p := openPage(t)
	const item = "prostate/010"
	p.untilItem(item)
	at := p.fitted(item)
	p.key(kb.Delete)
	p.key("p")
	half := (at.right - at.left) / float64(at.columns) / 2
	for i, v := range [][2]int{{10, 10}, {18, 10}, {18, 16}, {10, 16}} {
		x, y := at.at(v[0], v[1])
		p.do(chromedp.MouseClickXY(x-half, y-half))
		if i == 1 {
			p.key("b")
			p.key("p")
		}
	}
	p.key(kb.Enter)
	want := make([]byte, 128*128)
	for y := 10; y < 16; y++ {
		copy(want[y*128+10:y*128+18], bytes.Repeat([]byte{1}, 8))
	}
	p.wait("the polygon of all four corners", func() bool { return bytes.Equal(p.server.draft(item), want) })
	// a shape that is drawn freehand closes where it ends
	ring := [][2]int{{60, 60}, {70, 60}, {80, 60}, {80, 70}, {80, 80}, {70, 80}, {60, 80}, {60, 70}, {60, 64}}
	before := p.server.draft(item)
	p.drag(at, ring)
	p.wait("it is filled", func() bool { d := p.server.draft(item); return differ(d, before) > 300 && d[70*128+70] == 1 })
}

// Enter on a control is the control's, as a fold's head opens it; it saves where the control has no use for it.
func TestEnterOnControls(t *testing.T) {
	p := openPage(t)
	const item = "prostate/010"
	p.untilItem(item)
	for n := range 2 { // more tools, settings
		eval[bool](p, fmt.Sprintf(`(document.querySelectorAll('.tools summary')[%d].focus(), true)`, n))
		p.key(kb.Enter)
		p.until("it is unfolded", fmt.Sprintf(`document.querySelectorAll('.tools summary')[%d].parentElement.open`, n))
	}
	if _, saved := p.server.latest(item); saved || eval[bool](p, `!!document.querySelector('.screen').dataset.busy`) {
		t.Fatal("the slice is saved")
	}
	left := eval[string](p, `(() => {
		const all = ['<details><summary>a</summary></details>', '<button>a</button>', '<a href="#/">a</a>', '<select></select>', '<textarea></textarea>', '<input>', '<input type="button">',
			'<p contenteditable>a</p>', '<div role="button" tabindex="0">a</div>', '<div role="link" tabindex="0">a</div>', '<div role="textbox" tabindex="0">a</div>',
			'<input type="range">', '<div tabindex="0">a</div>', '<div role="slider" tabindex="0">a</div>'];
		return all.map((html) => {
			const box = document.createElement('div');
			box.innerHTML = html;
			document.body.append(box);
			const control = box.querySelector('summary') ?? box.firstElementChild;
			const takes = ['Enter', 'j', 'ArrowUp'].filter((key) => control.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true })));
			box.remove();
			return takes.map((key) => key[0]).join('');
		}).join(' ');
	})()`)
	if want := "E E E EjA EjA EjA EA EjA E E EjA A  A"; left != want {
		t.Errorf("keys that controls get: %q, want %q", left, want)
	}
}

// Ctrl+S saves, window and level can be typed, and the window is kept for the next case.
func TestTypedWindowAndCtrlS(t *testing.T) {
	p := openOn(t, func(f *fake) {
		f.change = func(_ string, task map[string]any) {
			task["modality"], task["presets"] = "CT", []map[string]any{{"name": "MEDIASTINUM", "low": -125, "high": 275}}
		}
	})
	p.untilItem("prostate/010")
	fields := `[...document.querySelectorAll('.fields input')].map((e) => e.value).join(' ')`
	typed := func(field, value string) {
		t.Helper()
		eval[bool](p, fmt.Sprintf(`(document.querySelector('input[aria-label="%s of the window"]').select(), true)`, field))
		for _, digit := range value {
			p.key(string(digit))
		}
	}
	typed("Width", "400")
	p.server.events <- `{"type":"training","running":true,"phase":"train","step":300,"steps":1200,"epoch":20,"epochs":80,"loss":0.213,"seconds_left":95}`
	p.until("the page is drawn anew meanwhile", `document.querySelector('.training').innerText.includes('epoch 20 of 80')`)
	if got := eval[string](p, fields); !strings.HasPrefix(got, "400 ") {
		t.Errorf("what is being typed has gone: %s", got)
	}
	// the level within the frame in which the width comes
	eval[bool](p, `(() => {
		for (const [name, value] of [['Width', '400'], ['Level', '40']]) {
			const field = document.querySelector('input[aria-label="' + name + ' of the window"]');
			field.value = value;
			field.dispatchEvent(new Event('change', { bubbles: true }));
		}
		return true;
	})()`)
	p.until("the window is that", fields+` === '400 40'`)
	typed("Level", "x")
	p.key(kb.Enter)
	p.until("what is no number changes nothing", fields+` === '400 40'`)
	p.key("s", chromedp.ModifierCtrl)
	p.wantSaved("prostate/010", "accepted", p.server.proposal("prostate/010"))
	p.untilItem("wide/003")
	p.until("the next case has the window", fields+` === '400 40'`)
	p.key("w")
	p.until("the file's own window", fields+` === '400 75'`)
	p.key("w")
	p.until("soft tissue", fields+` === '400 40' && [...document.querySelectorAll('.tools h2')].some((e) => e.textContent.includes('soft tissue'))`)
}

// The shape between two labelled slices is drawn on the one between them.
func TestInterpolate(t *testing.T) {
	disc := func(radius int) []byte {
		out := make([]byte, 128*128)
		for i := range out {
			if x, y := i%128-64, i/128-64; x*x+y*y <= radius*radius {
				out[i] = 1
			}
		}
		return out
	}
	p := openOn(t, func(f *fake) {
		f.order = append(f.order, "prostate/008", "prostate/011")
		f.labels["prostate/008"] = []fakeVersion{{Version: 1, Who: "alan", Action: "edited", mask: disc(10)}}
		f.labels["prostate/011"] = []fakeVersion{{Version: 1, Who: "alan", Action: "edited", mask: disc(22)}}
	})
	const item = "prostate/010" // two thirds of the way
	p.untilItem(item)
	p.key("I", chromedp.ModifierShift)
	p.note("Shapes between slice 9 and slice 12: this one is drawn, 1 more waits to be checked")
	p.wait("a disc of two thirds between", func() bool { d := p.server.draft(item); return d != nil && differ(d, disc(18)) < 60 })
}

// More than nine classes are chosen by two digits, and by the keys beside M.
func TestManyClasses(t *testing.T) {
	p := openOn(t, func(f *fake) { f.classes = 12 })
	p.untilItem("prostate/010")
	chosen := func(name string) {
		t.Helper()
		p.until(name+" is chosen", fmt.Sprintf(`document.querySelector('.classes button[aria-checked="true"]').innerText.includes(%q)`, name))
	}
	p.stopClock() // two digits belong together if little time is between them
	p.key("13")
	chosen("organ 13")
	p.key(";")
	chosen("organ 14")
	p.key(",,")
	chosen("organ 12")
	p.advance(1000)
	p.key("2")
	chosen("transition zone")
	p.advance(1000)
	p.key("7")
	chosen("organ 7")
}

// The header says how many labels are missing until the first model, and the picture why there is no proposal.
func TestUntilTheFirstModel(t *testing.T) {
	p := openOn(t, func(f *fake) {
		f.until = 3
		f.change = func(_ string, task map[string]any) {
			task["proposal"], task["uncertainty"], task["model"], task["proposal_note"] = false, false, nil, "No model yet: it takes 3 more labels."
		}
	})
	p.untilItem("prostate/010")
	p.until("how many are missing", `document.querySelector('.training').innerText === '3 more until the first model'`)
	p.until("why there is no proposal", `document.querySelector('.why').innerText.includes('it takes 3 more labels')`)
	p.shoot("first-slice")
}

// The window fits what is in view.
func TestWindowInView(t *testing.T) {
	p := openPage(t)
	p.untilItem("prostate/010")
	level := `Number(document.querySelector('input[aria-label="Width of the window"]').value)`
	whole := eval[float64](p, level)
	for range 8 {
		p.key("+")
	}
	p.key("W", chromedp.ModifierShift)
	p.until("another window", fmt.Sprintf(level+" !== %g && [...document.querySelectorAll('.tools h2')].some((e) => e.textContent.includes('in view'))", whole))
}
