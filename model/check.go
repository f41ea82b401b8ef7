package model

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/nextslice/nextslice/nn/safetensors"
)

// sumKey is that of the checksum in a file's metadata.
const sumKey = "sha256"

// sum is the SHA-256 of a file's Info and weights.
func sum(f *safetensors.File) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q\n", f.Metadata[key])
	for _, t := range f.Tensors {
		fmt.Fprintf(h, "%q %s %v\n", t.Name, t.DType, t.Shape)
		h.Write(t.Data)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// doubts says what is wrong with a file whose network can be read all the same: its bytes are not those that were written. Files of older
// programs have no checksum.
func doubts(f *safetensors.File) []string {
	if written, ok := f.Metadata[sumKey]; ok && written != sum(f) {
		return []string{"the model file is damaged: its checksum is not that of its weights; take a copy of it, or train it again"}
	}
	return nil
}

// Verify returns an error for a file of a network that is damaged.
func Verify(path string) error {
	f, err := safetensors.Read(path)
	if err != nil {
		return err
	}
	if w := doubts(f); len(w) > 0 {
		return fmt.Errorf("%s: %s", path, w[0])
	}
	return nil
}

// constancy finds a network that answers the same whatever it is shown.
type constancy struct {
	first   []float32
	differs bool
	seen    int
}

// constant is how much the probabilities of a class must differ between two voxels to be no constant.
const constant = 1e-5

// add looks at class probabilities, [.. K].
func (c *constancy) add(probs []float32, classes int) {
	if c.first == nil && len(probs) >= classes {
		c.first = append(c.first, probs[:classes]...)
	}
	c.seen += len(probs) / classes
	for i := 0; i < len(probs) && !c.differs; i++ {
		d := probs[i] - c.first[i%classes]
		c.differs = d > constant || d < -constant
	}
}

// warning says so, "" where the answers differ.
func (c *constancy) warning() string {
	if c.differs || c.seen < 2 {
		return ""
	}
	return "the network answers the same at every voxel: its weights are those of a training that has failed, or damaged"
}
