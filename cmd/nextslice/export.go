package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/tensor/ref"
)

type exportCommand struct {
	Model string `arg:"" placeholder:"MODEL" help:"Model file: of the train command, of simulate --save-models, or in models/ of an annotation project."`
	Out   string `arg:"" placeholder:"OUT.onnx" help:"ONNX file to write."`

	KeepNorm bool `help:"Keep each batch normalisation as a node of its own, instead of folding it into the convolution before it."`
	Force    bool `help:"Replace the file if it is there."`
}

func (exportCommand) Help() string {
	return `Writes a model as ONNX, which ONNX Runtime, OpenVINO, TensorRT, MATLAB and others run. The graph takes "image" [N channels H W],
float32, and gives "probabilities" [N classes H W]; N, H and W are free. Canvas, normalisation and classes are in the file's metadata, and
its description says in words how slices are made: see docs/how-to/run-a-model-elsewhere.md.

Examples:
  nextslice export prostate.safetensors prostate.onnx
  nextslice export scans-annotation/models/0003.safetensors prostate.onnx --keep-norm`
}

func (c exportCommand) Run(s streams) error {
	if !strings.EqualFold(filepath.Ext(c.Out), ".onnx") {
		return usagef("%s: want a name that ends with .onnx", c.Out)
	}
	if err := checkFree(c.Out, c.Force); err != nil {
		return err
	}
	if model.IsONNX(c.Model) {
		return usagef("%s is an ONNX file already", c.Model)
	}
	m, err := model.Load(ref.New(1), c.Model)
	if err != nil {
		return err
	}
	if err := m.WriteONNX(c.Out, record.Environment().Version, !c.KeepNorm); err != nil {
		return err
	}
	n := m.Net.Config()
	fmt.Fprintf(s.out, "%s: image [N %d H W] → probabilities [N %d H W]; canvas %d x %d, classes %s\n", c.Out, max(1, n.Channels), n.Classes,
		m.Preprocess.Height, m.Preprocess.Width, strings.Join(m.Classes, ", "))
	return nil
}
