package server_test

import (
	"archive/zip"
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/annotatetest"
	"github.com/nextslice/nextslice/annotate/server"
	"github.com/nextslice/nextslice/volume"
)

// A voxel that is no number is nobody's problem: not of the people who are offered its slice, nor of anybody else.
func TestImageWithNaN(t *testing.T) {
	for name, bad := range map[string]float32{"NaN": float32(math.NaN()), "infinity": float32(math.Inf(1))} {
		data := annotatetest.Data(t, 5)
		for n := range 5 {
			path := filepath.Join(data, "images", fmt.Sprintf("c%d.nii.gz", n))
			v, err := volume.Read(path)
			if err != nil {
				t.Fatal(err)
			}
			v.Data[77], v.Stored = bad, "float32"
			if n == 4 { // nothing but that
				for i := range v.Data {
					v.Data[i] = bad
				}
			}
			if err := volume.WriteVolume(path, v); err != nil {
				t.Fatal(err)
			}
		}
		s := startOn(t, data, server.Options{}, nil, nil)
		ana := s.logIn("ana", "")
		task := read[annotate.Task](t, s.want(200, s.do("POST", "/api/v1/next", "", ana...)))
		if !(task.Window.Low < task.Window.High) || math.IsInf(task.Window.High, 0) {
			t.Errorf("%s: window %+v", name, task.Window)
		}
		s.want(200, s.do("GET", "/api/v1/tasks/c4%2F002", "", ana...))
		s.want(200, s.do("GET", "/api/v1/project", "", ana...))
		s.want(200, s.do("PUT", path(task.Item)+"/label", string(make([]byte, 120)), ana...))
	}
}

// tamper changes the database behind the server's back.
func tamper(t *testing.T, dir string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: filepath.Join(dir, "project.db"), RawQuery: "_pragma=busy_timeout(5000)"}).String())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range append([]string{`DROP TRIGGER IF EXISTS versions_keep`}, statements...) {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
}

// A mask whose bytes are damaged is an error of its item alone: exports leave out its case and say so, the files of other cases are
// written, and its own file keeps what it had.
func TestDamagedMask(t *testing.T) {
	s := start(t, server.Options{}, nil, nil)
	ana := s.logIn("ana", "")
	for _, name := range []string{"c1", "c2"} {
		for k := range 6 {
			s.want(200, s.do("PUT", path(fmt.Sprintf("%s/%03d", name, k))+"/label", string(bytes.Repeat([]byte{1}, 120)), ana...))
		}
	}
	final := func(name string) *volume.Mask {
		m, err := volume.ReadMask(filepath.Join(s.project.Dir(), "labels", "final", name+".nii.gz"))
		if err != nil {
			return &volume.Mask{Data: make([]uint8, 720)}
		}
		return m
	}
	until(t, "the files", func() bool { return final("c1").Data[719] == 1 && final("c2").Data[719] == 1 })
	tamper(t, s.project.Dir(), `UPDATE versions SET mask = x'789c00' WHERE case_name = 'c1' AND slice = 2`,
		`UPDATE versions SET mask = (SELECT mask FROM versions WHERE case_name = 'c2' AND slice = 1), person = 'ben' WHERE case_name = 'c1' AND slice = 3`)

	s.want(500, s.do("GET", path("c1/002")+"/label", "", ana...))
	s.want(500, s.do("GET", path("c1/003")+"/label", "", ana...)) // whole, but not what was saved
	s.want(200, s.do("GET", path("c1/001")+"/label", "", ana...))
	s.want(500, s.do("GET", "/api/v1/cases/c1/label.nii.gz", "", ana...))
	s.want(200, s.do("GET", "/api/v1/cases/c2/label.nii.gz", "", ana...))
	for _, format := range []string{"nifti", "nrrd"} {
		a := s.want(200, s.do("GET", "/api/v1/export?format="+format, "", ana...))
		z, err := zip.NewReader(bytes.NewReader(a.body), int64(len(a.body)))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range z.File {
			names = append(names, f.Name)
		}
		if len(names) != 3 || !strings.HasPrefix(names[0], "c2.") || names[1] != "left-out.txt" {
			t.Errorf("%s: %v", format, names)
		}
	}
	// Other slices go on, and the file keeps the last copies of the damaged ones.
	s.want(200, s.do("PUT", path("c1/000")+"/label", string(make([]byte, 120)), ana...))
	s.want(200, s.do("PUT", path("c2/000")+"/label", string(make([]byte, 120)), ana...))
	until(t, "the files of both", func() bool { return final("c1").Data[0] == 0 && final("c2").Data[0] == 0 })
	if m := final("c1"); m.Data[2*120] != 1 || m.Data[3*120] != 1 {
		t.Error("the last copy of a damaged label was erased")
	}
	summary := read[annotate.Summary](t, s.want(200, s.do("GET", "/api/v1/project", "", ana...)))
	if !slices.ContainsFunc(summary.Problems, func(p string) bool { return strings.Contains(p, "c1/00") }) {
		t.Errorf("problems: %q", summary.Problems)
	}
}

func until(t *testing.T, what string, yes func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if yes() {
			return
		}
	}
	t.Fatalf("%s: did not happen", what)
}

// Numbers of a request are bounded: two skips of 1e308 seconds do not end the curves.
func TestHugeNumbers(t *testing.T) {
	s := start(t, server.Options{}, nil, nil)
	ana := s.logIn("ana", "")
	for range 2 {
		s.want(204, s.do("POST", path("c1/002")+"/skip", `{"reason":"x","seconds":1e308}`, ana...))
	}
	s.want(200, s.do("PUT", path("c1/003")+"/label?seconds=1e308", string(make([]byte, 120)), ana...))
	for _, seconds := range []string{"NaN", "Inf", "-1"} {
		s.want(422, s.do("PUT", path("c1/003")+"/label?seconds="+seconds, string(make([]byte, 120)), ana...))
	}
	s.want(200, s.do("GET", "/api/v1/curves", "", ana...))
	summary := read[annotate.Summary](t, s.want(200, s.do("GET", "/api/v1/project", "", ana...)))
	if m := summary.People[0].Minutes; m != 240 {
		t.Errorf("%v minutes", m)
	}
	versions := read[[]annotate.Version](t, s.want(200, s.do("GET", path("c1/003")+"/versions", "", ana...)))
	if versions[0].Seconds != 4*3600 {
		t.Errorf("%v seconds are kept", versions[0].Seconds)
	}
	// What an older program has let in is not the end of it either.
	tamper(t, s.project.Dir(), `UPDATE skips SET seconds = 9e999`, `UPDATE versions SET seconds = 9e999, digest = NULL`,
		`INSERT INTO models (version, cycle, labelled, seconds, adopted, reason, at) VALUES (99, 99, 1, 9e999, 0, 'x', '2026')`)
	for _, route := range []string{"/curves", "/project", "/models", "/history", "/items/c1%2F003/versions"} {
		s.want(200, s.do("GET", "/api/v1"+route, "", ana...))
	}
}

// The rights of TestMay, through every route that could get around them.
func TestRights(t *testing.T) {
	people := []annotate.Account{{Name: "ana", Role: annotate.Annotator}, {Name: "ben", Role: annotate.Annotator}, {Name: "uma", Role: annotate.Annotator}, {Name: "eva", Role: annotate.Adjudicator}}
	s := start(t, server.Options{}, people, func(c *annotate.Config) { c.DoubleReading = 1 })
	ana, ben, uma, eva := s.logIn("ana", ""), s.logIn("ben", ""), s.logIn("uma", ""), s.logIn("eva", "")
	left, right := string(bytes.Repeat([]byte{1, 0}, 60)), string(bytes.Repeat([]byte{0, 1}, 60))
	var items []string
	for range 3 {
		after := ""
		if len(items) > 0 {
			after = fmt.Sprintf(`{"after":%q}`, items[len(items)-1])
		}
		task := read[annotate.Task](t, s.want(200, s.do("POST", "/api/v1/next", after, ana...)))
		items = append(items, task.Item)
	}
	once, disputed, decided := items[0], items[1], items[2]
	for _, item := range items {
		s.want(200, s.do("PUT", path(item)+"/label", left, ana...))
	}
	for _, item := range items[1:] {
		s.want(200, s.do("PUT", path(item)+"/label", right, ben...))
	}
	s.want(200, s.do("PUT", path(decided)+"/label", left, eva...))
	labelled := "" // and read again
	for _, c := range []string{"c0", "c1", "c2", "c3", "c4"} {
		if item := c + "/000"; labelled == "" && !slices.Contains(items, item) {
			if s.do("PUT", path(item)+"/label?action=edited", right, ana...).status == 200 && s.do("GET", path(item)+"/label", "", ana...).status == 200 {
				labelled = item
			}
		}
	}
	s.want(204, s.do("POST", path(labelled)+"/read2", "", eva...))
	for _, q := range read[[]annotate.QueueEntry](t, s.want(200, s.do("GET", "/api/v1/queue", "", eva...))) { // saving leases the next one
		s.want(204, s.do("POST", path(q.Item)+"/release", "", eva...))
	}
	const skip = `{"reason":"x"}`
	for _, c := range []struct {
		status             int
		who                []string
		method, path, body string
	}{
		{404, uma, "GET", path(once) + "/label", ""}, {404, uma, "GET", path(once) + "/versions/1/mask", ""}, {404, ben, "GET", path(once) + "/versions/1/mask", ""},
		{404, eva, "GET", path(once) + "/versions/1/mask", ""}, {403, ben, "POST", path(once) + "/skip", skip}, {409, ben, "POST", path(once) + "/versions/1/restore", ""},
		{404, ana, "GET", path(disputed) + "/versions/2/mask", ""}, {404, ben, "GET", path(disputed) + "/versions/1/mask", ""}, {404, uma, "GET", path(disputed) + "/label", ""},
		{403, ana, "POST", path(disputed) + "/skip", skip}, {403, uma, "POST", path(disputed) + "/skip", skip}, {409, ana, "PUT", path(disputed) + "/label", left},
		{409, uma, "PUT", path(disputed) + "/label", left}, {409, ben, "POST", path(disputed) + "/versions/1/restore", ""}, {409, uma, "POST", path(disputed) + "/read2", ""},
		{404, ana, "GET", path(disputed) + "/versions/2/mask", ""},
		{403, ben, "PUT", path(decided) + "/label", right}, {403, ana, "PUT", path(decided) + "/label", right}, {403, ben, "POST", path(decided) + "/versions/2/restore", ""},
		{409, uma, "POST", path(disputed) + "/hold", ""}, {403, ben, "POST", path(decided) + "/hold", ""},
		{403, ben, "POST", path(decided) + "/skip", skip}, {403, ben, "POST", path(decided) + "/read2", ""},
		{404, ben, "GET", path(labelled) + "/label", ""}, {404, ben, "GET", path(labelled) + "/versions/1/mask", ""}, {403, ben, "POST", path(labelled) + "/skip", skip},
	} {
		if a := s.do(c.method, c.path, c.body, c.who...); a.status != c.status {
			t.Errorf("%s %s: status %d, want %d: %s", c.method, c.path, a.status, c.status, a.body)
		}
	}
	// Whole cases and exports hold nothing that its slice does not show.
	name, _, _ := strings.Cut(labelled, "/")
	other := false // label of the same case, so that exports hold it
	for k := 5; k > 0 && !other; k-- {
		item := fmt.Sprintf("%s/%03d", name, k)
		other = !slices.Contains(items, item) && s.do("PUT", path(item)+"/label", left, eva...).status == 200 && s.do("GET", path(item)+"/label", "", ben...).status == 200
	}
	if !other {
		t.Fatal("nothing else of the case could be labelled")
	}
	for who, sees := range map[string]bool{"ben": false, "eva": false} {
		headers := map[string][]string{"ben": ben, "eva": eva}[who]
		if m := maskIn(t, s.want(200, s.do("GET", "/api/v1/cases/"+name+"/label.nii.gz", "", headers...)).body); (m.Data[1] == 1) != sees {
			t.Errorf("%s sees the label of %s in the case's file: %v", who, labelled, m.Data[1] == 1)
		}
		a := s.want(200, s.do("GET", "/api/v1/export?partial=true", "", headers...))
		z, err := zip.NewReader(bytes.NewReader(a.body), int64(len(a.body)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			if f.Name == name+".nii.gz" && maskIn(t, text).Data[1] == 1 || f.Name == "labelled.csv" && strings.Contains(string(text), name+",0,") {
				t.Errorf("%s sees the label of %s in the export's %s", who, labelled, f.Name)
			}
		}
		if a := s.want(200, s.do("GET", "/api/v1/export?format=csv", "", headers...)); strings.Contains(string(a.body), name+",0,") {
			t.Errorf("%s sees %s in the list of labels", who, labelled)
		}
	}
	// A lease of somebody who has gone home is freed by an adjudicator, and by nobody else.
	held := read[annotate.Task](t, s.want(200, s.do("POST", "/api/v1/next", "", uma...))).Item
	s.want(403, s.do("POST", path(held)+"/release", "", ben...))
	s.want(409, s.do("PUT", path(held)+"/draft", left, ben...))
	s.want(204, s.do("POST", path(held)+"/release", "", eva...))
	s.want(204, s.do("PUT", path(held)+"/draft", left, ben...))
	s.want(204, s.do("POST", path(disputed)+"/release", "", eva...))
	s.want(204, s.do("POST", path(disputed)+"/skip", skip, eva...))
	s.want(200, s.do("PUT", path(decided)+"/label", right, eva...))
	s.want(403, s.do("PUT", path(decided)+"/label", left, ana...)) // what an adjudicator changes stays decided
}

func maskIn(t *testing.T, file []byte) *volume.Mask {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mask.nii.gz")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := volume.ReadMask(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// With a list of people the shared token opens no name, and sessions end with the token that they began with.
func TestTokens(t *testing.T) {
	const shared = "0123456789abcdef"
	people := []annotate.Account{{Name: "ana", Role: annotate.Annotator, Token: "the token of ana"}, {Name: "eva", Role: annotate.Adjudicator}}
	s := start(t, server.Options{Token: shared}, people, nil)
	for _, name := range []string{"ana", "eva", "joe"} {
		s.want(401, s.do("POST", "/api/v1/login", `{"name":"`+name+`","token":"`+shared+`"}`))
	}
	given, err := s.project.People.GiveTokens(t.Context())
	if err != nil || len(given) != 1 || given[0].Name != "eva" || len(given[0].Token) < annotate.MinToken {
		t.Fatalf("given: %v, %v", given, err)
	}
	ana, eva := s.logIn("ana", "the token of ana"), s.logIn("eva", given[0].Token)
	// The same list, and a new secret that nobody of it uses: all stay.
	if err := s.project.People.Set(t.Context(), []annotate.Account{people[0], people[1]}); err != nil {
		t.Fatal(err)
	}
	if err := s.project.People.SetSecret(t.Context(), "another shared one"); err != nil {
		t.Fatal(err)
	}
	s.want(200, s.do("GET", "/api/v1/me", "", ana...))
	s.want(200, s.do("GET", "/api/v1/me", "", eva...))
	people[0].Token = "another token of ana"
	if err := s.project.People.Set(t.Context(), people); err != nil {
		t.Fatal(err)
	}
	s.want(401, s.do("GET", "/api/v1/me", "", ana...))
	s.want(200, s.do("GET", "/api/v1/me", "", eva...))
	people[0].Token = "short"
	if err := s.project.People.Set(t.Context(), people); err == nil {
		t.Error("a short token was taken")
	}
	// Without a list.
	s = start(t, server.Options{Token: shared}, nil, nil)
	if err := s.project.People.SetSecret(t.Context(), shared); err != nil {
		t.Fatal(err)
	}
	joe := s.logIn("joe", shared)
	if err := s.project.People.SetSecret(t.Context(), shared); err != nil {
		t.Fatal(err)
	}
	s.want(200, s.do("GET", "/api/v1/me", "", joe...))
	if err := s.project.People.SetSecret(t.Context(), "another shared one"); err != nil {
		t.Fatal(err)
	}
	s.want(401, s.do("GET", "/api/v1/me", "", joe...))
}

func TestGuessing(t *testing.T) {
	people := []annotate.Account{{Name: "ana", Role: annotate.Annotator, Token: "the token of ana"}}
	s := start(t, server.Options{}, people, nil)
	last := answer{}
	for range 20 {
		if last = s.do("POST", "/api/v1/login", `{"name":"ana","token":"guess"}`); last.status != 401 {
			break
		}
	}
	if last.status != 429 || last.header.Get("Retry-After") == "" {
		t.Errorf("20 guesses: status %d, %v", last.status, last.header)
	}
	s.want(429, s.do("POST", "/api/v1/login", `{"name":"ana","token":"the token of ana"}`))
	until(t, "log in after the delay", func() bool {
		return s.do("POST", "/api/v1/login", `{"name":"ana","token":"the token of ana"}`).status == 200
	})
}

func TestFoldersAreNotListed(t *testing.T) {
	s := start(t, server.Options{}, nil, nil)
	for _, path := range []string{"/assets/", "/assets", "/assets//"} {
		if a := s.do("GET", path, ""); a.status != 404 || strings.Contains(string(a.body), "x-123") {
			t.Errorf("%s: status %d: %s", path, a.status, a.body)
		}
	}
}

// Masks much larger than any slice of the project are refused before they are in memory, and only some are received at a time.
func TestMasksInFlight(t *testing.T) {
	s := start(t, server.Options{}, nil, nil)
	ana := s.logIn("ana", "")
	s.want(413, s.do("PUT", path("c1/001")+"/label", strings.Repeat("\x00", 2000), ana...))
	// Slow uploads hold their turns; the one that has none is told so.
	var slow []*io.PipeWriter
	var sent sync.WaitGroup
	for range 8 {
		r, w := io.Pipe()
		slow = append(slow, w)
		request, err := http.NewRequest("PUT", s.url+path("c1/001")+"/label", r)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set(ana[0], ana[1])
		request.ContentLength = 120
		sent.Go(func() {
			if resp, err := s.client.Do(request); err == nil {
				resp.Body.Close()
			}
		})
		w.Write([]byte{0})
	}
	time.Sleep(100 * time.Millisecond)
	a := s.do("PUT", path("c1/002")+"/label", string(make([]byte, 120)), ana...)
	if a.status != 503 || a.header.Get("Retry-After") == "" {
		t.Errorf("a ninth mask: status %d: %s", a.status, a.body)
	}
	s.want(200, s.do("GET", "/api/v1/project", "", ana...))
	for _, w := range slow {
		w.Write(make([]byte, 119))
		w.Close()
	}
	sent.Wait()
	s.want(200, s.do("PUT", path("c1/002")+"/label", string(make([]byte, 120)), ana...))
}

// Two servers on one machine do not share a session's cookie.
func TestCookieNames(t *testing.T) {
	a, b := start(t, server.Options{}, nil, nil), start(t, server.Options{}, nil, nil)
	name := func(s *site) string {
		cookie, _, _ := strings.Cut(s.want(200, s.do("POST", "/api/v1/login", `{"name":"ana"}`)).header.Get("Set-Cookie"), "=")
		return cookie
	}
	if name(a) == name(b) || !strings.HasPrefix(name(a), "nextslice-") {
		t.Errorf("cookies %s and %s", name(a), name(b))
	}
}
