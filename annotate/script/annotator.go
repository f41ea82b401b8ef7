package script

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/volume"
)

// Annotator labels what the server asks for with masks that are known.
type Annotator struct {
	Client *Client
	// Mask returns the mask of a slice, [height width].
	Mask func(name string, slice int) ([]uint8, error)
	// Seconds is what one label is said to take.
	Seconds float64
	// Poll is the time between two looks at an empty queue; 0 is a quarter of a second.
	Poll time.Duration
	// Labelled, if not nil, is called after each label.
	Labelled func(item string)
}

// Run labels until the server has trained this many models, and no items are left, or ctx is done. A simulation of Q
// queries has Q+1 models.
func (a Annotator) Run(ctx context.Context, models int) error {
	for {
		trained, err := a.Client.Models(ctx)
		if err != nil || len(trained) >= models {
			return err
		}
		task, err := a.Client.Next(ctx)
		if err != nil {
			return err
		}
		if task != nil {
			if err := a.label(ctx, task); err != nil {
				return fmt.Errorf("%s: %w", task.Item, err)
			}
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(cmp.Or(a.Poll, 250*time.Millisecond)):
		}
	}
}

func (a Annotator) label(ctx context.Context, task *annotate.Task) error {
	mask, err := a.Mask(task.Case, task.Slice)
	if err != nil {
		return err
	}
	action, version := annotate.Edited, 0
	if !slices.ContainsFunc(mask, func(class uint8) bool { return class != 0 }) {
		action = annotate.Empty
	}
	if task.Proposal {
		proposal, model, err := a.Client.Proposal(ctx, task.Item)
		if err != nil {
			return err
		}
		version = model
		if bytes.Equal(proposal, mask) {
			action = annotate.Accepted
		}
	}
	if _, err := a.Client.Save(ctx, task.Item, mask, a.Seconds, action, version); err != nil {
		return err
	}
	if a.Labelled != nil {
		a.Labelled(task.Item)
	}
	return nil
}

// MasksOf returns the masks of a labelled data set for an Annotator, cut across an index axis.
func MasksOf(d *dataset.Dataset, axis int) func(name string, slice int) ([]uint8, error) {
	masks := map[string]*volume.Mask{}
	return func(name string, slice int) ([]uint8, error) {
		if masks[name] == nil {
			index := d.Index(name)
			if index < 0 {
				return nil, fmt.Errorf("the data set has no case %s", name)
			}
			mask, err := d.Reference(index)
			if err != nil {
				return nil, err
			}
			masks[name] = mask
		}
		return masks[name].Slice(axis, slice), nil
	}
}

// Picks returns the training items that each query asked for, by the cycle whose model asked: the queries of a
// simulation. Those of the initial set are under -1.
func (a Annotator) Picks(ctx context.Context) (map[int][]string, error) {
	queue, err := a.Client.Queue(ctx)
	if err != nil {
		return nil, err
	}
	picks := map[int][]string{}
	for _, q := range queue {
		if q.Purpose == "training" && q.Kind == "query" {
			picks[q.Cycle] = append(picks[q.Cycle], q.Item)
		}
	}
	return picks, nil
}

// HTTP returns a client for LogIn that gives up on a server that does not answer.
func HTTP() *http.Client { return &http.Client{Timeout: 2 * time.Minute} }
