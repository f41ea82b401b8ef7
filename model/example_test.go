package model_test

import (
	"context"
	"fmt"

	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor/ref"
)

// Which 2 of 6 slices to label next, by stochastic batches on the entropy of a network, here one without training.
func Example() {
	engine := ref.New(1)
	defer engine.Close()
	const side = 16
	network := model.Network{
		Net:        unet.New(engine, unet.Config{Classes: 2, Width: 4}, random.Stream(1, "init")),
		Preprocess: preprocess.Config{Height: side, Width: side},
	}
	slices := make([][]float32, 6)
	for i := range slices {
		slices[i] = make([]float32, side*side)
		slices[i][i] = float32(i)
	}

	spec, err := query.Parse("entropy+sb")
	if err != nil {
		fmt.Println(err)
		return
	}
	pool := network.Pool(context.Background(), spec, model.Candidates{Images: slices})
	picks, err := spec.Strategy.Select(pool, 2, random.Stream(1, "query", 0))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("label", picks.Items, "of", picks.Scored, "scored")
	// Output: label [2 3] of 4 scored
}
