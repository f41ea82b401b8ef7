package metrics

import (
	"math"

	"github.com/nextslice/nextslice/volume"
)

// Lesions counts the lesions of one class, which are its connected components: voxels that share a face, an edge or a corner
// are of one lesion (26 neighbours; in a single slice 8).
type Lesions struct {
	Found  int `json:"found"`  // lesions of the reference that the prediction covers
	Missed int `json:"missed"` // lesions of the reference that it does not cover
	// FalsePositives are the lesions of the prediction that the reference does not cover; TruePositives the others. A predicted
	// lesion may cover several of the reference, and one of these be covered by several: Found may differ from TruePositives.
	FalsePositives int `json:"false_positives"`
	TruePositives  int `json:"true_positives"`
	// Precision is the share of predicted lesions that are true, Recall that of the reference's that are found; N is the
	// number of lesions. Each is NaN where there is none.
	Precision Measure `json:"precision"`
	Recall    Measure `json:"recall"`
	// F1 is the harmonic mean of both, 0 where one of them is 0 or NaN, NaN where both are NaN. N counts all lesions.
	F1 Measure `json:"f1"`
}

// CountLesions finds the lesions of one class in both masks. A lesion of one mask is covered by the other if at least this
// share of its voxels, 0 to 1, and no less than one voxel, are of the class there. At 0 one common voxel will do, and then a
// prediction that is lesion all over finds everything and has no false positive.
//
// It panics if the masks differ in size.
func CountLesions(pred, ref *volume.Mask, class uint8, overlap float64) Lesions {
	demandSameSize("CountLesions", pred, ref)
	var l Lesions
	l.Found, l.Missed = covered(ref, pred, class, overlap)
	l.TruePositives, l.FalsePositives = covered(pred, ref, class, overlap)
	return l.rates()
}

// covered counts the components of m by whether other covers them.
func covered(m, other *volume.Mask, class uint8, overlap float64) (yes, no int) {
	number, voxels := m.Components(class)
	common := make([]int, len(voxels))
	for v, n := range number {
		if n > 0 && other.Data[v] == class {
			common[n]++
		}
	}
	for n := 1; n < len(voxels); n++ {
		if common[n] > 0 && float64(common[n])/float64(voxels[n]) >= overlap {
			yes++
		} else {
			no++
		}
	}
	return yes, no
}

// plus adds counts; the rates are left out.
func (l Lesions) plus(other Lesions) Lesions {
	return Lesions{
		Found:          l.Found + other.Found,
		Missed:         l.Missed + other.Missed,
		FalsePositives: l.FalsePositives + other.FalsePositives,
		TruePositives:  l.TruePositives + other.TruePositives,
	}
}

// rates fills in precision, recall and F1.
func (l Lesions) rates() Lesions {
	rate := func(part, rest int) Measure {
		return Measure{Value: float64(part) / float64(part+rest), N: part + rest} // 0/0 is NaN
	}
	l.Precision, l.Recall = rate(l.TruePositives, l.FalsePositives), rate(l.Found, l.Missed)
	l.F1 = Measure{N: l.Precision.N + l.Recall.N}
	switch p, r := l.Precision.Value, l.Recall.Value; {
	case l.F1.N == 0:
		l.F1.Value = math.NaN()
	case p > 0 && r > 0:
		l.F1.Value = 2 * p * r / (p + r)
	}
	return l
}
