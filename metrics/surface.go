package metrics

import (
	"fmt"
	"math"
	"slices"

	"github.com/nextslice/nextslice/volume"
)

// Surface holds the distances between the surfaces of two masks of one class.
type Surface struct {
	// HD95 is the 95th percentile of the Hausdorff distance: of the distances from each surface voxel of one mask to the
	// nearest of the other the 95th percentile (linear interpolation), in both directions, and the larger of the two.
	HD95 float64
	// ASSD is the average symmetric surface distance: the mean of these distances, the two directions pooled.
	ASSD float64
	// Unit of both: millimetres, or voxels where the header gives no spacing.
	Unit volume.Unit
	// Empty says that one of the two masks is empty. Both distances are then the diagonal of the volume, of a single slice
	// that of its plane: the length of size times spacing, more than any two voxels are apart.
	Empty bool
}

// SurfaceDistances returns the distances between the surfaces of one class in a prediction and its reference, on the
// grid of the reference. Where the class is in neither of them it returns NaN distances and false.
//
// Surface voxels are those of the mask minus its erosion by the 6-neighbourhood; what lies outside the volume is
// background, so a mask that touches the volume's border has surface there. A grid that has only one voxel along an axis
// is a plane (or a line): its surface is the contour, for nothing is known of what lies beside it. A mask in one slice of
// several is surface throughout. Distances are between voxel centres, by
// an exact Euclidean transform with the grid's spacing (an oblique or sheared grid is measured as if its axes were at
// right angles).
//
// The percentile is taken per direction, as MONAI and the stochastic batches paper do; MedPy pools the distances of
// both directions first, which gives smaller values where the larger error is on the smaller surface.
// Sources: Huttenlocher et al. 1993, "Comparing images using the Hausdorff distance"; Heimann et al. 2009,
// "Comparison and evaluation of methods for liver segmentation from CT datasets", for the average.
//
// It panics if the masks differ in size.
func SurfaceDistances(pred, ref *volume.Mask, class uint8) (Surface, bool) {
	demandSameSize("SurfaceDistances", pred, ref)
	out := Surface{HD95: math.NaN(), ASSD: math.NaN(), Unit: ref.Unit}
	spacing := ref.Spacing()
	low, high, emptyP, emptyR := jointBounds(pred, ref, class)
	switch {
	case emptyP && emptyR:
		return out, false
	case emptyP || emptyR:
		diagonal, flat := 0.0, flatAxes(ref.Size)
		for d := range spacing {
			if !flat[d] {
				diagonal = math.Hypot(diagonal, float64(ref.Size[d])*spacing[d])
			}
		}
		out.HD95, out.ASSD, out.Empty = diagonal, diagonal, true
		return out, true
	}

	p := crop(pred.Data, pred.Size, class, low, high, spacing).surface()
	r := crop(ref.Data, ref.Size, class, low, high, spacing).surface()
	there, back := distances(p, r), distances(r, p)

	sum := 0.0
	for _, directed := range [][]float64{there, back} {
		for _, d := range directed {
			sum += d
		}
	}
	out.ASSD = sum / float64(len(there)+len(back))
	out.HD95 = max(percentile(there, 95), percentile(back, 95))
	return out, true
}

// jointBounds returns the bounding box of a class in both masks, from low up to and without high, and which of them are without
// it. All surface of both lies in that box, so nothing else need be looked at.
func jointBounds(pred, ref *volume.Mask, class uint8) (low, high [3]int, emptyP, emptyR bool) {
	lowP, highP := bounds(pred.Data, pred.Size, class)
	lowR, highR := bounds(ref.Data, ref.Size, class)
	for d := range low {
		low[d], high[d] = min(lowP[d], lowR[d]), max(highP[d], highR[d])
	}
	return low, high, highP == [3]int{}, highR == [3]int{}
}

// bounds returns the bounding box of a class, from low up to and without high; both are zero if it has no voxel.
func bounds(labels []uint8, size [3]int, class uint8) (low, high [3]int) {
	low = size
	x := 0
	for k := range size[2] {
		for j := range size[1] {
			line := labels[x : x+size[0]]
			x += size[0]
			first := slices.Index(line, class)
			if first < 0 {
				continue
			}
			last := len(line) - 1
			for line[last] != class {
				last--
			}
			low = [3]int{min(low[0], first), min(low[1], j), min(low[2], k)}
			high = [3]int{max(high[0], last+1), max(high[1], j+1), max(high[2], k+1)}
		}
	}
	if high == [3]int{} {
		return [3]int{}, [3]int{}
	}
	return low, high
}

// crop returns the voxels of a class from low up to and without high.
func crop(labels []uint8, size [3]int, class uint8, low, high [3]int, spacing [3]float64) box {
	b := box{spacing: spacing, flat: flatAxes(size)}
	for d := range b.size {
		b.size[d] = high[d] - low[d]
	}
	b.in = make([]bool, 0, b.size[0]*b.size[1]*b.size[2])
	for k := low[2]; k < high[2]; k++ {
		for j := low[1]; j < high[1]; j++ {
			line := size[0] * (j + size[1]*k)
			for _, label := range labels[line+low[0] : line+high[0]] {
				b.in = append(b.in, label == class)
			}
		}
	}
	return b
}

// percentile returns the q-th percentile of values with linear interpolation between the two nearest ranks (numpy's
// default), and sorts values. It panics if there are none.
func percentile(values []float64, q float64) float64 {
	slices.Sort(values)
	rank := q / 100 * float64(len(values)-1)
	below := int(rank)
	above := min(below+1, len(values)-1)
	return values[below] + (rank-float64(below))*(values[above]-values[below])
}

func demandSameSize(function string, pred, ref *volume.Mask) {
	if pred.Size != ref.Size || len(pred.Data) != len(ref.Data) {
		panic(fmt.Sprintf("metrics: %s: prediction of size %v, reference of size %v", function, pred.Size, ref.Size))
	}
}
