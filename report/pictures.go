package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/report/figure"
	"github.com/nextslice/nextslice/volume"
)

// AddPictures draws the worst, the middle and the best test case of each experiment with the contours that the last
// models of its first initial set predicted. It needs the run folder, which holds the predictions, and the data: data is
// where they lie, "" where the configuration says. What cannot be drawn is no error: the experiment's PictureNote says why.
func (r *Report) AddPictures(ctx context.Context, sources []Source, data string) {
	for i := range r.Experiments {
		x := &r.Experiments[i]
		if len(x.Cases) == 0 {
			continue
		}
		pictures, err := sources[i].pictures(ctx, x.Cases, data)
		x.Pictures = pictures
		if err != nil {
			x.PictureNote = fmt.Sprintf("The slices cannot be shown: %v.", err)
		}
	}
}

// predicted is a unit with stored predictions.
type predicted struct {
	folder *record.Folder
	unit   record.Unit // as the folder calls it
	run    record.Unit // as the report calls it
}

// withPredictions returns the units, one per strategy, of the first recipe and initial set with predictions of a case.
func (s Source) withPredictions(id string) (units []predicted, err error) {
	for _, one := range s.folders {
		if record.IsExport(one.dir) {
			continue
		}
		folder, config, err := record.OpenFolder(one.dir)
		if err != nil {
			return nil, err
		}
		for _, u := range config.Units() {
			run := one.called.unit(u)
			if len(units) > 0 {
				if first := units[0].run; run.Grid != first.Grid || run.Set != first.Set {
					continue
				}
			}
			if slices.ContainsFunc(units, func(other predicted) bool { return other.run == run }) {
				continue // another folder's, with the same numbers
			}
			if _, err := folder.Prediction(u, id); err == nil {
				units = append(units, predicted{folder, u, run})
			} else if !errors.Is(err, os.ErrNotExist) {
				return nil, err
			}
		}
	}
	if len(units) == 0 {
		return nil, errors.New("no run folder holds predictions (they are not part of a record)")
	}
	return units, nil
}

func (s Source) pictures(ctx context.Context, cases []CaseResult, data string) ([]figure.Picture, error) {
	units, err := s.withPredictions(cases[0].ID)
	if err != nil {
		return nil, err
	}
	c := record.Config{Data: cmp.Or(data, s.Settings.Data), Channel: s.Settings.Channel, Channels: s.Settings.Channels, Resample: s.Settings.Resample}
	set, closeData, err := c.OpenData(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("the data are not at %s (say where with --data)", filepath.Base(c.Data))
	}
	defer closeData()
	type choice struct {
		title string
		index int
	}
	choices := []choice{{"Worst case", 0}, {"Middle case", len(cases) / 2}, {"Best case", len(cases) - 1}}
	var out []figure.Picture
	seen := map[int]bool{}
	for _, c := range choices {
		if seen[c.index] {
			continue
		}
		seen[c.index] = true
		p, err := s.picture(set, cases[c.index], c.title, units)
		if err != nil {
			return out, err
		}
		out = append(out, p)
	}
	return out, nil
}

func (s Source) picture(set *dataset.Dataset, c CaseResult, title string, units []predicted) (figure.Picture, error) {
	index := set.Index(c.ID)
	if index < 0 {
		return figure.Picture{}, fmt.Errorf("the data have no case %s", c.ID)
	}
	image, err := set.Image(index)
	if err != nil {
		return figure.Picture{}, err
	}
	ref, err := set.Reference(index)
	if err != nil {
		return figure.Picture{}, err
	}
	for i, v := range ref.Data {
		if int(v) >= len(set.Classes) { // volume.Ignored
			ref.Data[i] = 0
		}
	}
	var masks []*volume.Mask
	var named []figure.Prediction
	for _, one := range units {
		pred, err := one.folder.Prediction(one.unit, c.ID)
		if err != nil {
			return figure.Picture{}, err
		}
		if pred.Size != ref.Size {
			return figure.Picture{}, fmt.Errorf("case %s has another size than when it was predicted: the data have changed", c.ID)
		}
		masks = append(masks, pred)
		named = append(named, figure.Prediction{Strategy: one.run.Strategy, Dice: s.caseDice(one.run, c.ID)})
	}
	p := s.Data.Preprocess
	k := figure.LargestSlice(p, ref)
	return figure.NewPicture(fmt.Sprintf("%s: %s, slice %d", title, c.ID, k), p, image, k, ref, masks, named), nil
}

// caseDice returns the recorded 3D Dice of a case in the last cycle of a run; NaN where the record does not tell it.
func (s Source) caseDice(u record.Unit, id string) float64 {
	run, _ := record.Find(slices.Concat(s.Runs, s.Ceiling), u)
	for _, c := range run.Cycles {
		for _, one := range c.Cases {
			if one.ID == id {
				return one.Dice3D
			}
		}
	}
	return math.NaN()
}
