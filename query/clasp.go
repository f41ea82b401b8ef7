package query

import (
	"math"
	"math/rand/v2"

	"github.com/nextslice/nextslice/uncertainty"
)

// ClaSP is class-stratified power entropy: a part of the query is shared out evenly among the foreground classes, each of which takes
// items that are uncertain about it, the rest goes by uncertainty alone. With u the uncertainty of a pixel,
//
//	s_0 = mean of u,  s_k = mean of u·p_k,  k = 1 … K-1
//	n_fg = ⌊Fraction·B⌋: each class gets ⌊n_fg/(K-1)⌋ picks, the classes drawn by lot one more for the remainder; s_0 gets B - n_fg
//	z = ln s + g/β,  g a standard Gumbel draw for each item and class,  β = 100^(c/C)
//
// in query c of C: nearly random at first, by the score alone at the end. Where C is unknown it is 4, and β stays 100 from there on.
// Classes and s_0 choose in random order, each its highest z that is not taken. No case gives more than max(1, ⌊Fraction·B/K⌋) items
// to a class and max(1, ⌊(1-Fraction)·B⌋) to s_0, unless too few would be left.
//
// With BatchNoise each class takes stochastic batches in place of the noise: the best of ⌊free items/n_k⌋ batches of n_k items, and
// there is no limit per case. An item of score 0 is picked last, then at random. Scores of the selection are s_0.
//
// Cost: 1 pass of all N items, or that of its members; O(N·K) time and memory.
//
// Source: Lüth, Traub et al. 2026, TMLR, arXiv 2601.13677, and the code published with it. Differs from these: an item is a slice, not
// a 3D patch, so that nothing overlaps; one network instead of five; β = 100^(c/C) for c = 0 … C-1, where the code counts trainings, of
// which the last queries nothing. How the query's size should grow was not to be found; it is the caller's. That C is 4 where it is unknown is ours.
type ClaSP struct {
	Fraction float64 // of the query that goes by class, in (0, 1]; 0 = 0.66
	Noise    Noise   // "" = PowerNoise
	Cap      Cap     // "" = CapPerCase

	// What Pool.ClassScores is computed by, as far as the name of the strategy says it; selecting does not look at it.
	Members int             // networks; 0 = 1
	Map     uncertainty.Map // "" = EntropyMap; JSD is of 8 passes with dropout, unless there are members
}

// Noise says how [ClaSP] makes a class's items differ from one query to the next.
type Noise string

const (
	PowerNoise Noise = "power" // ln s and Gumbel noise that fades from query to query
	BatchNoise Noise = "sb"    // stochastic batches
	NoNoise    Noise = "none"  // the highest scores
)

// Cap says how many items of a case [ClaSP] picks at most.
type Cap string

const (
	CapPerCase Cap = "case" // as many as its share allows
	NoCap      Cap = "none"
)

// Needs implements [Strategy].
func (ClaSP) Needs() Needs { return Needs{ClassScores: true, Positions: true, QueryNumber: true} }

// standardClaSP is the fraction of the paper, claspSpan by how much β grows, claspQueries the number of queries where it is not known.
const (
	standardClaSP = 0.66
	claspSpan     = 100
	claspQueries  = 4
)

// Select implements [Strategy]. The picks come class by class, in the order in which these chose.
func (s ClaSP) Select(p Pool, size int, rng *rand.Rand) (Selection, error) {
	if err := check(s, p, size, rng); err != nil || size == 0 {
		return Selection{}, err
	}
	scores, err := p.classScores()
	if err != nil {
		return Selection{}, err
	}
	c := claspChoice{ClaSP: s, pool: p, scores: scores, taken: make([]bool, p.N), rng: rng}
	shares := s.shares(size, len(scores[0]), rng)
	for _, k := range rng.Perm(len(shares)) {
		c.take(k, shares[k], s.limit(k, size, len(shares)))
	}
	uncertainties := make([]float64, p.N)
	for i := range scores {
		uncertainties[i] = scores[i][0]
	}
	return picked(c.picks, uncertainties), nil
}

// fraction returns that of the query that goes by class.
func (s ClaSP) fraction() float64 {
	if s.Fraction == 0 {
		return standardClaSP
	}
	return s.Fraction
}

// shares returns how many of B items go to s_0 and to each of the classes 1 … K-1.
func (s ClaSP) shares(size, classes int, rng *rand.Rand) []int {
	byClass := int(s.fraction() * float64(size))
	shares := make([]int, classes)
	shares[0] = size - byClass
	for k := 1; k < classes; k++ {
		shares[k] = byClass / (classes - 1)
	}
	for _, k := range rng.Perm(classes - 1)[:byClass%(classes-1)] {
		shares[k+1]++
	}
	return shares
}

// limit returns how many items of a case a class may take; the published code divides by the number of groups, with s_0.
func (s ClaSP) limit(k, size, classes int) int {
	switch {
	case s.Cap == NoCap:
		return size
	case k == 0:
		return max(1, int((1-s.fraction())*float64(size)+1e-9)) // 0.34·50 is 17
	}
	return max(1, int(s.fraction()*float64(size)/float64(classes)))
}

// beta returns the inverse temperature of a query.
func (ClaSP) beta(p Pool) float64 {
	c, of := float64(p.Query), float64(p.Queries)
	if p.Queries == 0 {
		of = claspQueries
	}
	return math.Pow(claspSpan, min(1, c/of))
}

// claspChoice is a query that is being made.
type claspChoice struct {
	ClaSP
	pool   Pool
	scores [][]float64
	taken  []bool
	picks  []int
	rng    *rand.Rand
}

// take lets class k pick count items, at most so many of a case.
func (c *claspChoice) take(k, count, limit int) {
	var free []int
	for i, t := range c.taken {
		if !t {
			free = append(free, i)
		}
	}
	if count == 0 {
		return
	}
	if c.Noise == BatchNoise {
		c.takeBatch(k, count, free)
		return
	}
	beta, z := c.beta(c.pool), make([]float64, len(free))
	for i, item := range free {
		z[i] = math.Log(c.scores[item][k])
		if noise := gumbel(c.rng); c.Noise != NoNoise && !math.IsInf(z[i], -1) {
			z[i] += noise / beta
		}
	}
	ranking := highest(z, len(free), c.rng)
	end, perCase := len(c.picks)+count, map[int]int{}
	for _, lifted := range []bool{false, true} {
		for _, i := range ranking {
			item := free[i]
			of := c.pool.Positions[item].Case
			if len(c.picks) == end {
				return
			}
			if c.taken[item] || !lifted && perCase[of] == limit {
				continue
			}
			perCase[of]++
			c.add(item)
		}
	}
}

// takeBatch lets class k pick the best of random batches of free items.
func (c *claspChoice) takeBatch(k, count int, free []int) {
	batch, err := StochasticBatches{}.Select(Pool{N: len(free), Score: func(items []int) ([]float64, error) {
		scores := make([]float64, len(items))
		for i, item := range items {
			scores[i] = c.scores[free[item]][k]
		}
		return scores, nil
	}}, count, c.rng)
	if err != nil {
		panic(err) // the scores are checked and the size fits
	}
	for _, i := range batch.Items {
		c.add(free[i])
	}
}

func (c *claspChoice) add(item int) {
	c.taken[item] = true
	c.picks = append(c.picks, item)
}

func (s ClaSP) String() string {
	return call("clasp", option("fraction", s.Fraction, 0, standardClaSP), option("members", s.Members, 0, 1),
		option("noise", s.Noise, "", PowerNoise), option("cap", s.Cap, "", CapPerCase), option("map", s.Map, "", uncertainty.EntropyMap))
}

var clasp = entry{
	Info: Info{
		Name: "clasp", Kind: KindStrategy,
		Does:    "class-stratified power entropy: two thirds of the query shared out among the classes, noise that fades",
		Options: "fraction=0.66, members=1, noise=power|sb|none, cap=case|none, map=entropy|jsd",
		Cost:    "1 pass; with map=jsd 8; with members M passes, and trains M networks",
		Source:  "Lüth, Traub et al. 2026, TMLR, arXiv 2601.13677",
	},
	strategy: func(o *options) Strategy {
		return ClaSP{
			Fraction: o.number("fraction", standardClaSP, 1), Members: o.integer("members", 1, 1),
			Noise: choice(o, "noise", PowerNoise, BatchNoise, NoNoise), Cap: choice(o, "cap", CapPerCase, NoCap),
			Map: choice(o, "map", uncertainty.EntropyMap, uncertainty.JSD),
		}
	},
	score: func(o *options) uncertainty.Score {
		s := uncertainty.Score{Map: choice(o, "map", uncertainty.EntropyMap, uncertainty.JSD)}
		switch members := o.integer("members", 1, 1); {
		case members > 1:
			s.Members = members
		case s.Map == uncertainty.JSD:
			s.Passes, s.Dropout = 8, true
		}
		return s
	},
}
