package metrics

import (
	"math"

	"github.com/nextslice/nextslice/volume"
)

// Further holds the measures of one class that are taken where Rules.Further asks for them; otherwise it is zero. As with the
// others a class that is in neither mask has no value, and does not count.
type Further struct {
	// NSD is the normalised surface Dice at Tolerances.NSD, see SurfaceDice, mean over cases, 0 to 1.
	NSD Measure `json:"nsd,omitzero"`
	// Precision is |P ∩ R| / |P| in voxels, mean over cases, 0 to 1; undefined where the prediction is empty.
	Precision Measure `json:"precision,omitzero"`
	// Recall, also called sensitivity, is |P ∩ R| / |R| in voxels, mean over cases, 0 to 1; undefined where the reference is
	// empty.
	Recall Measure `json:"recall,omitzero"`
	// VolumeDifference is |P| - |R|, mean over cases, in ml, or in voxels where Summary.Unit is "voxel". Too much in one case
	// and too little in another cancel out.
	VolumeDifference Measure `json:"volume_difference,omitzero"`
	// RelativeVolumeDifference is (|P| - |R|) / |R|, mean over cases, from -1; undefined where the reference is empty.
	RelativeVolumeDifference Measure `json:"relative_volume_difference,omitzero"`
	// Lesions are the connected components, of all cases together.
	Lesions Lesions `json:"lesions,omitzero"`
}

// Tolerances say what the further measures forgive.
type Tolerances struct {
	// NSD is the distance within which a surface counts as the other, in the unit of the spacing, from 0.
	NSD float64 `json:"nsd"`
	// LesionOverlap is the share of a lesion that the other mask must cover, 0 to 1, see CountLesions.
	LesionOverlap float64 `json:"lesion_overlap"`
}

// furtherTotals are the further measures of one class in the making.
type furtherTotals struct {
	nsd, precision, recall, volume, relative mean
	lesions                                  Lesions
}

// measure adds the measures of one case, of which whole holds the voxel counts.
func (t *furtherTotals) measure(whole overlap, pred, ref *volume.Mask, class uint8, allow Tolerances) {
	add := func(m *mean, value float64, defined bool) {
		if !defined {
			m.undefined++
			return
		}
		m.add(value)
	}
	surface, defined := SurfaceDice(pred, ref, class, allow.NSD)
	add(&t.nsd, surface, defined)
	both, p, r := float64(whole.both), float64(whole.pred), float64(whole.ref)
	add(&t.precision, both/p, p > 0)
	add(&t.recall, both/r, r > 0)
	add(&t.volume, (p-r)*voxelVolume(ref.Grid), p+r > 0)
	add(&t.relative, (p-r)/r, r > 0)
	t.lesions = t.lesions.plus(CountLesions(pred, ref, class, allow.LesionOverlap))
}

// unknown counts a case in which nobody has looked for the class.
func (t *furtherTotals) unknown(asked *Tolerances) {
	if asked != nil {
		t.nsd.undefined, t.precision.undefined, t.recall.undefined, t.volume.undefined, t.relative.undefined = 1, 1, 1, 1, 1
	}
}

// voxelVolume returns the volume of a voxel in ml, or 1 where the header gives no spacing.
func voxelVolume(g volume.Grid) float64 {
	if g.Unit != volume.Millimetre {
		return 1
	}
	a := g.Affine
	det := a[0][0]*(a[1][1]*a[2][2]-a[1][2]*a[2][1]) - a[0][1]*(a[1][0]*a[2][2]-a[1][2]*a[2][0]) + a[0][2]*(a[1][0]*a[2][1]-a[1][1]*a[2][0])
	return math.Abs(det) / 1000
}

func (t *furtherTotals) merge(other furtherTotals) {
	t.nsd.merge(other.nsd)
	t.precision.merge(other.precision)
	t.recall.merge(other.recall)
	t.volume.merge(other.volume)
	t.relative.merge(other.relative)
	t.lesions = t.lesions.plus(other.lesions)
}

func (t furtherTotals) summary() Further {
	return Further{
		NSD:                      t.nsd.measure(),
		Precision:                t.precision.measure(),
		Recall:                   t.recall.measure(),
		VolumeDifference:         t.volume.measure(),
		RelativeVolumeDifference: t.relative.measure(),
		Lesions:                  t.lesions.rates(),
	}
}

// furtherOverClasses returns the means over classes, as Summary.Mean states them; lesions are counted together.
func furtherOverClasses(classes []ClassSummary) Further {
	out := Further{
		NSD:                      meanOver(classes, func(c ClassSummary) Measure { return c.NSD }),
		Precision:                meanOver(classes, func(c ClassSummary) Measure { return c.Precision }),
		Recall:                   meanOver(classes, func(c ClassSummary) Measure { return c.Recall }),
		VolumeDifference:         meanOver(classes, func(c ClassSummary) Measure { return c.VolumeDifference }),
		RelativeVolumeDifference: meanOver(classes, func(c ClassSummary) Measure { return c.RelativeVolumeDifference }),
	}
	var all Lesions
	for _, c := range classes {
		all = all.plus(c.Lesions)
	}
	out.Lesions = all.rates()
	return out
}
