package unet

import (
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/nextslice/nextslice/nn/onnx"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
)

var graphs = flag.String("onnx", "", "write the graphs and their images to this `folder`, for internal/bench/onnx_vectors.py")

// graphCase is a network whose graph ONNX Runtime has run, see internal/bench/onnx_vectors.py.
type graphCase struct {
	Name          string
	Config        Config
	Fold          bool
	Height, Width int
	SHA256        string    // of the graph's file
	Probabilities []float32 // [1 K H W], by ONNX Runtime
}

// graphCases are all kinds of networks, and sizes that are odd at every level.
var graphCases = []graphCase{
	{Name: "plain", Config: Config{Classes: 2, Width: 2}, Height: 16, Width: 8},
	{Name: "folded", Config: Config{Classes: 3, Width: 4, Channels: 3}, Fold: true, Height: 15, Width: 13},
	{Name: "sigmoid", Config: Config{Classes: 2, Width: 2, Sigmoid: true, Channels: 2}, Height: 9, Width: 22},
}

// network returns a network with running statistics as after a training, and an image for it, [C H W].
func (c graphCase) network() (*Net, []float32) {
	rng := rand.New(rand.NewPCG(24, 1))
	n := New(ref.New(1), c.Config, rng)
	for i, b := range n.params.Buffers {
		for j := range b.Data {
			b.Data[j] = float32(i%2)*0.5 + rng.Float32() - 0.25*float32(1-i%2)
		}
	}
	for i := range n.params.Weights {
		n.params.Weights[i] *= 1.8 // or the image would be forgotten on the way through random layers
	}
	n.params.Changed()
	image := make([]float32, max(1, c.Config.Channels)*c.Height*c.Width)
	for i := range image {
		image[i] = float32(rng.NormFloat64())
	}
	return n, image
}

func (c graphCase) encode(n *Net) []byte {
	return onnx.Model{Producer: "nextslice", Graph: n.Graph(c.Fold), Metadata: map[string]string{"b": "2", "a": "1"}}.Encode()
}

// The graph that ONNX Runtime has computed is the one that is written today, and its probabilities are the network's.
func TestGraphAgreesWithONNXRuntime(t *testing.T) {
	if *graphs != "" {
		for _, c := range graphCases {
			n, image := c.network()
			data, err := json.Marshal(map[string]any{"name": c.Name, "shape": []int{1, max(1, c.Config.Channels), c.Height, c.Width}, "image": image})
			if err == nil {
				err = os.WriteFile(filepath.Join(*graphs, c.Name+".json"), data, 0o666)
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(*graphs, c.Name+".onnx"), c.encode(n), 0o666)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	data, err := os.ReadFile("testdata/onnx.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]graphCase
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	for _, c := range graphCases {
		t.Run(c.Name, func(t *testing.T) {
			want := want[c.Name]
			n, image := c.network()
			if got := fmt.Sprintf("%x", sha256.Sum256(c.encode(n))); got != want.SHA256 {
				t.Errorf("the graph is not the one that ONNX Runtime has computed: run internal/bench/onnx_vectors.py")
			}
			x := tensor.New(tensor.Shape{N: 1, H: c.Height, W: c.Width, C: max(1, c.Config.Channels)})
			tensor.Interleave(x.Data, image, x.C)
			logits := n.Forward(x, Pass{})
			p := tensor.New(logits.Shape)
			n.Probabilities(p, logits)
			if len(want.Probabilities) != p.Len() {
				t.Fatalf("%d probabilities, want %d", len(want.Probabilities), p.Len())
			}
			for k := range p.C {
				for i := range p.Pixels() {
					if a, b := p.Data[i*p.C+k], want.Probabilities[k*p.Pixels()+i]; !(math.Abs(float64(a-b)) <= 1e-5) {
						t.Fatalf("class %d, pixel %d: %v, by ONNX Runtime %v", k, i, a, b)
					}
				}
			}
		})
	}
}
