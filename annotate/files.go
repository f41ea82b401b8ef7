package annotate

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/google/renameio/v2"

	"github.com/nextslice/nextslice/volume"

	"github.com/nextslice/nextslice/annotate/store"
)

// writeMasks brings the mask files in line with the labels: labels/final/CASE.nii.gz holds the labels of a case,
// labels/original/CASE.nii.gz what each of them began with (a mask found with the data, a model's proposal, or nothing),
// and labels/labelled.csv which slices are labelled, for in the masks an unlabelled slice looks like an empty one.
// Each file is replaced in one step.
func (p *Project) writeMasks(ctx context.Context) error {
	stale, err := p.store.Stale(ctx)
	if err != nil || len(stale) == 0 {
		return err
	}
	for _, dir := range []string{"final", "original"} {
		if err := os.MkdirAll(filepath.Join(p.Dir(), "labels", dir), 0o777); err != nil {
			return fmt.Errorf("write masks: %w", err)
		}
	}
	for _, name := range stale {
		if _, ok := p.index[name]; !ok {
			continue // its geometry has gone with its image
		}
		if err := p.writeMask(ctx, name); err != nil {
			return fmt.Errorf("write masks: %w", err)
		}
	}
	return p.writeList(ctx, filepath.Join(p.Dir(), "labels", "labelled.csv"))
}

func (p *Project) writeMask(ctx context.Context, name string) error {
	labels, err := p.store.Labels(ctx, name)
	if err != nil {
		return err
	}
	final, original := p.emptyMask(name), p.emptyMask(name)
	newest := int64(0)
	for _, l := range labels {
		mask, err := l.Mask()
		if err != nil {
			return err
		}
		final.SetSlice(p.Config.Preprocess.Axis, l.Item.Slice, mask)
		newest = max(newest, l.ID)
		begun, err := p.origin(ctx, l)
		if err != nil {
			return err
		}
		if begun != nil {
			original.SetSlice(p.Config.Preprocess.Axis, l.Item.Slice, begun)
		}
	}
	if err := volume.WriteMask(filepath.Join(p.Dir(), "labels", "original", name+".nii.gz"), original); err != nil {
		return err
	}
	if err := volume.WriteMask(filepath.Join(p.Dir(), "labels", "final", name+".nii.gz"), final); err != nil {
		return err
	}
	return p.store.Written(ctx, name, newest)
}

func (p *Project) emptyMask(name string) *volume.Mask {
	g := p.data.Cases[p.index[name]].Grid
	return &volume.Mask{Grid: g, Data: make([]uint8, g.Len())}
}

// origin returns the mask that a label began with, nil if it was drawn from nothing.
func (p *Project) origin(ctx context.Context, l store.Labelled) ([]uint8, error) {
	if first, err := p.store.Versions(ctx, l.Item); err != nil {
		return nil, err
	} else if len(first) > 0 && first[0].Action == store.ActionAdopted {
		return p.store.VersionMask(ctx, l.Item, first[0].Version)
	}
	if l.Proposal == nil || p.roles[l.Item.Case] == store.Validation {
		return nil, nil
	}
	mask, err := p.store.Proposal(ctx, l.Item, *l.Proposal)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return mask, err
}

// writeList writes which slices are labelled, by whom and when.
func (p *Project) writeList(ctx context.Context, path string) error {
	file, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o666))
	if err != nil {
		return fmt.Errorf("write list of labels: %w", err)
	}
	defer file.Cleanup()
	labels, err := p.store.Labels(ctx, "")
	if err != nil {
		return err
	}
	w := csv.NewWriter(file)
	writeLabels(w, labels)
	if w.Flush(); w.Error() != nil {
		return fmt.Errorf("write list of labels: %w", w.Error())
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("write list of labels: %w", err)
	}
	return nil
}

// writeLabels writes one line per label.
func writeLabels(w *csv.Writer, labels []store.Labelled) {
	w.Write([]string{"case", "slice", "use", "version", "person", "time", "seconds", "action", "proposal_model", "dice_to_proposal", "agreement"})
	for _, l := range labels {
		w.Write([]string{
			l.Item.Case, strconv.Itoa(l.Item.Slice), string(l.Role), strconv.Itoa(l.Version.Version), l.Person,
			l.At.UTC().Format("2006-01-02T15:04:05Z"), strconv.FormatFloat(l.Seconds, 'f', 1, 64), l.Action,
			optional(l.Proposal, strconv.Itoa), optional(l.Dice, number), optional(l.Agreement, number),
		})
	}
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', 4, 64) }

func optional[T any](v *T, format func(T) string) string {
	if v == nil {
		return ""
	}
	return format(*v)
}
