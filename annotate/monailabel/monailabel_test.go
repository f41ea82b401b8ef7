package monailabel_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/annotatetest"
	"github.com/nextslice/nextslice/annotate/monailabel"
	"github.com/nextslice/nextslice/volume"
)

// door lets everybody in by the project's list.
type door struct{ *annotate.People }

func (d door) LogIn(ctx context.Context, _, name, secret string) (string, time.Duration, error) {
	_, token, err := d.People.LogIn(ctx, name, "", secret)
	return token, 0, err
}

// site is a running handler.
type site struct {
	t       *testing.T
	project *annotate.Project
	handler *monailabel.Handler
	learner *annotatetest.Learner
	url     string
}

type options struct {
	data    string
	dir     string
	people  []annotate.Account
	classes []string
	change  func(*annotate.Config)
	wait    chan struct{}
}

func start(t *testing.T, o options) *site {
	t.Helper()
	if o.data == "" {
		o.data = bare(t, 5)
	}
	if o.classes == nil {
		o.classes = []string{"structure"}
	}
	if o.dir == "" {
		o.dir = filepath.Join(t.TempDir(), "project")
	}
	learner := &annotatetest.Learner{Wait: o.wait}
	p, err := annotate.Open(t.Context(), annotate.Options{
		Data: o.data, Dir: o.dir, Axis: 2, Learner: learner.New, Classes: o.classes,
		Change: func(c *annotate.Config) {
			c.InitialSize, c.QuerySize, c.Masks, c.ValidationCases = 6, 6, annotate.MasksIgnore, []string{"c4"}
			if o.change != nil {
				o.change(c)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.People.Set(t.Context(), o.people); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	h := monailabel.New(p, door{p.People})
	web := httptest.NewServer(h)
	t.Cleanup(func() {
		web.Close()
		h.Close()
		cancel()
		if err := errors.Join(<-ended, p.Close()); err != nil {
			t.Error(err)
		}
	})
	return &site{t, p, h, learner, web.URL}
}

// bare returns the folder of that many cases without masks.
func bare(t *testing.T, cases int) string {
	t.Helper()
	data := annotatetest.Data(t, cases)
	if err := os.RemoveAll(filepath.Join(data, "labels")); err != nil {
		t.Fatal(err)
	}
	return data
}

// answer is what came back, and its bytes as they came over the line behind the head.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do sends a request as the client does, and reads below Go's decoder of chunks: what came behind the head is the body.
func (s *site) do(method, path, body string, headers ...string) answer {
	s.t.Helper()
	a, err := raw(s.url, method, path, body, headers...)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

func raw(address, method, path, body string, headers ...string) (a answer, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return a, err
	}
	c, err := net.Dial("tcp", u.Host)
	if err != nil {
		return a, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	var head bytes.Buffer
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\nAccept-Encoding: identity\r\n", method, path, u.Host)
	stale := false
	for i := 0; i+1 < len(headers); i += 2 {
		fmt.Fprintf(&head, "%s: %s\r\n", headers[i], headers[i+1])
		stale = stale || strings.EqualFold(headers[i], "content-length")
	}
	if body != "" && !stale {
		fmt.Fprintf(&head, "content-length: %d\r\n", len(body))
	}
	head.WriteString("\r\n" + body)
	if _, err := c.Write(head.Bytes()); err != nil {
		return a, err
	}
	r := bufio.NewReader(c)
	line, err := r.ReadString('\n')
	if err != nil {
		return a, err
	}
	if a.status, err = strconv.Atoi(strings.Fields(line)[1]); err != nil {
		return a, err
	}
	a.header = http.Header{}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return a, err
		}
		if line = strings.TrimSpace(line); line == "" {
			break
		}
		name, value, _ := strings.Cut(line, ": ")
		a.header.Add(name, value)
	}
	a.body, err = io.ReadAll(r) // the server ends the connection
	return a, err
}

func (s *site) want(status int, a answer) answer {
	s.t.Helper()
	if a.status != status {
		s.t.Fatalf("status %d, want %d: %.500s", a.status, status, a.body)
	}
	if n := a.header.Get("Content-Length"); a.header.Get("Transfer-Encoding") != "" || n != fmt.Sprint(len(a.body)) {
		s.t.Fatalf("Transfer-Encoding %q, Content-Length %q, and %d bytes came", a.header.Get("Transfer-Encoding"), n, len(a.body))
	}
	return a
}

// same compares a JSON answer byte by byte.
func (s *site) same(what string, a answer, want string) {
	s.t.Helper()
	if got := strings.TrimSuffix(string(a.body), "\n"); got != want {
		s.t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

func read[T any](t *testing.T, a answer) (v T) {
	t.Helper()
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return v
}

func (s *site) logIn(name, token string) []string {
	s.t.Helper()
	form := url.Values{"username": {name}, "password": {token}, "grant_type": {"password"}}.Encode()
	got := read[struct {
		Token string `json:"access_token"`
		Type  string `json:"token_type"`
	}](s.t, s.want(200, s.do("POST", "/auth/token", form, "content-type", "application/x-www-form-urlencoded")))
	return []string{"Authorization", got.Type + " " + got.Token}
}

type given struct {
	ID, Name, Checksum, Description string
	Slices                          []int `json:"queued_slices"`
}

const strategy = "/activelearning/entropy_sb"

func (s *site) next(params string, headers ...string) given {
	s.t.Helper()
	return read[given](s.t, s.want(200, s.do("POST", strategy, params, append(headers, "content-type", "application/json")...)))
}

// upload is a request with parts as the client makes it.
func upload(params, name, file string) (kind, body string) {
	const limit = "----------lImIt_of_THE_fIle_eW_$"
	lines := []string{"--" + limit, `Content-Disposition: form-data; name="params"`, "", params}
	if name != "" {
		lines = append(lines, "--"+limit, `Content-Disposition: form-data; name="label"; filename="`+name+`"`, "Content-Type: application/octet-stream", "", file)
	}
	lines = append(lines, "--"+limit+"--", "", "")
	return "multipart/form-data; boundary=" + limit, strings.Join(lines, "\r\n")
}

func (s *site) put(path, params, name, file string, headers ...string) answer {
	s.t.Helper()
	kind, body := upload(params, name, file)
	return s.do("PUT", path, body, append(headers, "content-type", kind)...)
}

// mask returns the file of a mask of c0 … whose voxels are those that value gives.
func (s *site) mask(name, extension string, value func(slice, i int) uint8) string {
	s.t.Helper()
	grid, err := s.project.Cases.Grid(name)
	if err != nil {
		s.t.Fatal(err)
	}
	m := &volume.Mask{Grid: grid, Data: make([]uint8, grid.Len())}
	n := grid.Size[0] * grid.Size[1]
	for i := range m.Data {
		m.Data[i] = value(i/n, i%n)
	}
	return s.file(m, extension)
}

func (s *site) file(m *volume.Mask, extension string) string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), "mask"+extension)
	if err := volume.WriteMask(path, m); err != nil {
		s.t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(data)
}

func maskOf(t *testing.T, data []byte, extension string) *volume.Mask {
	t.Helper()
	path := filepath.Join(t.TempDir(), "got"+extension)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := volume.ReadMask(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// parts reads the parts of an answer from its bytes as they came.
func parts(t *testing.T, a answer) (params, name string, file []byte) {
	t.Helper()
	kind, options, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		t.Fatalf("Content-Type %q: %v", a.header.Get("Content-Type"), err)
	}
	r := multipart.NewReader(bytes.NewReader(a.body), options["boundary"])
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return params, name, file
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		switch part.FormName() {
		case "params":
			if params = string(data); part.FileName() != "" || part.Header.Get("Content-Type") != "application/json" {
				t.Errorf("params: %v", part.Header)
			}
		case "image":
			name, file = part.FileName(), data
		}
	}
}

// labelled returns the slices of a case with labels.
func (s *site) labelled(name string) (slices []int) {
	s.t.Helper()
	items, err := s.project.Reviews.Items(s.t.Context(), annotate.Anybody("x"), name)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, i := range items {
		k, err := strconv.Atoi(i.Item[strings.LastIndexByte(i.Item, '/')+1:])
		if err != nil {
			s.t.Fatal(err)
		}
		slices = append(slices, k)
	}
	return slices
}

// model labels by the protocol until a model is in use, and until its masks are drawn for people.
func (s *site) model() {
	s.t.Helper()
	for range 40 {
		if s.project.Predictor.InUse() > 0 {
			return
		}
		got := s.next(`{"client_id":"uma"}`)
		if got.ID != "" {
			s.want(200, s.put("/datastore/label?image="+got.ID, `{"client_id":"uma"}`, "m.nii.gz", s.mask(got.ID, ".nii.gz", ball)))
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.t.Fatal("no model")
}

// ball is about what the volumes of annotatetest show.
func ball(slice, i int) uint8 {
	x, y := i%12-6, i/12-5
	if slice > 0 && slice < 5 && x*x+y*y < 10 {
		return 1
	}
	return 0
}

// numbered is a mask of a case with these voxels.
func numbered(data []uint8, name string, s *site) *volume.Mask {
	s.t.Helper()
	grid, err := s.project.Cases.Grid(name)
	if err != nil {
		s.t.Fatal(err)
	}
	return &volume.Mask{Grid: grid, Data: data}
}

// restart puts a new handler, which remembers nothing, in the place of the old one.
func (s *site) restart() {
	s.handler = monailabel.New(s.project, door{s.project.People})
	web := httptest.NewServer(s.handler)
	s.t.Cleanup(func() {
		web.Close()
		s.handler.Close()
	})
	s.url = web.URL
}
