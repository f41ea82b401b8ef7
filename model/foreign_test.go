package model

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/nn/onnxruntime"
	"github.com/nextslice/nextslice/nn/onnxruntime/onnxruntimetest"
	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor/ref"
	"github.com/nextslice/nextslice/volume"
)

// exported writes a model as ONNX and reads it back.
func exported(t *testing.T, m *Model) *Model {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.onnx")
	if err := m.WriteONNX(path, "test", true); err != nil {
		t.Fatal(err)
	}
	return loaded(t, path)
}

func loaded(t *testing.T, path string) *Model {
	t.Helper()
	e := ref.New(1)
	t.Cleanup(func() { e.Close() })
	m, err := Load(e, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Foreign.Close() })
	return m
}

// A model that was exported predicts, scores and is augmented by ONNX Runtime as by our own engine; slices larger than the canvas too.
func TestForeignIsOurOwn(t *testing.T) {
	onnxruntimetest.Need(t)
	own := untrained(t)
	large := image()
	large.Size = [3]int{21, 19, 2}
	large.Data = nil
	rng := random.Stream(3, "large")
	for range large.Len() {
		large.Data = append(large.Data, float32(rng.IntN(1000)))
	}
	for _, sigmoid := range []bool{false, true} {
		if sigmoid {
			net := unet.New(ref.New(1), unet.Config{Classes: 3, Width: 2, Sigmoid: true}, random.Stream(1))
			net.SetState(own.Net.State())
			own.Net = net
		}
		other := exported(t, own)
		for _, v := range []*volume.Volume{image(), large} {
			want, have := segment(t, own, v), segment(t, other, v)
			if !slices.Equal(want.Mask.Data, have.Mask.Data) {
				t.Errorf("sigmoid %v, %v: another mask", sigmoid, v.Size)
			}
			if len(slices.Compact(slices.Sorted(slices.Values(want.Mask.Data)))) < 2 {
				t.Error("the mask shows nothing")
			}
			for i, h := range want.Uncertainty.Data {
				if math.Abs(float64(h-have.Uncertainty.Data[i])) > 1e-4 {
					t.Fatalf("sigmoid %v: entropy %v, want %v", sigmoid, have.Uncertainty.Data[i], h)
				}
			}
		}
		images := noise(10)
		for _, name := range []string{"entropy", "entropy(aggregation=top)", "margin", "least-confidence", "tta(passes=3)", "tta(map=variance,passes=3)"} {
			want, have := scoresNamed(t, own.Network(), name, images), scoresNamed(t, other.Network(), name, images)
			for i := range want {
				if math.Abs(want[i]-have[i]) > 1e-4 {
					t.Errorf("sigmoid %v, %s: score %v, want %v", sigmoid, name, have[i], want[i])
				}
			}
		}
	}
}

// described copies a network of testdata and writes what is said of it beside it.
func described(t *testing.T, name, yaml string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "onnx", name+".onnx"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name+".onnx")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if yaml != "" {
		if err := os.WriteFile(beside(path), []byte(yaml), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

const three = "classes: [background, head, body]\n"

// foreignCases are networks of testdata/onnx and what is said of them, by the name of what Python makes of the volume.
var foreignCases = map[string]struct{ name, yaml string }{
	"logits":     {"logits", three + "output: logits\nfit: pad\ncanvas: [12, 14]\nintensities: z-score\n"},
	"transposed": {"logits", three + "output: logits\nfit: pad\ncanvas: [12, 14]\nintensities: z-score\ntranspose: true\n"},
	"fixed":      {"fixed", three + "output: logits\nfit: resize\nintensities: fixed\nlow: 100\nhigh: 900\nmean: 480\nstd: 250\n"},
	"softmax":    {"softmax", three + "fit: pad\ncanvas: [12, 14]\nintensities: unit\nclip: [5, 95]\n"},
	"sigmoid":    {"sigmoid", "classes: [background, head]\noutput: sigmoid\nfit: pad\ncanvas: [12, 14]\nintensities: z-score\n"},
	"one-logit":  {"one-logit", "classes: [background, head]\noutput: sigmoid-logits\nfit: pad\ncanvas: [12, 14]\nintensities: z-score\n"},
}

type foreignVectors struct {
	Volume        []float32
	Size          [3]int
	Probabilities map[string][]float32 // [slices H W K]
}

// Networks of other programs, with what is said of them, give the probabilities that Python has computed as those programs do.
func TestForeignAgreesWithPython(t *testing.T) {
	onnxruntimetest.Need(t)
	text, err := os.ReadFile(filepath.Join("testdata", "onnx", "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var vectors foreignVectors
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors.Probabilities) != len(foreignCases) {
		t.Errorf("%d vectors for %d cases", len(vectors.Probabilities), len(foreignCases))
	}
	v := &volume.Volume{Grid: volume.Grid{Size: vectors.Size, Unit: volume.Voxel}, Data: vectors.Volume, Stored: "float32"}
	for name, c := range foreignCases {
		m := loaded(t, described(t, c.name, c.yaml))
		p := segment(t, m, v)
		want, k := vectors.Probabilities[name], len(m.Classes)
		if len(want) != len(p.Mask.Data)*k {
			t.Fatalf("%s: %d probabilities", name, len(want))
		}
		for i := range p.Mask.Data {
			pixel := want[i*k : (i+1)*k]
			entropy, best := 0.0, 0
			for class, x := range pixel {
				if x > 0 {
					entropy -= float64(x) * math.Log(float64(x))
				}
				if x > pixel[best] {
					best = class
				}
			}
			if math.Abs(entropy-float64(p.Uncertainty.Data[i])) > 1e-4 || int(p.Mask.Data[i]) != best {
				t.Fatalf("%s, voxel %d: class %d with entropy %v, want %d with %v", name, i, p.Mask.Data[i], p.Uncertainty.Data[i], best, entropy)
			}
		}
	}
}

// What cannot be run, or what is said of it does not fit, is refused in one line that says what to do.
func TestForeignRefusals(t *testing.T) {
	onnxruntimetest.Need(t)
	pad := "fit: pad\ncanvas: [12, 14]\nintensities: z-score\n"
	for _, c := range []struct{ name, yaml, want string }{
		{"logits", "", "does not say what its network sees and what its answer means: write logits.yaml beside it, see docs/how-to/use-your-own-network.md"},
		{"logits", "clases: [a, b]\n", "clases"},
		{"logits", "classes: [only]\noutput: best\naxis: x\nmultiple: -1\n", `axis: want i, j or k, got "x"; classes: want the names of 2 to 256 classes, the background first, got 1; output: want softmax, logits, sigmoid or sigmoid-logits, got "best"; fit: want resize or pad, got ""; multiple: want 1 or more, got -1; intensities: want z-score, unit or fixed, got ""; canvas: want height and width`},
		{"logits", three + "fit: pad\ncanvas: [12, 14]\nintensities: fixed\n", "want mean and std"},
		{"logits", three + "fit: pad\ncanvas: [12, 14]\nintensities: unit\nmean: 3\n", "belong to intensities: fixed"},
		{"logits", three + "fit: pad\ncanvas: [12, 14]\nintensities: fixed\nstd: 1\nclip: [1, 99]\n", "clip belongs to"},
		{"logits", three + pad + "clip: [1]\n", "clip: want two percentiles"},
		{"logits", three + pad + "clip: [99, 1]\n", "clip: want percentiles"},
		{"logits", three + pad + "orientation: XYZ\n", "XYZ"},
		{"logits", three + "fit: pad\ncanvas: [4, 14]\nintensities: z-score\n", "canvas 4 x 14"},
		{"logits", "classes: [background, head]\n" + pad, "output has 3 channels, and 2 classes are named (background, head)"},
		{"logits", three + pad + "channels: [0, 1]\n", "takes images of 1 channels, and 2 are described"},
		{"two-channels", three + pad, "takes images of 2 channels, and 1 are described"},
		{"sigmoid", "classes: [background, head]\n" + pad, "output has 1 channel, the class head: say in sigmoid.yaml whether it is output: sigmoid"},
		{"sigmoid", "classes: [background, head]\noutput: softmax\n" + pad, "whether it is output: sigmoid"},
		{"fixed", three + "fit: pad\ncanvas: [16, 16]\nintensities: z-score\n", "takes images of 12 x 14, and the canvas is 16 x 16"},
		{"fixed", three + "fit: pad\nintensities: z-score\ntranspose: true\ncanvas: [12, 14]\n", "the canvas is 12 x 14"},
		{"batch", three + "fit: pad\nintensities: z-score\n", "exactly 4 images at a time"},
		{"volumes", three + pad, "[? 1 ? ? ?], of volumes: only networks of slices"},
		{"halves", three + "fit: pad\nintensities: z-score\n", "answers images of 12 x 14 with 6 x 7"},
		{"double", three + pad, "want float32; export the network in single precision"},
		{"two-inputs", three + pad, "has 2 inputs: want one"},
	} {
		e := ref.New(1)
		defer e.Close()
		path := described(t, c.name, c.yaml)
		_, err := Load(e, path)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %q: %v\nwant %s", c.name, c.yaml, err, c.want)
		} else if !strings.Contains(err.Error(), filepath.Dir(path)) || c.name != "logits" && strings.Contains(err.Error(), "\n") {
			t.Errorf("not one line that names the file: %v", err)
		}
	}
	path := described(t, "logits", three+pad)
	if err := os.WriteFile(path, []byte("no network"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := ref.New(1)
	defer e.Close()
	if _, err := Load(e, path); err == nil || !strings.Contains(err.Error(), "cannot be opened by ONNX Runtime") {
		t.Errorf("no ONNX file: %v", err)
	}
	if _, err := Load(e, "missing.onnx"); err == nil || !strings.Contains(err.Error(), "missing.onnx: no such file") {
		t.Errorf("no file: %v", err)
	}
	own := filepath.Join(t.TempDir(), "own.onnx")
	if err := untrained(t).WriteONNX(own, "test", true); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(beside(own), []byte(three+pad), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(e, own); err == nil || !strings.Contains(err.Error(), "remove "+beside(own)) {
		t.Errorf("said twice: %v", err)
	}
}

// A network whose answers are not what is said of them is refused when it answers.
func TestForeignAnswersAreChecked(t *testing.T) {
	onnxruntimetest.Need(t)
	pad := "fit: pad\ncanvas: [12, 14]\nintensities: z-score\n"
	two := "classes: [background, head]\n"
	v := image()
	for _, c := range []struct{ name, yaml, want string }{
		{"logits", three + pad, "not probabilities that sum to 1"},
		{"logits", three + "output: softmax\n" + pad, "not probabilities that sum to 1"},
		{"logits", three + "output: sigmoid\n" + pad, "not probabilities from 0 to 1"},
		{"softmax", three + "output: logits\n" + pad, `say "output: softmax"`},
		{"softmax", three + "output: sigmoid-logits\n" + pad, `say "output: sigmoid"`},
		{"one-logit", two + "output: sigmoid\n" + pad, `say "output: sigmoid-logits"`},
		{"sigmoid", two + "output: sigmoid-logits\n" + pad, `say "output: sigmoid"`},
		{"halves-any", three + "output: logits\n" + pad, "its output is [3 3 6 7] for images of [3 1 12 14]: want [3 3 12 14]"},
	} {
		m := loaded(t, described(t, c.name, c.yaml))
		p, err := m.Segment(t.Context(), []*volume.Volume{v}, false, nil)
		if p != nil || err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), c.name+".onnx: ") {
			t.Errorf("%s, %q: %v\nwant %s", c.name, c.yaml, err, c.want)
		}
	}
	bad := image()
	bad.Data[5] = math.MaxFloat32
	m := loaded(t, described(t, "logits", three+"output: logits\nfit: pad\ncanvas: [12, 14]\nintensities: fixed\nmean: 0\nstd: 1e-6\n"))
	if _, err := m.Segment(t.Context(), []*volume.Volume{bad}, false, nil); err == nil || !strings.Contains(err.Error(), "at a pixel: the network or the images are not") {
		t.Errorf("infinite: %v", err)
	}
	fixed := loaded(t, described(t, "fixed", three+"output: logits\nfit: pad\nintensities: z-score\n"))
	large := &volume.Volume{Grid: volume.Grid{Size: [3]int{20, 12, 1}}, Data: make([]float32, 240)}
	if _, err := fixed.Segment(t.Context(), []*volume.Volume{large}, false, nil); err == nil || !strings.Contains(err.Error(), "padding would cut them") {
		t.Errorf("a large slice: %v", err)
	}
	if fixed.Fits(large.Grid) == nil || fixed.Fits(grid()) != nil {
		t.Error("Fits is wrong")
	}
}

// Strategies that need more than probabilities are refused, all others served.
func TestServesForeign(t *testing.T) {
	for name, ok := range map[string]bool{
		"entropy+sb": true, "margin": true, "least-confidence+power": true, "tta+sb": true, "random": true, "typiclust": true, "strided": true,
		"dropout+sb": false, "core-set": false, "badge": false, "ensemble": false, "learning-loss": false, "batchbald": false, "vaal": false, "typiclust(features=vae)": false, "ta-vaal": false,
		"ceal": false, "suggestive-annotation": false,
	} {
		spec, err := query.Parse(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		err = ServesForeign(spec)
		if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "such as entropy+sb") {
			t.Errorf("%s: %v", name, err)
		}
		// and the network says no itself, should nobody have asked
		n := Network{Foreign: &Foreign{classes: 2, channels: 1, outputs: 2}, Preprocess: untrained(t).Preprocess}
		images := noise(1)
		if s := spec.Score; s.Dropout || s.Members > 0 || s.PredictedLoss {
			if _, err := n.Score(t.Context(), images, s, random.Stream(1)); err != errInside {
				t.Errorf("%s: score: %v", name, err)
			}
			if _, err := n.networks(s, random.Stream(1)); s.Dropout && err != errInside {
				t.Errorf("%s: networks: %v", name, err)
			}
		}
		if f := spec.Strategy.Needs().Features; f == query.Bottleneck || f == query.Gradient {
			if _, err := n.Features(t.Context(), images, f); err != errInside {
				t.Errorf("%s: features: %v", name, err)
			}
		}
	}
}

// Without the library the message says how to get it.
func TestForeignWithoutLibrary(t *testing.T) {
	t.Setenv(onnxruntime.Variable, filepath.Join(t.TempDir(), "none.so"))
	if _, err := onnxruntime.Library(); err == nil || !strings.Contains(err.Error(), onnxruntime.Variable+": ") {
		t.Errorf("%v", err)
	}
}
