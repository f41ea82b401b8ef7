// Package model is a trained network: its file, its predictions, and what a query asks of it.
//
// # Vocabulary
//
//   - Canvas: the height and width that slices are brought to ([preprocess.Config]); a network sees images of this size.
//   - Probabilities: [H W K] on the canvas or [h w K] on a slice's own grid, over K classes at every pixel.
//   - Mask: the most probable class of every pixel or voxel, on the case's own grid.
//   - Score, features: one number, one vector per slice, which strategies of package query compare.
//   - Pool: what a strategy may ask about the unlabelled slices.
//
// # Flow
//
//  1. Package train makes a network; [Network] says with it how slices are brought to the canvas.
//  2. [Network.Predict] gives class probabilities on the canvas, [Network.Segment] the mask of a case on its own grid, and
//     [Network.Evaluate] measures of such masks. [Restorer] is the one way back from canvas to grid.
//  3. [Network.Score] computes what an [uncertainty.Score] describes, [Network.Features] vectors, and [Network.Pool] offers
//     both to a strategy: what the strategy needs, and nothing else.
//     A [Foreign] network, of another program, gives probabilities and scores of plain passes alone.
//  4. A [Model] is a network for cases of any origin: with its [Info], which [Describe] finds, it is saved to one file
//     ([Model.Save], [Load]), and [Model.Segment] turns a case's axes to those of the training and its mask back.
package model
