package dataset_test

import (
	"context"
	"fmt"
	"os"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/dataset/phantom"
	"github.com/nextslice/nextslice/random"
)

// From a folder to the slices of the pool.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := phantom.Write(ctx, dir, 3, 1, nil); err != nil {
		panic(err)
	}

	d, err := dataset.Open(dir)
	if err != nil {
		panic(err)
	}
	fmt.Println(d.Layout, len(d.Cases), "cases", d.Classes, len(d.Problems), "problems")
	split, err := d.Split(dataset.DefaultSplit(), random.Stream(1, "split"))
	if err != nil {
		panic(err)
	}
	slices, err := dataset.Load(ctx, d, split.Pool, d.Preprocess(-1), nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(len(split.Pool), "cases in the pool,", len(split.Test), "in the test; the first item is", slices.Names[0])
	pool := dataset.NewPool(len(slices.Items))
	if err := pool.Add([]int{3, 7}); err != nil {
		panic(err)
	}
	fmt.Println("labelled:", pool.Labelled())
	// Output:
	// Decathlon 3 cases [background prostate] 0 problems
	// 2 cases in the pool, 1 in the test; the first item is phantom_000/000
	// labelled: [3 7]
}
