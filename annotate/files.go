package annotate

import (
	"bytes"
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

// maskFiles are the masks in the project folder, for other programs.
type maskFiles struct {
	store *store.Store
	cases *Cases
}

// write brings the mask files in line with the labels: labels/final/CASE.nii.gz holds the labels of a case,
// labels/original/CASE.nii.gz what each of them began with (a mask found with the data, a model's proposal, or nothing),
// and labels/labelled.csv which slices are labelled, for in the masks an unlabelled slice looks like an empty one.
// Each file is replaced in one step.
func (f maskFiles) write(ctx context.Context) error {
	stale, err := f.store.Stale(ctx)
	if err != nil || len(stale) == 0 {
		return err
	}
	for _, dir := range []string{"final", "original"} {
		if err := os.MkdirAll(f.path(dir), 0o777); err != nil {
			return fmt.Errorf("write masks: %w", err)
		}
	}
	for _, name := range stale {
		if f.cases.check(name) != nil {
			continue // its geometry has gone with its image
		}
		if err := f.writeMask(ctx, name); err != nil {
			return fmt.Errorf("write masks: %w", err)
		}
	}
	return f.writeList(ctx, f.path("labelled.csv"))
}

func (f maskFiles) path(elements ...string) string {
	return filepath.Join(append([]string{f.store.Dir(), "labels"}, elements...)...)
}

func (f maskFiles) writeMask(ctx context.Context, name string) error {
	labels, err := f.store.Labels(ctx, name)
	if err != nil {
		return err
	}
	final, original := f.cases.emptyMask(name), f.cases.emptyMask(name)
	newest := int64(0)
	for _, l := range labels {
		mask, err := l.Mask()
		if err != nil {
			return err
		}
		final.SetSlice(f.cases.config.Axis, l.Item.Slice, mask)
		newest = max(newest, l.ID)
		begun, err := f.origin(ctx, l)
		if err != nil {
			return err
		}
		if begun != nil {
			original.SetSlice(f.cases.config.Axis, l.Item.Slice, begun)
		}
	}
	if err := volume.WriteMask(f.path("original", name+".nii.gz"), original); err != nil {
		return err
	}
	if err := volume.WriteMask(f.path("final", name+".nii.gz"), final); err != nil {
		return err
	}
	return f.store.Written(ctx, name, newest)
}

// origin returns the mask that a label began with, nil if it was drawn from nothing.
func (f maskFiles) origin(ctx context.Context, l store.Labelled) ([]uint8, error) {
	if first, err := f.store.Versions(ctx, l.Item); err != nil {
		return nil, err
	} else if len(first) > 0 && first[0].Action == store.ActionAdopted {
		return f.store.VersionMask(ctx, l.Item, first[0].Version)
	}
	if l.Proposal == nil || f.cases.roles[l.Item.Case] == store.Validation {
		return nil, nil
	}
	mask, err := f.store.Proposal(ctx, l.Item, *l.Proposal)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return mask, err
}

// writeList writes which slices are labelled, by whom and when.
func (f maskFiles) writeList(ctx context.Context, path string) error {
	labels, err := f.store.Labels(ctx, "")
	if err != nil {
		return err
	}
	var list bytes.Buffer
	w := csv.NewWriter(&list)
	writeLabels(w, labels)
	w.Flush()
	if err := renameio.WriteFile(path, list.Bytes(), 0o666); err != nil {
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
