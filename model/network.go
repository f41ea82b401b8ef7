package model

import (
	"fmt"

	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/tensor"
)

// Network is a trained network and how it sees slices. It is used by one goroutine at a time.
type Network struct {
	Net        *unet.Net
	Foreign    *Foreign          // in place of Net
	Preprocess preprocess.Config // how slices are brought to the canvas, [Height Width], and back

	Module  *unet.LossModule // trained together with Net to predict losses; only scores with PredictedLoss need it
	Members [][]float32      // states (unet.Net.State) of the further networks of an ensemble; only scores with Members need them

	// Weights of the classes in scores with ClassWeights, which only these need: see classWeights.
	Weights []float64

	preprocess.Refinement // of Segment and Evaluate; scores and features are not concerned

	// Progress, which may be nil, is called as the images of Predict, Score or Features, or the cases of Evaluate, are
	// done, one by one.
	Progress func(done, of int)
}

// LoadNetwork reads the network of a file that [Model.Save] or [unet.Net.Save] wrote, with or without an [Info]. It
// computes on e, and its slices are made by p.
func LoadNetwork(e tensor.Engine, path string, p preprocess.Config) (Network, error) {
	net, err := unet.Load(e, path)
	return Network{Net: net, Preprocess: p}, err
}

// LoadModule reads the module of the network from a file that [unet.LossModule.Save] wrote.
func (n *Network) LoadModule(path string) (err error) {
	n.Module, err = unet.LoadLossModule(path)
	return err
}

// Classes returns K, the number of classes with the background.
func (n Network) Classes() int {
	if n.Foreign != nil {
		return n.Foreign.classes
	}
	return n.Net.Config().Classes
}

// channels returns the number of channels of an image.
func (n Network) channels() int {
	if n.Foreign != nil {
		return n.Foreign.channels
	}
	return max(1, n.Net.Config().Channels)
}

// sigmoid reports whether the probabilities are a sigmoid for each class, which need not sum to 1.
func (n Network) sigmoid() bool {
	if n.Foreign != nil {
		return n.Foreign.sigmoids()
	}
	return n.Net.Config().Sigmoid
}

// threads returns how many threads are idle while the network does not compute.
func (n Network) threads() int {
	if n.Foreign != nil {
		return n.Foreign.threads
	}
	return n.Net.Threads()
}

func (n Network) done(done, of int) {
	if n.Progress != nil {
		n.Progress(done, of)
	}
}

// ItemError says which image has no score.
type ItemError struct {
	Item int // index in the images
	Err  error
}

func (e *ItemError) Error() string { return fmt.Sprintf("item %d: %v", e.Item, e.Err) }
func (e *ItemError) Unwrap() error { return e.Err }
