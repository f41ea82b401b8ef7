// Package train trains one network from scratch and predicts with it.
//
//  1. A [Config] holds every hyper-parameter of a training; [Presets] has those of the paper and two shorter ones.
//  2. [Run] feeds a [Set] of labelled slices to a new network: an endless chain of random permutations of the slices,
//     cut into mini-batches, each slice changed at random ([Augment]), the learning rate after [Schedule].
//     [RunLearningLoss] trains a module along that predicts the loss of a slice.
//  3. [Predict] gives class probabilities on the canvas, [Segment] a mask on a case's own grid, and [Evaluate] the
//     measures of such masks.
//  4. For queries, [Score] and [PredictedLosses] give one number per slice, [Bottlenecks] and [Gradients] one vector.
//
// The last weights are the result: no validation set chooses among them.
//
// Everything random has a named stream under the seed of the training. The same seed, engine and thread count give the
// same bits.
package train
