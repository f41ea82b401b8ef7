package unet

import (
	"fmt"
	"math"

	"github.com/nextslice/nextslice/nn"
	"github.com/nextslice/nextslice/nn/onnx"
)

// Graph returns the network at inference as an ONNX graph: from "image" [N Channels H W] to "probabilities" [N Classes H W], any N,
// and any H and W of at least 8. With fold each batch normalisation is part of the convolution before it, as in Forward; without it
// is a node of its own.
func (n *Net) Graph(fold bool) onnx.Graph {
	b := graphBuilder{named: n.Params().Named(), fold: fold}
	b.Name = "unet"
	b.Inputs = []onnx.Value{{Name: "image", Shape: []any{"N", max(1, n.config.Channels), "H", "W"}}}
	b.Outputs = []onnx.Value{{Name: "probabilities", Shape: []any{"N", n.config.Classes, "H", "W"}}}

	x, enc := "image", [Levels]string{}
	for level := range enc {
		name := fmt.Sprintf("enc%d", level+1)
		enc[level] = b.double(name, x)
		x = b.Node("MaxPool", name+".pool", []string{enc[level]}, onnx.Attribute{Name: "kernel_shape", Value: []int{2, 2}},
			onnx.Attribute{Name: "strides", Value: []int{2, 2}})
	}
	x = b.double("center", x)
	for level := Levels - 1; level >= 0; level-- {
		name := fmt.Sprint(Levels - level)
		x = b.up("up"+name, x, enc[level])
		x = b.Node("Concat", "cat"+name, []string{x, enc[level]}, onnx.Attribute{Name: "axis", Value: 1})
		x = b.double("dec"+name, x)
	}
	x = b.Node("Conv", "logits", b.weights("out", x), onnx.Attribute{Name: "kernel_shape", Value: []int{1, 1}})
	if n.config.Sigmoid {
		b.Node("Sigmoid", "probabilities", []string{x})
	} else {
		b.Node("Softmax", "probabilities", []string{x}, onnx.Attribute{Name: "axis", Value: 1})
	}
	return b.Graph
}

// graphBuilder adds the layers of a network to a graph.
type graphBuilder struct {
	onnx.Graph
	named map[string]*nn.Param
	fold  bool
}

// weights adds the weight and bias of a layer, and returns the layer's inputs.
func (b *graphBuilder) weights(layer, x string) []string {
	return []string{x, b.param(layer + ".weight"), b.param(layer + ".bias")}
}

func (b *graphBuilder) param(name string) string {
	p := b.named[name]
	b.Floats(name, p.Shape, p.Export())
	return name
}

func (b *graphBuilder) double(name, x string) string {
	return b.block(name, "2", b.block(name, "1", x))
}

// block adds a convolution, its normalisation and LeakyReLU.
func (b *graphBuilder) block(name, index, x string) string {
	conv, norm := name+".conv"+index, name+".norm"+index
	attributes := []onnx.Attribute{{Name: "kernel_shape", Value: []int{3, 3}}, {Name: "pads", Value: []int{1, 1, 1, 1}}}
	if b.fold {
		b.folded(conv, norm)
		x = b.Node("Conv", conv, []string{x, conv + ".weight", conv + ".bias"}, attributes...)
	} else {
		x = b.Node("Conv", conv, b.weights(conv, x), attributes...)
		inputs := append(b.weights(norm, x), b.param(norm+".running_mean"), b.param(norm+".running_var"))
		x = b.Node("BatchNormalization", norm, inputs, onnx.Attribute{Name: "epsilon", Value: float32(nn.Eps)})
	}
	return b.Node("LeakyRelu", name+".relu"+index, []string{x}, onnx.Attribute{Name: "alpha", Value: float32(nn.Slope)})
}

// folded adds the weights of a convolution that its normalisation is part of.
func (b *graphBuilder) folded(conv, norm string) {
	w := b.named[conv+".weight"]
	weights, bias := w.Export(), make([]float32, w.Shape[0])
	each := len(weights) / len(bias)
	for o := range bias {
		scale := float64(b.named[norm+".weight"].Data[o]) / math.Sqrt(float64(b.named[norm+".running_var"].Data[o])+nn.Eps)
		shift := float64(b.named[conv+".bias"].Data[o]) - float64(b.named[norm+".running_mean"].Data[o])
		bias[o] = float32(scale*shift + float64(b.named[norm+".bias"].Data[o]))
		for i := range each {
			weights[o*each+i] = float32(scale * float64(weights[o*each+i]))
		}
	}
	b.Floats(conv+".weight", w.Shape, weights)
	b.Floats(conv+".bias", []int{len(bias)}, bias)
}

// up adds a transposed convolution, and the row and column of zeros that it lacks to the size of like where that is odd.
func (b *graphBuilder) up(name, x, like string) string {
	x = b.Node("ConvTranspose", name, b.weights(name, x), onnx.Attribute{Name: "kernel_shape", Value: []int{2, 2}},
		onnx.Attribute{Name: "strides", Value: []int{2, 2}})
	size := func(of string) string {
		return b.Node("Shape", name+".size."+of, []string{of}, onnx.Attribute{Name: "start", Value: 2}, onnx.Attribute{Name: "end", Value: 4})
	}
	b.Ints(name+".zeros", 0, 0, 0, 0, 0, 0)
	missing := b.Node("Sub", name+".missing", []string{size(like), size(x)})
	pads := b.Node("Concat", name+".pads", []string{name + ".zeros", missing}, onnx.Attribute{Name: "axis", Value: 0})
	return b.Node("Pad", name+".padded", []string{x, pads})
}
