package query

import "github.com/nextslice/nextslice/uncertainty"

// tta is the disagreement of T passes under test-time augmentation: the first pass is of the image as it is, each other one of
// the image rotated by an angle uniform in ±10° and with Gaussian noise of 0.01. The probabilities are rotated back before
// they are compared, and pixels that left the image in any pass do not count. The maps are those of [dropout].
//
// The aggregation legacy is the published code's: the sum over the pixels that count, divided by all pixels.
//
// Shapes: T × probabilities [H W K] with the pixels that are valid [H W] → map [H W] → one number.
//
// Cost: T forward passes per item (8 by default) and T-1 rotations there and back; memory beyond a pass as [dropout], and one
// item's rotated probabilities.
//
// Source: Gaillochet, Desrosiers, Lombaert 2022, "TAAL: Test-time augmentation for active learning in medical image
// segmentation", MICCAI DALI workshop; the numbers are those of their paper of 2023. Computed by model.Network.Score.
var tta = entry{
	Info: Info{
		Name: "tta", Kind: KindScore, Title: "TTA",
		Does:    "disagreement of passes over rotated, noisy inputs",
		Options: mapOptions + ", passes=8, aggregation=mean|foreground|max|top|legacy" + aggregationDetails,
		Cost:    "T = 8 passes",
		Source:  "Gaillochet et al. 2022, MICCAI DALI",
	},
	score: func(o *options) uncertainty.Score {
		return o.aggregated(uncertainty.Score{Map: o.passesMap(), Passes: o.integer("passes", 8, 2), Augment: true}, uncertainty.Legacy)
	},
}
