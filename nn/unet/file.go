package unet

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/nextslice/nextslice/nn"
	"github.com/nextslice/nextslice/nn/safetensors"
	"github.com/nextslice/nextslice/tensor"
)

// format is the value of the metadata key "format" in a network's file.
const format = "nextslice-unet-1"

// moduleFormat is that of a loss module's file.
const moduleFormat = "nextslice-loss-module-1"

// sigmoid is the value of the metadata key "probabilities" where they are not the softmax.
const sigmoid = "sigmoid"

// Save writes the weights and running statistics to a safetensors file, under PyTorch's names and in its order, with
// the Config as metadata. It replaces a file of that name, in full or, after an error, not at all.
func (n *Net) Save(path string) error { return safetensors.Write(path, n.File()) }

// File returns the contents of the file that Save writes. Readers pass over metadata that they do not know: a caller may
// add to it.
func (n *Net) File() *safetensors.File {
	f := &safetensors.File{Metadata: map[string]string{
		"format":  format,
		"classes": strconv.Itoa(n.config.Classes),
		"width":   strconv.Itoa(n.config.Width),
		"dropout": strconv.FormatFloat(n.config.Dropout, 'g', -1, 64),
	}}
	if n.config.Sigmoid {
		f.Metadata["probabilities"] = sigmoid
	}
	if n.config.Channels > 1 {
		f.Metadata["channels"] = strconv.Itoa(n.config.Channels)
	}
	return withWeights(f, n.Params())
}

// Save writes the module's weights as [Net.Save] does those of a network.
func (m *LossModule) Save(path string) error {
	return safetensors.Write(path, withWeights(&safetensors.File{Metadata: map[string]string{
		"format": moduleFormat,
		"width":  strconv.Itoa(m.level[0].In),
	}}, &m.params))
}

func withWeights(f *safetensors.File, params *nn.Params) *safetensors.File {
	for _, list := range [][]*nn.Param{params.List, params.Buffers} {
		for _, p := range list {
			f.Tensors = append(f.Tensors, safetensors.Float32s(p.Name, p.Shape, p.Export()))
		}
	}
	return f
}

// Load reads a network that Save wrote; it computes on e. The file must have every weight in its shape, and nothing
// else. Weights that are not finite are refused by name.
func Load(e tensor.Engine, path string) (*Net, error) {
	return safetensors.ReadAs(path, func(f *safetensors.File) (*Net, error) { return FromFile(e, f) })
}

// LoadLossModule reads a module that its Save wrote, as [Load] reads a network.
func LoadLossModule(path string) (*LossModule, error) {
	return safetensors.ReadAs(path, moduleFromFile)
}

func moduleFromFile(f *safetensors.File) (*LossModule, error) {
	if f.Metadata["format"] != moduleFormat {
		return nil, fmt.Errorf("want a loss module of format %s, got %q", moduleFormat, f.Metadata["format"])
	}
	width, err := strconv.Atoi(f.Metadata["width"])
	if err == nil {
		err = Config{Classes: 2, Width: width}.Validate()
	}
	if err != nil {
		return nil, fmt.Errorf("width: %w", err)
	}
	m := declareLossModule(width)
	return m, fill(&m.params, f, width)
}

// FromFile returns the network of a file's contents, as Load does.
func FromFile(e tensor.Engine, f *safetensors.File) (*Net, error) {
	c, err := configOf(f.Metadata)
	if err != nil {
		return nil, err
	}
	n := declare(e, c)
	if err := fill(&n.params, f, c.Width); err != nil {
		return nil, err
	}
	n.open()
	return n, nil
}

// fill gives declared weights those of a file, which must have all of them and no others.
func fill(params *nn.Params, f *safetensors.File, width int) error {
	named := params.Named()
	// Everything is checked before memory is taken for weights that the file may not have.
	for _, t := range f.Tensors {
		p := named[t.Name]
		if p == nil {
			return fmt.Errorf("unknown array %s for a network of width %d", t.Name, width)
		}
		if t.DType != "F32" || !slices.Equal(t.Shape, p.Shape) {
			return fmt.Errorf("%s: want F32 %v, got %s %v", t.Name, p.Shape, t.DType, t.Shape)
		}
	}
	if len(f.Tensors) < len(named) { // names in a file are distinct
		for name := range named {
			if _, ok := f.Find(name); !ok {
				return fmt.Errorf("%s is missing (%d of %d arrays)", name, len(f.Tensors), len(named))
			}
		}
	}
	params.Alloc(rand.New(rand.NewPCG(0, 0))) // every draw is overwritten
	for _, t := range f.Tensors {
		x, err := t.Float32s()
		if err != nil {
			return err
		}
		for i, v := range x {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return fmt.Errorf("%s: element %d is %v: the training that wrote it diverged", t.Name, i, v)
			}
		}
		named[t.Name].Import(x)
	}
	params.Changed()
	return nil
}

func configOf(metadata map[string]string) (Config, error) {
	if metadata["format"] != format {
		return Config{}, fmt.Errorf("want a network of format %s, got %q", format, metadata["format"])
	}
	var c Config
	var err error
	if c.Classes, err = strconv.Atoi(metadata["classes"]); err != nil {
		return c, fmt.Errorf("classes: %w", err)
	}
	if c.Width, err = strconv.Atoi(metadata["width"]); err != nil {
		return c, fmt.Errorf("width: %w", err)
	}
	if c.Dropout, err = strconv.ParseFloat(metadata["dropout"], 64); err != nil {
		return c, fmt.Errorf("dropout: %w", err)
	}
	if text, ok := metadata["channels"]; ok {
		if c.Channels, err = strconv.Atoi(text); err != nil {
			return c, fmt.Errorf("channels: %w", err)
		}
	}
	if p, ok := metadata["probabilities"]; ok && p != sigmoid {
		return c, fmt.Errorf("probabilities: want %s or nothing, got %q", sigmoid, p)
	}
	c.Sigmoid = metadata["probabilities"] == sigmoid
	return c, c.Validate()
}
