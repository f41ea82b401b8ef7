package unet

import "fmt"

// Config is the architecture of a network.
type Config struct {
	Classes int     `yaml:"classes" json:"classes"` // K, background included, 2 … 256
	Width   int     `yaml:"width" json:"width"`     // channels at full resolution: 64 in the paper; even, 2 … 256
	Dropout float64 `yaml:"dropout" json:"dropout"` // probability of each of the six dropout layers, [0, 1); 0.5 in the paper

	// Sigmoid says that the class probabilities are a sigmoid of each logit, as in training with binary cross-entropy
	// on every channel, instead of the softmax over all: they need not sum to 1.
	Sigmoid bool `yaml:"sigmoid" json:"sigmoid,omitempty"`

	// Channels of the images: a slice and those beside it, 1 … 16. 0 is 1, as in the paper.
	Channels int `yaml:"channels,omitempty" json:"channels,omitempty"`
}

// Validate returns an error that names the first field out of range.
func (c Config) Validate() error {
	switch {
	case c.Classes < 2 || c.Classes > 256:
		return fmt.Errorf("classes: want 2 to 256, got %d", c.Classes)
	case c.Width < 2 || c.Width > 256 || c.Width%2 != 0:
		return fmt.Errorf("width: want an even number from 2 to 256, got %d", c.Width)
	case c.Channels < 0 || c.Channels > 16:
		return fmt.Errorf("channels: want 1 to 16, got %d", c.Channels)
	case !(c.Dropout >= 0 && c.Dropout < 1):
		return fmt.Errorf("dropout: want a probability in [0, 1), got %v", c.Dropout)
	}
	return nil
}
