package metrics

import (
	"encoding/json"
	"math"

	"github.com/nextslice/nextslice/internal/null"
)

// Rules says how the measures treat the cases in which they have no value of their own.
type Rules struct {
	// Empty is what Dice counts where prediction and reference are both empty: EmptyUndefined, also meant by "", or
	// EmptyOne.
	Empty string `json:"empty" yaml:"empty"`
	// Further asks for the measures of Further, with these tolerances; nil leaves them out.
	Further *Tolerances `json:"-" yaml:"-"`
}

// Values of Rules.Empty.
const (
	EmptyUndefined = "undefined" // left out of the mean, and counted in Measure.Undefined
	EmptyOne       = "one"       // counts 1, as the published code of the stochastic batches paper does for slices; inflates
)

// Measure is the mean of one measure over cases or slices. In JSON a NaN value is null.
type Measure struct {
	Value     float64 // NaN if N is 0
	N         int     // how many values it is the mean of
	Undefined int     // values left out, because prediction and reference are both empty
	Flagged   int     // of the N: distances set to the volume's diagonal, because one of the two is empty
}

type measureJSON struct {
	Value     null.Float `json:"value"`
	N         int        `json:"n"`
	Undefined int        `json:"undefined,omitempty"`
	Flagged   int        `json:"flagged,omitempty"`
}

// MarshalJSON writes a NaN value as null, for JSON has no NaN.
func (m Measure) MarshalJSON() ([]byte, error) {
	return json.Marshal(measureJSON{null.Float(m.Value), m.N, m.Undefined, m.Flagged})
}

// UnmarshalJSON reads what MarshalJSON wrote; null is NaN.
func (m *Measure) UnmarshalJSON(data []byte) error {
	in := measureJSON{Value: null.Float(math.NaN())}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*m = Measure{float64(in.Value), in.N, in.Undefined, in.Flagged}
	return nil
}

// ClassSummary holds the measures of one class: four, and those of Further where Rules ask for them.
type ClassSummary struct {
	Class  int     `json:"class"`   // label value; -1 for the mean over foreground classes
	Name   string  `json:"name"`    // of the class; "mean" for the mean over foreground classes
	Dice2D Measure `json:"dice_2d"` // mean over all slices of all cases, 0 to 1
	Dice3D Measure `json:"dice_3d"` // mean over cases, 0 to 1
	HD95   Measure `json:"hd95_3d"` // mean over cases, in Summary.Unit
	ASSD   Measure `json:"assd"`    // mean over cases, in Summary.Unit
	Further
}

// Names of the measures, as written in JSON, in tables and in the configuration.
const (
	NameDice2D = "dice_2d"
	NameDice3D = "dice_3d"
	NameHD95   = "hd95_3d"
	NameASSD   = "assd"
)

// Measure returns the measure of that name, and false if there is none. Of the two Dice higher is better, of the two
// distances lower.
func (c ClassSummary) Measure(name string) (m Measure, known bool) {
	switch name {
	case NameDice2D:
		return c.Dice2D, true
	case NameDice3D:
		return c.Dice3D, true
	case NameHD95:
		return c.HD95, true
	case NameASSD:
		return c.ASSD, true
	}
	return Measure{Value: math.NaN()}, false
}

// Summary is the evaluation of a set of cases.
type Summary struct {
	// Classes are the foreground classes, in the order of their label values.
	Classes []ClassSummary `json:"classes"`
	// Mean is the mean over foreground classes: each Value is the mean of the classes' values that are not NaN; N,
	// Undefined and Flagged are totals over the classes.
	Mean ClassSummary `json:"mean"`
	// Unit of the distances: "mm", "voxel", or UnitMixed.
	Unit string `json:"unit"`
	// Tolerances are those of the further measures, nil without them.
	Tolerances *Tolerances `json:"tolerances,omitempty"`
	Cases      int         `json:"cases"`
	PerCase    []Case      `json:"per_case,omitempty"`
}

// UnitMixed is the unit of a summary in which some cases have spacing in mm and others have none: the mean distances
// of such a set mean nothing.
const UnitMixed = "mixed"

// Case is the evaluation of one case. Its Dice2D is the mean over the case's slices.
type Case struct {
	ID      string         `json:"id"`
	Classes []ClassSummary `json:"classes"`
	Unit    string         `json:"unit"`
}

// mean is a Measure in the making.
type mean struct {
	sum                   float64
	n, undefined, flagged int
}

func (m *mean) add(value float64) { m.sum += value; m.n++ }

func (m *mean) merge(other mean) {
	m.sum += other.sum
	m.n += other.n
	m.undefined += other.undefined
	m.flagged += other.flagged
}

func (m mean) measure() Measure {
	return Measure{Value: m.sum / float64(m.n), N: m.n, Undefined: m.undefined, Flagged: m.flagged} // 0/0 is NaN
}

// overClasses returns the mean over foreground classes as Summary.Mean states it.
func overClasses(classes []ClassSummary) ClassSummary {
	over := func(pick func(ClassSummary) Measure) Measure { return meanOver(classes, pick) }
	return ClassSummary{
		Class:  -1,
		Name:   "mean",
		Dice2D: over(func(c ClassSummary) Measure { return c.Dice2D }),
		Dice3D: over(func(c ClassSummary) Measure { return c.Dice3D }),
		HD95:   over(func(c ClassSummary) Measure { return c.HD95 }),
		ASSD:   over(func(c ClassSummary) Measure { return c.ASSD }),
	}
}

// meanOver returns the mean of one measure over classes.
func meanOver(classes []ClassSummary, pick func(ClassSummary) Measure) (out Measure) {
	var sum float64
	var classesWithValue int
	for _, c := range classes {
		m := pick(c)
		out.N += m.N
		out.Undefined += m.Undefined
		out.Flagged += m.Flagged
		if m.N > 0 {
			sum += m.Value
			classesWithValue++
		}
	}
	out.Value = sum / float64(classesWithValue)
	return out
}
