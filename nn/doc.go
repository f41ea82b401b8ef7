// Package nn has the layers of a convolutional network, their weights, and optimisers.
//
// There is no tape: a layer keeps what its Backward needs, and a network calls its layers' Backward in reverse.
// The flow of one training step:
//
//  1. Forward of each layer, with train true
//  2. the loss and its gradient, by tensor.Engine's Loss
//  3. Backward of each layer in reverse; it overwrites the layer's part of Params.Grad
//  4. Step of an optimiser, at a learning rate
//
// Layers own their buffers and reuse them: once shapes are stable a step allocates nothing. A layer is used by one
// goroutine. The engine is an argument of every call.
//
// Weights lie in the engine's order ([kh kw I O], output channels innermost) in one slice for all layers. Names
// and shapes are those PyTorch would give; [Param.Export] and [Param.Import] translate.
package nn
