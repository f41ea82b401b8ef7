package pacs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/nextslice/nextslice/pacs"
	"github.com/nextslice/nextslice/pacs/pacstest"
)

// client returns one of a server that waits for nothing.
func client(t *testing.T, s *pacstest.Server, a pacs.Access) *pacs.Client {
	t.Helper()
	c, err := pacs.New(s.URL+"/dicom-web", a)
	if err != nil {
		t.Fatal(err)
	}
	c.Wait = func(context.Context, int) error { return nil }
	return c
}

// archive has four patients: a CT each, the second with a segmentation beside it.
func archive(t *testing.T) *pacstest.Server {
	var files [][]byte
	for study := 1; study <= 4; study++ {
		files = append(files, pacstest.Slices(t, study, 1, 6, nil)...)
	}
	files = append(files, pacstest.Slices(t, 2, 9, 1, map[tag.Tag]any{tag.Modality: "SEG"})...)
	files = append(files, pacstest.Slices(t, 5, 1, 6, map[tag.Tag]any{tag.PatientID: "mr-ü 7", tag.Modality: "MR", tag.StudyDate: "20240101", tag.StudyDescription: "Kopf & Hals"})...)
	return pacstest.New(t, files...)
}

// Each row is a way in which servers were seen to answer wrongly without an error, or a rule that they have (shared/spec/pacs.md, "Traps of queries").
func TestTrapsOfQueries(t *testing.T) {
	s := archive(t)
	for _, c := range []struct {
		name   string
		quirks pacstest.Quirks
		query  pacs.Query
		want   int
		sent   string // in the request's address
		note   string
	}{
		{name: "everything", want: 6},
		{name: "values are not percent-decoded: other characters become *", query: pacs.Query{Patient: "ct-j (1)"}, want: 1, sent: "PatientID=ct-j*1*&"},
		{name: "what the star lets through is filtered", query: pacs.Query{Patient: "ct-j {1)"}, want: 0, sent: "PatientID=ct-j*1*&"},
		{name: "a star of the user's", query: pacs.Query{Patient: "ct-j*"}, want: 5, sent: "PatientID=ct-j*&"},
		{name: "raw bytes above 127 are a 400", query: pacs.Query{Patient: "mr-ü 7"}, want: 1, sent: "PatientID=mr-*7&"},
		{name: "an ampersand", query: pacs.Query{StudyDescription: "Kopf & Hals"}, want: 1, sent: "StudyDescription=Kopf*Hals&"},
		{name: "a percent sign", query: pacs.Query{Patient: "100%*"}, want: 0, sent: "PatientID=100*&"},
		{name: "a key that the server does not know is ignored: all come back", query: pacs.Query{Accession: "A3"}, want: 1, sent: "AccessionNumber=A3&"},
		{name: "also one of many", query: pacs.Query{Modality: "MR"}, want: 1, sent: "ModalitiesInStudy=MR&"},
		{name: "dates", query: pacs.Query{Date: "20250101-20251231"}, want: 5, sent: "StudyDate=20250101-20251231&"},
		{name: "series by their description", query: pacs.Query{SeriesDescription: "thin 9*"}, want: 1, sent: "SeriesDescription=thin*9*&"},
		{name: "a series without its study", query: pacs.Query{Series: "1.2.826.0.1.9.2.1"}, want: 1, sent: "series?SeriesInstanceUID=1.2.826.0.1.9.2.1"},
		{name: "no key of a series is known", quirks: pacstest.Quirks{KnowsNoKey: true}, query: pacs.Query{Modality: "CT", SeriesDescription: "thin 1*"}, want: 4, sent: "Modality=CT&SeriesDescription=thin*1*&"},
		{name: "nor is that of the series", quirks: pacstest.Quirks{KnowsNoKey: true}, query: pacs.Query{Study: "1.2.826.0.1.9.2", Series: "1.2.826.0.1.9.2.9"}, want: 1, sent: "SeriesInstanceUID=1.2.826.0.1.9.2.9&"},
		{name: "nothing found is 204 by the standard", quirks: pacstest.Quirks{NoContent: true}, query: pacs.Query{Patient: "none"}, want: 0},
		{name: "a silent limit with pages", quirks: pacstest.Quirks{Cap: 5}, want: 6},
		{name: "an ignored offset repeats", quirks: pacstest.Quirks{IgnoreOffset: true}, want: 6},
		{name: "pages are refused", quirks: pacstest.Quirks{RefusePaging: true}, want: 6},
		{name: "addresses in answers name a host inside", quirks: pacstest.Quirks{RetrieveURL: "http://inside.invalid/x"}, want: 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.Set(c.quirks)
			found, notes, err := client(t, s, pacs.Access{}).Find(t.Context(), c.query, nil)
			if err != nil || len(found) != c.want {
				t.Fatalf("%d series, want %d: %v %v", len(found), c.want, found, err)
			}
			if strings.Join(notes, "\n") != c.note {
				t.Errorf("notes %q", notes)
			}
			sent := false
			for _, r := range s.Seen() {
				sent = sent || strings.Contains(r.URI, c.sent)
				if r.Accept != "application/dicom+json" || strings.ContainsAny(r.URI, "%+ ") {
					t.Errorf("%s with Accept %q", r.URI, r.Accept)
				}
			}
			if !sent {
				t.Errorf("no request has %s: %v", c.sent, s.Seen())
			}
		})
	}
}

// Archives larger than a page: limits, repeated pages and the note that something may be missing.
func TestTrapsOfPages(t *testing.T) {
	var files [][]byte
	for study := 1; study <= 230; study++ {
		files = append(files, pacstest.Slices(t, study, 1, 1, nil)...)
	}
	s := pacstest.New(t, files...)
	for _, c := range []struct {
		name   string
		quirks pacstest.Quirks
		want   int
		note   bool
	}{
		{"all pages", pacstest.Quirks{}, 230, false},
		{"a silent limit at a round number", pacstest.Quirks{Cap: 200}, 200, true},
		{"a limit below our page", pacstest.Quirks{Cap: 50}, 50, true},
		{"an ignored offset", pacstest.Quirks{IgnoreOffset: true}, 100, true},
		{"pages are refused", pacstest.Quirks{RefusePaging: true}, 230, false},
	} {
		s.Set(c.quirks)
		found, notes, err := client(t, s, pacs.Access{}).Find(t.Context(), pacs.Query{}, nil)
		if err != nil || len(found) != c.want || (len(notes) > 0) != c.note {
			t.Errorf("%s: %d series, notes %q, %v", c.name, len(found), notes, err)
		}
	}
}

// What a server refuses, or answers instead, has a sentence that says what to do, and no word of what it wrote.
func TestSentences(t *testing.T) {
	s := archive(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("a request went elsewhere: %s, %q", r.URL, r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	secret := pacs.Access{User: "lab", Password: "hunter2"}
	for _, c := range []struct {
		name   string
		quirks pacstest.Quirks
		access pacs.Access
		root   string
		want   string
	}{
		{"no password", pacstest.Quirks{User: "lab", Password: "other"}, pacs.Access{}, "", "set NEXTSLICE_PACS_USER and NEXTSLICE_PACS_PASSWORD"},
		{"wrong password", pacstest.Quirks{User: "lab", Password: "other"}, secret, "", "does not know this user with this password (401)"},
		{"wrong token", pacstest.Quirks{Token: "other"}, pacs.Access{Token: "hunter2"}, "", "does not take the token (401)"},
		{"wrong root", pacstest.Quirks{LeakName: true}, secret, "/rs", "often ends in /dicom-web (Orthanc)"},
		{"a login page", pacstest.Quirks{HTML: true}, secret, "", "a web page came instead"},
		{"a redirect is not followed", pacstest.Quirks{Redirect: elsewhere.URL}, secret, "", "redirects to http://127.0.0.1"},
		{"the server fails three times", pacstest.Quirks{Fail: 3, LeakName: true}, secret, "", "503 Service Unavailable"},
		{"the server fails twice", pacstest.Quirks{Fail: 2}, secret, "", ""},
	} {
		s.Set(c.quirks)
		root := s.URL + "/dicom-web"
		if c.root != "" {
			root = s.URL + c.root
		}
		one, err := pacs.New(root, c.access)
		if err != nil {
			t.Fatal(err)
		}
		one.Wait = func(context.Context, int) error { return nil }
		_, _, err = one.Find(t.Context(), pacs.Query{Patient: "ct-secret"}, nil)
		text := fmt.Sprint(err)
		if c.want == "" && err != nil || !strings.Contains(text, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if strings.ContainsAny(text, "\n") || !quiet(text) || strings.Contains(text, "ct-secret") {
			t.Errorf("%s: %q tells too much", c.name, text)
		}
	}
	s.Close()
	one := client(t, s, secret)
	_, _, err := one.Find(t.Context(), pacs.Query{Patient: "ct-secret"}, nil)
	if err == nil || !strings.Contains(err.Error(), "cannot be reached") || strings.Contains(err.Error(), "ct-secret") {
		t.Errorf("no server: %v", err)
	}
}

// quiet reports whether a text has neither a word of a patient's name nor a secret in it.
func quiet(text string) bool {
	text = strings.ToLower(text)
	return !strings.Contains(text, "abendroth") && !strings.Contains(text, "jasmine") && !strings.Contains(text, "hunter2")
}

func TestAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"http://127.0.0.1:8042/dicom-web": "", "http://localhost/dicom-web/": "", "http://[::1]:80": "", "https://pacs.example/rs": "",
		"http://pacs.example/rs":               "insist with --insecure",
		"https://lab:hunter2@pacs.example/rs":  "do not belong into the URL",
		"https://pacs.example/rs?key=hunter2":  "do not belong into the URL",
		"https://lab:hunter2@pacs.example:x/y": "no URL", "ftp://pacs.example": "no URL", "pacs.example": "no URL", "": "no URL",
	} {
		_, err := pacs.New(address, pacs.Access{})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || !quiet(err.Error())) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := pacs.New("http://pacs.example/rs", pacs.Access{Insecure: true}); err != nil {
		t.Error(err)
	}
	dir := t.TempDir()
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want pacs.Access
		err  string
	}{
		"user":  {"lab:hun:ter2\n", 0o600, pacs.Access{User: "lab", Password: "hun:ter2"}, ""},
		"token": {"  abc.def-123\n", 0o400, pacs.Access{Token: "abc.def-123"}, ""},
		"open":  {"lab:hunter2", 0o644, pacs.Access{}, "can be read by others"},
		"lines": {"lab:hunter2\nmore", 0o600, pacs.Access{}, "want one line"},
		"empty": {"\n", 0o600, pacs.Access{}, "want one line"},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}
		var got pacs.Access
		err := got.ReadCredentials(path)
		if got != c.want || c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err) || !quiet(err.Error())) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// Certificates of hospitals are often their own: --ca.
func TestOwnCertificates(t *testing.T) {
	s := archive(t)
	secure := httptest.NewTLSServer(s)
	defer secure.Close()
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	one, err := pacs.New(secure.URL+"/dicom-web", pacs.Access{})
	if err != nil {
		t.Fatal(err)
	}
	one.Wait = func(context.Context, int) error { return nil }
	if _, _, err = one.Find(t.Context(), pacs.Query{}, nil); err == nil || !strings.Contains(err.Error(), "--ca FILE") {
		t.Errorf("an unknown certificate: %v", err)
	}
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pemOf(secure.Certificate().Raw), 0o600); err != nil {
		t.Fatal(err)
	}
	if one, err = pacs.New(secure.URL+"/dicom-web", pacs.Access{CA: path}); err != nil {
		t.Fatal(err)
	}
	if found, _, err := one.Find(t.Context(), pacs.Query{}, nil); err != nil || len(found) != 6 {
		t.Errorf("with its certificate: %d series, %v", len(found), err)
	}
	if _, err := pacs.New(secure.URL, pacs.Access{CA: filepath.Join("testdata", "none.pem")}); err == nil {
		t.Error("a missing certificate file is no error")
	}
}

// The syntax of what is asked for, one at a time, until the server agrees; and forms of answers.
func TestTrapsOfRetrieval(t *testing.T) {
	s := archive(t)
	const explicit, any, none = "transfer-syntax=1.2.840.10008.1.2.1", "transfer-syntax=*", `type="application/dicom"`
	for _, c := range []struct {
		name   string
		quirks pacstest.Quirks
		asked  []string
		files  int
		err    string
	}{
		{"unpacked", pacstest.Quirks{}, []string{explicit}, 6, ""},
		{"406 by the standard", pacstest.Quirks{RefuseExplicit: 406}, []string{explicit, any}, 6, ""},
		{"500 where unpacking fails", pacstest.Quirks{RefuseExplicit: 500}, []string{explicit, any}, 6, ""},
		{"406 for every syntax", pacstest.Quirks{RefuseAny: 406}, []string{explicit, any, none}, 6, ""},
		{"no quotes in the type", pacstest.Quirks{LooseType: true}, []string{explicit}, 6, ""},
		{"one part", pacstest.Quirks{SinglePart: true}, []string{explicit}, 1, ""},
		{"a web page", pacstest.Quirks{HTML: true}, []string{explicit}, 0, "instead of DICOM files"},
		{"cut", pacstest.Quirks{CutSeries: 1}, []string{explicit}, 3, "EOF"},
	} {
		s.Set(c.quirks)
		files := 0
		err := client(t, s, pacs.Access{}).Retrieve(t.Context(), "1.2.826.0.1.9.1", "1.2.826.0.1.9.1.1", func(r io.Reader) error {
			if _, err := io.Copy(io.Discard, r); err != nil {
				return err
			}
			files++
			return nil
		})
		if files != c.files || (err != nil) != (c.err != "") {
			t.Errorf("%s: %d files, %v", c.name, files, err)
		}
		var asked []string
		for _, r := range s.Seen() {
			if strings.Contains(r.Accept, ",") || strings.Count(r.Accept, "multipart") != 1 {
				t.Errorf("%s: two alternatives in %q", c.name, r.Accept)
			}
			_, behind, _ := strings.Cut(r.Accept, "; ")
			if at := strings.LastIndex(behind, "; "); at >= 0 {
				behind = behind[at+2:]
			}
			asked = append(asked, behind)
		}
		if !slices.Equal(asked, c.asked) {
			t.Errorf("%s: asked for %q, want %q", c.name, asked, c.asked)
		}
	}
	for _, uid := range []string{"", "1.2/../../instances", "1.2?x=1", strings.Repeat("1", 65), "1.2 "} {
		s.Set(pacstest.Quirks{})
		if err := client(t, s, pacs.Access{}).Retrieve(t.Context(), "1.2", uid, nil); err == nil || len(s.Seen()) > 0 {
			t.Errorf("the UID %q became part of an address: %v", uid, err)
		}
	}
}

// What servers answer to a file that is sent.
func TestTrapsOfStoring(t *testing.T) {
	file := pacstest.Slices(t, 1, 1, 1, nil)[0]
	const uid = "1.2.826.0.1.9.1.1.1"
	other := pacstest.Slices(t, 2, 1, 1, nil)[0]
	nameless := pacstest.Slices(t, 1, 1, 1, map[tag.Tag]any{tag.StudyInstanceUID: nil})[0]
	for _, c := range []struct {
		name   string
		file   []byte
		quirks pacstest.Quirks
		want   string
	}{
		{"stored", file, pacstest.Quirks{}, ""},
		{"stored before: the same answer", file, pacstest.Quirks{}, ""},
		{"another study's URL: 409 with a reason", other, pacstest.Quirks{}, "the file belongs to another study (reason 272)"},
		{"no study: 400 with a reason", nameless, pacstest.Quirks{}, "does not understand the file (reason 49152)"},
		{"a cut file: 400, both sequences empty", file[:300], pacstest.Quirks{}, "does not name the file among those that it stored (400)"},
		{"200, and nothing is named", file, pacstest.Quirks{Forget: true}, "does not name the file among those that it stored (200)"},
		{"no JSON", file, pacstest.Quirks{StoreAnswer: "<xml>Abendroth</xml>"}, "does not say what became of the file (200)"},
		{"an unknown reason", file, pacstest.Quirks{StoreAnswer: `{"00081198":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["` + uid + `"]},"00081197":{"vr":"US","Value":[7]}}]}}`}, "reason 7"},
		{"as a list", file, pacstest.Quirks{StoreAnswer: `[{"00081199":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["` + uid + `"]}}]}}]`}, ""},
		{"another file is named", file, pacstest.Quirks{StoreAnswer: `{"00081199":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["1.2"]}}]}}`}, "does not name the file"},
		{"415", file, pacstest.Quirks{StoreStatus: 415}, "415 Unsupported Media Type"},
		{"no storing at all", file, pacstest.Quirks{StoreStatus: 405}, "send to one that does, with --to"},
		{"not allowed", file, pacstest.Quirks{StoreStatus: 403}, "forbids this (403)"},
		{"a failure at first", file, pacstest.Quirks{Fail: 2}, ""},
	} {
		s := pacstest.New(t)
		s.Set(c.quirks)
		path := filepath.Join(t.TempDir(), "a.dcm")
		if err := os.WriteFile(path, c.file, 0o600); err != nil {
			t.Fatal(err)
		}
		instance := uid
		if c.name == "another study's URL: 409 with a reason" {
			instance = "1.2.826.0.1.9.2.1.1"
		}
		for range 2 {
			warning, err := client(t, s, pacs.Access{}).Store(t.Context(), "1.2.826.0.1.9.1", instance, path)
			text := fmt.Sprint(err)
			if c.want == "" && err != nil || c.want != "" && !strings.Contains(text, c.want) || !quiet(text) || warning != "" {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		for _, r := range s.Seen() {
			if r.Method != "POST" || !strings.HasPrefix(r.ContentType, `multipart/related; type="application/dicom"; boundary=`) || r.URI != "/dicom-web/studies/1.2.826.0.1.9.1" {
				t.Errorf("%s: %+v", c.name, r)
			}
		}
	}
}

// What is interrupted ends at once, also in the middle of a series.
func TestInterrupted(t *testing.T) {
	s := archive(t)
	stall := make(chan struct{})
	defer close(stall)
	s.Set(pacstest.Quirks{Stall: stall})
	ctx, cancel := context.WithCancel(t.Context())
	err := client(t, s, pacs.Access{}).Retrieve(ctx, "1.2.826.0.1.9.1", "1.2.826.0.1.9.1.1", func(r io.Reader) error {
		cancel()
		_, err := io.Copy(io.Discard, r)
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A file of any size goes through in pieces.
func TestLargeFilesAreStreamed(t *testing.T) {
	const size = 96 << 20
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			n, err := io.Copy(io.Discard, r.Body)
			if n != r.ContentLength || n < size || err != nil {
				t.Errorf("%d of %d bytes came: %v", n, r.ContentLength, err)
			}
			io.WriteString(w, `{"00081199":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["1.2.3"]}}]}}`)
			return
		}
		w.Header().Set("Content-Type", `multipart/related; type="application/dicom"; boundary=b`)
		io.WriteString(w, "--b\r\nContent-Type: application/dicom\r\n\r\n")
		zeros := make([]byte, 1<<16)
		for range size / len(zeros) {
			w.Write(zeros)
		}
		io.WriteString(w, "\r\n--b--\r\n")
	}))
	defer server.Close()
	one, err := pacs.New(server.URL, pacs.Access{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "large")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err = one.Retrieve(t.Context(), "1.2", "1.2.3", func(r io.Reader) error {
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		defer f.Close()
		n, err := io.Copy(f, r)
		if n != size {
			t.Errorf("%d bytes came", n)
		}
		return err
	})
	if err == nil {
		_, err = one.Store(t.Context(), "1.2", "1.2.3", path)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; err != nil || used > 8<<20 {
		t.Errorf("%d bytes allocated, %v", used, err)
	}
}

// A patient's name is masked in what people type, and nowhere else: parts of names are codes, digits of dates and letters of accession numbers too. What is no code, no day and no number is left out.
func TestNamesAreNoCodes(t *testing.T) {
	for _, c := range []struct {
		over map[tag.Tag]any
		want pacs.Series // what of it is compared
	}{
		{map[tag.Tag]any{tag.PatientName: "Garcia^Juan^^Mr^Sr", tag.Modality: "SR", tag.AccessionNumber: "MR01", tag.StudyDescription: "MRI prostate, Garcia", tag.SeriesDescription: "report"},
			pacs.Series{Modality: "SR", Date: "20250312", Accession: "MR01", StudyDescription: "MRI prostate, ***", Description: "report"}},
		{map[tag.Tag]any{tag.PatientName: "ANON^01", tag.StudyDate: "20250101", tag.AccessionNumber: "A01-01", tag.Modality: "CT", tag.StudyDescription: "", tag.SeriesDescription: "anon, 01"},
			pacs.Series{Modality: "CT", Date: "20250101", Accession: "A01-01", Description: "***, ***"}},
		{map[tag.Tag]any{tag.PatientName: "Roe^Ct^^^Jasmine", tag.Modality: "CT", tag.StudyDescription: "of Jasmine", tag.SeriesDescription: "CT", tag.AccessionNumber: "7"},
			pacs.Series{Modality: "CT", Date: "20250312", Accession: "7", StudyDescription: "of ***", Description: "***"}},
		{map[tag.Tag]any{tag.Modality: "C-T", tag.StudyDate: "yesterday", tag.AccessionNumber: "a\tb", tag.StudyDescription: "", tag.SeriesDescription: ""}, pacs.Series{}},
	} {
		s := pacstest.New(t, pacstest.Slices(t, 1, 1, 6, c.over)...)
		found, _, err := client(t, s, pacs.Access{}).Find(t.Context(), pacs.Query{}, nil)
		if err != nil || len(found) != 1 {
			t.Fatal(found, err)
		}
		got := found[0]
		got.Study, got.UID, got.PatientID, got.Number, got.Instances = "", "", "", 0, 0
		if got != c.want {
			t.Errorf("%+v, want %+v", got, c.want)
		}
		if image := c.want.Modality != "SR"; found[0].IsImage() != image {
			t.Errorf("%+v is an image: %v", found[0], !image)
		}
	}
}
