package query

import "github.com/nextslice/nextslice/uncertainty"

// vaal is variational adversarial active learning: what looks least like the labelled items is asked for. An autoencoder is trained on labelled and unlabelled
// slices, and against it a discriminator that tells the two apart by the latent mean; the score is minus the discriminator's logit, of either sign. The
// segmentation network has no part in it.
//
// Labelled and unlabelled slices make up half of each mini-batch and are augmented alike. The weight of the divergence is that of the evidence bound.
// Both networks are trained anew in each cycle; the record has the reconstruction error, the divergence, the discriminator's loss (2 ln 2 where it
// is blind) and the spread of its logits, below 1e-3 of which the query is as good as random.
//
// Cost: no pass of the network; a training of 1,000 steps of an autoencoder of 64×64 pixels, about 0.8 of preset quick's.
//
// Source: Sinha, Ebrahimi, Darrell 2019, "Variational adversarial active learning", ICCV, arXiv 1904.00370, and the code published with it, for
// classification. Sizes, numbers of steps and λ are ours, and that the discriminator has three layers: the paper is remembered to have five, and its table of λ and of the latent
// numbers could not be read. Its network for segmentation was not published. Computed by train.RunVAAL.
var vaal = entry{
	Info: Info{
		Name: "vaal", Kind: KindScore, Title: "VAAL",
		Does:    "what a discriminator takes for unlabelled, by the latent space of an autoencoder",
		Options: "steps=1000, adversarial=1",
		Cost:    "no pass; trains an autoencoder and a discriminator",
		Source:  "Sinha et al. 2019, ICCV, arXiv 1904.00370",
	},
	score: func(o *options) uncertainty.Score {
		return uncertainty.Score{Critic: uncertainty.Critic{Steps: o.integer("steps", 1000, 1), Adversarial: o.amount("adversarial", 1, 1e6)}}
	},
	write: func(s Spec) []string {
		return []string{option("steps", s.Score.Critic.Steps, 1000), option("adversarial", s.Score.Critic.Adversarial, 1)}
	},
}
