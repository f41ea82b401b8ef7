package query

import "github.com/nextslice/nextslice/uncertainty"

// entropy is the uncertainty of one plain pass, the entropy of the class probabilities p of each pixel, in nats:
//
//	H(p) = -Σ_k p_k ln p_k,  in [0, ln K],  with 0 ln 0 = 0
//
// It becomes the item's score by an aggregation, the mean over the pixels if nothing else is said.
//
// Shapes: probabilities [H W K] → map [H W] → one number. A probability that is no number in [0, 1] is an error that names
// the item.
//
// Cost: 1 forward pass per item; O(H·W·K) time, and a map of 4·H·W bytes for each item of the mini-batch.
//
// Source: Shannon 1948, "A mathematical theory of communication", section 6; as a score of uncertainty sampling: Settles
// 2009, "Active learning literature survey", section 3.1. Computed by uncertainty.Entropy.
var entropy = entry{
	Info: Info{
		Name: "entropy", Kind: KindScore, Title: "Entropy",
		Does:    "entropy of the predicted classes",
		Options: aggregationOptions,
		Cost:    "1 pass",
		Source:  "Shannon 1948; Settles 2009",
	},
	score: func(o *options) uncertainty.Score {
		return o.aggregated(uncertainty.Score{Map: uncertainty.EntropyMap})
	},
}
