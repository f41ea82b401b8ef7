// Package uncertainty turns class probabilities into uncertainty maps, and a map into one score per item.
//
// # Vocabulary
//
//   - Probabilities p: [pixels K], the softmax over K classes at every pixel, classes fastest in memory.
//   - Pass: one forward pass of one item. T passes with dropout, test-time augmentation or several networks give T
//     probability maps of one item.
//   - Uncertainty map: one value per pixel, in nats for the entropies.
//   - Aggregation: uncertainty map to score.
//   - Score: one number per item; higher = label sooner.
//
// # Flow
//
//  1. [NewScorer] takes a [Score]: which map, which aggregation. It is made once and used for every item.
//  2. For each item: [Scorer.Reset], then [Scorer.Add] for each pass, with the pixels that are valid in it.
//  3. [Scorer.Score] reduces the passes to a map ([Map]) and the map to a number ([Aggregation]).
//
// Passes are summed as they come: memory does not grow with T, and nothing is allocated per item.
//
// The simplest case needs none of it: [Entropy] and [Mean].
//
// # What cannot be ranked
//
// A probability that is NaN or outside [0, 1] makes its pixel of the map NaN, a NaN in the map makes the score NaN,
// and [Scorer.Score] returns an error that says where it is. Values up to 1e-5 outside are rounding and count as 0 or
// 1. Probabilities need not sum to 1: at the border of a rotated image they do not.
package uncertainty
