package model

import (
	"math"
	"slices"
	"testing"

	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor/ref"
	"github.com/nextslice/nextslice/uncertainty"
)

// An image of 32 × 40 has 16 × 16 fields of two rows and two or three columns, one of 3 × 5 its own pixels, two channels twice as many.
func TestAppearance(t *testing.T) {
	image := make([]float32, 32*40)
	for i := range image {
		image[i] = float32(i / 40)
	}
	got := Appearance([][]float32{image}, 32, 40)[0]
	if len(got) != 256 {
		t.Fatalf("%d numbers, want 256", len(got))
	}
	for r := range 16 {
		if want := 2*float32(r) + 0.5; got[16*r] != want || got[16*r+15] != want {
			t.Errorf("row %d: %v and %v, want %v", r, got[16*r], got[16*r+15], want)
		}
	}
	small := []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}
	if got := Appearance([][]float32{small}, 3, 5)[0]; !slices.Equal(got, small) {
		t.Errorf("a small image: %v", got)
	}
	if got := Appearance([][]float32{append(slices.Clone(small), small...)}, 3, 5)[0]; len(got) != 30 || got[29] != 14 {
		t.Errorf("two channels: %v", got)
	}
	e := ref.New(1)
	defer e.Close()
	n := network(unet.New(e, unet.Config{Classes: 2, Width: 4}, random.Stream(1)))
	images := noise(5)
	p := n.Pool(t.Context(), query.Spec{Strategy: query.TypiClust{}}, Candidates{Images: images[:3], Labelled: images[3:]})
	vectors, err := p.Features()
	labelled, err2 := p.LabelledFeatures()
	if err != nil || err2 != nil || !slices.Equal(vectors[2], images[2]) || len(labelled) != 2 || !slices.Equal(labelled[1], images[4]) {
		t.Errorf("features %v, %v: want the 16 × 16 images themselves", err, err2)
	}
}

// Classes count by the inverse of their share in the masks.
func TestClassWeights(t *testing.T) {
	masks := [][]uint8{{0, 0, 0, 1, 1, 1, 1, 2}, {255, 0, 0, 0, 1, 1, 2, 0}}
	got := classWeights(masks, 4) // 6, 2 and no pixels
	for k, want := range []float64{0, 0.1, 0.3, 0.6} {
		if math.Abs(got[k]-want) > 1e-12 {
			t.Errorf("class %d: weight %v, want %v", k, got[k], want)
		}
	}
	e := ref.New(1)
	defer e.Close()
	n := network(unet.New(e, unet.Config{Classes: 3, Width: 4, Dropout: 0.5}, random.Stream(1)))
	images := noise(9)
	s := uncertainty.Score{Name: "usim-u", Passes: 4, Dropout: true, Map: uncertainty.Variance, ClassWeights: true}
	if _, err := n.Score(t.Context(), images, s, random.Stream(1)); err == nil {
		t.Error("without weights there is a score")
	}
	// With all weights 1/K it is the mean of the variance map.
	n.Weights = []float64{1. / 3, 1. / 3, 1. / 3}
	scores := scoresOf(t, n, images, s, 5)
	plain := s
	plain.ClassWeights = false
	want := scoresOf(t, n, images, plain, 5)
	n.Weights = []float64{0, 1, 0}
	other := scoresOf(t, n, images, s, 5)
	for i := range scores {
		if math.Abs(scores[i]-want[i]) > 1e-12 || other[i] == scores[i] {
			t.Errorf("item %d: %v, want %v; of class 1 alone %v", i, scores[i], want[i], other[i])
		}
	}
}

// The score of usim-u by hand: two passes over two pixels of three classes, of which the masks have 3 and 1 pixels of foreground. The variances of the classes are 0.005, 0.04 and
// 0.025 in the mean over the pixels, their weights 0, 1/4 and 3/4.
func TestClassVarianceByHand(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	n := network(unet.New(e, unet.Config{Classes: 3, Width: 4}, random.Stream(1)))
	spec, err := query.Parse("usim-u")
	if err != nil || !spec.Score.ClassWeights || !spec.Score.Dropout || spec.Score.ForwardPasses() != 10 {
		t.Fatalf("usim-u is %+v, %v", spec.Score, err)
	}
	n.Weights = classWeights([][]uint8{{0, 1, 1, 0}, {1, 2, 0, 255}}, 3)
	item := uncertainty.NewScorer(spec.Score, 1, 2, 3)
	item.Add([]float32{0.5, 0.5, 0, 0.2, 0.2, 0.6}, nil)
	item.Add([]float32{0.7, 0.1, 0.2, 0.2, 0.6, 0.2}, nil)
	if got, err := n.weighted(item); err != nil || math.Abs(got-0.02875) > 1e-7 {
		t.Errorf("score %v, %v; want 0.02875", got, err)
	}
}
