package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/annotatetest"
	"github.com/nextslice/nextslice/annotate/server"
)

// A project of several channels names them, shows each, and says how.
func TestChannels(t *testing.T) {
	one, dir := annotatetest.Data(t, 6), t.TempDir()
	move := func(from, to string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, text, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	image := func(n int) string { return fmt.Sprintf("%s/images/c%d.nii.gz", one, n) }
	for n := range 5 { // the second channel of a case is the image of the next one
		move(image(n), fmt.Sprintf("%s/imagesTr/c%d_0000.nii.gz", dir, n))
		move(image(n+1), fmt.Sprintf("%s/imagesTr/c%d_0001.nii.gz", dir, n))
		move(fmt.Sprintf("%s/labels/c%d.nii.gz", one, n), fmt.Sprintf("%s/labelsTr/c%d.nii.gz", dir, n))
	}
	text := `{"channel_names": {"0": "T2", "1": "ADC"}, "labels": {"background": 0, "ball": 1}}`
	if err := os.WriteFile(filepath.Join(dir, "dataset.json"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	s := startOn(t, dir, server.Options{}, nil, func(c *annotate.Config) { c.Channels = []string{"all"} })
	ann := s.logIn("ann", "")

	var project struct{ Channels []string }
	if err := json.Unmarshal(s.want(200, s.do("GET", "/api/v1/project", "", ann...)).body, &project); err != nil || strings.Join(project.Channels, " ") != "T2 ADC" {
		t.Errorf("channels %v, %v", project.Channels, err)
	}
	var task struct {
		Window   annotate.Window
		Channels []annotate.Channel
	}
	if err := json.Unmarshal(s.want(200, s.do("GET", "/api/v1/tasks/c0%2F002", "", ann...)).body, &task); err != nil {
		t.Fatal(err)
	}
	if len(task.Channels) != 2 || task.Channels[1].Name != "ADC" || task.Channels[0].Window != task.Window {
		t.Errorf("channels of a task: %+v", task)
	}
	get := func(path string) []byte { return s.want(200, s.do("GET", "/api/v1"+path, "", ann...)).body }
	first, second := get("/cases/c0/slices/2/image"), get("/cases/c0/slices/2/image?channel=1")
	if bytes.Equal(first, second) || !bytes.Equal(second, get("/cases/c1/slices/2/image?channel=0")) {
		t.Error("channel 1 is not the second image of the case")
	}
	// and so are whole channels
	one3d, two3d := get("/cases/c0/image.nii.gz"), get("/cases/c0/image.nii.gz?channel=1")
	if bytes.Equal(one3d, two3d) || !bytes.Equal(two3d, get("/cases/c1/image.nii.gz?channel=0")) {
		t.Error("the file of channel 1 is not the second image of the case")
	}
	if !bytes.Equal(get("/cases/c0/image.nii.gz?channel=1&preview=true"), get("/cases/c1/image.nii.gz?preview=true")) {
		t.Error("the preview of channel 1 is not that of the second image")
	}
	s.want(404, s.do("GET", "/api/v1/cases/c0/image.nii.gz?channel=2", "", ann...))
	s.want(404, s.do("GET", "/api/v1/cases/c0/image.nii.gz?channel=2&preview=true", "", ann...))
	s.want(404, s.do("GET", "/api/v1/cases/c0/slices/2/image?channel=2", "", ann...))
	s.want(422, s.do("GET", "/api/v1/cases/c0/slices/2/image?channel=-1", "", ann...))
}
