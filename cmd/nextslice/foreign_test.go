package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate/script"
	"github.com/nextslice/nextslice/dataset/phantom/phantomtest"
	"github.com/nextslice/nextslice/nn/onnxruntime/onnxruntimetest"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/worklist"
)

// refused runs a command that fails, with this in its message.
func refused(t *testing.T, want string, args ...string) {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(t.Context(), nil, &out, &errs, args); code == done || !strings.Contains(errs.String(), want) {
		t.Errorf("%v: code %d: %s%s\nwant %s", args, code, out.String(), errs.String(), want)
	}
}

// picks returns what a query answers.
func picks(t *testing.T, args ...string) (ids []string, scores []float64) {
	t.Helper()
	var r worklist.Result
	if err := json.Unmarshal([]byte(command(t, append([]string{"query", "--json", "--threads", "1"}, args...)...)), &r); err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Picks {
		ids, scores = append(ids, p.ID), append(scores, float64(p.Score))
	}
	return ids, scores
}

func readMask(t *testing.T, path string) *volume.Mask {
	t.Helper()
	m, err := volume.ReadMask(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// described copies a network of package model's testdata to a folder, with a description.
func described(t *testing.T, name, dir, yaml string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "model", "testdata", "onnx", name+".onnx"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name+".onnx")
	for file, text := range map[string][]byte{path: data, filepath.Join(dir, name+".yaml"): []byte(yaml)} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// A model that was exported as ONNX segments and picks as the model itself does, by ONNX Runtime.
func TestForeignPredictsAndPicks(t *testing.T) {
	onnxruntimetest.Need(t)
	dir := t.TempDir()
	data, own, other := filepath.Join(dir, "data"), filepath.Join(dir, "own.safetensors"), filepath.Join(dir, "other.onnx")
	if err := phantomtest.Write(data, 3, 1); err != nil {
		t.Fatal(err)
	}
	command(t, "train", "--data", data, "--out", own, "--preset", "demo", "--set", "steps=150", "--set", "width=4", "--threads", "1")
	command(t, "export", own, other)
	image := filepath.Join(data, "imagesTr", "phantom_001.nii.gz")
	command(t, "predict", own, image, filepath.Join(dir, "own.nii.gz"), "--threads", "1")
	command(t, "predict", other, image, filepath.Join(dir, "other.nii.gz"), "--uncertainty", filepath.Join(dir, "entropy.nii.gz"), "--threads", "1")
	a, b := readMask(t, filepath.Join(dir, "own.nii.gz")), readMask(t, filepath.Join(dir, "other.nii.gz"))
	if !slices.Equal(a.Data, b.Data) || !slices.Contains(a.Data, 1) {
		t.Error("another mask, or none")
	}
	for _, folder := range []string{"masks", "again"} {
		command(t, "predict", map[string]string{"masks": own, "again": other}[folder], data, filepath.Join(dir, folder), "--threads", "1")
	}
	if !slices.Equal(readMask(t, filepath.Join(dir, "masks", "phantom_002.nii.gz")).Data, readMask(t, filepath.Join(dir, "again", "phantom_002.nii.gz")).Data) {
		t.Error("another mask of a folder")
	}
	data = filepath.Join(data, "imagesTr") // without masks
	for _, strategy := range []string{"entropy+sb", "margin", "least-confidence+sb", "tta(passes=2)+sb"} {
		query := []string{"--data", data, "--strategy", strategy, "--size", "6", "--work", filepath.Join(dir, "work")}
		ids, scores := picks(t, append(query, "--model", own)...)
		have, others := picks(t, append(query, "--model", other)...)
		if len(ids) != 6 || !slices.Equal(ids, have) {
			t.Errorf("%s: picks %v, want %v", strategy, have, ids)
		}
		for i := range scores {
			if d := scores[i] - others[i]; d > 1e-4 || d < -1e-4 {
				t.Errorf("%s: score %v, want %v", strategy, others[i], scores[i])
			}
		}
	}
	for _, strategy := range []string{"dropout+sb", "core-set", "ensemble+sb", "learning-loss", "badge", "batchbald"} {
		refused(t, "choose one that goes by single passes or test-time augmentation", "query", "--data", data, "--model", other, "--strategy", strategy)
	}
	refused(t, "is an ONNX file already", "export", other, filepath.Join(dir, "twice.onnx"))
	refused(t, "write logits.yaml beside it", "predict", filepath.Join("..", "..", "model", "testdata", "onnx", "logits.onnx"), image, filepath.Join(dir, "none.nii.gz"))
	cut := described(t, "logits", dir, "classes: [background, head, body]\noutput: logits\nfit: pad\ncanvas: [16, 16]\nintensities: z-score\n")
	refused(t, "are larger than the canvas of 16 x 16", "query", "--data", data, "--model", cut, "--work", filepath.Join(dir, "work"))

	// A query is another one when the description is.
	described(t, "logits", dir, "classes: [background, head, body]\noutput: logits\nfit: resize\ncanvas: [32, 32]\nintensities: z-score\n")
	_, first := picks(t, "--data", data, "--model", cut, "--work", filepath.Join(dir, "work"))
	described(t, "logits", dir, "classes: [background, head, body]\noutput: logits\nfit: resize\ncanvas: [32, 32]\nintensities: z-score\ntranspose: true\n")
	if _, second := picks(t, "--data", data, "--model", cut, "--work", filepath.Join(dir, "work")); slices.Equal(first, second) {
		t.Error("the scores of another description count")
	}
}

// A network that is never trained proposes before there is any label, and goes on asking as labels come. The project can go on without it, and not with another.
func TestServeForeign(t *testing.T) {
	onnxruntimetest.Need(t)
	dir := t.TempDir()
	data, truth := filepath.Join(dir, "data"), filepath.Join(dir, "truth")
	if err := phantomtest.Write(truth, 3, 1); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(data, "imagesTr"), os.DirFS(filepath.Join(truth, "imagesTr"))); err != nil {
		t.Fatal(err)
	}
	yaml := "classes: [background, prostate]\noutput: sigmoid\nfit: resize\ncanvas: [32, 32]\nintensities: z-score\n"
	other := described(t, "sigmoid", dir, yaml)
	start := []string{"--data", data, "--model", other, "--query-size", "4", "--validation-cases", "phantom_002", "--threads", "1"}
	address, stop := serving(t, start...)
	client, err := script.LogIn(t.Context(), script.HTTP(), address, "ana", "")
	if err != nil {
		t.Fatal(err)
	}
	model := func(above int) int {
		t.Helper()
		for range 3000 {
			project, err := client.Project(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if project.Model != nil && project.Model.Version > above {
				return project.Model.Version
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("no model after %d", above)
		return 0
	}
	first := model(0)
	image := filepath.Join(data, "imagesTr", "phantom_001.nii.gz")
	command(t, "predict", other, image, filepath.Join(dir, "mask.nii.gz"), "--threads", "1")
	mask := readMask(t, filepath.Join(dir, "mask.nii.gz"))
	proposals := func() {
		t.Helper()
		size := mask.Size[0] * mask.Size[1]
		for _, k := range []int{0, 5} {
			item := "phantom_001/" + []string{0: "000", 5: "005"}[k]
			want, version, err := client.Proposal(t.Context(), item)
			for n := 0; version == 0 && n < 500; n++ { // it is in use a moment after it is listed
				time.Sleep(10 * time.Millisecond)
				want, version, err = client.Proposal(t.Context(), item)
			}
			if err != nil || !slices.Equal(want, mask.Data[k*size:(k+1)*size]) || !slices.Contains(want, 1) {
				t.Errorf("%s: another mask than predict's: model %d, %v", item, version, err)
			}
		}
	}
	proposals()
	command(t, "annotate-script", "--server", address, "--data", truth, "--cycles", "1")
	second := model(first)
	proposals()
	stop()

	// The same command goes on.
	address, stop = serving(t, start...)
	if client, err = script.LogIn(t.Context(), script.HTTP(), address, "ana", ""); err != nil {
		t.Fatal(err)
	}
	if now := model(0); now < second {
		t.Errorf("model %d after a restart, want %d", now, second)
	}
	proposals()
	stop()

	described(t, "sigmoid", dir, strings.Replace(yaml, "32, 32", "48, 48", 1))
	refused(t, "slices are made otherwise than the network wants them", append([]string{"serve", "--open=false"}, start...)...)
	described(t, "sigmoid", dir, yaml+"orientation: RAS\n")
	refused(t, "the axes of case phantom_000 run to", append([]string{"serve", "--open=false", "--project", filepath.Join(dir, "p")}, start...)...)
	described(t, "sigmoid", dir, yaml)
	for want, flags := range map[string][]string{
		"nothing is trained with --model":                 {"--preset", "demo"},
		"leave one of them out":                           {"--lockstep"},
		"the network's description says that":             {"--axis", "i"},
		"the network knows 2 classes with the background": {"--classes", "a,b"},
		"choose one that goes by single passes":           {"--strategy", "dropout+sb"},
	} {
		refused(t, want, append(append([]string{"serve", "--open=false", "--project", filepath.Join(dir, "p")}, start...), flags...)...)
	}
	if exists(filepath.Join(dir, "p")) {
		t.Error("a refused project leaves a folder")
	}
	refused(t, "want an ONNX file; nextslice export makes one", "serve", "--data", data, "--model", "m.safetensors")
}
