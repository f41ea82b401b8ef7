package annotate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/train"
	"github.com/nextslice/nextslice/uncertainty"

	"github.com/nextslice/nextslice/annotate/store"
)

// pseudoFile is where the pseudo-labels of a cycle's training stand.
func (t *trainer) pseudoFile(cycle int) string {
	return filepath.Join(t.store.Dir(), "models", fmt.Sprintf("pseudo-%04d.json", cycle))
}

// findPseudo finds the pseudo-labels of the next training, where the strategy learns any: what a network is sure of among the items that are neither labelled
// nor asked for now. They are kept before the model is stored, so that they survive a crash.
func (t *trainer) findPseudo(ctx context.Context, n Network, cycle int, asked []store.QueueRow) error {
	p := t.config.spec().Training.Pseudo
	if p.Of == "" {
		return nil
	}
	var found record.Pseudo
	if threshold := p.Threshold(cycle); threshold > 0 {
		items, err := t.queue.unlabelled(ctx, store.Training, asked)
		if err != nil {
			return err
		}
		images := make([][]float32, len(items))
		for i, item := range items {
			images[i] = t.cases.slice(item)
		}
		mask := make([]uint8, t.config.Preprocess.Height*t.config.Preprocess.Width)
		err = n.Predict(ctx, images, func(i int, probs []float32) error {
			if uncertainty.PseudoMask(mask, probs, len(t.config.Classes), threshold, p.Of != query.PseudoPixel, p.Of != query.PseudoItem) {
				found.Names, found.Masks = append(found.Names, items[i].String()), append(found.Masks, append([]uint8(nil), mask...))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if err := record.WritePseudo(t.pseudoFile(cycle+1), found); err != nil {
		return err
	}
	if err := os.Remove(t.pseudoFile(cycle - 1)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// addPseudo adds the pseudo-labels of a cycle to its labels. A label that came meanwhile takes the place of one. Where they are missing, as in a project that was
// restored or had another strategy before, the network learns from the labels alone.
func (t *trainer) addPseudo(set *train.Set, labels []store.Labelled, cycle int) error {
	p := t.config.spec().Training.Pseudo
	if p.Of == "" || cycle == 0 {
		return nil
	}
	found, err := record.ReadPseudo(t.pseudoFile(cycle), set.H*set.W)
	if errors.Is(err, os.ErrNotExist) {
		t.events.log.Info(fmt.Sprintf("there are no pseudo-labels for cycle %d: it learns from the labels alone", cycle))
		return nil
	}
	if err != nil {
		return err
	}
	labelled := map[string]bool{}
	for _, l := range labels {
		labelled[l.Item.String()] = true
	}
	for i, name := range found.Names {
		item, err := t.cases.Item(name)
		if err != nil || labelled[name] || t.cases.slice(item) == nil {
			continue // the case is gone, or the item has a label
		}
		set.Images, set.Labels = append(set.Images, t.cases.slice(item)), append(set.Labels, found.Masks[i])
		if p.Mix == query.MixHalf {
			set.Pseudo++
		}
	}
	return nil
}
