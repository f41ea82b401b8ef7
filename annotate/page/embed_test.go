package page

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

func TestFilesUnbuilt(t *testing.T) {
	placeholder, err := fs.ReadFile(dist, "dist/unbuilt.html")
	if err != nil {
		t.Fatal(err)
	}
	got, err := fs.ReadFile(files(fstest.MapFS{"unbuilt.html": {Data: placeholder}}), "index.html")
	if err != nil || !strings.Contains(string(got), "make web") {
		t.Errorf("index.html without a built page: %q, %v; want a hint to run make web", got, err)
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
