// Package ref is the engine in plain Go: slow, simple, in every build. It defines the correct results of package tensor's
// operations.
//
// The arithmetic is in [Kernels], generic over the element type: float32 in an [Engine], float64 where tests
// compare gradients with finite differences or another engine with exact results. Sums are in float64 either way. Work
// is shared between goroutines such that each output element is computed by one of them in a fixed order, so
// results do not depend on the number of threads.
//
// The innermost loops run over output channels, which lie next to each other in memory; small networks train in
// reasonable time.
package ref
