package web_test

import (
	"bytes"
	"encoding/json"
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
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/nextslice/nextslice/phantom"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/web/bundle"
)

// service is the program itself, serving a project on phantom data.
type service struct {
	t       *testing.T
	program string
	args    []string
	url     string
	command *exec.Cmd
	log     bytes.Buffer
	client  *http.Client
}

func (s *service) start() {
	s.t.Helper()
	s.command = exec.Command(s.program, s.args...)
	s.command.Stdout, s.command.Stderr = &s.log, &s.log
	if err := s.command.Start(); err != nil {
		s.t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		r, err := http.Get(s.url)
		if err == nil {
			r.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the server does not answer: %v\n%s", err, s.log.String())
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
		s.client = &http.Client{Jar: jar}
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

// A person labels by mouse on the real server through two trainings. The page is loaded
// anew and the server killed in the middle of a slice; every saved label is there
// afterwards, equal voxel for voxel.
func TestServe(t *testing.T) {
	if testing.Short() {
		t.Skip("trains models: minutes on a busy machine")
	}
	p := startBrowser(t)
	p.allow("Failed to load resource") // while the server is killed
	s, data, labels := serve(t)
	p.url = s.url
	p.login()

	saved := map[string][]byte{}
	for n := 0; s.models() < 2 || n < 8; n++ {
		if n > 60 {
			t.Fatalf("no two trainings after %d labels\n%s", n, s.log.String())
		}
		item := p.nextItem(saved)
		cut := strings.LastIndex(item, "/")
		k, err := strconv.Atoi(item[cut+1:])
		if err != nil {
			t.Fatal(err)
		}
		mask, err := volume.ReadMask(filepath.Join(data, "labelsTr", item[:cut]+".nii.gz"))
		if err != nil {
			t.Fatal(err)
		}
		size := mask.Size[0] * mask.Size[1]
		want := mask.Data[k*size : (k+1)*size]
		strokes := rowsOf(want, mask.Size[0])
		if len(strokes) == 0 {
			p.key("k")
		} else {
			p.key("[[[[[[[[[[") // one voxel
			p.key(kb.Delete)
			half := len(strokes) / 2
			at := p.fittedGrid(mask.Grid, false)
			for i, stroke := range strokes {
				if i == half && n == 2 {
					p.do(chromedp.Reload())
				}
				if i == half && n == 5 {
					p.until("the draft is on the server", `document.querySelector('.note').innerText.includes('draft saved')`)
					s.kill()
					s.start()
					p.do(chromedp.Reload())
				}
				if i == half && (n == 2 || n == 5) {
					p.until("the draft is back", `document.querySelector('.note')?.innerText.includes('draft of this slice is back')`)
					p.untilItem(item)
				}
				p.drag(at, stroke)
			}
			p.key(kb.Enter)
		}
		saved[item] = bytes.Clone(want)
		if n == 9 {
			p.shoot("serve-editor")
		}
	}
	p.nextItem(saved)
	p.do(chromedp.Navigate(s.url + "/#/dashboard"))
	p.until("the dashboard", `document.querySelectorAll('.plot canvas').length === 3`)
	p.shoot("serve-dashboard")
	p.leave()

	s.kill()
	s.start()
	for item, want := range saved {
		if n := differ(s.get("/items/"+url.PathEscape(item)+"/label"), want); n > 0 {
			t.Errorf("%s: %d voxels differ on the server", item, n)
		}
		cut := strings.LastIndex(item, "/")
		mask, err := volume.ReadMask(filepath.Join(labels, item[:cut]+".nii.gz"))
		if err != nil {
			t.Fatal(err)
		}
		k, _ := strconv.Atoi(item[cut+1:])
		if n := differ(mask.Data[k*len(want):(k+1)*len(want)], want); n > 0 {
			t.Errorf("%s: %d voxels differ in the mask file", item, n)
		}
	}
	t.Logf("%d labels, %d models", len(saved), s.models())
}

// nextItem waits until the page shows an item that is not saved yet.
func (p *page) nextItem(saved map[string][]byte) (item string) {
	p.t.Helper()
	p.wait("a slice to label", func() bool {
		item = eval[string](p, `document.querySelector('.screen') && !document.querySelector('.screen').dataset.busy && document.querySelector('.corner.top.left') ? decodeURIComponent(location.hash).replace('#/item/', '') : ''`)
		_, done := saved[item]
		return item != "" && !done
	})
	return item
}

// rowsOf is how to paint a mask with a brush of one voxel: the ends of its rows' runs.
func rowsOf(mask []byte, width int) (strokes [][][2]int) {
	for start := 0; start < len(mask); start++ {
		if mask[start] == 0 {
			continue
		}
		end := start
		for end+1 < len(mask) && (end+1)%width != 0 && mask[end+1] != 0 {
			end++
		}
		y := start / width
		strokes = append(strokes, [][2]int{{start % width, y}, {end % width, y}})
		start = end
	}
	return strokes
}

// serve builds the program with its page and starts it on six phantoms, three slices to
// begin with and two a query.
func serve(t *testing.T) (s *service, data, labels string) {
	t.Helper()
	dir := t.TempDir()
	s = &service{t: t, program: filepath.Join(dir, "nextslice")}
	if err := bundle.Page(".", "dist"); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", s.program, "../cmd/nextslice").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	data = filepath.Join(dir, "data")
	if err := phantom.Write(t.Context(), data, 6, 7, nil); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	project := filepath.Join(dir, "project")
	s.url = "http://" + address
	s.args = []string{"serve", "--data", data, "--project", project, "--addr", address, "--open=false", "--masks", "ignore",
		"--initial-size", "3", "--query-size", "2", "--preset", "demo"}
	s.start()
	t.Cleanup(func() {
		s.command.Process.Signal(os.Interrupt)
		s.command.Wait()
		if t.Failed() {
			t.Log(s.log.String())
		}
	})
	return s, data, filepath.Join(project, "labels", "final")
}
