// Package preprocess turns a volume into slices on a canvas of one size, and predictions on the canvas back into masks
// on the volume's own grid.
//
// Vocabulary: a slice is a plane across one index axis of a grid, see volume.Slices. The canvas is the height and width
// that the network sees, the same for all cases.
//
// Flow:
//
//  1. [Derive] chooses a [Config] from the sizes of the cases; it is stored with a run.
//  2. [Normalise] clips and scales the intensities of a whole volume.
//  3. [Config.Image] and [Config.Labels] put one slice on the canvas.
//  4. [Config.Back] takes the class probabilities of a canvas to the slice's own pixels, [Argmax] picks the classes, and
//     volume.Mask.SetSlice puts them in the case's mask.
//
// Pixels are squares whose centres lie half a pixel from their edges, and resizing maps the outer edges of one image
// onto those of the other: pixel x of n has its centre at (x + 1/2)/n of the width. Nothing moves by half a pixel on the
// way there and back.
package preprocess
