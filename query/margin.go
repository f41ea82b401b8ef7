package query

import "github.com/nextslice/nextslice/uncertainty"

// margin is the uncertainty of one plain pass, one minus the lead of the most probable class over the second at each pixel:
//
//	1 - (p₁ - p₂),  in [0, 1],  p₁ ≥ p₂ the two largest probabilities
//
// It becomes the item's score by an aggregation, the mean over the pixels if nothing else is said. With two classes it ranks
// the items as [leastConfidence] does.
//
// Shapes and the rule for what is no probability: as [entropy]. The unit is probability, not nats.
//
// Cost: 1 forward pass per item; O(H·W·K) time, and a map of 4·H·W bytes for each item of the mini-batch.
//
// Source: Wang, Zhang, Li, Zhang, Lin 2017, "Cost-effective active learning for deep image classification", IEEE TCSVT
// 27(12):2591-2600, who pick the smallest p₁ - p₂. Computed by uncertainty.MarginMap.
var margin = entry{
	Info: Info{
		Name: "margin", Kind: KindScore, Title: "Margin",
		Does:    "1 - the lead of the first class over the second",
		Options: aggregationOptions,
		Cost:    "1 pass",
		Source:  "Wang et al. 2017 (CEAL), TCSVT",
	},
	score: func(o *options) uncertainty.Score { return o.aggregated(uncertainty.Score{Map: uncertainty.MarginMap}) },
}
