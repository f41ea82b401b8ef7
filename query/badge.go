package query

import (
	"math"
	"math/rand/v2"
)

// BADGE picks items whose gradients are large and different: the seeding of k-means++ on gradient embeddings. After
// the first center, each pick is drawn with probability proportional to the squared distance to the nearest pick:
//
//	p_i ∝ min_j ||g_i - g_j||²,  j picked so far
//
// An item the network is sure of has a gradient near 0: all such items lie together and only one of them is likely
// to be picked.
//
// Features: [Gradient] vectors [N K·C], the gradient of the loss of the last layer's weights if the network's own
// prediction were the label. For a segmentation network, whose last layer maps C channels h to K logits at each
// pixel, it is averaged over the image, which makes one vector per item:
//
//	g_{k,c} = mean over pixels of (p_k - [k = argmax p]) · h_c
//
// This image-level embedding is our reading; the paper treats classification. Labelled items are not used.
//
// Cost: one forward pass for each unlabelled item; O(N·B·K·C) time and O(N) memory beyond the vectors.
//
// Source: Ash, Zhang, Krishnamurthy, Langford, Agarwal 2020, "Deep batch active learning by diverse, uncertain
// gradient lower bounds", ICLR, algorithm 1; seeding by Arthur, Vassilvitskii 2007, "k-means++: the advantages of
// careful seeding", SODA.
type BADGE struct {
	First FirstCenter // "" = FirstUniform
}

// FirstCenter says which item [BADGE] picks first.
type FirstCenter string

const (
	FirstUniform FirstCenter = "uniform" // drawn uniformly, as k-means++ has it
	FirstNorm    FirstCenter = "norm"    // the largest gradient, as in the code published with the paper
)

// Needs implements [Strategy].
func (BADGE) Needs() Needs { return Needs{Features: Gradient} }

// Select implements [Strategy]. The picks come in the order in which they were drawn.
func (s BADGE) Select(p Pool, size int, rng *rand.Rand) (Selection, error) {
	if err := check(s, p, size, rng); err != nil || size == 0 {
		return Selection{}, err
	}
	items, err := p.features()
	if err != nil {
		return Selection{}, err
	}
	first := rng.IntN(p.N)
	if s.First == FirstNorm {
		norms := make([]float32, p.N)
		for i, g := range items {
			norms[i] = dot(g, g)
		}
		first = farthest(norms, rng)
	}

	nearest := make([]float32, p.N)
	for i := range nearest {
		nearest[i] = math.MaxFloat32
	}
	taken := make([]bool, p.N)
	picks, closing := make([]int, 0, size), p.closing()
	for pick := first; ; pick = drawWeighted(nearest, taken, rng) {
		picks = append(picks, pick)
		if len(picks) == size {
			return picked(picks, nil), nil
		}
		lowerToNearest(nearest, items, items[pick:pick+1])
		for _, i := range closing.by(pick) {
			taken[i], nearest[i] = true, 0 // so that it is not drawn again
		}
	}
}

// drawWeighted draws an index with probability proportional to its weight. Where all weights are 0, because only copies of
// the taken items are left, it draws uniformly from those that are not taken.
func drawWeighted(weights []float32, taken []bool, rng *rand.Rand) int {
	total := 0.0
	for _, w := range weights {
		total += float64(w)
	}
	if total == 0 {
		left := make([]int, 0, len(taken))
		for i, t := range taken {
			if !t {
				left = append(left, i)
			}
		}
		return left[rng.IntN(len(left))]
	}
	at := rng.Float64() * total
	last := 0
	for i, w := range weights {
		if w > 0 {
			last = i // rounding may leave at just above 0 in the end: then the last one it is
			if at -= float64(w); at < 0 {
				break
			}
		}
	}
	return last
}

func (s BADGE) String() string { return call("badge", option("first", s.First, "", FirstUniform)) }

var badge = entry{
	Info: Info{
		Name: "badge", Kind: KindStrategy,
		Does:    "k-means++ seeding on gradient embeddings of the last layer",
		Options: "first=uniform|norm",
		Cost:    "1 pass",
		Source:  "Ash et al. 2020, ICLR",
	},
	strategy: func(o *options) Strategy {
		return BADGE{First: choice(o, "first", FirstUniform, FirstNorm)}
	},
}
