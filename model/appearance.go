package model

import (
	"context"
	"errors"

	"github.com/nextslice/nextslice/query"
)

// appearanceSide is the number of rows and columns that Appearance reduces an image to, or fewer where it has fewer.
const appearanceSide = 16

// Appearance returns the [query.Appearance] features of images [C H W]: each channel averaged over a grid of 16 × 16 fields. Field i of n
// along H pixels covers rows ⌊i·H/n⌋ to ⌊(i+1)·H/n⌋. No network is needed.
func Appearance(images [][]float32, h, w int) [][]float32 {
	rows, columns := min(appearanceSide, h), min(appearanceSide, w)
	vectors := make([][]float32, len(images))
	for i, image := range images {
		for from := 0; from < len(image); from += h * w {
			for r := range rows {
				for c := range columns {
					sum, n := 0.0, 0
					for y := r * h / rows; y < (r+1)*h/rows; y++ {
						for x := c * w / columns; x < (c+1)*w/columns; x++ {
							sum += float64(image[from+y*w+x])
							n++
						}
					}
					vectors[i] = append(vectors[i], float32(sum/float64(n)))
				}
			}
		}
	}
	return vectors
}

// AppearancePool offers candidates to a strategy that compares items by what they look like and asks nothing of a network that learns from labels,
// such as s, a query.TypiClust. ctx ends what is computed.
func AppearancePool(ctx context.Context, s query.Strategy, c Candidates, h, w int) query.Pool {
	p := query.Pool{N: len(c.Images), Positions: c.Positions}
	f := s.Needs().Features
	p.Features = func() ([][]float32, error) { return c.appearance(ctx, f, c.Images, h, w) }
	p.LabelledFeatures = func() ([][]float32, error) { return c.appearance(ctx, f, c.Labelled, h, w) }
	return p
}

// appearance returns the query.Appearance or query.Latent features of some images.
func (c Candidates) appearance(ctx context.Context, f query.Features, images [][]float32, h, w int) ([][]float32, error) {
	if f != query.Latent {
		return Appearance(images, h, w), nil
	}
	if c.Latent == nil {
		return nil, errors.New("model: items are compared by an autoencoder, and nobody trains one")
	}
	means, err := c.Latent(ctx)
	if err != nil {
		return nil, err
	}
	return means(ctx, images)
}
