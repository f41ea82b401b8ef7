package annotate

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/nextslice/nextslice/annotate/store"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/train"
	"github.com/nextslice/nextslice/train/recipe"
)

// encoder is a Learner that also trains an autoencoder of slices.
type encoder interface {
	// Means trains one for so many steps and returns the latent mean of each image, [C H W].
	Means(ctx context.Context, steps int, a recipe.Augment, p preprocess.Config, images [][]float32, seed uint64, progress func(train.Progress)) ([][]float32, error)
}

func (n networks) Means(ctx context.Context, steps int, a recipe.Augment, p preprocess.Config, images [][]float32, seed uint64, progress func(train.Progress)) ([][]float32, error) {
	k, err := train.RunAutoencoder(ctx, n.Engine, steps, a, images, p.Height, p.Width, seed, progress)
	if err != nil {
		return nil, err
	}
	return k.Means(ctx, images)
}

// latentMeans returns those of these items and others: it trains an autoencoder of all training slices, in the order and from the seed of a simulation, unless it
// has been trained since the project was opened.
func (q *Queue) latentMeans(ctx context.Context, steps int, items []Item) (map[Item][]float32, error) {
	q.coding.Lock()
	defer q.coding.Unlock()
	if !slices.ContainsFunc(items, func(item Item) bool { return q.means[item] == nil }) {
		return q.means, nil
	}
	if q.learner == nil {
		return nil, errNoEncoder
	}
	learner, err := q.learner()
	if err != nil {
		return nil, err
	}
	defer learner.Close()
	e, ok := learner.(encoder)
	if !ok {
		return nil, errNoEncoder
	}
	var all []Item
	var images [][]float32
	for _, item := range q.cases.items(store.Training) {
		if image := q.cases.slice(item); image != nil {
			all, images = append(all, item), append(images, image)
		}
	}
	defer q.events.setTraining(Training{})
	last, seed := time.Time{}, random.Stream(q.config.Seed, "autoencoder").Uint64()
	means, err := e.Means(ctx, steps, q.config.Train.Augment, q.config.Preprocess, images, seed, func(p train.Progress) {
		if p.Step == p.Of || time.Since(last) > 250*time.Millisecond {
			last = time.Now()
			q.events.setTraining(Training{Running: true, Phase: "train", Step: p.Step, Steps: p.Of, Loss: p.Loss, SecondsLeft: p.Left.Seconds()})
		}
	})
	if err != nil {
		return nil, err
	}
	q.means = map[Item][]float32{}
	for i, item := range all {
		q.means[item] = means[i]
	}
	return q.means, nil
}

var errNoEncoder = errors.New("the cold start by features=vae trains an autoencoder, which this server cannot: begin the project with --cold-start typiclust")
