package query

import "github.com/nextslice/nextslice/uncertainty"

// learningLoss is the segmentation loss that a small module of the network predicts for the item: the features of every
// encoder block, averaged over the image, through a fully connected layer and ReLU each, and one more layer over all of them.
// The module learns the order of the losses l in pairs (i, j) of each mini-batch, from its predictions q:
//
//	max(0, -sign(l_i - l_j) (q_i - q_j) + ξ),  ξ the margin, 1
//
// or, with learning-loss.loss: ranknet in the recipe, by the loss of [taVAAL]'s module.
//
// One number comes per item, of any sign: there is no map and no aggregation. A prediction that is not finite is an error that
// names the item.
//
// Shapes: features [H/2^b W/2^b C_b] of the encoder's blocks b → one number.
//
// Cost: 1 pass of the encoder alone per item, and the module's weights in memory; the module is trained together with the
// network and its gradient reaches the encoder in the first part of the training, so the networks of this score are not
// those of the others.
//
// Source: Yoo, Kweon 2019, "Learning loss for active learning", CVPR, section 3; numbers as in Gaillochet et al. 2023.
// Computed by model.Network.Score; trained as recipe.LearningLoss says.
var learningLoss = entry{
	Info: Info{
		Name: "learning-loss", Kind: KindScore, Title: "Learning loss",
		Does:   "the loss that a module of the network predicts",
		Cost:   "1 pass; also trains the module",
		Source: "Yoo, Kweon 2019, CVPR",
	},
	score: func(*options) uncertainty.Score { return uncertainty.Score{PredictedLoss: true} },
}
