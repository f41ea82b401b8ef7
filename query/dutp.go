package query

import (
	"math"

	"github.com/nextslice/nextslice/uncertainty"
)

// dutp is diminishing uncertainty over the training pool: items are asked for that an ensemble is unsure of and that look unlike the
// labelled ones, and a labelled item that it is still unsure of enters the training set once more.
//
//	score = α·Ĥ(x) - MI(x, L)/α
//
// Ĥ is the mean over the pixels of the ensemble's map, MI(x, L) the mean over the labelled items y of the mutual information of the
// intensities of x and y at the same pixel: Σ n_ab/P · ln(n_ab·P/(n_a·n_b)) over a joint histogram of 32 bins each, from the 0.5th to the 99.5th
// percentile of the unlabelled items' intensities. Both are brought to [0, 1] over all unlabelled items, which are therefore all scored, drawn
// or not. An empty slice shares nothing with any: α should leave Ĥ its weight.
//
//	copies=fill       after the query each labelled item with Ĥ above the lowest of the picks (of stochastic batches: above their mean) gets a
//	                  copy, at most B of them, the highest first
//	copies=published  the B highest Ĥ among picks and labelled items: the labelled ones get a copy, the other picks are not labelled, but for one
//	copies=none       no copies
//
// Copies accumulate and stand in the records; they weight the training and are no labels.
//
// Cost: M forward passes per item, labelled ones too, and M - 1 trainings; N·L·H·W increments of histograms.
//
// Source: Nath, Yang, Landman, Xu, Roth 2021, "Diminishing uncertainty within the training pool: active learning for medical image
// segmentation", IEEE TMI, arXiv 2101.02323; summaries by others, its text could not be read. α, the bins, the kind of entropy and the mean over
// the labelled are ours. Where the network sees several slices or channels, the intensities of all count, in one histogram. Differs from the paper: a plain ensemble in place of one trained by SVGD; copies=fill asks for as many labels as other strategies.
var dutp = entry{
	Info: Info{
		Name: "dutp", Kind: KindScore, Title: "Diminishing uncertainty",
		Does:    "uncertainty of an ensemble less what is known from labelled slices; uncertain labelled slices are trained on again",
		Options: "members=5, alpha=1, copies=fill|published|none, map=entropy|jsd",
		Cost:    "M = 5 passes, labelled items too; trains M networks",
		Source:  "Nath et al. 2021, TMI, arXiv 2101.02323",
	},
	score: func(o *options) uncertainty.Score {
		return uncertainty.Score{
			Members: o.integer("members", 5, 2), Map: choice(o, "map", uncertainty.EntropyMap, uncertainty.JSD), Aggregation: uncertainty.ByMean,
			Alpha: o.number("alpha", 1, math.MaxFloat64),
		}
	},
	training: func(o *options) Training {
		c := choice(o, "copies", CopiesFill, CopiesPublished, "none")
		if c == "none" {
			c = ""
		}
		return Training{Copies: c}
	},
	write: func(s Spec) []string {
		copies := s.Training.Copies
		if copies == "" {
			copies = "none"
		}
		return []string{
			option("members", s.Score.Members, 5), option("alpha", s.Score.Alpha, 1), option("copies", copies, CopiesFill),
			option("map", s.Score.Map, uncertainty.EntropyMap),
		}
	},
}
