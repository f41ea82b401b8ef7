package uncertainty

// Score says how the score of an item is computed: by which forward passes, how these make an uncertainty map, and how the
// map becomes a number. It is the one description of a score, from the name that a person writes, which package query
// reads, to the pixels ([Scorer]). Scores are comparable, and fields that a score does not use are zero. The zero value is the entropy of
// one plain pass, averaged over the image.
type Score struct {
	Name string // "entropy", "dropout", ...: what the score is called; nothing is computed by it

	Passes    int  // T, the forward passes per item; 0 is one, plain
	Dropout   bool // dropout is active in every pass (Monte Carlo dropout)
	Augment   bool // every pass but the first is of a changed image (test-time augmentation)
	Members   int  // M, the networks of an ensemble, one plain pass of each; 0 is the one network
	Bootstrap bool // each further member is trained on a resample of the labelled items

	Map         Map         // passes → uncertainty map; "" = EntropyMap
	Aggregation Aggregation // uncertainty map → score; "" = ByMean
	Fraction    float64     // ByTop: the fraction of the pixels that counts, in (0, 1]
	Band        int         // ByForeground: how many pixels around the predicted foreground count, 0 or more

	// ClassWeights: the score is the mean variance of each class over the passes, classes weighted by the inverse of their share in the
	// labelled masks, the background by 0; neither map nor aggregation count.
	ClassWeights bool

	// Alpha, if not 0, makes the score Alpha·u - MI/Alpha, of the score u as it is otherwise and the mutual information MI with labelled items,
	// both from 0 to 1 over all unlabelled items; see [MutualInformation].
	Alpha float64

	Critic Critic // no map: the score is how little a discriminator takes the item for a labelled one

	PredictedLoss bool // no map: the score is the loss that a module of the network predicts
}

// TrainsModule reports whether a module is trained along with the network.
func (s Score) TrainsModule() bool { return s.PredictedLoss || s.Critic.Ranked }

// Critic says how the discriminator is trained, and the autoencoder whose latent space it sees; the zero value is none.
type Critic struct {
	Steps       int
	Adversarial float64 // weight of deceiving the discriminator, beside reconstruction
	Ranked      bool    // it knows the rank of the item's loss, as a module of the network predicts it
	RawRank     bool    // Ranked: the discriminator gets the module's output itself in place of its sigmoid
}

// ForwardPasses returns the number of forward passes of the network that the score of one item takes.
func (s Score) ForwardPasses() int {
	if s.Critic.Steps > 0 {
		return 0
	}
	return max(1, s.Passes, s.Members)
}
