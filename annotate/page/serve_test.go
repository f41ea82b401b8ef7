package page_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/nextslice/nextslice/annotate/page/bundle"
	"github.com/nextslice/nextslice/dataset/phantom"
	"github.com/nextslice/nextslice/volume"
)

// A person labels by mouse on the program itself through two trainings. The page is loaded anew and the server killed,
// each in the middle of a slice. Afterwards every label that was saved is there, equal voxel for voxel.
func TestServe(t *testing.T) {
	p := startBrowser(t)
	p.allow("net::ERR_") // while the server is killed
	s := serve(t)
	p.url = s.url
	p.login()

	saved := map[string][]byte{}
	reloaded, killed := false, false
	for n := 0; s.models() < 2 || !reloaded || !killed; n++ {
		if n == 60 {
			t.Fatalf("after %d labels: %d models, loaded anew %v, killed %v", n, s.models(), reloaded, killed)
		}
		item := p.nextItem(saved)
		grid, strokes, want := s.label(item)
		if len(strokes) == 0 {
			p.key("k")
			saved[item] = want
			continue
		}
		p.key("[[[[[[[[[[") // one voxel wide
		p.key("]]]]")
		p.key(kb.Delete)
		at := p.fittedGrid(grid, false)
		for i, stroke := range strokes {
			p.drag(at, stroke)
			if i != len(strokes)/2 {
				continue
			}
			switch {
			case n >= 2 && !reloaded:
				reloaded = true
				p.do(chromedp.Reload())
			case n >= 4 && !killed:
				killed = true
				s.kill()
				s.start()
				p.do(chromedp.Reload())
			default:
				continue
			}
			p.untilItem(item) // with all strokes up to here, or the label will differ
		}
		p.key(kb.Enter)
		saved[item] = want
	}
	p.nextItem(saved) // the last one is saved, too
	p.key("v")
	p.until("the viewer shows the case", `Number(document.querySelector('.planes')?.dataset.loaded) > 0`)
	p.shoot("serve-viewer")
	p.key("v")
	p.until("folded", `!document.querySelector('.viewer')`)
	p.shoot("serve-editor")
	p.do(chromedp.Navigate(s.url + "/#/dashboard"))
	// the chart of corrections has no point as long as every label is empty or was drawn without a proposal
	p.until("the dashboard", `document.querySelectorAll('.plot').length === 3 && document.querySelectorAll('.plot canvas').length >= 2`)
	p.shoot("serve-dashboard")
	p.leave()

	s.kill()
	s.start()
	for item, want := range saved {
		if n := differ(s.get("/items/"+url.PathEscape(item)+"/label"), want); n > 0 {
			t.Errorf("%s: %d voxels differ on the server", item, n)
		}
		if n := differ(s.slice(filepath.Join(s.project, "labels", "final"), item), want); n > 0 {
			t.Errorf("%s: %d voxels differ in the mask file", item, n)
		}
	}
	t.Logf("%d labels, %d models", len(saved), s.models())
}

// nextItem waits until the page shows an item that is not saved yet.
func (p *window) nextItem(saved map[string][]byte) (item string) {
	p.t.Helper()
	p.wait("a slice to label", func() bool {
		item = eval[string](p, `document.querySelector('.screen:not([data-busy]) .corner.top.left') ? decodeURIComponent(location.hash).replace('#/item/', '') : ''`)
		_, done := saved[item]
		return item != "" && !done
	})
	return item
}

// service is the program itself, serving a project on phantom data.
type service struct {
	t             *testing.T
	program, url  string
	data, project string
	dir           string // where it runs; empty is the test's
	args          []string
	command       *exec.Cmd
	log           *os.File
	client        *http.Client
}

// serve builds the program with its page and starts it on six phantoms, three slices to begin with and two a query.
func serve(t *testing.T) *service {
	t.Helper()
	dir := t.TempDir()
	s := &service{t: t, data: filepath.Join(dir, "data"), project: filepath.Join(dir, "project")}
	s.build()
	if err := phantom.Write(t.Context(), s.data, 6, 7, nil); err != nil {
		t.Fatal(err)
	}
	args := []string{"serve", "--data", s.data, "--project", s.project, "--masks", "ignore", "--initial-size", "3", "--query-size", "2", "--preset", "demo"}
	if os.Getenv("NEXTSLICE_SCREENSHOTS") == "" { // pictures want a model that has learned something
		args = append(args, "--set", "steps=20")
	}
	s.listen(args...)
	return s
}

// program is the program with its page, built once for all tests.
var program = sync.OnceValues(func() (string, error) {
	if err := bundle.Page(".", "dist"); err != nil {
		return "", err
	}
	dir, err := folder("nextslice-page")
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "nextslice")
	if out, err := exec.Command("go", "build", "-ldflags=-w", "-o", name, "../../cmd/nextslice").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return name, nil
})

// build has the program built.
func (s *service) build() {
	s.t.Helper()
	var err error
	if s.program, err = program(); err != nil {
		s.t.Fatal(err)
	}
}

// listen starts the program on a free port, until the test ends.
func (s *service) listen(args ...string) {
	t := s.t
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	s.url = "http://" + address
	s.args = append(args, "--addr", address, "--open=false")
	if s.log, err = os.Create(filepath.Join(t.TempDir(), "log")); err != nil {
		t.Fatal(err)
	}
	s.start()
	t.Cleanup(func() {
		s.command.Process.Signal(os.Interrupt)
		s.command.Wait()
		s.log.Close()
		if text, err := os.ReadFile(s.log.Name()); t.Failed() {
			t.Logf("the server's log: %s %v", text, err)
		}
	})
}

func (s *service) start() {
	s.t.Helper()
	s.command = exec.Command(s.program, s.args...)
	s.command.Dir = s.dir
	s.command.Stdout, s.command.Stderr = s.log, s.log
	if err := s.command.Start(); err != nil {
		s.t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		r, err := http.Get(s.url)
		if err == nil {
			r.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the server does not answer: %v", err)
		}
	}
}

// kill ends the server as a power failure would.
func (s *service) kill() {
	s.command.Process.Kill()
	s.command.Wait()
}

// get asks the API as a person of its own.
func (s *service) get(path string) []byte {
	s.t.Helper()
	if s.client == nil {
		jar, err := cookiejar.New(nil)
		if err != nil {
			s.t.Fatal(err)
		}
		s.client = &http.Client{Jar: jar, Timeout: patience}
		r, err := s.client.Post(s.url+"/api/v1/login", "application/json", strings.NewReader(`{"name":"grace"}`))
		if err != nil || r.StatusCode != http.StatusOK {
			s.t.Fatalf("login: %v %v", r, err)
		}
		r.Body.Close()
	}
	r, err := s.client.Get(s.url + "/api/v1" + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		s.t.Fatalf("GET %s: %s %v\n%s", path, r.Status, err, body)
	}
	return body
}

func (s *service) models() int {
	s.t.Helper()
	var list []struct{ Version int }
	if err := json.Unmarshal(s.get("/models"), &list); err != nil {
		s.t.Fatal(err)
	}
	return len(list)
}

// slice is an axial slice of a mask file in a folder.
func (s *service) slice(folder, item string) []byte {
	s.t.Helper()
	mask, k := s.mask(folder, item)
	n := mask.Size[0] * mask.Size[1]
	return mask.Data[k*n : (k+1)*n]
}

func (s *service) mask(folder, item string) (mask *volume.Mask, slice int) {
	s.t.Helper()
	name, number, _ := strings.Cut(item, "/")
	k, err := strconv.Atoi(number)
	if err != nil {
		s.t.Fatal(err)
	}
	if mask, err = volume.ReadMask(filepath.Join(folder, name+".nii.gz")); err != nil {
		s.t.Fatal(err)
	}
	return mask, k
}

// label is how to paint the true mask of an item, roughly, with a brush of five voxels, and what comes of it.
func (s *service) label(item string) (grid volume.Grid, strokes [][][2]int, want []byte) {
	s.t.Helper()
	folder := filepath.Join(s.data, "labelsTr")
	mask, _ := s.mask(folder, item)
	strokes = rows(s.slice(folder, item), mask.Size[0])
	want = make([]byte, mask.Size[0]*mask.Size[1])
	for _, stroke := range strokes {
		want = painted(&fakeCase{image: &volume.Volume{Grid: mask.Grid}}, want, stroke, 5, 1)
	}
	return mask.Grid, strokes, bytes.Clone(want)
}

// rows are lines through the foreground, four voxels apart, that end two voxels before its edge.
func rows(mask []byte, width int) (strokes [][][2]int) {
	for y := 2; y < len(mask)/width; y += 4 {
		for x := 0; x < width; x++ {
			begin := x
			for x < width && mask[y*width+x] != 0 {
				x++
			}
			if x-begin > 4 {
				strokes = append(strokes, [][2]int{{begin + 2, y}, {x - 3, y}})
			}
		}
	}
	return strokes
}
