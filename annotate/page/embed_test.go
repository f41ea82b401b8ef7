package page

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func TestFilesUnbuilt(t *testing.T) {
	placeholder, err := fs.ReadFile(dist, "dist/unbuilt.html")
	if err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	server := http.FileServerFS(files(fstest.MapFS{"unbuilt.html": {Data: placeholder}}))
	server.ServeHTTP(answer, httptest.NewRequest("GET", "/", nil))
	if got := answer.Body.String(); answer.Code != http.StatusOK || !strings.Contains(got, "make web") {
		t.Errorf("without a built page: %d, %q; want a hint to run make web", answer.Code, got)
	}
	if _, err := files(fstest.MapFS{}).Open("assets/x.js"); err == nil {
		t.Error("a file that does not exist opens")
	}
}

func TestFilesBuilt(t *testing.T) {
	built := fstest.MapFS{"index.html": {Data: []byte("page")}, "assets/page.js": {Data: []byte("script")}}
	for name, want := range map[string]string{"index.html": "page", "assets/page.js": "script"} {
		if got, err := fs.ReadFile(files(built), name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
	if _, err := fs.Stat(Files(), "index.html"); err != nil {
		t.Errorf("embedded files have no index.html: %v", err)
	}
}
