package dicom

import "github.com/suyashkumar/dicom/pkg/tag"

// windows returns the windows of a slice's header, WindowCenter and WindowWidth of DICOM PS3.3 C.11.2, which are for the values
// after rescaling. Those without a width are left out.
func (x slice) windows() []Window {
	centers, widths, names := x.reals(tag.WindowCenter), x.reals(tag.WindowWidth), x.texts(tag.WindowCenterWidthExplanation)
	var out []Window
	for i := range min(len(centers), len(widths)) {
		if !(widths[i] > 0) {
			continue
		}
		w := Window{Low: centers[i] - widths[i]/2, High: centers[i] + widths[i]/2}
		if i < len(names) {
			w.Name = clean(names[i])
		}
		if x.turned { // v became sum - v with the pixels
			sum := x.slope*float64(x.turn) + 2*x.intercept
			w.Low, w.High = sum-w.High, sum-w.Low
		}
		out = append(out, w)
	}
	return out
}
