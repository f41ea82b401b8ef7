package query

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/nextslice/nextslice/internal/parallel"
)

// TypiClust picks typical items of different kinds. All items, labelled or not, are cut into as many clusters as there will be labelled
// items, at most 500; clusters of 5 items or fewer are left out. Those with the fewest labelled items come first, of these the largest,
// and each in turn gives the most typical of its unlabelled items, that with the highest
//
//	1/(mean squared distance to its min(20, ⌊n/2⌋) nearest in the cluster + 1e-5),  n of which are unlabelled
//
// Where too few items lie in larger clusters, the small ones follow. It needs no network, and so can choose an initial set.
//
// Features: [Appearance] vectors, or, with Steps, [Latent] ones of an autoencoder trained for so many; of labelled items too. Clusters are those of k-means (Lloyd 1982), begun by k-means++ (Arthur,
// Vassilvitskii 2007), the best of three.
//
// Cost: no forward pass; O(N·k·D) time for each iteration of k-means with D numbers an item. With Steps 1,000, a training of about 0.6 of
// preset quick's, once: it learns from the slices alone, whatever is labelled.
//
// Source: Hacohen, Dekel, Weinshall 2022, "Active learning on a budget: opposite strategies suit high and low budgets", ICML, arXiv
// 2202.02794, and the code published with it (avihu111/TypiClust). Differs from these: features are averages of the slice's own pixels
// or the means of the autoencoder of VAAL, not those of a network trained to tell images apart.
type TypiClust struct {
	Steps int // of the autoencoder; 0: Appearance
}

const (
	mostClusters  = 500
	smallCluster  = 5
	typicalAmong  = 20
	kMeansBegins  = 3
	kMeansRounds  = 100
	typicalityEps = 1e-5
)

// Needs implements [Strategy].
func (s TypiClust) Needs() Needs {
	if s.Steps > 0 {
		return Needs{Features: Latent, Steps: s.Steps, LabelledFeatures: true}
	}
	return Needs{Features: Appearance, LabelledFeatures: true}
}

// Select implements [Strategy]. The picks come in the order of their clusters.
func (s TypiClust) Select(p Pool, size int, rng *rand.Rand) (Selection, error) {
	if err := check(s, p, size, rng); err != nil || size == 0 {
		return Selection{}, err
	}
	unlabelled, err := p.features()
	if err != nil {
		return Selection{}, err
	}
	labelled, err := p.labelledFeatures(unlabelled)
	if err != nil {
		return Selection{}, err
	}
	all := slices.Concat(unlabelled, labelled)
	of := kMeans(all, min(len(labelled)+size, mostClusters, len(all)), rng)

	type cluster struct {
		left     []int // unlabelled items that are not picked
		labelled int
		size     int
		lot      uint64
	}
	var clusters []cluster
	for i, c := range of {
		for len(clusters) <= c {
			clusters = append(clusters, cluster{lot: rng.Uint64()})
		}
		clusters[c].size++
		if i < p.N {
			clusters[c].left = append(clusters[c].left, i)
		} else {
			clusters[c].labelled++
		}
	}
	slices.SortFunc(clusters, func(a, b cluster) int {
		return cmp.Or(cmp.Compare(a.labelled, b.labelled), cmp.Compare(b.size, a.size), cmp.Compare(a.lot, b.lot))
	})
	var picks []int
	for _, small := range []bool{false, true} {
		for more := true; more; {
			more = false
			for c := range clusters {
				if k := &clusters[c]; len(k.left) > 0 && (k.size <= smallCluster) == small && len(picks) < size {
					more = true
					at := mostTypical(unlabelled, k.left)
					picks = append(picks, k.left[at])
					k.left = slices.Delete(k.left, at, at+1)
				}
			}
		}
	}
	return picked(picks, nil), nil
}

// mostTypical returns which of some items of a cluster lies nearest to its neighbours there; the first one of equals.
func mostTypical(vectors [][]float32, items []int) int {
	neighbours := min(typicalAmong, len(items)/2)
	typicality := make([]float64, len(items))
	parallel.For(len(items), parallel.All, func(i int) {
		distances := make([]float32, 0, len(items))
		for j := range items {
			if j != i {
				distances = append(distances, squaredDistance(vectors[items[i]], vectors[items[j]]))
			}
		}
		slices.Sort(distances)
		mean := 0.0
		for _, d := range distances[:neighbours] {
			mean += float64(d) / float64(neighbours)
		}
		typicality[i] = 1 / (mean + typicalityEps)
	})
	best := 0
	for i, t := range typicality {
		if t > typicality[best] {
			best = i
		}
	}
	return best
}

// kMeans cuts vectors into at most k clusters and returns that of each: of three begins the one with the smallest sum of squared
// distances to the means. It does not depend on the number of threads.
func kMeans(vectors [][]float32, k int, rng *rand.Rand) []int {
	var best []int
	least := math.Inf(1)
	for range kMeansBegins {
		of, sum := kMeansOnce(vectors, k, rng)
		if sum < least {
			best, least = of, sum
		}
	}
	return best
}

func kMeansOnce(vectors [][]float32, k int, rng *rand.Rand) (of []int, sum float64) {
	centers := make([][]float32, 0, k)
	nearest := make([]float32, len(vectors))
	taken := make([]bool, len(vectors))
	for i := range nearest {
		nearest[i] = math.MaxFloat32
	}
	for first := rng.IntN(len(vectors)); len(centers) < k; first = drawWeighted(nearest, taken, rng) {
		centers = append(centers, slices.Clone(vectors[first]))
		taken[first] = true
		lowerToNearest(nearest, vectors, centers[len(centers)-1:])
		if len(centers) == len(vectors) {
			break
		}
	}
	of = make([]int, len(vectors))
	for range kMeansRounds {
		before := slices.Clone(of)
		parallel.Ranges(len(vectors), parallel.All, func(from, to int) {
			for i := from; i < to; i++ {
				nearest[i] = math.MaxFloat32
				for c := range centers {
					if d := squaredDistance(vectors[i], centers[c]); d < nearest[i] {
						nearest[i], of[i] = d, c
					}
				}
			}
		})
		sum = 0
		for _, d := range nearest {
			sum += float64(d)
		}
		if slices.Equal(of, before) {
			break
		}
		moveToMeans(centers, vectors, of)
	}
	return of, sum
}

// moveToMeans makes each center the mean of its vectors. One without any stays where it is.
func moveToMeans(centers, vectors [][]float32, of []int) {
	sums, counts := make([][]float64, len(centers)), make([]float64, len(centers))
	for c := range sums {
		sums[c] = make([]float64, len(vectors[0]))
	}
	for i, v := range vectors {
		counts[of[i]]++
		for j, x := range v {
			sums[of[i]][j] += float64(x)
		}
	}
	for c := range centers {
		for j := range centers[c] {
			if counts[c] > 0 {
				centers[c][j] = float32(sums[c][j] / counts[c])
			}
		}
	}
}

// Options of features.
const (
	featurePixels = "pixels"
	featureVAE    = "vae"
	standardSteps = 1000
)

func (s TypiClust) String() string {
	if s.Steps == 0 {
		return "typiclust"
	}
	return call("typiclust", option("features", featureVAE, featurePixels), option("steps", s.Steps, standardSteps))
}

var typiClust = entry{
	Info: Info{
		Name: "typiclust", Kind: KindStrategy,
		Does:    "the most typical slice of each cluster of the pool, by the slices' own pixels; can choose the initial set",
		Options: "features=pixels|vae, steps=1000 (vae)",
		Cost:    "no pass; with features=vae trains an autoencoder, once",
		Source:  "Hacohen et al. 2022, ICML, arXiv 2202.02794",
	},
	strategy: func(o *options) Strategy {
		features, steps := choice(o, "features", featurePixels, featureVAE), o.integer("steps", 0, 1)
		switch {
		case features == featureVAE && steps == 0:
			steps = standardSteps
		case features == featurePixels && steps > 0:
			o.fault("steps are those of the autoencoder: they need features=vae")
		}
		return TypiClust{Steps: steps}
	},
}
