package train

import (
	"context"
	"fmt"

	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/unet"
)

// predictBatch is the number of slices that are predicted together. Batch norm stands on its running statistics, so
// the number has no influence on the result of a slice.
const predictBatch = 8

// Predict calls each with the class probabilities of each image, [H W K], in the order of images. The probabilities
// are reused: they are valid until each returns. pass tells whether dropout is active; the zero Pass is the
// deterministic prediction. It ends with ctx's error between two batches, and with the first error of each.
// It panics if an image has not H·W pixels.
func Predict(ctx context.Context, e tensor.Engine, n *unet.Net, h, w int, images [][]float32, pass unet.Pass, each func(i int, probs []float32) error) (err error) {
	defer tensor.Catch(&err)
	var x, p tensor.Tensor
	for begin := 0; begin < len(images); begin += predictBatch {
		if err := ctx.Err(); err != nil {
			return err
		}
		end := min(begin+predictBatch, len(images))
		x.Resize(tensor.Shape{N: end - begin, H: h, W: w, C: 1})
		for i, image := range images[begin:end] {
			if len(image) != h*w {
				panic(fmt.Sprintf("train: Predict: image %d: want %d pixels, got %d", begin+i, h*w, len(image)))
			}
			copy(x.Data[i*h*w:], image)
		}
		logits := n.Forward(x, pass)
		p.Resize(logits.Shape)
		e.Softmax(p, logits)
		for i := range end - begin {
			if err := each(begin+i, p.Items(i, i+1).Data); err != nil {
				return err
			}
		}
	}
	return nil
}
