package preprocess

// Refinement is what is done for better masks at prediction.
type Refinement struct {
	// Mirror takes the mean of the probabilities of each slice and of its mirror image, left and right swapped. It doubles the
	// time, and needs a network whose training mirrored slices too.
	Mirror bool `json:"mirror,omitempty" yaml:"mirror,omitempty"`
	// Largest keeps the largest connected component of each class in a case.
	Largest bool `json:"largest,omitempty" yaml:"largest,omitempty"`
}
