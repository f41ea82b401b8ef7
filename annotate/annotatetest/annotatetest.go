// Package annotatetest has small data and a fake learner for tests of annotation.
package annotatetest

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/train"
	"github.com/nextslice/nextslice/volume"
)

// Size of the volumes: 12 columns, 10 rows, 6 slices.
var Size = [3]int{12, 10, 6}

// Data writes the given number of cases "c0" … of a bright ball each, with masks, to a new folder in the layout images and labels.
// Slices 0 and 5 are empty.
func Data(t testing.TB, cases int) string {
	t.Helper()
	dir := t.TempDir()
	write := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, sub := range []string{"images", "labels"} {
		write(os.Mkdir(filepath.Join(dir, sub), 0o777))
	}
	for n := range cases {
		rng := random.Stream(1, "ball", n)
		grid := volume.Grid{Size: Size, Unit: volume.Millimetre, Affine: [3][4]float64{{-0.5, 0, 0, 3}, {0, -0.5, 0, 4}, {0, 0, 2, -5}}}
		v := &volume.Volume{Grid: grid, Data: make([]float32, grid.Len()), Stored: "int16"}
		m := &volume.Mask{Grid: grid, Data: make([]uint8, grid.Len())}
		x, y, r := 5+2*rng.Float64(), 4+2*rng.Float64(), 2.5+rng.Float64()
		for i := range v.Data {
			col, row, k := i%Size[0], i/Size[0]%Size[1], i/Size[0]/Size[1]
			v.Data[i] = float32(100 + rng.IntN(10))
			if k > 0 && k < 5 && math.Hypot(float64(col)-x, float64(row)-y) < r {
				v.Data[i], m.Data[i] = v.Data[i]+200, 1
			}
		}
		name := fmt.Sprintf("c%d.nii.gz", n)
		write(volume.WriteVolume(filepath.Join(dir, "images", name), v))
		write(volume.WriteMask(filepath.Join(dir, "labels", name), m))
	}
	return dir
}

// Learner is a fake that learns nothing: its models call a bright pixel class 1, the worse ones only every other. It can
// be told to wait, and to make a bad model. Set its fields before it is used.
type Learner struct {
	// Wait, if not nil, holds every training until an element comes.
	Wait chan struct{}
	// Bad says of which trainings (by the number of labels) the model is a bad one; Poor, of which it finds a corner only, and Blind, of
	// which it finds nothing.
	Bad, Poor, Blind func(labels int) bool

	mu        sync.Mutex
	Trainings []int // labels of each training
	Seeds     []uint64
	steps     []int
	predicted atomic.Int64
}

// Predicted returns how many slices the networks have segmented.
func (l *Learner) Predicted() int { return int(l.predicted.Load()) }

// StepsOf returns how many steps each training so far was to take.
func (l *Learner) StepsOf() []int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.steps)
}

// New is an annotate.Options.Learner.
func (l *Learner) New() (annotate.Learner, error) { return (*learner)(l), nil }

// Trained returns how many labels each training so far has seen.
func (l *Learner) Trained() []int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.Trainings)
}

type learner Learner

func (l *learner) Train(ctx context.Context, c train.Config, p preprocess.Config, data train.Set, seed uint64, progress func(train.Progress)) (annotate.Network, error) {
	progress(train.Progress{Step: 1, Of: 2, Loss: 1})
	if l.Wait != nil {
		select {
		case <-l.Wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(data.Images)
	l.Trainings, l.Seeds, l.steps = append(l.Trainings, n), append(l.Seeds, seed), append(l.steps, c.Steps)
	is := func(of func(int) bool) bool { return of != nil && of(n) }
	return network{Bad: is(l.Bad), Poor: is(l.Poor), Blind: is(l.Blind), Pixels: p.Height * p.Width, Width: p.Width, count: &l.predicted}, nil
}

func (l *learner) Load(path string, _ model.Info) (annotate.Network, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	n := network{count: &l.predicted}
	return n, json.Unmarshal(text, &n)
}

func (l *learner) Close() error { return nil }

type network struct {
	Bad, Poor, Blind bool
	Pixels           int // of a slice: the first of an image's channels
	Width            int // of these

	count *atomic.Int64 // of slices that were segmented
}

func (n network) Predict(ctx context.Context, images [][]float32, each func(i int, probs []float32) error) error {
	for i, image := range images {
		n.count.Add(1)
		image = image[:n.Pixels]
		probs := make([]float32, 2*len(image))
		for x, v := range image {
			p := float32(0.1)
			if v > 1 && (!n.Bad || x%2 == 0) && (!n.Poor || x%n.Width < n.Width/2) && !n.Blind {
				p = 0.9
			}
			probs[2*x], probs[2*x+1] = 1-p, p
		}
		if err := each(i, probs); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Pool scores an item by the mean of its pixels.
func (n network) Pool(_ context.Context, _ query.Spec, c model.Candidates) query.Pool {
	return query.Pool{N: len(c.Images), Positions: c.Positions, Score: func(items []int) (scores []float64, err error) {
		for _, item := range items {
			sum := 0.0
			for _, v := range c.Images[item] {
				sum += float64(v)
			}
			scores = append(scores, sum/float64(len(c.Images[item])))
		}
		return scores, nil
	}}
}

func (n network) Save(path string, _ model.Info) error {
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o666)
}
