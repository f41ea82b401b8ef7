package model

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/nextslice/nextslice/internal/atomicfile"
	"github.com/nextslice/nextslice/nn/onnx"
)

// outputKey is that of the kind of probabilities in the metadata of an ONNX file: softmax or sigmoid.
const outputKey = "output"

// WriteONNX writes the model as an ONNX file: see unet.Net.Graph, whose fold is given here, for the graph. Its metadata hold what a
// program must do before and after it: "nextslice" is the Info as JSON, "classes" the names of the classes as a JSON list, "canvas"
// height and width, "clip" the percentiles, "output" whether probabilities are a softmax or a sigmoid each; the file's description says in words what they mean. version is that of the program.
// It replaces a file of that name, in full or, after an error, not at all.
func (m *Model) WriteONNX(path, version string, fold bool) error {
	info, err := json.Marshal(m.Info)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	classes, err := json.Marshal(m.Classes)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	p, kind := m.Preprocess, softmaxes
	if m.Net.Config().Sigmoid {
		kind = sigmoids
	}
	data := onnx.Model{
		Producer: "nextslice", Version: version, Doc: m.Info.steps(), Graph: m.Net.Graph(fold),
		Metadata: map[string]string{
			key:       string(info),
			"classes": string(classes),
			"canvas":  fmt.Sprintf("%d x %d", p.Height, p.Width),
			"clip":    fmt.Sprintf("%g %g", p.ClipLow, p.ClipHigh),
			outputKey: kind,
		},
	}.Encode()
	if err := atomicfile.Write(path, data, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// steps says in words how a case becomes images, and probabilities become masks.
func (i Info) steps() string {
	p := i.Preprocess
	var b strings.Builder
	fmt.Fprintf(&b, "Each volume is clipped to its percentiles %g and %g and brought to mean 0 and variance 1. ", p.ClipLow, p.ClipHigh)
	fmt.Fprintf(&b, "Slices across index axis %d ", p.Axis)
	if i.Orientation != "" {
		fmt.Fprintf(&b, "of axes that run to %s ", i.Orientation)
	}
	if p.Crop > 0 && p.Crop < 1 {
		fmt.Fprintf(&b, "are cut to the middle %g of height and width, ", p.Crop)
	}
	how := "padded in the middle"
	if p.Fit == "resize" {
		how = "resized, bilinear with pixel centres at half pixels"
		if p.Antialias {
			how += " and averaged over the area where they become smaller"
		}
	}
	fmt.Fprintf(&b, "are %s to %d x %d. ", how, p.Height, p.Width)
	if n := p.Channels(); n > 1 {
		fmt.Fprintf(&b, "An image has %d channels for each of the case's %d: the slice, the one before it, the one after it, and so on. ", n, i.Images())
	}
	b.WriteString("Probabilities go the same way back; the most probable class is the mask.")
	return b.String()
}
