package query

import "github.com/nextslice/nextslice/uncertainty"

// dropout is the disagreement of T passes with dropout active (Monte Carlo dropout). With p_t the probabilities of pass t at a
// pixel and p̄ their mean, the map is one of
//
//	jsd          H(p̄) - 1/T Σ_t H(p_t)                in [0, ln min(K, T)]: mutual information, BALD
//	legacy-jsd   ½ H(p̄) + ½ 1/T Σ_t H(p_t)            in [0, ln K]: what the published code of the paper computes
//	entropy      H(p̄)                                 in [0, ln K]
//	variance     1/K Σ_k 1/T Σ_t (p_tk - p̄_k)²        in [0, 1/4]
//
// and becomes the item's score by an aggregation. Batch norm stays on its running statistics. The dropout masks follow from the
// query's random stream: the same seed gives the same scores.
//
// Shapes: T × probabilities [H W K] → map [H W] → one number. The network needs a dropout above 0.
//
// Cost: T forward passes per item (8 by default; the first encoder block, which comes before any dropout, is computed once);
// memory beyond a pass: sums of 8·H·W·K bytes, and as many again for variance, for each item of the mini-batch.
//
// Source: Gal, Ghahramani 2016, "Dropout as a Bayesian approximation", ICML; the maps: Houlsby et al. 2011, arXiv 1112.5745,
// and Gaillochet, Desrosiers, Lombaert 2023, MedIA, section 3.3. Computed by model.Network.Score and uncertainty.Passes.
var dropout = entry{
	Info: Info{
		Name: "dropout", Kind: KindScore, Title: "Dropout",
		Does:    "disagreement of passes with dropout active",
		Options: mapOptions + ", passes=8, " + aggregationOptions,
		Cost:    "T = 8 passes",
		Source:  "Gal, Ghahramani 2016, ICML",
	},
	score: func(o *options) uncertainty.Score {
		return o.aggregated(uncertainty.Score{Map: o.passesMap(), Passes: o.integer("passes", 8, 2), Dropout: true})
	},
}
