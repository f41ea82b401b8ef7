package metrics

import (
	"fmt"
	"slices"

	"github.com/nextslice/nextslice/volume"
)

// Accumulator evaluates cases one at a time and keeps their measures, never their voxels. It is not safe for
// concurrent use.
type Accumulator struct {
	classes []string
	rules   Rules
	axis    int
	cases   []Case
	totals  []totals // by class; [0] is not used
	unit    string
}

// totals are the measures of one class in the making, over some cases.
type totals struct {
	dice2D, dice3D, hd95, assd mean
	further                    furtherTotals
}

func (t *totals) merge(other totals) {
	t.dice2D.merge(other.dice2D)
	t.dice3D.merge(other.dice3D)
	t.hd95.merge(other.hd95)
	t.assd.merge(other.assd)
	t.further.merge(other.further)
}

// NewAccumulator returns an accumulator with no cases. The index of a class in classes is its label value; classes[0]
// is the background, which is not measured. The slices of dice_2d run along the last index axis, k, of the masks; see
// SliceAxis. It panics if there is no foreground class, if there are more than 256, if the rule is unknown, or on a tolerance
// that is negative or NaN.
func NewAccumulator(classes []string, r Rules) *Accumulator {
	if len(classes) < 2 || len(classes) > 256 {
		panic(fmt.Sprintf("metrics: NewAccumulator: want background and 1 to 255 foreground classes, got %d names", len(classes)))
	}
	switch r.Empty {
	case "":
		r.Empty = EmptyUndefined
	case EmptyUndefined, EmptyOne:
	default:
		panic(fmt.Sprintf("metrics: NewAccumulator: rule %q for empty masks, want %q or %q", r.Empty, EmptyUndefined, EmptyOne))
	}
	if f := r.Further; f != nil && !(f.NSD >= 0 && f.LesionOverlap >= 0 && f.LesionOverlap <= 1) {
		panic(fmt.Sprintf("metrics: NewAccumulator: tolerances %+v, want NSD from 0 and LesionOverlap from 0 to 1", *f))
	}
	return &Accumulator{classes: classes, rules: r, axis: 2, totals: make([]totals, len(classes))}
}

// SliceAxis sets the index axis along which the slices of dice_2d run: 0, 1 or 2. It panics on another axis, or if
// cases were already added.
func (a *Accumulator) SliceAxis(axis int) {
	if axis < 0 || axis > 2 || len(a.cases) > 0 {
		panic(fmt.Sprintf("metrics: SliceAxis: axis %d with %d cases added, want 0, 1 or 2 before the first case", axis, len(a.cases)))
	}
	a.axis = axis
}

// Add evaluates one case; distances are measured with the spacing of ref.
//
// Voxels whose reference is [volume.Ignored] count in no measure: before anything is measured they become background in
// both masks, so that they are never an error, and a surface that is cut off by them ends at the same voxel in both. A slice or a
// case all of which is ignored has no value, under any rule for empty masks. This is how nnU-Net's evaluation counts voxels with its
// ignore label; it measures no distances. With 256 classes 255 is the last of them, and nothing is ignored.
//
// It panics if the masks differ in size, or
// if one of them holds a label that is not among the classes: the reader of a data set refuses such masks by name.
func (a *Accumulator) Add(id string, pred, ref *volume.Mask) { a.AddPartly(id, pred, ref, nil) }

// AddPartly is Add for a case in which nobody has looked for some classes, for which unannotated, [K], is true: they have no value there, under
// any rule for empty masks. The other classes are measured as ever.
func (a *Accumulator) AddPartly(id string, pred, ref *volume.Mask, unannotated []bool) {
	demandSameSize("Add", pred, ref)
	c := Case{ID: id, Unit: string(ref.Unit)}
	pred, ref, known := a.withoutIgnored(pred, ref)
	bySlice := a.overlaps(id, pred, ref)
	for class := 1; class < len(a.classes); class++ {
		var t totals
		if unannotated != nil && unannotated[class] {
			t.dice2D.undefined, t.dice3D.undefined, t.hd95.undefined, t.assd.undefined = len(bySlice), 1, 1, 1
			t.further.unknown(a.rules.Further)
			c.Classes = append(c.Classes, a.summary(t, class))
			a.totals[class].merge(t)
			continue
		}
		var whole overlap
		for n, s := range bySlice {
			if known != nil && !known[n] {
				t.dice2D.undefined++
				continue
			}
			a.addDice(&t.dice2D, s[class])
			whole.pred += s[class].pred
			whole.ref += s[class].ref
			whole.both += s[class].both
		}
		if known != nil && !slices.Contains(known, true) {
			t.dice3D.undefined++
		} else {
			a.addDice(&t.dice3D, whole)
		}
		s, defined := SurfaceDistances(pred, ref, uint8(class))
		addDistance(&t.hd95, s.HD95, s.Empty, defined)
		addDistance(&t.assd, s.ASSD, s.Empty, defined)
		if f := a.rules.Further; f != nil {
			t.further.measure(whole, pred, ref, uint8(class), *f)
		}

		c.Classes = append(c.Classes, a.summary(t, class))
		a.totals[class].merge(t)
	}
	if len(a.cases) > 0 && a.unit != c.Unit {
		a.unit = UnitMixed
	} else {
		a.unit = c.Unit
	}
	a.cases = append(a.cases, c)
}

// Summary returns the measures of the cases added so far. With no case every Value is NaN.
func (a *Accumulator) Summary() Summary {
	out := Summary{Unit: a.unit, Cases: len(a.cases), Tolerances: a.rules.Further, PerCase: append([]Case(nil), a.cases...)}
	for class := 1; class < len(a.classes); class++ {
		out.Classes = append(out.Classes, a.summary(a.totals[class], class))
	}
	out.Mean = overClasses(out.Classes)
	if a.rules.Further != nil {
		out.Mean.Further = furtherOverClasses(out.Classes)
	}
	return out
}

// withoutIgnored returns the masks with background in place of ignored voxels, and of each slice whether any voxel of it counts;
// nil if all do.
func (a *Accumulator) withoutIgnored(pred, ref *volume.Mask) (p, r *volume.Mask, known []bool) {
	if len(a.classes) > volume.Ignored || !slices.Contains(ref.Data, volume.Ignored) {
		return pred, ref, nil
	}
	p, r = &volume.Mask{Grid: pred.Grid, Data: slices.Clone(pred.Data)}, &volume.Mask{Grid: ref.Grid, Data: slices.Clone(ref.Data)}
	s := ref.Slices(a.axis)
	known = make([]bool, s.Count)
	for x, v := range ref.Data {
		if v == volume.Ignored {
			p.Data[x], r.Data[x] = 0, 0
		} else {
			known[x/s.Step%s.Count] = true
		}
	}
	return p, r, known
}

// overlaps returns the label counts of each slice along the slice axis, by class.
func (a *Accumulator) overlaps(id string, pred, ref *volume.Mask) [][]overlap {
	cut := ref.Slices(a.axis)
	bySlice := make([][]overlap, cut.Count)
	for n := range bySlice {
		bySlice[n] = make([]overlap, len(a.classes))
	}
	for x, r := range ref.Data {
		p := pred.Data[x]
		if p == 0 && r == 0 {
			continue
		}
		if largest := int(max(p, r)); largest >= len(a.classes) {
			panic(fmt.Sprintf("metrics: Add: case %s holds label %d, want 0 to %d", id, largest, len(a.classes)-1))
		}
		s := bySlice[x/cut.Step%cut.Count]
		s[p].pred++
		s[r].ref++
		if p == r {
			s[p].both++
		}
	}
	return bySlice
}

func (a *Accumulator) addDice(m *mean, c overlap) {
	value, defined := c.dice()
	switch {
	case defined:
		m.add(value)
	case a.rules.Empty == EmptyOne:
		m.add(1)
	default:
		m.undefined++
	}
}

func addDistance(m *mean, value float64, flagged, defined bool) {
	if !defined {
		m.undefined++
		return
	}
	m.add(value)
	if flagged {
		m.flagged++
	}
}

func (a *Accumulator) summary(t totals, class int) ClassSummary {
	out := ClassSummary{
		Class:  class,
		Name:   a.classes[class],
		Dice2D: t.dice2D.measure(),
		Dice3D: t.dice3D.measure(),
		HD95:   t.hd95.measure(),
		ASSD:   t.assd.measure(),
	}
	if a.rules.Further != nil {
		out.Further = t.further.summary()
	}
	return out
}
