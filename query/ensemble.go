package query

import "github.com/nextslice/nextslice/uncertainty"

// ensemble is the disagreement of M networks that were trained from different seeds on the same labels, or, with bootstrap, on
// resamples of them: one plain pass of each. The maps are those of [dropout]; jsd is the mutual information between the
// prediction and the choice of the network, entropy that of the committee's mean.
//
// The first member is the network that the cycle evaluates, the other M - 1 are trained for the query alone.
//
// Shapes: M × probabilities [H W K] → map [H W] → one number.
//
// Cost: M forward passes per item and M - 1 trainings (M = 5 by default); memory: the weights of M networks, and beyond a pass
// as [dropout].
//
// Source: Beluch, Genewein, Nürnberger, Köhler 2018, "The power of ensembles for active learning in image classification",
// CVPR. Computed by model.Network.Score.
var ensemble = entry{
	Info: Info{
		Name: "ensemble", Kind: KindScore, Title: "Ensemble",
		Does:    "disagreement of networks trained from different seeds",
		Options: mapOptions + ", members=5, bootstrap=false, " + aggregationOptions,
		Cost:    "M = 5 passes; trains M networks",
		Source:  "Beluch et al. 2018, CVPR",
	},
	score: func(o *options) uncertainty.Score {
		return o.aggregated(uncertainty.Score{
			Map:       o.passesMap(),
			Members:   o.integer("members", 5, 2),
			Bootstrap: choice(o, "bootstrap", "false", "true") == "true",
		})
	},
}
