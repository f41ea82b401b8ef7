package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/nn/safetensors"
	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/volume"
)

// key is that of the Info in a file's metadata.
const key = "nextslice"

// Model is a trained network and what a prediction needs beside it.
type Model struct {
	Net     *unet.Net
	Foreign *Foreign // in place of Net: the network of an ONNX file
	Info

	// Doubts say what is wrong with the file that it was read from: see doubts. They are among the warnings of every prediction.
	Doubts []string
}

// Info is what a prediction needs beside the network.
type Info struct {
	Preprocess preprocess.Config `json:"preprocess"`
	Classes    []string          `json:"classes"` // names of the label values, background first
	// Values are the label values of the training's masks that stand for the classes 1, 2 …, in increasing order; nil if these are the values. Predictions
	// are written with them, see Segments.
	Values []int `json:"values,omitempty"`

	// Orientation is that of the training cases' axes, such as "LPS", or "" where their headers do not say: then the axes
	// of a case to be segmented must run as theirs did. Spacing is the median of theirs in mm, or zero.
	Orientation string     `json:"orientation,omitempty"`
	Spacing     [3]float64 `json:"spacing"`

	Channel  int               `json:"channel,omitempty"`  // of the training cases' images that was read, from 0
	Channels []dataset.Channel `json:"channels,omitempty"` // that were read together instead, in the order of the network's input

	preprocess.Refinement

	Preset string `json:"preset,omitempty"` // of the training
	Cases  int    `json:"cases,omitempty"`  // in the training
	Slices int    `json:"slices,omitempty"` // in the training

	LeftOut []string `json:"left-out,omitempty"` // cases that could not be used in the training
}

// Images returns the number of images that the model takes of a case, one a channel.
func (i Info) Images() int { return max(1, len(i.Channels)) }

// Describe returns the Info of models that are trained on cases of d, cut into slices by p: the orientation is that of
// most of the cases.
func Describe(d *dataset.Dataset, cases []int, p preprocess.Config) Info {
	info := Info{Preprocess: p, Classes: d.Classes, Values: d.Values(), Cases: len(cases), Channels: d.Channels}
	count := map[string]int{}
	for _, index := range cases {
		if g := d.Cases[index].Grid; g.Unit == volume.Millimetre {
			count[g.Orientation()]++
		}
	}
	for orientation, n := range count {
		if most := count[info.Orientation]; n > most || n == most && orientation < info.Orientation {
			info.Orientation = orientation
		}
	}
	var spacings [3][]float64
	for _, index := range cases {
		if g := d.Cases[index].Grid; g.Unit == volume.Millimetre && g.Orientation() == info.Orientation {
			for a, s := range g.Spacing() {
				spacings[a] = append(spacings[a], s)
			}
		}
	}
	for a, list := range spacings {
		if len(list) > 0 {
			slices.Sort(list)
			info.Spacing[a] = list[len(list)/2]
		}
	}
	return info
}

// Segments returns a predicted mask, which holds classes, with the classes' names and the label values of the training's masks.
func (i Info) Segments(m *volume.Mask) *volume.Segmentation {
	return volume.NewSegmentation(m, i.Classes).WithValues(i.Values)
}

// Network returns the network with how it sees slices.
func (m *Model) Network() Network {
	return Network{Net: m.Net, Foreign: m.Foreign, Preprocess: m.Preprocess, Refinement: m.Refinement}
}

// Save writes the model to a safetensors file: that of [unet.Net.Save], with the Info as JSON in its metadata. It
// replaces a file of that name, in full or, after an error, not at all.
func (m *Model) Save(path string) error { return m.Info.write(path, m.Net.File()) }

// Save writes the network and its info to a file as [Model.Save] does.
func (n Network) Save(path string, info Info) error { return info.write(path, n.Net.File()) }

// Complete adds info to the file of a network without, which older programs left in annotation projects.
func Complete(path string, info Info) error {
	f, err := safetensors.Read(path)
	if err != nil {
		return err
	}
	if _, complete := f.Metadata[key]; complete {
		return nil
	}
	return info.write(path, f)
}

func (i Info) write(path string, f *safetensors.File) error {
	text, err := json.Marshal(i)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	f.Metadata[key] = string(text)
	f.Metadata[sumKey] = sum(f)
	return safetensors.Write(path, f)
}

// Load reads a model that Save wrote; it computes on e. A network without Info is an error. The network of an ONNX file computes by ONNX Runtime, on as many
// threads, and is only ever asked for predictions and scores of plain passes: see [ServesForeign].
func Load(e tensor.Engine, path string) (*Model, error) {
	if IsONNX(path) {
		return loadForeign(path, e.Threads())
	}
	return safetensors.ReadAs(path, func(f *safetensors.File) (*Model, error) { return fromFile(e, f) })
}

func fromFile(e tensor.Engine, f *safetensors.File) (*Model, error) {
	text, ok := f.Metadata[key]
	if !ok {
		return nil, errors.New("the file does not say how its network was trained: use one that nextslice train, simulate --save-models or serve wrote; " +
			"of an older annotation project, open it once with nextslice serve, which completes the model in use")
	}
	m := &Model{Doubts: doubts(f)}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&m.Info); err != nil {
		return nil, fmt.Errorf("metadata %s: %w", key, err)
	}
	if err := m.Info.validate(); err != nil {
		return nil, fmt.Errorf("metadata %s: %w", key, err)
	}
	var err error
	if m.Net, err = unet.FromFile(e, f); err != nil {
		return nil, err
	}
	if k := m.Net.Config().Classes; k != len(m.Classes) {
		return nil, fmt.Errorf("metadata %s: %d class names for a network of %d classes", key, len(m.Classes), k)
	}
	if want, c := m.Images()*m.Preprocess.Channels(), max(1, m.Net.Config().Channels); c != want {
		return nil, fmt.Errorf("metadata %s: images of %d channels for a network of %d", key, want, c)
	}
	return m, nil
}

// maxCanvas bounds the side of the canvas of a model file, in pixels.
const maxCanvas = 4096

func (i Info) validate() error {
	if err := i.Preprocess.Validate(); err != nil {
		return err
	}
	if h, w := i.Preprocess.Height, i.Preprocess.Width; h < 1<<unet.Levels || w < 1<<unet.Levels || h > maxCanvas || w > maxCanvas {
		return fmt.Errorf("canvas %d x %d: want sides of %d to %d", h, w, 1<<unet.Levels, maxCanvas)
	}
	for n, v := range i.Values {
		if len(i.Values) != len(i.Classes)-1 || v < 1 || v > 255 || n > 0 && v <= i.Values[n-1] {
			return fmt.Errorf("label values %v: want one from 1 to 255 for each of %d classes, in increasing order", i.Values, len(i.Classes)-1)
		}
	}
	if i.Orientation != "" {
		if _, err := (&volume.Mask{Grid: volume.Grid{Affine: [3][4]float64{{1}, {0, 1}, {0, 0, 1}}}}).Turned(i.Orientation); err != nil {
			return err
		}
	}
	return nil
}
