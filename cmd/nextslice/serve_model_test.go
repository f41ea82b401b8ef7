package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate/script"
	"github.com/nextslice/nextslice/dataset/phantom/phantomtest"
	"github.com/nextslice/nextslice/volume"
)

// serving starts the serve command and returns the page's address and a function that ends it.
func serving(t *testing.T, args ...string) (address string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var out, errs output
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, strings.NewReader(""), &out, &errs, append([]string{"serve", "--addr", "127.0.0.1:0", "--open=false"}, args...))
	}()
	stop = func() {
		cancel()
		if code := <-ended; code != done {
			t.Errorf("serve: code %d: %s", code, errs.String())
		}
	}
	pattern := regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
	for range 1000 {
		if address = pattern.FindString(out.String()); address != "" || len(ended) > 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if address == "" {
		t.Fatalf("no address: %s%s", out.String(), errs.String())
	}
	return address, stop
}

// get asks a server for something of an item, as ben.
func get(t *testing.T, address, item, what string) []byte {
	t.Helper()
	api := address + "/api/v1"
	login, err := http.Post(api+"/login", "application/json", strings.NewReader(`{"name":"ben"}`))
	if err != nil {
		t.Fatal(err)
	}
	login.Body.Close()
	r, err := http.NewRequest("GET", api+"/items/"+url.PathEscape(item)+"/"+what, nil)
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
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s of %s: %s, %v", what, item, answer.Status, err)
	}
	return body
}

// What people trained by labelling is a model like any other: predict gives the masks and the uncertainty of the server. And
// what they did is a record like any other.
func TestPredictByAServersModel(t *testing.T) {
	dir := t.TempDir()
	data, mask, entropy := filepath.Join(dir, "data"), filepath.Join(dir, "mask.nii.gz"), filepath.Join(dir, "entropy.nii.gz")
	if err := phantomtest.Write(data, 3, 1); err != nil {
		t.Fatal(err)
	}
	address, stop := serving(t, "--data", data, "--masks", "ignore", "--lockstep", "--preset", "demo", "--set", "steps=5", "--set", "width=2",
		"--initial-size", "3", "--query-size", "2", "--validation-cases", "phantom_002", "--threads", "1")
	command(t, "annotate-script", "--server", address, "--data", data, "--cycles", "1")

	client, err := script.LogIn(t.Context(), script.HTTP(), address, "ana", "")
	if err != nil {
		t.Fatal(err)
	}
	project, err := client.Project(t.Context())
	if err != nil || project.Model == nil {
		t.Fatalf("project: %+v, %v", project, err)
	}
	file := filepath.Join(data+"-annotation", "models", fmt.Sprintf("%04d.safetensors", project.Model.Version))
	command(t, "predict", file, filepath.Join(data, "imagesTr", "phantom_001.nii.gz"), mask, "--uncertainty", entropy, "--threads", "1")
	predicted, err := volume.ReadMask(mask)
	if err != nil {
		t.Fatal(err)
	}
	uncertainty, err := volume.Read(entropy)
	if err != nil {
		t.Fatal(err)
	}
	size := predicted.Size[0] * predicted.Size[1]
	for k := range predicted.Size[2] {
		item := fmt.Sprintf("phantom_001/%03d", k)
		want, model, err := client.Proposal(t.Context(), item)
		for begin := time.Now(); (err != nil || model != project.Model.Version) && time.Since(begin) < 30*time.Second; time.Sleep(10 * time.Millisecond) { // it is in use a moment after it is listed
			want, model, err = client.Proposal(t.Context(), item)
		}
		if err != nil || !slices.Equal(predicted.Data[k*size:(k+1)*size], want) {
			t.Errorf("%s: predict gives another mask than the server: %v", item, err)
		}
		entropies := make([]float32, size)
		if _, err := binary.Decode(get(t, address, item, "uncertainty"), binary.LittleEndian, entropies); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(uncertainty.Data[k*size:(k+1)*size], entropies) {
			t.Errorf("%s: predict gives another uncertainty than the server", item)
		}
	}
	stop()

	folder := data + "-annotation"
	command(t, "evaluate", "--pred", mask, "--ref", filepath.Join(folder, "labels", "final", "phantom_001.nii.gz"))
	if text := command(t, "report", filepath.Join(folder, "record"), "--out", filepath.Join(dir, "report")); !strings.Contains(text, "entropy+sb      1") {
		t.Errorf("report of the project's record:\n%s", text)
	}
}
