package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/source"
)

type evaluateCommand struct {
	Pred  string `required:"" placeholder:"PATH" help:"Predicted mask, or folder of them."`
	Ref   string `required:"" placeholder:"PATH" help:"Reference mask, or folder of them, with the same names."`
	Axis  string `default:"k" enum:"i,j,k" help:"Index axis of the slices of dice_2d: i, j or k."`
	Empty string `default:"undefined" enum:"undefined,one" help:"Dice where both masks are empty: undefined (left out and counted) or one."`
	JSON  bool   `help:"Write JSON."`
}

func (evaluateCommand) Help() string {
	return `Compares masks with reference masks: Dice per slice and per volume, the 95th percentile of the surface distances and their
mean. Masks may be of any format, also DICOM SEG. A pair has the same name but for the extension; reference masks without a
prediction are an error, as are masks of different sizes.

Examples:
  nextslice evaluate --pred case12.nii.gz --ref labels/case12.nii.gz
  nextslice evaluate --pred predictions --ref labels --json`
}

func (c evaluateCommand) Run(ctx context.Context, s streams) error {
	pairs, err := maskPairs(c.Pred, c.Ref)
	if err != nil {
		return err
	}
	// Once to learn the classes, once to compare: so no more than one pair is in memory.
	highest := uint8(1)
	for _, p := range pairs {
		if err := ctx.Err(); err != nil {
			return err
		}
		pred, ref, err := p.read()
		if err != nil {
			return err
		}
		if !pred.Same(ref.Grid, 1e-2) {
			fmt.Fprintf(s.err, "%s: its header places it elsewhere than its reference; they are compared voxel by voxel\n", p.pred)
		}
		highest = max(highest, slices.Max(pred.Data), slices.Max(ref.Data))
	}
	classes := []string{"background"}
	for v := 1; v <= int(highest); v++ {
		classes = append(classes, fmt.Sprint("class ", v))
	}
	a := metrics.NewAccumulator(classes, metrics.Rules{Empty: c.Empty})
	axis, err := volume.ParseAxis(c.Axis)
	if err != nil {
		return err
	}
	a.SliceAxis(axis)
	for _, p := range pairs {
		if err := ctx.Err(); err != nil {
			return err
		}
		pred, ref, err := p.read()
		if err != nil {
			return err
		}
		a.Add(p.name, pred, ref)
	}
	summary := a.Summary()
	if c.JSON {
		return writeJSON(s.out, summary)
	}
	return writeSummary(s.out, summary)
}

func writeSummary(out io.Writer, s metrics.Summary) error {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintf(w, "case\tclass\tdice_3d\tdice_2d\thd95_3d %s\tassd %s\n", s.Unit, s.Unit)
	row := func(id string, c metrics.ClassSummary) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", id, c.Name, measure(c.Dice3D, 3), measure(c.Dice2D, 3), measure(c.HD95, 2), measure(c.ASSD, 2))
	}
	for _, one := range s.PerCase {
		for _, c := range one.Classes {
			row(one.ID, c)
		}
	}
	for _, c := range s.Classes {
		row("mean", c)
	}
	if len(s.Classes) > 1 {
		row("mean", s.Mean)
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

type maskPair struct{ name, pred, ref string }

func (p maskPair) read() (pred, ref *volume.Mask, err error) {
	if pred, err = source.ReadMask(p.pred); err != nil {
		return nil, nil, err
	}
	if ref, err = source.ReadMask(p.ref); err != nil {
		return nil, nil, err
	}
	if volume.IsDICOM(p.pred) || volume.IsDICOM(p.ref) { // a DICOM SEG leaves out slices, and its image may run otherwise
		if placed, err := pred.On(ref.Grid); err == nil {
			pred = placed
		} else if placed, err := ref.On(pred.Grid); err == nil {
			ref = placed
		}
	}
	if pred.Size != ref.Size {
		return nil, nil, fmt.Errorf("%s has %v voxels, its reference %v", p.pred, pred.Size, ref.Size)
	}
	return pred, ref, nil
}

// maskPairs returns the masks to compare: two files, or those of the same name in two folders.
func maskPairs(pred, ref string) ([]maskPair, error) {
	predInfo, err := os.Stat(pred)
	if err != nil {
		return nil, err
	}
	refInfo, err := os.Stat(ref)
	if err != nil {
		return nil, err
	}
	if predInfo.IsDir() != refInfo.IsDir() {
		return nil, usagef("--pred and --ref: want two files or two folders")
	}
	if !predInfo.IsDir() {
		return []maskPair{{volume.TrimExt(filepath.Base(pred)), pred, ref}}, nil
	}
	preds, err := masksIn(pred)
	if err != nil {
		return nil, err
	}
	refs, err := masksIn(ref)
	if err != nil {
		return nil, err
	}
	var pairs []maskPair
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		if preds[name] == "" {
			missing = append(missing, name)
			continue
		}
		pairs = append(pairs, maskPair{name, preds[name], refs[name]})
	}
	switch {
	case len(refs) == 0:
		return nil, fmt.Errorf("%s holds no masks", ref)
	case len(missing) > 0:
		return nil, fmt.Errorf("%s holds no prediction of %s", pred, strings.Join(missing, ", "))
	}
	return pairs, nil
}

// masksIn returns the paths of a folder's masks by name.
func masksIn(dir string) (map[string]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	paths := map[string]string{}
	for _, e := range entries {
		if !e.IsDir() && (volume.IsImage(e.Name()) || volume.IsDICOM(e.Name())) {
			name := volume.TrimExt(e.Name())
			if paths[name] != "" {
				return nil, fmt.Errorf("%s holds two masks named %s", dir, name)
			}
			paths[name] = filepath.Join(dir, e.Name())
		}
	}
	return paths, nil
}
