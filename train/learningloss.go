package train

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/nextslice/nextslice/nn"
	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/train/recipe"
)

// moduleTraining trains a loss module beside a network.
type moduleTraining struct {
	config     recipe.LearningLoss
	module     *unet.LossModule
	sgd        *nn.SGD
	dpredicted []float32
	ranks      bool // it learns to rank: by unet.RankLoss
	reaches    int  // steps in which its gradient reaches the encoder
}

// newModuleTraining returns that of a strategy whose own loss of the module is recipe.Hinge or recipe.RankNet, and whose own gradient reaches the encoder in this fraction of
// the training.
func newModuleTraining(c Config, own string, gradient float64, rng *rand.Rand) *moduleTraining {
	if c.LearningLoss.Gradient != recipe.OwnGradient {
		gradient = c.LearningLoss.Gradient
	}
	module := unet.NewLossModule(c.Width, rng)
	return &moduleTraining{
		config:     c.LearningLoss,
		module:     module,
		sgd:        nn.NewSGD(module.Params(), c.LearningLoss.Momentum, c.LearningLoss.WeightDecay),
		dpredicted: make([]float32, c.Batch),
		ranks:      cmp.Or(c.LearningLoss.Loss, own) == recipe.RankNet,
		reaches:    int(math.Round(gradient * float64(c.Steps))),
	}
}

// gradient returns the module's loss for a mini-batch, of which it gets the features and the segmentation losses, and
// the gradient that goes back into the encoder: none once the first part of the training is over.
func (m *moduleTraining) gradient(features unet.Features, losses []float32, step, steps int) (float64, unet.Features, error) {
	loss := 0.0
	if predicted := m.module.Forward(features); m.ranks {
		loss = unet.RankLoss(m.dpredicted, predicted, losses)
	} else {
		loss = unet.PairLoss(m.dpredicted, predicted, losses, m.config.Margin)
	}
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return 0, unet.Features{}, fmt.Errorf("the loss module's loss became %v in step %d of %d: lower learning-loss.learning-rate (now %v)",
			loss, step+1, steps, m.config.LearningRate)
	}
	for i := range m.dpredicted {
		m.dpredicted[i] *= float32(m.config.Weight)
	}
	d := m.module.Backward(m.dpredicted)
	if step >= m.reaches {
		d = unet.Features{}
	}
	return loss, d, nil
}
