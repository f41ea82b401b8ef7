package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/volume"
)

// thirds is where the mask of a case lacks what.
type thirds struct {
	slices  int        // with foreground in the reference
	dice    [3]float64 // in the first, middle and last third of them, all classes of foreground as one
	missed  int        // of those slices, without foreground in the prediction
	outside int        // slices with foreground in the prediction alone
}

// divide compares masks on one grid, slice by slice along an axis. A reference without foreground has no thirds.
func divide(pred, ref *volume.Mask, axis int) (t thirds) {
	type counts struct{ pred, ref, both int }
	var extent []counts
	for k := range ref.Grid.Size[axis] {
		var c counts
		p, r := pred.Slice(axis, k), ref.Slice(axis, k)
		for i := range r {
			if p[i] != 0 {
				c.pred++
			}
			if r[i] != 0 {
				c.ref++
			}
			if p[i] != 0 && r[i] != 0 {
				c.both++
			}
		}
		switch {
		case c.ref > 0:
			extent = append(extent, c)
		case c.pred > 0:
			t.outside++
		}
		if c.ref > 0 && c.pred == 0 {
			t.missed++
		}
	}
	t.slices = len(extent)
	for part := range t.dice {
		both, sum := 0, 0
		for _, c := range extent[part*t.slices/3 : (part+1)*t.slices/3] {
			both, sum = both+c.both, sum+c.pred+c.ref
		}
		if sum > 0 {
			t.dice[part] = 2 * float64(both) / float64(sum)
		}
	}
	return t
}

// printCases trains and prints each measured case, by the masks as they are refined best: mirrored, where the training mirrors, and the
// largest component.
func (t trial) printCases(ctx context.Context, data string, threads int) error {
	found := map[string]thirds{}
	t.each = func(c model.Case, pred *volume.Mask, axis int) { found[c.ID] = divide(pred, c.Ref, axis) }
	outcomes, err := t.run(ctx, data, threads)
	if err != nil {
		return err
	}
	last := outcomes[len(outcomes)-1]
	fmt.Printf("\n%s, %d labels, seed %d, %s: mean %.3f\n\n", filepath.Base(t.dataset), t.labels, t.seed, t.variant, last.summary.Mean.Dice3D.Value)
	fmt.Println("| case | 3D Dice | first third | middle | last third | slices | missed | outside |")
	fmt.Println("|---|---:|---:|---:|---:|---:|---:|---:|")
	for _, c := range last.summary.PerCase {
		f := found[c.ID]
		fmt.Printf("| %s | %.2f | %.2f | %.2f | %.2f | %d | %d | %d |\n", c.ID, meanDice(c), f.dice[0], f.dice[1], f.dice[2], f.slices, f.missed, f.outside)
	}
	return nil
}
