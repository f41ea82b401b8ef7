// Package train trains one network from scratch.
//
//  1. A [Config] holds every hyper-parameter of a training: the recipe. Package train/recipe defines it, and has that of
//     the paper and shorter ones.
//  2. [Run] feeds a [Set] of labelled slices to a new network: an endless chain of random permutations of the slices,
//     cut into mini-batches, each slice changed at random ([recipe.Augment]), the learning rate after [recipe.Schedule].
//     [RunLearningLoss] also trains a module that predicts the loss of a slice.
//
// The last weights are the result: no validation set chooses among them. Package model predicts with them.
//
// Everything random has a named stream under the seed of the training. The same seed, engine and thread count give the
// same bits.
package train
