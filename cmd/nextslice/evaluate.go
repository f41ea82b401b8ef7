package main

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/metrics/compare"
	"github.com/nextslice/nextslice/volume"
)

type evaluateCommand struct {
	Pred   string     `required:"" placeholder:"PATH" help:"Predicted mask, or folder of them."`
	Ref    string     `required:"" placeholder:"PATH" help:"Reference mask, folder of them, or folder of a data set."`
	Image  string     `placeholder:"PATH" help:"Image that the masks were drawn on, or folder of the cases' images: cropped masks are measured on its grid, RTSTRUCT filled on it. By default that of the references' data set, else, for RTSTRUCT, the series beside it, else the other mask's voxels."`
	Axis   string     `default:"k" enum:"i,j,k" help:"Index axis of the slices of dice_2d: i, j or k."`
	Ignore labelValue `default:"0" placeholder:"VALUE" help:"Label value of the references that counts in no measure; else the label ignore of a data set's dataset.json."`
	Empty  string     `default:"undefined" enum:"undefined,one" help:"Dice where both masks are empty: undefined (left out and counted) or one."`

	NSDTolerance  float64 `name:"nsd-tolerance" default:"2" placeholder:"MM" help:"Distance within which nsd counts a surface as right, in mm; in voxels without spacing. The default is 2."`
	LesionOverlap float64 `default:"0.1" placeholder:"SHARE" help:"Share of a lesion's voxels that the other mask must hold for it to be found, or true; 0 is one voxel. The default is 0.1."`
	Lesions       bool    `help:"Print lesions too: found, missed, false positives and their F1."`
	All           bool    `help:"Print all measures: also precision, recall, difference in volume, and lesions."`
	ByIndex       bool    `help:"Compare voxel by voxel, whatever the headers say about place and direction."`
	CSV           bool    `name:"csv" help:"Write CSV, with all measures."`
	JSON          bool    `help:"Write JSON, with all measures."`
}

func (evaluateCommand) Help() string {
	return `Compares masks with reference masks: Dice per slice and per volume, the 95th percentile of the surface distances and their
mean, and the normalised surface Dice (nsd): the share of both surfaces that is no further than a tolerance from the other.
--lesions counts connected components (26 neighbours, 8 in a slice). A star marks distances of which some stand for an empty
mask. All measures are defined in docs/reference/measures.md.

Masks may be of any format, also DICOM SEG and RTSTRUCT. They are compared where they lie in the patient: axes may be stored in another order or
direction, and a mask may be cropped, as 3D Slicer's are: what is measured is then that on the image (--image). Masks whose voxels do not coincide are refused; those without
geometry, such as pictures, are compared voxel by voxel. Contours (RTSTRUCT) are filled on the image that they were drawn on (--image), else on
the voxels of the other mask.

Classes have the names of the references: of the dataset.json beside or above them, else of their segments (.seg.nrrd, DICOM SEG, RTSTRUCT); without
any, those of the predictions, found in the same way. Where both sides have names these decide what is compared, whatever the numbers; a name that the references do not have is a fault of
the case. Values without a name are numbers: "class 1".

Of folders, masks of the same name are compared, whatever their extensions; endings such as _seg, _segmentation, -label, _mask or
_gt do not count. Of a data set's folder the cases' masks are taken. Cases that cannot be compared, for a damaged file or a missing
prediction, are listed and left out of the means; the exit code is then 1.

Of a data set's folder whose dataset.json lists what is annotated in a case (annotated), classes that are not listed have no measure there.

Voxels of the value --ignore in the reference count in no measure; in a prediction the value is background.

Examples:
  nextslice evaluate --pred case12.nii.gz --ref labels/case12.nii.gz
  nextslice evaluate --pred predictions --ref DIR --all
  nextslice evaluate --pred predictions --ref labels --lesions --lesion-overlap 0.5
  nextslice evaluate --pred predictions --ref labels --nsd-tolerance 1 --json
  nextslice evaluate --pred case12.seg.nrrd --ref RS.dcm --image scans/case12 --csv`
}

func (c evaluateCommand) Run(ctx context.Context, s streams) error {
	if !(c.NSDTolerance >= 0) || math.IsInf(c.NSDTolerance, 0) {
		return usagef("--nsd-tolerance %v: want a distance of 0 or more", c.NSDTolerance)
	}
	if !(c.LesionOverlap >= 0 && c.LesionOverlap <= 1) {
		return usagef("--lesion-overlap %v: want a share from 0 to 1", c.LesionOverlap)
	}
	if c.CSV && c.JSON {
		return usagef("--csv and --json: give one of them")
	}
	axis, err := volume.ParseAxis(c.Axis)
	if err != nil {
		return err
	}
	e, err := compare.Masks(ctx, c.Pred, c.Ref, compare.Options{
		Axis: axis, Ignore: uint8(c.Ignore), ByIndex: c.ByIndex, Image: c.Image,
		Rules: metrics.Rules{Empty: c.Empty, Further: &metrics.Tolerances{NSD: c.NSDTolerance, LesionOverlap: c.LesionOverlap}},
		Note:  func(text string) { fmt.Fprintln(s.err, text) },
		Warn:  func(text string) { warn(s.err, []string{text}) },
	})
	if errors.Is(err, compare.ErrPaths) {
		return usagef("--pred and --ref: %v", err)
	}
	if err != nil {
		return err
	}
	for _, p := range e.LeftOut {
		fmt.Fprintln(s.err, p)
	}
	left := len(e.LeftOut)
	if e.Compared == 0 {
		return fmt.Errorf("no case of %d can be compared", left)
	}
	switch {
	case c.JSON:
		err = writeJSON(s.out, e)
	case c.CSV:
		err = e.WriteCSV(s.out)
	default:
		err = e.WriteText(s.out, compare.Columns{All: c.All, Lesions: c.Lesions, NSDTolerance: c.NSDTolerance})
	}
	if err == nil && left > 0 {
		err = fmt.Errorf("left out: %d of %d cases: the means are those of %d", left, left+e.Compared, e.Compared)
	}
	return err
}
