package page_test

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// The tutorial as it is written: its commands, in their order, and between them 30 slices that somebody outlines by
// mouse. The pictures of the tutorial are taken on the way.
func TestTutorial(t *testing.T) {
	if os.Getenv("NEXTSLICE_TUTORIAL") == "" {
		t.Skip("takes minutes: run scripts/tutorial.sh")
	}
	text, err := os.ReadFile("../../docs/tutorial.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile(`(?m)^    nextslice (.*)$`).FindAllStringSubmatch(string(text), -1)
	if len(commands) < 2 {
		t.Fatal("the tutorial has no commands")
	}

	p := startBrowser(t)
	p.settings = "" // as somebody opens it for the first time
	dir := t.TempDir()
	s := &service{t: t, data: filepath.Join(dir, "nextslice-demo-data"), project: filepath.Join(dir, "nextslice-demo-data-annotation"), dir: dir}
	s.build()
	s.listen(strings.Fields(commands[0][1])...)
	p.url = s.url
	p.login()

	saved := map[string][]byte{}
	drawn, proposed := false, false
	for len(saved) < 30 {
		if len(saved) > 10 {
			s.rest() // people are slower than a training
		}
		item := p.nextItem(saved)
		ring, foreground := s.outline(item)
		saved[item] = nil
		began := eval[bool](p, `/Accept as it is/.test(document.body.innerText)`)
		mask, _ := s.mask(filepath.Join(s.data, "labelsTr"), item)
		at := p.fittedGrid(mask.Grid, false)
		switch {
		case foreground == 0:
			p.key("k")
			continue
		case foreground > 500 && began && !proposed:
			proposed = true
			p.key("u") // with its uncertainty
			time.Sleep(time.Second)
			p.shoot("tutorial-proposal")
			p.key("u")
		}
		p.key(kb.Delete)
		p.key("p")
		p.drag(at, ring)
		if !drawn {
			drawn = true
			time.Sleep(time.Second)
			p.shoot("tutorial-outline")
		}
		p.key(kb.Enter)
		time.Sleep(200 * time.Millisecond)
	}
	if !proposed {
		t.Error("no model proposed a mask in 30 slices")
	}
	p.nextItem(saved)
	models := func() (list []struct {
		Version int
		Used    bool
	}) {
		if err := json.Unmarshal(s.get("/models"), &list); err != nil {
			t.Fatal(err)
		}
		return list
	}
	p.wait("a second model", func() bool { return len(models()) >= 2 })
	p.do(chromedp.Navigate(s.url + "/#/dashboard"))
	p.until("the dashboard", `document.querySelectorAll('.plot canvas').length >= 2`)
	time.Sleep(time.Second)
	p.shoot("tutorial-dashboard")
	p.leave()
	s.command.Process.Signal(os.Interrupt)
	s.command.Wait()

	for _, c := range commands[1:] {
		run := exec.Command(s.program, strings.Fields(c[1])...)
		run.Dir = dir
		out, err := run.CombinedOutput()
		t.Logf("nextslice %s\n%s", c[1], out)
		if err != nil {
			t.Errorf("nextslice %s: %v", c[1], err)
		}
	}
}

// rest waits until the server trains nothing.
func (s *service) rest() {
	s.t.Helper()
	for deadline := time.Now().Add(10 * time.Minute); ; time.Sleep(time.Second) {
		var summary struct{ Training *struct{} }
		if err := json.Unmarshal(s.get("/project"), &summary); err != nil {
			s.t.Fatal(err)
		}
		if summary.Training == nil {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatal("a training takes more than ten minutes")
		}
	}
}

// outline is how a person goes round the foreground of an item's true mask with the mouse, and its number of voxels: 40 points
// at equal angles round the middle, of the star-shaped gland of a phantom.
func (s *service) outline(item string) (ring [][2]int, foreground int) {
	s.t.Helper()
	folder := filepath.Join(s.data, "labelsTr")
	mask, _ := s.mask(folder, item)
	slice, width := s.slice(folder, item), mask.Size[0]
	var x, y float64
	for i, class := range slice {
		if class != 0 {
			x, y, foreground = x+float64(i%width), y+float64(i/width), foreground+1
		}
	}
	if foreground == 0 {
		return nil, 0
	}
	x, y = x/float64(foreground), y/float64(foreground)
	for turn := range 40 {
		sin, cos := math.Sincos(float64(turn) / 40 * 2 * math.Pi)
		r := 0.0
		for {
			column, row := int(math.Round(x+r*cos)), int(math.Round(y+r*sin))
			if column < 0 || row < 0 || column >= width || row*width+column >= len(slice) || slice[row*width+column] == 0 {
				break
			}
			r += 0.5
		}
		r = max(1.5, r)
		ring = append(ring, [2]int{int(math.Round(x + r*cos)), int(math.Round(y + r*sin))})
	}
	return ring, foreground
}
