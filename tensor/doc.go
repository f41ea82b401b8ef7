// Package tensor defines the numbers that flow through a network and the operations on them.
//
// Vocabulary:
//
//   - A [Tensor] is a float32 activation [N H W C]: N items of a mini-batch, H rows, W columns, C channels.
//     Channels are innermost in memory ("channels last") from one end of a network to the other; nothing is
//     reordered between layers.
//   - A view of some of the channels of a wider tensor is a Tensor whose Stride exceeds its C. Concatenation is
//     therefore free: two layers write into two views of one tensor.
//   - Weights are plain slices. A convolution's are [kh kw I O]: output channels innermost.
//   - An [Engine] carries out the operations. Package tensor/ref defines the correct results; package
//     tensor/native is fast. Both run the suite of package tensor/tensortest.
//
// Every operation takes a parameter struct, then its destinations, then its sources. Gradients carry the name of
// what they belong to with a d in front: dx, dw.
//
// Errors: a wrong shape is the caller's mistake and panics with the operation and both shapes. Where the engine itself fails,
// for want of memory, it panics with an [EngineError], which training and prediction turn into an error with [Catch].
package tensor
