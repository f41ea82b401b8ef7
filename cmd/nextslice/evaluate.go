package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/volume"
)

type evaluateCommand struct {
	Pred   string `required:"" placeholder:"PATH" help:"Predicted mask, or folder of them."`
	Ref    string `required:"" placeholder:"PATH" help:"Reference mask, folder of them, or folder of a data set."`
	Axis   string `default:"k" enum:"i,j,k" help:"Index axis of the slices of dice_2d: i, j or k."`
	Ignore int    `default:"0" placeholder:"VALUE" help:"Label value of the references that counts in no measure; else the label ignore of a data set's dataset.json."`
	Empty  string `default:"undefined" enum:"undefined,one" help:"Dice where both masks are empty: undefined (left out and counted) or one."`

	NSDTolerance  float64 `name:"nsd-tolerance" default:"2" placeholder:"MM" help:"Distance within which nsd counts a surface as right, in mm; in voxels without spacing. The default is 2."`
	LesionOverlap float64 `default:"0.1" placeholder:"SHARE" help:"Share of a lesion's voxels that the other mask must hold for it to be found, or true; 0 is one voxel. The default is 0.1."`
	Lesions       bool    `help:"Print lesions too: found, missed, false positives and their F1."`
	All           bool    `help:"Print all measures: also precision, recall, difference in volume, and lesions."`
	ByIndex       bool    `help:"Compare voxel by voxel, whatever the headers say about place and direction."`
	JSON          bool    `help:"Write JSON, with all measures."`
}

func (evaluateCommand) Help() string {
	return `Compares masks with reference masks: Dice per slice and per volume, the 95th percentile of the surface distances and their
mean, and the normalised surface Dice (nsd): the share of both surfaces that is no further than a tolerance from the other.
--lesions counts connected components (26 neighbours, 8 in a slice). A star marks distances of which some stand for an empty
mask. All measures are defined in docs/reference/measures.md.

Masks may be of any format, also DICOM SEG. They are compared where they lie in the patient: axes may be stored in another order or
direction, and a mask may be cropped, as 3D Slicer's are. Masks whose voxels do not coincide are refused; those without
geometry, such as pictures, are compared voxel by voxel.

Of folders, masks of the same name are compared, whatever their extensions; endings such as _seg, _segmentation, -label, _mask or
_gt do not count. Of a data set's folder the cases' masks are taken. Cases that cannot be compared, for a damaged file or a missing
prediction, are listed and left out of the means; the exit code is then 1.

Of a data set's folder whose dataset.json lists what is annotated in a case (annotated), classes that are not listed have no measure there.

Voxels of the value --ignore in the reference count in no measure; in a prediction the value is background.

Examples:
  nextslice evaluate --pred case12.nii.gz --ref labels/case12.nii.gz
  nextslice evaluate --pred predictions --ref DIR --all
  nextslice evaluate --pred predictions --ref labels --lesions --lesion-overlap 0.5
  nextslice evaluate --pred predictions --ref labels --nsd-tolerance 1 --json`
}

func (c evaluateCommand) Run(ctx context.Context, s streams) error {
	if !(c.NSDTolerance >= 0) || math.IsInf(c.NSDTolerance, 0) {
		return usagef("--nsd-tolerance %v: want a distance of 0 or more", c.NSDTolerance)
	}
	if !(c.LesionOverlap >= 0 && c.LesionOverlap <= 1) {
		return usagef("--lesion-overlap %v: want a share from 0 to 1", c.LesionOverlap)
	}
	if c.Ignore < 0 || c.Ignore > 255 {
		return usagef("--ignore %d: want a label value from 1 to 255", c.Ignore)
	}
	axis, err := volume.ParseAxis(c.Axis)
	if err != nil {
		return err
	}
	pairs, left, err := maskPairs(c.Pred, c.Ref, s.err)
	if err != nil {
		return err
	}
	// Once to learn the label values, once to compare: so no more than one pair is in memory.
	ignore := uint8(c.Ignore)
	if ignore == 0 {
		ignore = dataset.IgnoreValue(c.Ref)
	}
	annotated, err := dataset.AnnotatedValues(c.Ref)
	if err != nil {
		return err
	}
	seen := valuesSeen{ignore: ignore}
	fault := func(p maskPair, err error) {
		left = append(left, dataset.Problem{Case: p.name, Text: strings.Join(strings.Fields(err.Error()), " "), LeftOut: true})
	}
	var sound []maskPair
	for _, p := range pairs {
		if err := ctx.Err(); err != nil {
			return err
		}
		pred, ref, ignored, notes, err := p.read(c.ByIndex, ignore)
		if err != nil {
			if len(pairs) == 1 && len(left) == 0 {
				return err
			}
			fault(p, err)
			continue
		}
		warn(s.err, notes)
		if ignored && seen.ignore == 0 {
			seen.ignore = volume.Ignored
		}
		seen.add(pred, ref)
		sound = append(sound, p)
	}
	classes, notes := seen.classes()
	warn(s.err, notes)
	a := metrics.NewAccumulator(classes.names, metrics.Rules{
		Empty:   c.Empty,
		Further: &metrics.Tolerances{NSD: c.NSDTolerance, LesionOverlap: c.LesionOverlap},
	})
	a.SliceAxis(axis)
	for _, p := range sound {
		if err := ctx.Err(); err != nil {
			return err
		}
		pred, ref, _, _, err := p.read(c.ByIndex, ignore)
		if err != nil {
			return err // it was sound just now
		}
		classes.number(pred, ref)
		a.AddPartly(p.name, pred, ref, classes.unannotated(p.name, annotated))
	}
	for _, p := range left {
		fmt.Fprintln(s.err, p)
	}
	if len(sound) == 0 {
		return fmt.Errorf("no case of %d can be compared", len(left))
	}
	summary := evaluation{a.Summary(), left}
	classes.restore(summary.Summary)
	if c.JSON {
		err = writeJSON(s.out, summary)
	} else {
		err = writeSummary(s.out, summary.Summary, c.columns(summary.Summary))
	}
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("left out: %d of %d cases: the means are those of %d", len(left), len(left)+len(sound), len(sound))
	}
	return err
}

// evaluation is what the command writes as JSON.
type evaluation struct {
	metrics.Summary
	LeftOut []dataset.Problem `json:"left_out,omitempty"`
}

// column is a column of measures.
type column struct {
	title string
	value func(metrics.ClassSummary) string
}

// columns returns the columns that were asked for.
func (c evaluateCommand) columns(s metrics.Summary) []column {
	number := func(title string, digits int, pick func(metrics.ClassSummary) metrics.Measure) column {
		return column{title, func(c metrics.ClassSummary) string { return measure(pick(c), digits) }}
	}
	count := func(title string, pick func(metrics.Lesions) int) column {
		return column{title, func(c metrics.ClassSummary) string { return fmt.Sprint(pick(c.Lesions)) }}
	}
	columns := []column{
		number("dice_3d", 3, func(c metrics.ClassSummary) metrics.Measure { return c.Dice3D }),
		number("dice_2d", 3, func(c metrics.ClassSummary) metrics.Measure { return c.Dice2D }),
		number("hd95_3d "+s.Unit, 2, func(c metrics.ClassSummary) metrics.Measure { return c.HD95 }),
		number("assd "+s.Unit, 2, func(c metrics.ClassSummary) metrics.Measure { return c.ASSD }),
		number(fmt.Sprintf("nsd %g %s", c.NSDTolerance, s.Unit), 3, func(c metrics.ClassSummary) metrics.Measure { return c.NSD }),
	}
	if c.All {
		unit := strings.Replace(s.Unit, "mm", "ml", 1)
		columns = append(columns,
			number("precision", 3, func(c metrics.ClassSummary) metrics.Measure { return c.Precision }),
			number("recall", 3, func(c metrics.ClassSummary) metrics.Measure { return c.Recall }),
			number("volume "+unit, 2, func(c metrics.ClassSummary) metrics.Measure { return c.VolumeDifference }),
			number("volume share", 3, func(c metrics.ClassSummary) metrics.Measure { return c.RelativeVolumeDifference }))
	}
	if c.All || c.Lesions {
		columns = append(columns,
			count("found", func(l metrics.Lesions) int { return l.Found }),
			count("missed", func(l metrics.Lesions) int { return l.Missed }),
			count("false", func(l metrics.Lesions) int { return l.FalsePositives }),
			number("lesion_f1", 3, func(c metrics.ClassSummary) metrics.Measure { return c.Lesions.F1 }))
	}
	return columns
}

func writeSummary(out io.Writer, s metrics.Summary, columns []column) error {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	row := func(id, class string, value func(column) string) {
		cells := []string{id, class}
		for _, c := range columns {
			cells = append(cells, value(c))
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	row("case", "class", func(c column) string { return c.title })
	measured := func(id string, class metrics.ClassSummary) {
		row(id, class.Name, func(c column) string { return c.value(class) })
	}
	for _, one := range s.PerCase {
		for _, class := range one.Classes {
			measured(one.ID, class)
		}
	}
	for _, class := range s.Classes {
		measured("mean", class)
	}
	if len(s.Classes) > 1 {
		measured("mean", s.Mean)
	}
	return w.Flush()
}

// measure formats a mean, - where it is undefined, with a star where a distance is that of an empty mask.
func measure(m metrics.Measure, digits int) string {
	if math.IsNaN(m.Value) {
		return "-"
	}
	text := fmt.Sprintf("%.*f", digits, m.Value)
	if m.Flagged > 0 {
		text += "*"
	}
	return text
}
