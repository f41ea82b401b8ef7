package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/nn/onnxruntime"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/volume"
)

// description says what an ONNX file of another program does not: what the network sees and what its answer means. It is a YAML file beside it, of the same
// name; docs/how-to/use-your-own-network.md shows one.
type description struct {
	Classes []string `yaml:"classes"` // background first
	// Output is softmax or sigmoid for probabilities, logits or sigmoid-logits for what comes before them; "" is probabilities that sum to 1.
	Output string `yaml:"output"`

	Axis        string `yaml:"axis"`        // i, j or k (the default): index axis that slices are cut across
	Orientation string `yaml:"orientation"` // of the axes, such as LPS; "": they run as the files have them
	Transpose   bool   `yaml:"transpose"`   // the network's rows are the slices' columns
	Fit         string `yaml:"fit"`         // resize or pad
	Canvas      []int  `yaml:"canvas"`      // height and width; needed where the network takes images of any size
	Multiple    int    `yaml:"multiple"`    // that the sides of a canvas must be of; 32 if it is 0

	Intensities       preprocess.Scaling `yaml:"intensities"`
	Clip              []float64          `yaml:"clip"` // percentiles; 0 and 100 if there are none
	preprocess.Window `yaml:",inline"`

	Channels []int `yaml:"channels"` // of a case's images that are the network's, from 0; none is the first
}

// IsONNX reports whether a file is named as ONNX files are.
func IsONNX(path string) bool { return strings.EqualFold(filepath.Ext(path), ".onnx") }

// beside returns the file that describes the network of an ONNX file.
func beside(path string) string { return strings.TrimSuffix(path, filepath.Ext(path)) + ".yaml" }

// Files returns the files that a model is read from, those that need not exist included.
func Files(path string) []string {
	if !IsONNX(path) {
		return []string{path}
	}
	return []string{path, path + ".data", beside(path)} // .data is where PyTorch puts large weights
}

// loadForeign reads the network of an ONNX file, to be run on so many threads.
func loadForeign(path string, threads int) (*Model, error) {
	net, err := onnxruntime.Open(path, threads)
	if err != nil {
		return nil, err
	}
	m, err := foreign(path, net, net.Input, net.Output, net.Metadata)
	if err != nil {
		net.Close()
		return nil, err
	}
	m.Foreign.threads = threads
	return m, nil
}

// foreign makes a model of a network with such an input and output.
func foreign(path string, net runner, in, out onnxruntime.Value, metadata func(string) (string, bool)) (*Model, error) {
	f := &Foreign{file: filepath.Base(path), net: net, channels: in.Shape[1], outputs: out.Shape[1], multiple: 32, threads: 1}
	m := &Model{Foreign: f}
	text, own := metadata(key)
	described, err := os.ReadFile(beside(path))
	switch {
	case err == nil && own:
		return nil, fmt.Errorf("%s: the ONNX file says itself how slices are made for it: remove %s", path, beside(path))
	case err == nil:
		err = f.describe(m, described, in)
	case !errors.Is(err, os.ErrNotExist):
	case own:
		f.kind, _ = metadata(outputKey)
		f.multiple, err = 8, json.Unmarshal([]byte(text), &m.Info)
	default:
		return nil, fmt.Errorf("%s does not say what its network sees and what its answer means: write %s beside it, see docs/how-to/use-your-own-network.md", path, filepath.Base(beside(path)))
	}
	if err != nil && own {
		return nil, fmt.Errorf("%s: metadata %s: %w", path, key, err)
	} else if err != nil {
		return nil, fmt.Errorf("%s: %w", beside(path), err)
	}
	if f.classes = len(m.Classes); f.outputs < 0 {
		f.outputs = f.classes
	}
	if err := f.check(m.Info, in, out); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// describe reads the description of a network with such an input. Faults are told in one line.
func (f *Foreign) describe(m *Model, text []byte, in onnxruntime.Value) error {
	d := description{Axis: "k"}
	if err := yaml.UnmarshalWithOptions(text, &d, yaml.Strict()); err != nil {
		return err
	}
	var faults []string
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Sprintf(format, args...))
		}
	}
	axis, err := volume.ParseAxis(d.Axis)
	check(err == nil && axis >= 0, "axis: want i, j or k, got %q", d.Axis)
	check(len(d.Classes) >= 2 && len(d.Classes) <= 256, "classes: want the names of 2 to 256 classes, the background first, got %d", len(d.Classes))
	switch d.Output {
	case anyProbabilities, softmaxes, logits, sigmoids, sigmoidLogits:
	default:
		check(false, "output: want softmax, logits, sigmoid or sigmoid-logits, got %q", d.Output)
	}
	check(d.Fit == preprocess.Resize || d.Fit == preprocess.Pad, "fit: want resize or pad, got %q", d.Fit)
	check(d.Multiple >= 0, "multiple: want 1 or more, got %d", d.Multiple)
	switch d.Intensities {
	case preprocess.Unit, preprocess.Fixed, preprocess.ZScore:
	default:
		check(false, "intensities: want z-score, unit or fixed, got %q", d.Intensities)
	}
	check(d.Intensities == preprocess.Fixed || d.Window == preprocess.Window{}, "low, high, mean and std belong to intensities: fixed")
	check(d.Intensities != preprocess.Fixed || len(d.Clip) == 0, "clip belongs to intensities: z-score and unit; want low and high with fixed")
	if len(d.Clip) == 0 {
		d.Clip = []float64{0, 100}
	}
	check(len(d.Clip) == 2, "clip: want two percentiles, got %d numbers", len(d.Clip))
	h, w := in.Shape[2], in.Shape[3]
	if d.Transpose {
		h, w = w, h
	}
	if len(d.Canvas) == 0 && h > 0 && w > 0 {
		d.Canvas = []int{h, w}
	}
	check(len(d.Canvas) == 2, "canvas: want height and width, such as [256, 256]: the network takes images of any size")
	if len(faults) == 0 {
		p := preprocess.Config{Axis: axis, Height: d.Canvas[0], Width: d.Canvas[1], Fit: d.Fit, ClipLow: d.Clip[0], ClipHigh: d.Clip[1], Scaling: d.Intensities}
		if d.Intensities == preprocess.ZScore {
			p.Scaling = "" // as in files of our own
		}
		if d.Intensities == preprocess.Fixed {
			p.Window = &d.Window
		}
		m.Info = Info{Preprocess: p, Classes: d.Classes, Orientation: d.Orientation}
		switch len(d.Channels) {
		case 0:
		case 1:
			m.Channel = d.Channels[0]
		default:
			for _, c := range d.Channels {
				m.Channels = append(m.Channels, dataset.Channel{Number: c})
			}
		}
		f.kind, f.transpose = d.Output, d.Transpose
		if d.Multiple > 0 {
			f.multiple = d.Multiple
		}
		return nil
	}
	return errors.New(strings.Join(faults, "; "))
}

// check compares what is known of the network with its input and output.
func (f *Foreign) check(i Info, in, out onnxruntime.Value) error {
	if err := i.validate(); err != nil {
		return errors.New(strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	if in.Shape[0] > 1 {
		return fmt.Errorf("the network takes exactly %d images at a time: export it with a free batch size, or with 1", in.Shape[0])
	}
	f.batch = max(0, in.Shape[0])
	want := i.Images() * i.Preprocess.Channels()
	if f.channels < 0 {
		f.channels = want
	}
	if f.channels != want {
		return fmt.Errorf("the network takes images of %d channels, and %d are described: list those of a case's images with channels, such as [0, 1]; neighbouring slices and colours as channels are not run", f.channels, want)
	}
	at := [2]int{2, 3}
	if f.transpose {
		at = [2]int{3, 2}
	}
	for n, side := range []int{i.Preprocess.Height, i.Preprocess.Width} {
		if f.size[n] = max(0, in.Shape[at[n]]); f.size[n] > 0 && f.size[n] != side {
			return fmt.Errorf("the network takes images of %d x %d, and the canvas is %d x %d", in.Shape[at[0]], in.Shape[at[1]], i.Preprocess.Height, i.Preprocess.Width)
		}
		if o := out.Shape[at[n]]; f.size[n] > 0 && o > 0 && o != f.size[n] {
			return fmt.Errorf("the network answers images of %d x %d with %d x %d: want an answer for each pixel", in.Shape[2], in.Shape[3], out.Shape[2], out.Shape[3])
		}
	}
	alone := f.outputs == 1 && f.classes == 2 // the second class
	switch {
	case alone && f.kind != sigmoids && f.kind != sigmoidLogits:
		return fmt.Errorf("the network's output has 1 channel, the class %s: say in %s whether it is output: sigmoid or output: sigmoid-logits", i.Classes[1], filepath.Base(beside(f.file)))
	case !alone && f.outputs != f.classes:
		return fmt.Errorf("the network's output has %d channels, and %d classes are named (%s): want as many, the background first", f.outputs, f.classes, strings.Join(i.Classes, ", "))
	}
	return nil
}

// Fits returns an error if the slices of a grid are larger than the canvas and would be cut. Networks of our own format cut them, as in the training.
func (m *Model) Fits(g volume.Grid) error {
	if h, w := m.Preprocess.SliceSize(g); m.Foreign != nil && m.Preprocess.Fit == preprocess.Pad && (h > m.Preprocess.Height || w > m.Preprocess.Width) {
		return m.Foreign.cuts(m.Preprocess, h, w)
	}
	return nil
}

func (f *Foreign) cuts(p preprocess.Config, h, w int) error {
	return fmt.Errorf("slices of %d x %d pixels are larger than the canvas of %d x %d that %s gets, and padding would cut them: say fit: resize if the network was trained so, else a larger canvas", h, w, p.Height, p.Width, f.file)
}

// grows returns the canvas for slices of h x w: larger than p's where slices are padded.
func (f *Foreign) grows(p preprocess.Config, h, w int) (preprocess.Config, error) {
	if p.Fit != preprocess.Pad || h <= p.Height && w <= p.Width {
		return p, nil
	}
	if f.size != [2]int{} {
		return p, f.cuts(p, h, w)
	}
	m := f.multiple
	p.Height, p.Width = max(p.Height, (h+m-1)/m*m), max(p.Width, (w+m-1)/m*m)
	return p, nil
}
