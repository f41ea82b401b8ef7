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
	"time"

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
	for end := time.Now().Add(time.Minute); err != nil && time.Now().Before(end); time.Sleep(20 * time.Millisecond) { // what the queue needs is segmented first
		mask, version, err = client.Proposal(t.Context(), "p4/002")
	}
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

// Labels are exported for the series that they were drawn on, which is neither the largest nor the first of its folder here: ADC is channel 0.
func TestServeExportsForItsSeries(t *testing.T) {
	data := unzipped(t, "..", "..", "dataset", "testdata", "sequences.zip")
	names := `{"channel_names": {"0": "ADC", "1": "T2"}, "labels": {"background": 0, "prostate": 1, "lesion": 2}}`
	err := os.WriteFile(filepath.Join(data, "dataset.json"), []byte(names), 0o666)
	if err == nil {
		err = os.RemoveAll(filepath.Join(data, "labels")) // they lie on T2
	}
	if err != nil {
		t.Fatal(err)
	}
	address, stop := serving(t, "--data", data, "--project", filepath.Join(t.TempDir(), "project"), "--channels", "ADC,T2", "--resample", "--masks", "ignore", "--preset", "demo",
		"--set", "steps=2", "--set", "width=2", "--initial-size", "4", "--query-size", "2", "--validation-cases", "p3", "--threads", "1")
	client, err := script.LogIn(t.Context(), script.HTTP(), address, "ana", "")
	if err != nil {
		t.Fatal(err)
	}
	drawn := map[string][3]int{} // by case: the one voxel that is labelled
	for len(drawn) < 2 {
		task, err := client.Next(t.Context())
		if err != nil || task == nil || task.Height != 14 || task.Width != 16 {
			t.Fatalf("task %+v, %v", task, err)
		}
		at, of := [3]int{3 + len(drawn), 5, task.Slice}, task.Case
		mask := make([]uint8, 14*16)
		if _, twice := drawn[of]; !twice {
			mask[at[0]+16*at[1]] = 2
			drawn[of] = at
		}
		if _, err := client.Save(t.Context(), task.Item, mask, 1, "edited", 0); err != nil {
			t.Fatal(err)
		}
	}
	login, err := http.Post(address+"/api/v1/login", "application/json", strings.NewReader(`{"name":"ben"}`))
	if err != nil {
		t.Fatal(err)
	}
	login.Body.Close()
	r, err := http.NewRequest("GET", address+"/api/v1/export?format=dicom-seg&partial=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(login.Cookies()[0])
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	export, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(export), int64(len(export)))
	if err != nil {
		t.Fatalf("%v: %.300s", err, export)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, z); err != nil {
		t.Fatal(err)
	}
	for name, at := range drawn {
		all, _, err := dicom.Scan(filepath.Join(data, name))
		if err != nil || len(all) != 2 || all[1].Size != [3]int{16, 14, 4} {
			t.Fatalf("%s: %v, %v", name, all, err)
		}
		adc := all[1] // the smaller one
		path := filepath.Join(dir, name+".dcm")
		if of := dicom.RefersTo(path); !slices.Equal(of, []string{adc.UID}) {
			t.Errorf("%s refers to %v, want %s and not %s", name, of, adc.UID, all[0].UID)
		}
		seg, warnings, err := dicom.ReadSegments(path, adc)
		if err != nil || len(warnings) > 0 {
			t.Errorf("%s: %v, %v", name, warnings, err)
			continue
		}
		var found [][3]int
		for _, s := range seg.Segments {
			for v, x := range seg.Layers[s.Layer] {
				if x == s.Value {
					if found = append(found, seg.Size.Voxel(v)); s.Name != "lesion" {
						t.Errorf("%s: a voxel of %s", name, s.Name)
					}
				}
			}
		}
		if !slices.Equal(found, [][3]int{at}) {
			t.Errorf("%s: voxels %v, want %v", name, found, at)
		}
	}
	stop()
}
