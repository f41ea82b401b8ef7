package main

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/annotate/script"
	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/volume/dicom"
)

// A server shows both DICOM series of each case side by side, on the grid of the first; what is labelled on it trains a network of both, which
// proposes masks; and exported labels belong to the first series.
func TestServeSequences(t *testing.T) {
	data := unzipped(t, "..", "..", "dataset", "testdata", "sequences.zip")
	project := filepath.Join(t.TempDir(), "project")
	address, stop := serving(t, "--data", data, "--project", project, "--channels", "T2,ADC", "--resample", "--masks", "ignore", "--lockstep", "--preset", "demo",
		"--set", "steps=20", "--set", "width=2", "--initial-size", "4", "--query-size", "2", "--validation-cases", "p5", "--threads", "1")
	client, err := script.LogIn(t.Context(), script.HTTP(), address, "ana", "")
	if err != nil {
		t.Fatal(err)
	}
	state, err := client.Project(t.Context())
	if err != nil || !slices.Equal(state.Channels, []string{"T2", "ADC"}) {
		t.Fatalf("channels %q, %v", state.Channels, err)
	}
	login, err := http.Post(address+"/api/v1/login", "application/json", strings.NewReader(`{"name":"ben"}`))
	if err != nil {
		t.Fatal(err)
	}
	login.Body.Close()
	get := func(path string, status int) []byte {
		t.Helper()
		r, err := http.NewRequest("GET", address+"/api/v1"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.AddCookie(login.Cookies()[0])
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != status {
			t.Fatalf("%s: %s, %v: %.300s", path, answer.Status, err, body)
		}
		return body
	}

	task, err := client.Next(t.Context())
	if err != nil || task == nil {
		t.Fatal(task, err)
	}
	if len(task.Channels) != 2 || task.Channels[0].Name != "T2" || task.Channels[1].Name != "ADC" || task.Height != 20 || task.Width != 24 ||
		task.Channels[0].Window.High > 600 || task.Channels[1].Window.High < 1300 {
		t.Errorf("task of %d x %d with %+v", task.Height, task.Width, task.Channels)
	}
	var index map[string]struct{ ADC [][4]float64 }
	text, err := os.ReadFile(filepath.Join(data, "index.json"))
	if err == nil {
		err = json.Unmarshal(text, &index)
	}
	if err != nil || len(index["p2"].ADC) == 0 {
		t.Fatal(err)
	}
	for _, name := range []string{"p1", "p2"} {
		for _, v := range index[name].ADC {
			pixels := make([]float32, 20*24)
			path := fmt.Sprintf("/cases/%s/slices/%d/image?channel=1", name, int(v[2]))
			if _, err := binary.Decode(get(path, 200), binary.LittleEndian, pixels); err != nil {
				t.Fatal(err)
			}
			if got := float64(pixels[int(v[0])+24*int(v[1])]); math.Abs(got-v[3]) > 2e-3 {
				t.Errorf("%s at %v: ADC is %v, want %v", name, v[:3], got, v[3])
			}
		}
	}
	get("/cases/p1/slices/2/image?channel=2", 404)
	get("/cases/p6/slices/2/image?channel=0", 404)

	command(t, "annotate-script", "--name", "ana", "--server", address, "--data", data, "--cycles", "1")
	if state, err = client.Project(t.Context()); err != nil || state.Model == nil {
		t.Fatalf("no model: %v", err)
	}
	queue, err := client.Queue(t.Context())
	if err != nil || len(queue) == 0 {
		t.Fatal(err)
	}
	mask, version, err := client.Proposal(t.Context(), "p4/002")
	if err != nil || version < 1 || len(mask) != 20*24 || slices.Max(mask) > 2 {
		t.Errorf("proposal of model %d, %d pixels, %v", version, len(mask), err)
	}
	get("/cases/p4/proposal.nii.gz", 200)

	// The model is one of both channels, for predict as well.
	file := filepath.Join(project, "models", fmt.Sprintf("%04d.safetensors", state.Model.Version))
	out := filepath.Join(t.TempDir(), "p4.dcm")
	command(t, "predict", file, filepath.Join(data, "p4"), out, "--resample", "--threads", "1")

	export := get("/export?format=dicom-seg&partial=true", 200)
	z, err := zip.NewReader(bytes.NewReader(export), int64(len(export)))
	if err != nil || len(z.File) == 0 {
		t.Fatalf("%d exported files, %v", len(z.File), err)
	}
	set, err := dataset.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		name, ok := strings.CutSuffix(f.Name, ".dcm")
		if !ok {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		seg, err := io.ReadAll(r)
		path := filepath.Join(t.TempDir(), f.Name)
		if err == nil {
			err = os.WriteFile(path, seg, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		series, err := set.Series(set.Index(name))
		if err != nil {
			t.Fatal(err)
		}
		if _, warnings, err := dicom.ReadSegments(path, series); err != nil || len(warnings) > 0 || !bytes.Contains(seg, []byte(series.UID)) {
			t.Errorf("%s: %v, %v", f.Name, warnings, err)
		}
	}
	stop()
}
