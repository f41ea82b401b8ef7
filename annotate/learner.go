package annotate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/train"
	"github.com/nextslice/nextslice/uncertainty"
)

// Learner trains models and reads stored ones. It and its models are used by one goroutine at a time.
type Learner interface {
	Train(ctx context.Context, c train.Config, data train.Set, seed uint64, progress func(train.Progress)) (Model, error)
	Load(path string, h, w int) (Model, error)
	Close() error
}

// Model predicts slices on the canvas.
type Model interface {
	// Predict calls each with the class probabilities of each image, [H W K], valid until each returns.
	Predict(ctx context.Context, images [][]float32, each func(i int, probs []float32) error) error
	// Score returns the score of each image; higher = label sooner. progress may be nil.
	Score(ctx context.Context, images [][]float32, s uncertainty.Score, rng *rand.Rand, progress func(done, of int)) ([]float64, error)
	Save(path string) error
}

// Networks returns a Learner of U-Nets that computes on e and closes it.
func Networks(e tensor.Engine) Learner { return networks{e} }

type networks struct{ e tensor.Engine }

func (n networks) Train(ctx context.Context, c train.Config, data train.Set, seed uint64, progress func(train.Progress)) (Model, error) {
	r, err := train.Run(ctx, n.e, c, data, seed, progress)
	if err != nil {
		return nil, err
	}
	return network{model.Network{Net: r.Net, Preprocess: preprocess.Config{Height: data.H, Width: data.W}}}, nil
}

func (n networks) Load(path string, h, w int) (Model, error) {
	net, err := model.LoadNetwork(n.e, path, preprocess.Config{Height: h, Width: w})
	return network{net}, err
}

func (n networks) Close() error { return n.e.Close() }

type network struct{ model.Network }

func (n network) Score(ctx context.Context, images [][]float32, s uncertainty.Score, rng *rand.Rand, progress func(done, of int)) ([]float64, error) {
	n.Progress = progress
	return n.Network.Score(ctx, images, s, rng)
}

func (n network) Save(path string) error { return n.Net.Save(path) }

// canServe returns an error unless annotation can carry out a strategy.
func canServe(s query.Spec) error {
	switch needs := s.Strategy.Needs(); {
	case s.Score.Members > 0 || s.Score.PredictedLoss:
		return fmt.Errorf("annotation does not compute the score %s, which takes more trainings", s.Score.Name)
	case needs.HiddenForeground:
		return errors.New("it looks at masks that nobody has drawn yet: it exists in simulations only")
	case needs.Features != query.NoFeatures:
		return fmt.Errorf("annotation does not compute the %s features that it needs", needs.Features)
	}
	return nil
}
