package annotate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/scoring"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/train"
	"github.com/nextslice/nextslice/nn/unet"
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
	// Score calls each with the score of each image; higher = label sooner.
	Score(ctx context.Context, images [][]float32, s query.Score, rng *rand.Rand, each func(i int, score float64) error) error
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
	return network{r.Net, data.H, data.W}, nil
}

func (n networks) Load(path string, h, w int) (Model, error) {
	net, err := unet.Load(n.e, path)
	if err != nil {
		return nil, err
	}
	return network{net, h, w}, nil
}

func (n networks) Close() error { return n.e.Close() }

type network struct {
	net  *unet.Net
	h, w int
}

func (n network) Predict(ctx context.Context, images [][]float32, each func(i int, probs []float32) error) error {
	return train.Predict(ctx, n.net, n.h, n.w, images, unet.Pass{}, each)
}

func (n network) Score(ctx context.Context, images [][]float32, s query.Score, rng *rand.Rand, each func(i int, score float64) error) error {
	return scoring.Network{Net: n.net, H: n.h, W: n.w}.Score(ctx, s, images, rng, each)
}

func (n network) Save(path string) error { return n.net.Save(path) }

// canServe returns an error unless annotation can carry out a strategy.
func canServe(s query.Spec) error {
	switch {
	case s.Score.Members > 0 || s.Score.PredictedLoss:
		return fmt.Errorf("annotation does not compute the score %s, which takes more trainings", s.Score.Name)
	case s.UsesHiddenMasks():
		return errors.New("it looks at masks that nobody has drawn yet: it exists in simulations only")
	case s.Features() != query.NoFeatures:
		return fmt.Errorf("annotation does not compute the %s features that it needs", s.Features())
	}
	return nil
}
