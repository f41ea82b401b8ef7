package query

import "github.com/nextslice/nextslice/uncertainty"

// ceal is cost-effective active learning: the query goes by the uncertainty of one plain pass, and what the network is sure of is learnt
// as if it were labelled. With h the entropy of a pixel in nats and δ = delta - decay·c after cycle c, not below 0,
//
//	both   an item with mean h < δ is taken; its pixels with h < δ get the most probable class, the others are ignored
//	item   an item with mean h < δ is taken, all of it
//	pixel  of every item the pixels with h < δ are taken
//
// of all unlabelled items but the query. The next network is trained from scratch on these and the labels: with mix=half each side makes
// up half of every mini-batch, with mix=union the items are mixed. Pseudo-labels are found anew after each cycle, count as no labels, and give way
// to a real one. Slices without the organ pass first: the record has the share that holds any foreground.
//
// Cost: 1 forward pass per item for the query, and 1 more for the pseudo-labels; N·H·W bytes at most.
//
// Source: Wang, Zhang, Li, Zhang, Lin 2017, "Cost-effective active learning for deep image classification", IEEE TCSVT, arXiv
// 1701.03551; for segmentation Gorriz et al. 2017, arXiv 1711.09168. Differs from the paper: networks are trained from scratch, not
// fine-tuned; both and half are ours. The paper's own numbers for δ, and how it falls, could not be established: those here are from re-implementations, which disagree, as
// remembered for faces, and that δ falls by the same amount in each cycle is our choice.
var ceal = entry{
	Info: Info{
		Name: "ceal", Kind: KindScore, Title: "CEAL",
		Does:    "uncertainty of one pass; what the network is sure of is learnt along as pseudo-labels",
		Options: "criterion=entropy|least-confidence|margin, pseudo=both|item|pixel, mix=half|union, delta=0.05, decay=0.0033",
		Cost:    "2 passes",
		Source:  "Wang et al. 2017, TCSVT, arXiv 1701.03551",
	},
	score: func(o *options) uncertainty.Score {
		return uncertainty.Score{
			Map:         choice(o, "criterion", uncertainty.EntropyMap, uncertainty.LeastConfidenceMap, uncertainty.MarginMap),
			Aggregation: uncertainty.ByMean,
		}
	},
	training: func(o *options) Training {
		return Training{Pseudo: Pseudo{
			Of: choice(o, "pseudo", PseudoBoth, PseudoItem, PseudoPixel), Mix: choice(o, "mix", MixHalf, MixUnion),
			Delta: o.number("delta", 0.05, 10), Decay: o.amount("decay", 0.0033, 10),
		}}
	},
	write: func(s Spec) []string {
		p := s.Training.Pseudo
		return []string{
			option("criterion", s.Score.Map, uncertainty.EntropyMap), option("pseudo", p.Of, PseudoBoth), option("mix", p.Mix, MixHalf),
			option("delta", p.Delta, 0.05), option("decay", p.Decay, 0.0033),
		}
	},
}
