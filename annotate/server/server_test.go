package server_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/annotatetest"
	"github.com/nextslice/nextslice/annotate/server"
)

var update = flag.Bool("update", false, "rewrite docs/reference/openapi.json")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is a running server.
type site struct {
	t       *testing.T
	project *annotate.Project
	handler *server.Server
	url     string
	client  *http.Client
}

func start(t *testing.T, o server.Options, people []annotate.Account, change func(*annotate.Config)) *site {
	t.Helper()
	return startOn(t, annotatetest.Data(t, 5), o, people, change)
}

func startOn(t *testing.T, data string, o server.Options, people []annotate.Account, change func(*annotate.Config), project ...string) *site {
	t.Helper()
	if len(project) == 0 {
		project = []string{filepath.Join(t.TempDir(), "project")}
	}
	p, err := annotate.Open(t.Context(), annotate.Options{
		Data: data, Dir: project[0], Axis: 2, Learner: (&annotatetest.Learner{}).New, CacheBytes: 64 << 20,
		Change: func(c *annotate.Config) {
			c.InitialSize, c.QuerySize, c.Masks = 4, 4, annotate.MasksIgnore
			if change != nil {
				change(c)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.People.Set(t.Context(), people); err != nil {
		t.Fatal(err)
	}
	if o.Page == nil {
		o.Page = fstest.MapFS{"index.html": {Data: []byte("page")}, "assets/x-123.js": {Data: []byte("script")}}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	h := server.New(p, o)
	web := httptest.NewServer(h)
	transport := &http.Transport{}
	t.Cleanup(func() {
		h.Close()
		transport.CloseIdleConnections()
		web.Close()
		cancel()
		if err := errors.Join(<-ended, p.Close()); err != nil {
			t.Error(err)
		}
	})
	return &site{t, p, h, web.URL, &http.Client{Transport: transport}}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) detail() string {
	var p struct{ Detail string }
	json.Unmarshal(a.body, &p)
	return p.Detail
}

// do sends a request; headers are pairs.
func (s *site) do(method, path, body string, headers ...string) answer {
	s.t.Helper()
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	a := answer{resp.StatusCode, resp.Header, text}
	a.checkCode(s.t, method+" "+path)
	return a
}

func (s *site) want(status int, a answer) answer {
	s.t.Helper()
	if a.status != status {
		s.t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

// logIn returns the headers of a person's requests.
func (s *site) logIn(name, token string) []string {
	s.t.Helper()
	a := s.want(200, s.do("POST", "/api/v1/login", fmt.Sprintf(`{"name":%q,"token":%q}`, name, token)))
	var me server.Me
	if err := json.Unmarshal(a.body, &me); err != nil {
		s.t.Fatal(err)
	}
	return []string{"Authorization", "Bearer " + me.Token}
}

func read[T any](t *testing.T, a answer) (v T) {
	t.Helper()
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return v
}

func path(item string) string { return "/api/v1/items/" + strings.ReplaceAll(item, "/", "%2F") }

func TestLabelAnItem(t *testing.T) {
	s := start(t, server.Options{}, nil, nil)
	ana := s.logIn("ana", "")
	task := read[annotate.Task](t, s.want(200, s.do("POST", "/api/v1/next", "", ana...)))
	if task.Lease == nil || task.Lease.Person != "ana" || task.Height != 10 || task.Width != 12 {
		t.Fatalf("task: %+v", task)
	}
	image := s.want(200, s.do("GET", fmt.Sprintf("/api/v1/cases/%s/slices/%d/image", task.Case, task.Slice), "", ana...))
	if len(image.body) != 4*120 || image.header.Get("Content-Length") != "480" {
		t.Fatalf("image of %d bytes", len(image.body))
	}
	if v := math.Float32frombits(binary.LittleEndian.Uint32(image.body)); v < 100 || v > 320 {
		t.Errorf("first pixel %v", v)
	}

	mask := bytes.Repeat([]byte{0, 1}, 60)
	s.want(404, s.do("GET", path(task.Item)+"/draft", "", ana...))
	s.want(204, s.do("PUT", path(task.Item)+"/draft", string(mask), slices.Concat(ana, []string{"Content-Type", "application/octet-stream"})...))
	if a := s.want(200, s.do("GET", path(task.Item)+"/draft", "", ana...)); !bytes.Equal(a.body, mask) {
		t.Error("the draft came back changed")
	}
	saved := read[server.Saved](t, s.want(200, s.do("PUT", path(task.Item)+"/label?seconds=12.5&action=edited", string(mask), ana...)))
	if saved.Version != 1 || !saved.Labelled || saved.Next == nil || saved.Next.Item == task.Item {
		t.Errorf("saved: %+v", saved)
	}
	if a := s.want(200, s.do("GET", path(task.Item)+"/label", "", ana...)); !bytes.Equal(a.body, mask) {
		t.Error("the label came back changed")
	}
	s.want(404, s.do("GET", path(task.Item)+"/draft", "", ana...))
	s.want(200, s.do("PUT", path(task.Item)+"/label?action=empty&base=1", string(make([]byte, 120)), ana...))
	for _, base := range []string{"0", "1"} { // who has not seen the second version
		if a := s.want(409, s.do("POST", path(task.Item)+"/versions/1/restore?base="+base, "", ana...)); !strings.Contains(a.detail(), "ana has saved version 2") {
			t.Errorf("base %s: %q", base, a.detail())
		}
	}
	restored := read[server.Saved](t, s.want(200, s.do("POST", path(task.Item)+"/versions/1/restore?base=2", "", ana...)))
	versions := read[[]annotate.Version](t, s.want(200, s.do("GET", path(task.Item)+"/versions", "", ana...)))
	if restored.Version != 3 || len(versions) != 3 || versions[0].Seconds != 12.5 || versions[0].Who != "ana" || versions[1].Action != "empty" {
		t.Errorf("versions: %+v", versions)
	}
	history := read[[]annotate.LogEntry](t, s.want(200, s.do("GET", "/api/v1/history?limit=50", "", ana...)))
	if history[0].Action != "label" || history[0].Item != task.Item || history[0].Person != "ana" {
		t.Errorf("history: %+v", history[0])
	}
}

func TestBadRequests(t *testing.T) {
	s := start(t, server.Options{}, nil, nil)
	ana := s.logIn("ana", "")
	item := path("c1/002")
	ok := string(make([]byte, 120))
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"PUT", item + "/label", ok[1:], 422},
		{"PUT", item + "/label", "\x07" + ok[1:], 422},
		{"PUT", item + "/label?action=eaten", ok, 422},
		{"PUT", item + "/label?seconds=-3", ok, 422},
		{"PUT", item + "/label?proposal=9", ok, 422},
		{"POST", item + "/skip", `{}`, 422},
		{"POST", item + "/versions/4/restore", "", 404},
		{"POST", item + "/read2", "", 409},
		{"GET", path("c9/001") + "/label", "", 404},
		{"GET", path("c1/099") + "/label", "", 404},
		{"GET", "/api/v1/items/..%2F..%2Fetc%2Fpasswd/label", "", 404},
		{"GET", "/api/v1/items/c1%2F..%2F001/label", "", 404},
		{"GET", "/api/v1/cases/..%2F..%2Fproject.db/image.nii.gz", "", 404},
		{"GET", "/api/v1/cases/c1/slices/6/image", "", 404},
		{"GET", "/api/v1/cases/c1/slices/-1/image", "", 422},
		{"GET", "/api/v1/tasks/%00", "", 404},
		{"GET", "/..%2fproject.db", "", 404},
		{"GET", "/api/v1/export?format=exe", "", 422},
		{"GET", "/api/v1/export?format=dicom-seg&partial=true", "", 422},
		{"GET", "/api/v1/export", "", 422},
		{"GET", "/api/v1/history?limit=1000000", "", 422},
		{"DELETE", "/api/v1/project", "", 405},
	} {
		a := s.do(c.method, c.path, c.body, ana...)
		if a.status != c.status {
			t.Errorf("%s %s: status %d, want %d: %s", c.method, c.path, a.status, c.status, a.body)
		}
		if a.status == 422 && a.detail() == "" {
			t.Errorf("%s %s: no detail: %s", c.method, c.path, a.body)
		}
	}
	if a := s.do("POST", "/api/v1/login", `{"name":"`+strings.Repeat("x", 100<<10)+`"}`); a.status != 413 {
		t.Errorf("a large login: status %d", a.status)
	}
	if a := s.do("PUT", item+"/label", strings.Repeat("x", 33<<20), ana...); a.status != 413 {
		t.Errorf("a large mask: status %d", a.status)
	}
}

func TestWhoMayEnter(t *testing.T) {
	secret := "a secret of 24 letters.."
	people := []annotate.Account{{Name: "ana", Role: annotate.Annotator, Token: "the secret of ana"}, {Name: "eva", Role: annotate.Adjudicator, Token: "the secret of eva"}}
	s := start(t, server.Options{Token: secret}, people, nil)
	for _, p := range []string{"/me", "/project", "/queue", "/export", "/cases/c1/image.nii.gz", "/events", "/history"} {
		s.want(401, s.do("GET", "/api/v1"+p, ""))
		s.want(401, s.do("GET", "/api/v1"+p, "", "Authorization", "Bearer wrong", "Cookie", "nextslice=wrong"))
	}
	for _, body := range []string{`{"name":"ana"}`, `{"name":"ana","token":"wrong"}`, `{"name":"joe","token":"` + secret + `"}`, `{"name":"eva","token":"` + secret + `"}`} {
		s.want(401, s.do("POST", "/api/v1/login", body))
	}
	a := s.want(200, s.do("POST", "/api/v1/login", `{"name":"ana","token":"the secret of ana"}`))
	cookie := a.header.Get("Set-Cookie")
	for _, part := range []string{"HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("cookie %q lacks %s", cookie, part)
		}
	}
	value, _, _ := strings.Cut(cookie, ";")
	if me := read[server.Me](t, s.want(200, s.do("GET", "/api/v1/me", "", "Cookie", value))); me.Name != "ana" || me.Role != annotate.Annotator || me.Token != "" {
		t.Errorf("me: %+v", me)
	}
	eva := s.logIn("eva", "the secret of eva")
	if me := read[server.Me](t, s.do("GET", "/api/v1/me", "", eva...)); me.Role != annotate.Adjudicator {
		t.Errorf("eva: %+v", me)
	}
	s.want(204, s.do("POST", "/api/v1/logout", "", eva...))
	s.want(401, s.do("GET", "/api/v1/me", "", eva...))
	if a := s.want(401, s.do("POST", "/api/v1/login", `{"name":"ana","token":"wrong"}`)); !strings.Contains(a.detail(), "token") {
		t.Errorf("detail: %q", a.detail())
	}
}

func TestOtherSitesAreRefused(t *testing.T) {
	s := start(t, server.Options{Local: true}, nil, nil)
	ana := s.logIn("ana", "")
	item := path("c1/002") + "/skip"
	for _, headers := range [][]string{
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
		{"Origin", "http://evil.example"},
		{"Origin", "null"},
	} {
		s.want(403, s.do("POST", item, `{"reason":"x"}`, slices.Concat(ana, headers)...))
	}
	for _, host := range []string{"evil.example", "evil.example:8470", "127.0.0.1.evil.example", "192.168.1.7"} {
		s.want(421, s.do("GET", "/api/v1/project", "", slices.Concat(ana, []string{"Host", host})...))
		s.want(421, s.do("POST", "/api/v1/login", `{"name":"x"}`, "Host", host))
	}
	for _, host := range []string{"localhost:8470", "127.0.0.1", "[::1]:80"} {
		s.want(200, s.do("GET", "/api/v1/project", "", slices.Concat(ana, []string{"Host", host})...))
	}
	s.want(204, s.do("POST", item, `{"reason":"x"}`, slices.Concat(ana, []string{"Sec-Fetch-Site", "same-origin"})...))
}

func TestPageAndHeaders(t *testing.T) {
	s := start(t, server.Options{ContentSecurityPolicy: "default-src 'self'", Secure: true}, nil, nil)
	a := s.want(200, s.do("GET", "/", ""))
	if string(a.body) != "page" || a.header.Get("Content-Security-Policy") != "default-src 'self'" || a.header.Get("Cache-Control") != "no-cache" {
		t.Errorf("page: %s, %v", a.body, a.header)
	}
	if a := s.want(200, s.do("GET", "/assets/x-123.js", "")); !strings.Contains(a.header.Get("Cache-Control"), "immutable") {
		t.Errorf("asset: %v", a.header)
	}
	a = s.want(401, s.do("GET", "/api/v1/project", ""))
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "X-Frame-Options": "DENY"} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if a.header.Get("Strict-Transport-Security") == "" || !strings.Contains(a.header.Get("Content-Security-Policy"), "'none'") {
		t.Errorf("headers: %v", a.header)
	}
	if a := s.do("GET", "/docs", ""); a.status != 404 {
		t.Errorf("huma's docs page is there: %d", a.status)
	}
}

func TestLeases(t *testing.T) {
	s := start(t, server.Options{}, nil, nil)
	ana, ben := s.logIn("ana", ""), s.logIn("ben", "")
	first := read[annotate.Task](t, s.want(200, s.do("POST", "/api/v1/next", "", ana...)))
	second := read[annotate.Task](t, s.want(200, s.do("POST", "/api/v1/next", `{}`, ben...)))
	if first.Item == second.Item {
		t.Fatalf("both were given %s", first.Item)
	}
	mask := string(make([]byte, 120))
	a := s.want(409, s.do("PUT", path(first.Item)+"/label?action=empty", mask, ben...))
	if !strings.Contains(a.detail(), "ana is working on "+first.Item) {
		t.Errorf("detail: %q", a.detail())
	}
	s.want(409, s.do("PUT", path(first.Item)+"/draft", mask, ben...))
	s.want(204, s.do("POST", path(first.Item)+"/release", "", ana...))
	s.want(200, s.do("PUT", path(first.Item)+"/label?action=empty", mask, ben...))
	s.want(409, s.do("PUT", path(first.Item)+"/label?action=empty&base=0", mask, ana...))
	after := read[annotate.Task](t, s.want(200, s.do("POST", "/api/v1/next", fmt.Sprintf(`{"after":%q}`, second.Item), ben...)))
	if after.Item == second.Item {
		t.Errorf("after %s comes %s", second.Item, after.Item)
	}
}

func TestDoubleReadingIsBlind(t *testing.T) {
	people := []annotate.Account{{Name: "ana", Role: annotate.Annotator}, {Name: "ben", Role: annotate.Annotator}, {Name: "eva", Role: annotate.Adjudicator}}
	s := start(t, server.Options{}, people, func(c *annotate.Config) { c.DoubleReading = 1 })
	ana, ben, eva := s.logIn("ana", ""), s.logIn("ben", ""), s.logIn("eva", "")
	task := read[annotate.Task](t, s.want(200, s.do("POST", "/api/v1/next", "", ana...)))
	left, right := bytes.Repeat([]byte{1, 0}, 60), bytes.Repeat([]byte{0, 1}, 60)
	if saved := read[server.Saved](t, s.want(200, s.do("PUT", path(task.Item)+"/label", string(left), ana...))); saved.Labelled {
		t.Error("one reading made a label")
	}
	s.want(404, s.do("GET", path(task.Item)+"/label", "", ben...))
	s.want(404, s.do("GET", path(task.Item)+"/versions/1/mask", "", ben...))
	s.want(200, s.do("GET", path(task.Item)+"/versions/1/mask", "", ana...))
	saved := read[server.Saved](t, s.want(200, s.do("PUT", path(task.Item)+"/label", string(right), ben...)))
	if saved.Labelled || saved.Agreement == nil || *saved.Agreement != 0 {
		t.Errorf("second reading: %+v", saved)
	}
	s.want(409, s.do("PUT", path(task.Item)+"/label", string(right), ben...))
	decide := read[annotate.Task](t, s.want(200, s.do("POST", "/api/v1/next", "", eva...)))
	if decide.Item != task.Item || decide.Purpose != "adjudication" {
		t.Fatalf("eva is offered %+v", decide)
	}
	for version := range 2 {
		s.want(200, s.do("GET", fmt.Sprintf("%s/versions/%d/mask", path(task.Item), version+1), "", eva...))
	}
	if saved := read[server.Saved](t, s.want(200, s.do("PUT", path(task.Item)+"/label", string(left), eva...))); !saved.Labelled {
		t.Errorf("decided: %+v", saved)
	}
	versions := read[[]annotate.Version](t, s.want(200, s.do("GET", path(task.Item)+"/versions", "", ben...)))
	if len(versions) != 3 || versions[1].Agreement == nil || versions[2].Action != "adjudicated" {
		t.Errorf("versions: %+v", versions)
	}
}

func TestExport(t *testing.T) {
	s := start(t, server.Options{}, nil, nil)
	ana := s.logIn("ana", "")
	for k := range 6 {
		s.want(200, s.do("PUT", path(fmt.Sprintf("c2/%03d", k))+"/label", string(bytes.Repeat([]byte{byte(k % 2)}, 120)), ana...))
	}
	s.want(200, s.do("PUT", path("c3/001")+"/label", string(make([]byte, 120)), ana...))
	for query, want := range map[string][]string{
		"format=nifti":              {"c2.nii.gz", "labelled.csv"},
		"format=nifti&partial=true": {"c2.nii.gz", "c3.nii.gz", "labelled.csv"},
		"format=nrrd":               {"c2.seg.nrrd", "labelled.csv"},
	} {
		a := s.want(200, s.do("GET", "/api/v1/export?"+query, "", ana...))
		z, err := zip.NewReader(bytes.NewReader(a.body), int64(len(a.body)))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range z.File {
			names = append(names, f.Name)
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	names := map[string]bool{}
	for _, query := range []string{"format=nifti", "format=nrrd", "format=csv"} {
		names[s.want(200, s.do("GET", "/api/v1/export?"+query, "", ana...)).header.Get("Content-Disposition")] = true
	}
	if len(names) != 3 {
		t.Errorf("files of three formats are called %v", names)
	}
	s.want(422, s.do("GET", "/api/v1/export?format=nifti&partial=true&fill=true&ignore=true", "", ana...))
	a := s.want(200, s.do("GET", "/api/v1/export?format=csv", "", ana...))
	if strings.Count(string(a.body), "\n") != 8 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/csv") {
		t.Errorf("csv: %s", a.body)
	}
	for _, name := range []string{"image", "label", "proposal"} {
		if a := s.want(200, s.do("GET", "/api/v1/cases/c3/"+name+".nii.gz", "", ana...)); len(a.body) < 100 || a.body[0] != 0x1f {
			t.Errorf("%s: %d bytes", name, len(a.body))
		}
	}
}

func TestCasesDraftsAndHolding(t *testing.T) {
	s := start(t, server.Options{}, nil, nil)
	ana, ben := s.logIn("ana", ""), s.logIn("ben", "")
	states := read[[]annotate.CaseState](t, s.want(200, s.do("GET", "/api/v1/cases", "", ana...)))
	if len(states) != 5 || states[0].Case != "c0" || states[0].Slices != 6 || states[0].Labelled != 0 || states[0].Next == nil {
		t.Errorf("%+v", states)
	}
	lease := read[annotate.Lease](t, s.want(200, s.do("POST", path("c1/002")+"/hold", "", ana...)))
	if lease.Person != "ana" {
		t.Errorf("%+v", lease)
	}
	if a := s.want(409, s.do("POST", path("c1/002")+"/hold", "", ben...)); !strings.Contains(a.detail(), "ana") {
		t.Errorf("detail: %q", a.detail())
	}
	s.want(204, s.do("PUT", path("c1/002")+"/draft?base=2", string(make([]byte, 120)), ana...))
	if task := read[annotate.Task](t, s.want(200, s.do("GET", "/api/v1/tasks/c1%2F002", "", ana...))); !task.Draft || task.DraftBase != 2 {
		t.Errorf("draft %v of version %d", task.Draft, task.DraftBase)
	}
	if task := read[annotate.Task](t, s.want(200, s.do("GET", "/api/v1/tasks/c1%2F002", "", ben...))); task.Draft || task.DraftBase != 0 || len(task.Drafts) != 1 {
		t.Errorf("ben has ana's draft: %+v", task.Drafts)
	}
	if drafts := read[[]annotate.Draft](t, s.want(200, s.do("GET", "/api/v1/drafts", "", ana...))); len(drafts) != 1 || drafts[0].Item != "c1/002" {
		t.Errorf("%+v", drafts)
	}
	if drafts := read[[]annotate.Draft](t, s.want(200, s.do("GET", "/api/v1/drafts", "", ben...))); len(drafts) != 0 {
		t.Errorf("%+v", drafts)
	}
}

func TestEvents(t *testing.T) {
	s := start(t, server.Options{}, nil, nil)
	ana := s.logIn("ana", "")
	r, err := http.NewRequest("GET", s.url+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(ana[0], ana[1])
	resp, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	time.AfterFunc(10*time.Second, func() { resp.Body.Close() })
	s.want(200, s.do("PUT", path("c2/001")+"/label", string(make([]byte, 120)), ana...))
	var text []byte
	for buffer := make([]byte, 4096); !bytes.Contains(text, []byte(`"type":"label"`)); {
		n, err := resp.Body.Read(buffer)
		text = append(text, buffer[:n]...)
		if err != nil {
			t.Fatalf("%v after %s", err, text)
		}
	}
	if !bytes.Contains(text, []byte(`"item":"c2/001"`)) || !bytes.Contains(text, []byte(`"person":"ana"`)) {
		t.Errorf("events: %s", text)
	}
}

func TestCheckAddress(t *testing.T) {
	for _, c := range []struct {
		address, token string
		people         bool
		local, ok      bool
	}{
		{"127.0.0.1:8470", "", false, true, true}, {"localhost:0", "", false, true, true}, {"[::1]:1", "", false, true, true},
		{"0.0.0.0:8470", "", false, false, false}, {":8470", "", false, false, false}, {"192.168.1.2:80", "", false, false, false},
		{":8470", "", true, false, true}, {"127.0.0.1:1", "", true, true, true},
		{":8470", "short", true, false, false}, {":8470", "0123456789abcdef", false, false, true}, {"127.0.0.1:1", "short", false, true, false}, {"nonsense", "", false, false, false},
	} {
		local, err := server.CheckAddress(c.address, c.token, c.people)
		if (err == nil) != c.ok || err == nil && local != c.local {
			t.Errorf("%q with token %q, people %v: local %v, %v", c.address, c.token, c.people, local, err)
		}
	}
}

// The file for readers is the one that the server gives out.
func TestOpenAPI(t *testing.T) {
	s := start(t, server.Options{}, nil, nil)
	got, err := s.handler.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, got, "", "  "); err != nil {
		t.Fatal(err)
	}
	pretty.WriteByte('\n')
	file := filepath.Join("..", "..", "docs", "reference", "openapi.json")
	if *update {
		if err := os.WriteFile(file, pretty.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), pretty.String()); diff != "" {
		t.Errorf("docs/reference/openapi.json is not what the server says; run this test with -update (-want +got):\n%s", diff)
	}
	if a := s.want(200, s.do("GET", "/api/v1/openapi.json", "")); len(a.body) < 1000 {
		t.Errorf("served: %s", a.body)
	}
}
