package tensor

import "math"

// Conv describes a convolution of stride 1 with zero padding K/2, so that height and width stay.
type Conv struct {
	K       int     // kernel size, 1 or 3
	Leaky   bool    // apply LeakyReLU to the output of the forward pass
	Slope   float32 // LeakyReLU's slope for negative inputs, 0 to 1
	Dropout Dropout // of the input, forward and in both gradients

	// In the forward pass only:

	// Add adds the result to what y holds, before the activation.
	Add bool
	// Shuffle doubles height and width (the sub-pixel convolution of Shi et al. 2016): w has 4·O outputs; output (2a+b)·O + o
	// at pixel (h, w) becomes channel o of y at (2h+a, 2w+b). y [N 2H 2W O], b [O].
	Shuffle bool
}

// Outputs returns the number of outputs that w has when y has o channels.
func (c Conv) Outputs(o int) int {
	if c.Shuffle {
		return 4 * o
	}
	return o
}

// Norm describes batch normalisation followed by LeakyReLU, and holds its C values of each kind.
type Norm struct {
	Eps   float32 // added to the variance
	Slope float32 // LeakyReLU's slope for negative inputs, 0 to 1; 1 is the identity

	Gamma, Beta    []float32 // factor and offset of each channel
	Mean, Variance []float32 // of each channel over N·H·W, biased; written by Norm, read by NormBackward
	DGamma, DBeta  []float32 // gradients, written by NormBackward; unused by Norm
}

// Pool describes a 2×2 max pooling followed by dropout.
type Pool struct{ Dropout Dropout }

// Dropout describes element-wise dropout. The mask is a function of Seed and of the element's index alone, so
// that the backward pass draws the same one again, and every engine and thread count draws the same.
type Dropout struct {
	P    float32 // probability of zero, 0 ≤ P < 1; 0 switches it off
	Seed uint64

	// Period, if not 0, is H·W·C of the dropped tensor: then the index counts within the item, all items of a mini-batch have the
	// same mask, and that of an item does not depend on its place. A pass is then one network for all of them.
	Period int
}

// Threshold returns the hash value below which an element is dropped.
func (d Dropout) Threshold() uint32 { return uint32(float64(d.P) * (1 << 32)) }

// Scale returns 1/(1-P), the factor of the elements that stay.
func (d Dropout) Scale() float32 { return 1 / (1 - d.P) }

// Keep reports whether element i stays. i counts [N H W C] in memory order as if the tensor were dense.
func (d Dropout) Keep(i int) bool {
	if d.Period > 0 {
		i %= d.Period
	}
	return Hash(d.Seed, uint32(i)) >= d.Threshold()
}

// Hash is a keyed 32-bit integer hash (two multiply-xorshift rounds with the constants of C. Wellons' "lowbias32"
// search, the second half of the key added between them). Dropout masks are made of it.
func Hash(seed uint64, i uint32) uint32 {
	h := i ^ uint32(seed)
	h ^= h >> 16
	h *= 0x7feb352d
	h ^= h >> 15
	h += uint32(seed >> 32)
	h *= 0x846ca68b
	h ^= h >> 16
	return h
}

// Loss describes the segmentation loss of one item with class probabilities p = softmax(logits) and one-hot target t:
//
//	l = CE·(weighted mean over pixels of -ln p_t) + Dice·(1 - mean_k (2·Σ p_k·t_k + Smooth) / (Σ p_k + Σ t_k + Smooth))
//
// with k over the foreground classes 1 … K-1 and means and sums over the item's pixels, those of target [Ignore] left out: they have
// no loss and no gradient, and an item without any other pixel has loss 0. Source: Gaillochet et al. 2023 and
// its published code, which has CE = Dice = 0.5 and Smooth = 1e-9.
//
// Merged tells which foreground classes nobody has looked for in an item. A pixel of target 0 is then of one of these or background: its
// p_t is the sum of their probabilities and the background's. The Dice term's mean is over the other foreground classes; without
// any it is left out. With Sigmoid the channels of these classes and the background's do not count at such a pixel. No target may be a merged
// class. Source: the marginal loss of Shi, Xiao, Chen, Zhou 2021, "Marginal loss and exclusion loss for partially supervised multi-organ
// segmentation", Medical Image Analysis 70.
type Loss struct {
	CE, Dice float32   // weights of the two terms
	Smooth   float32   // ε of the Dice term; 1 gives empty slices a useful gradient
	Classes  []float32 // weight of each class in the cross-entropy (divided by the weights' sum over pixels); nil is 1
	Sigmoid  bool      // a sigmoid per channel and binary cross-entropy on all channels, as the published code does for two classes
	Merged   []bool    // [N K], the background's are false; nil: none
}

// Ignore is the target of a pixel that does not count in a Loss, unless there are 256 classes: then it is the last one.
const Ignore = 255

// Adam is one step of Adam (Kingma, Ba 2015) with L2 weight decay coupled into the gradient, as in torch.optim.Adam.
type Adam struct {
	LR, Beta1, Beta2, Eps, WeightDecay float64
	Step                               int // 1 at the first update
}

// Corrections returns the bias corrections 1-β₁ᵗ and √(1-β₂ᵗ).
func (a Adam) Corrections() (c1, c2 float64) {
	t := float64(a.Step)
	return 1 - math.Pow(a.Beta1, t), math.Sqrt(1 - math.Pow(a.Beta2, t))
}
