package monailabel_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/volume"
)

// Trap 1: the client asks for exact paths, and follows no redirect.
func TestPathsWithAndWithoutSlash(t *testing.T) {
	s := start(t, options{})
	for _, c := range []struct{ method, path string }{
		{"GET", "/"}, {"GET", "/info"}, {"GET", "/auth"}, {"POST", "/auth/token"}, {"GET", "/auth/token/valid"}, {"GET", "/train"}, {"POST", "/train/unet"}, {"POST", "/train"},
		{"DELETE", "/train"}, {"GET", "/datastore"}, {"GET", "/datastore/label"}, {"PUT", "/datastore/label"}, {"GET", "/datastore/image"}, {"PUT", "/datastore"},
		{"GET", "/datastore/image/info"}, {"GET", "/datastore/label/info"}, {"PUT", "/datastore/updatelabelinfo"}, {"DELETE", "/datastore/label"}, {"DELETE", "/datastore"},
		{"PUT", "/session"}, {"GET", "/session/x"}, {"DELETE", "/session/x"}, {"POST", "/activelearning/entropy_sb"}, {"POST", "/infer/unet"}, {"GET", "/nothing"},
	} {
		path := strings.TrimSuffix(c.path, "/")
		with, without := s.do(c.method, path+"/", ""), answer{}
		if path != "" {
			without = s.do(c.method, path, "")
		} else {
			without = with
		}
		if with.status >= 300 && with.status < 400 || with.header.Get("Location") != "" {
			t.Errorf("%s %s/ redirects: %d", c.method, path, with.status)
		}
		known := !strings.Contains(string(with.body), "there is nothing here")
		if with.status != without.status || known != (c.path != "/nothing") {
			t.Errorf("%s %s: %d with the slash, %d without: %s", c.method, path, with.status, without.status, with.body)
		}
		s.want(with.status, with)
	}
}

// large is a data set whose masks are larger than what net/http answers in one piece by itself.
func large(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for n, name := range names {
		grid := volume.Grid{Size: [3]int{64, 64, 30}, Unit: volume.Millimetre, Affine: [3][4]float64{{-0.5, 0, 0, 3}, {0, -0.5, 0, 4}, {0, 0, 2, -5}}}
		v := &volume.Volume{Grid: grid, Data: make([]float32, grid.Len()), Stored: "int16"}
		for i := range v.Data {
			v.Data[i] = float32((i*7919 + n) % 997)
		}
		path := filepath.Join(dir, "images", name+".nii.gz")
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := volume.WriteVolume(path, v); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Trap 2: the client reads the multipart answer below the decoder of chunks; what came over the line must be the file.
func TestMultipartIsInOnePiece(t *testing.T) {
	s := start(t, options{data: large(t, "a", "b", "c"), classes: []string{"prostate"}, change: func(c *annotate.Config) { c.ValidationCases, c.InitialSize = []string{"c"}, 2 }})
	for range 2 {
		got := s.next(`{"client_id":"uma"}`)
		if got.ID == "" {
			break
		}
		s.want(200, s.put("/datastore/label?image="+got.ID, `{}`, "m.nii.gz", s.mask(got.ID, ".nii.gz", func(_, i int) uint8 { return uint8(i & 1) })))
	}
	until(t, "a model", func() bool { return s.project.Predictor.InUse() > 0 })
	for _, extension := range []string{".nrrd", ".nii.gz", ".nii"} {
		kind, body := upload(`{"result_extension":"`+extension+`","result_dtype":"uint8","client_id":"uma"}`, "", "")
		a := s.want(200, s.do("POST", "/infer/unet?image=a", body, "content-type", kind))
		if extension == ".nii" && len(a.body) < 120_000 {
			t.Fatalf("an answer of %d bytes tests nothing", len(a.body))
		}
		if a.header.Get("Content-Encoding") != "" {
			t.Errorf("%s: encoded as %s", extension, a.header.Get("Content-Encoding"))
		}
		params, name, file := parts(t, a)
		if name != "mask"+extension || !strings.HasPrefix(params, `{"label_names":{"prostate":1},"model":`) {
			t.Errorf("%s: file %q, params %s", extension, name, params)
		}
		want, err := s.project.Predictor.Case(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		if m := maskOf(t, file, extension); string(m.Data) != string(want.Data) || !m.Grid.Same(want.Grid, 1e-3) {
			t.Errorf("%s: another mask than the model's came: %v, %v", extension, m.Grid, want.Grid)
		}
	}
}

// filenameOf finds a file's name as the client does.
func filenameOf(header string) string {
	if m := regexp.MustCompile(`(?i)filename\*=([^;]+)`).FindStringSubmatch(header); m != nil {
		return m[1]
	}
	if m := regexp.MustCompile(`(?i)filename="(.+)"`).FindStringSubmatch(header); m != nil {
		return m[1]
	}
	return ""
}

// Traps 3 and 4: names of files stand in quotes, or escaped; parameters of the query may hold anything, parts of paths are plain.
func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"a": "a.nii.gz", "case 1+2": "case 1+2.nii.gz", "Prostata Müller": "utf-8''Prostata%20M%C3%BCller.nii.gz", "x&y=z%41": "x&y=z%41.nii.gz",
	} {
		s := start(t, options{data: large(t, name), classes: []string{"prostate"}, change: func(c *annotate.Config) { c.ValidationCases, c.ValidationShare = nil, 0 }})
		got := s.next(`{"client_id":"uma"}`)
		if got.ID != name || !strings.HasSuffix(got.Name, ".nii.gz") {
			t.Fatalf("%+v", got)
		}
		query := strings.NewReplacer("%", "%25", " ", "+", "+", "%2B", "&", "%26", "=", "%3D", "ü", "%C3%BC").Replace(name)
		for _, path := range []string{"/datastore/image?image=" + query, "/datastore/label?label=" + query + "&tag=original"} {
			if a := s.want(200, s.do("GET", path, "")); filenameOf(a.header.Get("Content-Disposition")) != want {
				t.Errorf("%s: %s", path, a.header.Get("Content-Disposition"))
			}
		}
		info := s.want(200, s.do("GET", "/info/", ""))
		for name := range read[struct{ Strategies, Models map[string]any }](t, info).Strategies {
			if regexp.MustCompile(`[^A-Za-z0-9_.-]`).MatchString(name) {
				t.Errorf("the strategy %q has to be escaped", name)
			}
		}
		for _, other := range []string{"/activelearning/entropy+sb", "/activelearning/entropy%2Bsb", "/activelearning/random"} {
			if a := s.want(404, s.do("POST", other, `{}`)); !strings.Contains(string(a.body), "entropy_sb") {
				t.Errorf("%s: %s", other, a.body)
			}
		}
	}
}

// Trap 5: the client's boundary, and names of files with the folders of a Windows machine.
func TestUploadFromWindows(t *testing.T) {
	s := start(t, options{})
	got := s.next(`{"client_id":"uma"}`)
	file := s.mask(got.ID, ".nrrd", ball)
	s.want(415, s.put("/datastore/label?image="+got.ID, `{"client_id":"uma"}`, `C:\Users\uma\label.exe`, file))
	s.want(200, s.put("/datastore/label?image="+got.ID, `{"client_id":"uma"}`, `C:\Users\uma\AppData\Local\Temp\Slicer\tmp.abc_1.nrrd`, file))
	if fmt.Sprint(s.labelled(got.ID)) != fmt.Sprint(got.Slices) {
		t.Errorf("labelled %v of %v", s.labelled(got.ID), got.Slices)
	}
}

// Trap 6: after a request with a body the client's next one may carry its length, and no body.
func TestStaleLength(t *testing.T) {
	s := start(t, options{people: []annotate.Account{{Name: "eva", Role: annotate.Adjudicator}}})
	eva := s.logIn("eva", "")
	for _, c := range []struct {
		status       int
		method, path string
	}{
		{200, "GET", "/info/"}, {200, "GET", "/auth/"}, {200, "GET", "/auth/token/valid"}, {200, "GET", "/datastore/?output=all"}, {200, "GET", "/datastore/label?label=c1&tag=original"},
		{200, "GET", "/datastore/image?image=c1"}, {404, "GET", "/train/"}, {404, "GET", "/train/?check_if_running=true"}, {200, "DELETE", "/train/"}, {404, "DELETE", "/session/x"},
		{404, "GET", "/datastore/label?label=c1&tag=final"},
	} {
		begin := time.Now()
		a := s.do(c.method, c.path, "", append([]string{"content-type", "multipart/form-data; boundary=x", "content-length", "1307"}, eva...)...)
		if s.want(c.status, a); time.Since(begin) > 5*time.Second || !strings.EqualFold(a.header.Get("Connection"), "close") {
			t.Errorf("%s %s: after %v, Connection: %s", c.method, c.path, time.Since(begin), a.header.Get("Connection"))
		}
	}
}

// Trap 7: Slicer loads images without the token of its person. The machine of somebody who was given the case may, for an hour; no other.
func TestImageWithoutToken(t *testing.T) {
	s := start(t, options{people: []annotate.Account{{Name: "ana", Role: annotate.Annotator}}})
	ana := s.logIn("ana", "")
	image := func(name string) string { return "/datastore/image?image=" + name }
	s.want(401, s.do("GET", image("c0"), ""))
	s.want(200, s.do("GET", image("c0"), "", ana...))
	s.want(404, s.do("GET", image("c9"), "", ana...))
	got := s.next(`{}`, ana...)
	s.want(200, s.do("GET", image(got.ID), ""))
	for _, other := range []string{"c0", "c1", "c2", "c3"} {
		if other != got.ID {
			s.want(401, s.do("GET", image(other), ""))
		}
	}
	r := httptest.NewRequest("GET", image(got.ID), nil)
	r.RemoteAddr = "192.0.2.7:1234"
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	if w.Code != 401 {
		t.Errorf("another machine: status %d", w.Code)
	}
	s.handler.SetClock(func() time.Time { return time.Now().Add(61 * time.Minute) })
	s.want(401, s.do("GET", image(got.ID), ""))
	for _, path := range []string{"/info/", "/datastore/?output=all", "/datastore/label?label=" + got.ID + "&tag=original", "/train/", "/auth/token/valid", "/datastore/image/info?image=c0"} {
		if a := s.want(401, s.do("GET", path, "")); a.header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s: %v", path, a.header)
		}
		s.want(401, s.do("GET", path, "", "Authorization", "bearer wrong"))
	}
}

// Trap 8: Slicer takes a file of the same name from its cache, which may be another patient's, unless the checksum differs.
func TestChecksum(t *testing.T) {
	data := bare(t, 5)
	s := start(t, options{data: data})
	sums := map[string]string{}
	for range 4 {
		got := s.next(`{"client_id":"uma"}`)
		for range 2 {
			a := s.want(200, s.do("GET", "/datastore/image?image="+got.ID, ""))
			sum := sha256.Sum256(a.body)
			if got.Checksum != "SHA256:"+hex.EncodeToString(sum[:]) {
				t.Errorf("%s: checksum %s of %d bytes", got.ID, got.Checksum, len(a.body))
			}
			path := filepath.Join(data, "images", got.ID+".nii.gz")
			if err := os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)); err != nil { // it is made anew
				t.Fatal(err)
			}
		}
		sums[got.Checksum] = got.ID
		s.want(404, s.do("GET", "/datastore/image?image="+got.ID+"&check_sum=SHA256:00", ""))
		head := s.do("HEAD", "/datastore/image?image="+got.ID+"&check_sum="+got.Checksum, "")
		if head.status != 200 || len(head.body) != 0 {
			t.Errorf("HEAD: %d, %d bytes", head.status, len(head.body))
		}
	}
	if len(sums) < 2 {
		t.Errorf("all images have one checksum: %v", sums)
	}
	v, err := volume.Read(filepath.Join(data, "images", "c0.nii.gz"))
	if err != nil {
		t.Fatal(err)
	}
	a := s.want(200, s.do("GET", "/datastore/image?image=c0", ""))
	path := filepath.Join(t.TempDir(), "c0.nii.gz")
	if err := os.WriteFile(path, a.body, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := volume.Read(path); err != nil || fmt.Sprint(got.Data) != fmt.Sprint(v.Data) || !got.Grid.Same(v.Grid, 1e-3) {
		t.Errorf("another image came: %v", err)
	}
}

// Traps 9 to 11: what info holds is known without computing; never "config" at its top; problems are no answers of status 200.
func TestInfoAndProblems(t *testing.T) {
	s := start(t, options{})
	info := read[map[string]any](t, s.want(200, s.do("GET", "/info/", "")))
	if _, there := info["config"]; there {
		t.Error("info has a config")
	}
	if n := s.learner.Predicted(); n != 0 {
		t.Fatalf("%d predictions before there is a model", n)
	}
	s.model()
	until(t, "proposals", func() bool { return s.learner.Predicted() > 0 })
	before := 0
	until(t, "an end of what is prepared ahead", func() bool {
		before = s.learner.Predicted()
		time.Sleep(time.Second)
		return s.learner.Predicted() == before
	})
	for range 20 {
		s.want(200, s.do("GET", "/info/", ""))
	}
	if n := s.learner.Predicted(); n != before {
		t.Errorf("info computed %d predictions", n-before)
	}
	kind, body := upload(`{}`, "", "")
	for path, status := range map[string]int{
		"/infer/unet?image=c9": 404, "/infer/deepedit?image=c0": 404, "/infer/unet?image=c4": 403, "/infer/unet?image=c0&session_id=x": 404, "/infer/unet": 404,
		"/infer/unet?image=c0&output=dicom_seg": 400,
	} {
		a := s.want(status, s.do("POST", path, body, "content-type", kind))
		if detail := read[struct{ Detail string }](t, a).Detail; detail == "" || a.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %s", path, a.body)
		}
	}
	for _, params := range []string{`{"result_extension":".exe"}`, `{"result_extension":"../../x"}`} {
		kind, body := upload(params, "", "")
		s.want(422, s.do("POST", "/infer/unet?image=c0", body, "content-type", kind))
	}
	s.want(400, s.do("POST", "/infer/unet?image=c0", "nonsense", "content-type", "application/json"))
}

func TestNoModelYet(t *testing.T) {
	s := start(t, options{})
	kind, body := upload(`{}`, "", "")
	if a := s.want(503, s.do("POST", "/infer/unet?image=c0", body, "content-type", kind)); !strings.Contains(string(a.body), "it takes 6 more labels") {
		t.Errorf("%s", a.body)
	}
}

// Images cannot be uploaded, which the protocol has a way to say.
func TestSessionsAreOff(t *testing.T) {
	s := start(t, options{})
	kind, body := upload(`{}`, "x.nii.gz", "x")
	s.want(406, s.do("PUT", "/session/", body, "content-type", kind))
	s.want(404, s.do("GET", "/session/1", ""))
	s.want(404, s.do("DELETE", "/session/1", ""))
	s.want(403, s.do("PUT", "/datastore/?image=x", body, "content-type", kind))
	s.want(403, s.do("DELETE", "/datastore/label?id=c0&tag=final", ""))
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
