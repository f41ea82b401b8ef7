package worklist

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/train"
)

// trained is the network of a query.
type trained struct {
	*model.Model
	network model.Network
}

// pool returns what a stream asks of the network.
func (t trained) pool(s query.Spec, critic func(context.Context) (func(context.Context, [][]float32) ([]float64, error), error),
	latent func(context.Context) (func(context.Context, [][]float32) ([][]float32, error), error)) func(context.Context, model.Candidates) query.Pool {
	return func(ctx context.Context, c model.Candidates) query.Pool {
		c.Critic, c.Latent = critic, latent
		if t.Model == nil && s.Score.Critic.Steps == 0 {
			return model.AppearancePool(ctx, s.Strategy, c, t.network.Preprocess.Height, t.network.Preprocess.Width)
		}
		return t.network.Pool(ctx, s, c)
	}
}

// openModel reads the model and opens the data set as it wants it.
func (q *run) openModel() (err error) {
	if q.net.Model, err = model.Load(q.engine, q.Model); err != nil {
		return err
	}
	m := q.net.Model
	q.preprocess, q.orientation = m.Preprocess, m.Orientation
	q.net.network = m.Network()
	if err := q.net.network.Serves(q.spec); err != nil {
		return err
	}
	if len(m.Channels) > 0 {
		err = q.set.UseChannelsOf(m.Channels, q.Experiment.Resample)
	} else {
		err = q.set.UseChannel(m.Channel)
	}
	if err != nil {
		return fmt.Errorf("the model's channels: %w", err)
	}
	for i, c := range q.set.Cases {
		g, err := q.grid(i)
		if err == nil {
			err = m.Fits(g)
		}
		if err != nil {
			return fmt.Errorf("case %s: %w", c.ID, err)
		}
	}
	if len(q.set.Classes) > len(m.Classes) {
		return fmt.Errorf("%s knows %d classes, the masks of %s have %d: train it on these, or leave --model out", q.Model, len(m.Classes), q.set.Dir, len(q.set.Classes))
	}
	return nil
}

// network trains what the strategy needs, or reads it back where that was done.
func (q *run) network(ctx context.Context) error {
	if q.Model != "" {
		return nil
	}
	if !q.asksNetwork() {
		q.net.network.Preprocess = q.preprocess
		return nil
	}
	path := filepath.Join(q.dir, modelFile)
	if m, err := model.Load(q.engine, path); err == nil {
		q.net = trained{m, model.Network{Net: m.Net, Preprocess: q.preprocess}}
		return q.further(ctx, train.Set{})
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	set, err := q.trainingSet(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(q.addPseudo(ctx, &set), q.addCopies(&set)); err != nil {
		return err
	}
	run := train.Run
	switch {
	case q.spec.Score.PredictedLoss:
		run = train.RunLearningLoss
	case q.spec.Score.TrainsModule():
		run = train.RunRanker
	}
	r, err := run(ctx, q.engine, q.Experiment.Train, set, q.streams().training("model").Uint64(), q.training)
	if err != nil {
		return err
	}
	info := model.Describe(q.set, q.labelledCases(), q.preprocess)
	info.Refinement = q.Experiment.Predict
	info.Preset, info.Slices, info.Channel = q.Experiment.Preset, len(q.known), q.Experiment.Channel
	q.net = trained{&model.Model{Net: r.Net, Info: info}, model.Network{Net: r.Net, Preprocess: q.preprocess, Module: r.Module}}
	if r.Module != nil {
		if err := r.Module.Save(filepath.Join(q.dir, "module.safetensors")); err != nil {
			return err
		}
	}
	if err := q.further(ctx, set); err != nil {
		return err
	}
	return q.net.Save(path) // last: it says that the others are there
}

// further trains the other networks of an ensemble and reads a module; an empty set reads all.
func (q *run) further(ctx context.Context, set train.Set) error {
	if q.spec.Score.TrainsModule() && q.net.network.Module == nil {
		return q.net.network.LoadModule(filepath.Join(q.dir, "module.safetensors"))
	}
	for member := 1; member < q.spec.Score.Members; member++ {
		path := filepath.Join(q.dir, fmt.Sprintf("member-%d.safetensors", member))
		if len(set.Images) == 0 {
			n, err := model.LoadNetwork(q.engine, path, q.preprocess)
			if err != nil {
				return err
			}
			q.net.network.Members = append(q.net.network.Members, n.Net.State())
			continue
		}
		some := set
		if q.spec.Score.Bootstrap {
			rng := q.streams().training("bootstrap", member)
			some.Images, some.Labels, some.Unannotated = nil, nil, nil
			for range set.Images {
				i := rng.IntN(len(set.Images))
				some.Images, some.Labels = append(some.Images, set.Images[i]), append(some.Labels, set.Labels[i])
				some.Unannotated = append(some.Unannotated, set.Unannotated[i])
			}
		}
		r, err := train.Run(ctx, q.engine, q.Experiment.Train, some, q.streams().training("model", "member", member).Uint64(), q.training)
		if err != nil {
			return err
		}
		n := model.Network{Net: r.Net, Preprocess: q.preprocess}
		if err := n.Save(path, q.net.Info); err != nil {
			return err
		}
		q.net.network.Members = append(q.net.network.Members, r.Net.State())
	}
	return nil
}

func (q *run) training(p train.Progress) {
	q.progress(Progress{Phase: "train", Done: p.Step, Of: p.Of, Loss: p.Loss})
}

// labelledCases returns the cases with a labelled slice.
func (q *run) labelledCases() (all []int) {
	for _, i := range q.known {
		if len(all) == 0 || all[len(all)-1] != i.index {
			all = append(all, i.index)
		}
	}
	return all
}

// trainingSet reads the labelled slices. Cases that cannot be read are named and left out.
func (q *run) trainingSet(ctx context.Context) (train.Set, error) {
	set := train.Set{H: q.preprocess.Height, W: q.preprocess.Width, Classes: len(q.set.Classes)}
	q.learnt = nil
	for first := 0; first < len(q.known); {
		if err := ctx.Err(); err != nil {
			return set, err
		}
		var wanted []int
		var masks [][]uint8
		index, begin := q.known[first].index, first
		for ; first < len(q.known) && q.known[first].index == index; first++ {
			wanted = append(wanted, q.known[first].slice)
			masks = append(masks, q.labels[q.known[first]])
		}
		images, bad, err := q.images(index, wanted)
		if err != nil {
			q.notice(fmt.Sprintf("data: %v (left out)", err))
			continue
		}
		if bad > 0 {
			q.notice(fmt.Sprintf("data: %s: %d voxels are NaN or infinite: %s", q.set.Cases[index].ID, bad, q.preprocess.NonFiniteText()))
		}
		set.Images, set.Labels = append(set.Images, images...), append(set.Labels, masks...)
		q.learnt = append(q.learnt, q.known[begin:first]...)
		for range wanted {
			set.Unannotated = append(set.Unannotated, q.set.Cases[index].Unannotated)
		}
	}
	if len(set.Images) == 0 {
		return set, errNoLabels
	}
	return set, nil
}
