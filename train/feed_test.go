package train

import (
	"slices"
	"testing"
	"time"

	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/train/recipe"
)

// With pseudo-labels half of each mini-batch, the smaller one, is of them, and each side is a chain of permutations of its own; the labelled side
// draws what it draws without them.
func TestFeedOfPseudoLabels(t *testing.T) {
	data := discs(9, random.Stream(1))
	for i := range data.Images {
		data.Images[i][0] = float32(i) // which slice it is
	}
	const batch = 5
	config := Config{Batch: batch}
	mixed := data
	mixed.Pseudo = 4
	labelled := data
	labelled.Images, labelled.Labels = data.Images[:5], data.Labels[:5]
	a, b := newFeed(config, mixed, 3, 1), newFeed(Config{Batch: 3}, labelled, 3, 1)
	count := make([]int, 9)
	for range 20 {
		x := a.next().X
		y := b.next().X
		for i := range batch {
			slice := int(x.Items(i, i+1).Data[0])
			count[slice]++
			if (slice < 5) != (i < 3) {
				t.Fatalf("place %d holds slice %d", i, slice)
			}
			if i < 3 && int(y.Items(i, i+1).Data[0]) != slice {
				t.Errorf("place %d holds labelled slice %d, without pseudo-labels %v", i, slice, y.Items(i, i+1).Data[0])
			}
		}
	}
	if !slices.Equal(count, []int{12, 12, 12, 12, 12, 10, 10, 10, 10}) {
		t.Errorf("each slice was drawn %v times", count)
	}
	// Mixed in, without Pseudo, all come alike.
	mixed.Pseudo = 0
	c := newFeed(Config{Batch: 9}, mixed, 3, 2)
	x := c.next().X
	seen := map[float32]bool{}
	for i := range 9 {
		seen[x.Items(i, i+1).Data[0]] = true
	}
	if len(seen) != 9 {
		t.Errorf("a mini-batch of all holds %d slices", len(seen))
	}
}

// Mini-batches that are prepared ahead, and on several goroutines, are those that are made one after the other on one.
func TestFeedAhead(t *testing.T) {
	data := discs(9, random.Stream(1))
	data.Pseudo, data.Unannotated = 4, make([][]bool, 9)
	data.Unannotated[2] = slices.Repeat([]bool{false, true}, data.Classes)[:data.Classes]
	config := Config{Batch: 5, Augment: recipe.Augment{
		Noise: 0.1, NoiseProbability: 0.5, Rotate: 20, Zoom: 0.3, Shift: 0.1, Flip: 0.5, Contrast: 0.3, Brightness: 0.2, Gamma: 0.3,
	}}
	plain, many := newFeed(config, data, 3, 1), newFeed(config, data, 3, 4)
	next, stop := many.ahead(12)
	for step := range 10 {
		want, got := plain.next(), next()
		if !slices.Equal(got.X.Data, want.X.Data) || !slices.Equal(got.Target, want.Target) || !slices.Equal(got.Merged, want.Merged) {
			t.Fatalf("mini-batch %d differs", step)
		}
		kept := slices.Clone(got.X.Data)
		time.Sleep(2 * time.Millisecond) // the next ones are made meanwhile, elsewhere
		if !slices.Equal(got.X.Data, kept) {
			t.Fatalf("mini-batch %d has changed while it was in use", step)
		}
	}
	stop() // before all are taken
}
