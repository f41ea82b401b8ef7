package query

import (
	"fmt"

	"github.com/nextslice/nextslice/uncertainty"
)

// Training is what a strategy asks of the network's training, beside the labels; the zero value is nothing. Trainings are comparable.
type Training struct {
	Pseudo Pseudo // pseudo-labels
	Copies Copies // labelled items that count more than once; "" = none
}

// Pseudo says which predictions are learnt as if they were labels, see [PseudoOf].
type Pseudo struct {
	Of           PseudoOf // "" = none
	Mix          Mix
	Delta, Decay float64 // of the threshold: Delta - Decay·c after cycle c, in nats
}

// CheckClasses refuses a strategy that cannot work with a network of so many classes, the background among them: one that needs the probabilities of a pixel to sum to 1, where more
// than two classes have a sigmoid each, and pseudo-labels, in whose masks uncertainty.Ignored is no class, where there are more.
func (s Spec) CheckClasses(sigmoids bool, classes int) error {
	needs := s.Strategy.Needs()
	switch {
	case sigmoids && classes > 2 && (needs.ClassScores || needs.Networks):
		return fmt.Errorf("%s: the probabilities of %d sigmoids need not sum to 1: it takes two classes, or a network trained with loss.kind softmax", s, classes)
	case classes > uncertainty.Ignored && s.Training.Pseudo.Of != "":
		return fmt.Errorf("%s: pseudo-labels take at most %d classes, here are %d", s, uncertainty.Ignored, classes)
	}
	return nil
}

// PseudoOf says which pixels of an unlabelled item become pseudo-labels: with h the entropy of a pixel and δ the threshold
type PseudoOf string

const (
	PseudoBoth  PseudoOf = "both"  // those with h < δ, if the item's mean h < δ
	PseudoItem  PseudoOf = "item"  // all, if the item's mean h < δ
	PseudoPixel PseudoOf = "pixel" // those with h < δ, of every item
)

// Mix says how pseudo-labelled items come among the labelled ones.
type Mix string

const (
	MixHalf  Mix = "half"  // half of each mini-batch
	MixUnion Mix = "union" // as all others, so that many pseudo-labels leave little room for labels
)

// Threshold returns that of the predictions of a cycle's network, 0 or more.
func (p Pseudo) Threshold(cycle int) float64 { return max(0, p.Delta-p.Decay*float64(cycle)) }

// Copies says which labelled items get a copy in the training set after a query, see [dutp].
type Copies string

const (
	CopiesFill      Copies = "fill"      // those more uncertain than the picks, which are all labelled
	CopiesPublished Copies = "published" // those among the most uncertain of picks and labelled items; only the picks among these are labelled
)
