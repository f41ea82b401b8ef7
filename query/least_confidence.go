package query

import "github.com/nextslice/nextslice/uncertainty"

// leastConfidence is the uncertainty of one plain pass, what the most probable class lacks of certainty at each pixel:
//
//	1 - max_k p_k,  in [0, 1 - 1/K]
//
// It becomes the item's score by an aggregation, the mean over the pixels if nothing else is said.
//
// Shapes and the rule for what is no probability: as [entropy]. The unit is probability, not nats.
//
// Cost: 1 forward pass per item; O(H·W·K) time, and a map of 4·H·W bytes for each item of the mini-batch.
//
// Source: Wang, Zhang, Li, Zhang, Lin 2017, "Cost-effective active learning for deep image classification", IEEE TCSVT
// 27(12):2591-2600. Computed by uncertainty.LeastConfidenceMap.
var leastConfidence = entry{
	Info: Info{
		Name: "least-confidence", Kind: KindScore, Title: "Least confidence",
		Does:    "1 - the largest class probability",
		Options: aggregationOptions,
		Cost:    "1 pass",
		Source:  "Wang et al. 2017 (CEAL), TCSVT",
	},
	score: func(o *options) uncertainty.Score {
		return o.aggregated(uncertainty.Score{Map: uncertainty.LeastConfidenceMap})
	},
}
