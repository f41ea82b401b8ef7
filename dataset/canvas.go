package dataset

import "github.com/nextslice/nextslice/preprocess"

// PreprocessFor returns Preprocess(axis) with the canvas, in rows and columns, that a training uses: that of Preprocess
// if it is within largest, else largest. A canvas beside it, if there is one, is taken as it is. Slices that fit the canvas
// are padded to it, never stretched. A largest of zero is no limit.
func (d *Dataset) PreprocessFor(axis int, largest [2]int, canvas []int) preprocess.Config {
	p := d.Preprocess(axis)
	if largest != [2]int{} && (p.Fit == preprocess.Resize || p.Height > largest[0] || p.Width > largest[1]) {
		p.Height, p.Width = largest[0], largest[1]
	}
	if len(canvas) == 2 {
		p.Height, p.Width = canvas[0], canvas[1]
	}
	p.Fit = preprocess.Pad
	for _, c := range d.Cases {
		if h, w := p.SliceSize(c.Grid); h > p.Height || w > p.Width {
			p.Fit = preprocess.Resize
		}
	}
	return p
}
