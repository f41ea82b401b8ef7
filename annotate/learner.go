package annotate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/train"

	"github.com/nextslice/nextslice/annotate/store"
)

// Learner trains networks and reads stored ones. It and its networks are used by one goroutine at a time.
type Learner interface {
	// Train trains a network on data, slices that p has brought to the canvas.
	Train(ctx context.Context, c train.Config, p preprocess.Config, data train.Set, seed uint64, progress func(train.Progress)) (Network, error)
	// Load reads a file that [Network.Save] wrote. A file of an older program, which lacks info, is completed.
	Load(path string, info model.Info) (Network, error)
	Close() error
}

// Network is a trained network; see [model.Network].
type Network interface {
	Predict(ctx context.Context, images [][]float32, each func(i int, probs []float32) error) error
	Pool(ctx context.Context, s query.Spec, c model.Candidates) query.Pool
	Save(path string, info model.Info) error
}

// Networks returns a Learner of U-Nets that computes on e and closes it.
func Networks(e tensor.Engine) Learner { return networks{e} }

type networks struct{ tensor.Engine }

func (n networks) Train(ctx context.Context, c train.Config, p preprocess.Config, data train.Set, seed uint64, progress func(train.Progress)) (Network, error) {
	r, err := train.Run(ctx, n.Engine, c, data, seed, progress)
	if err != nil {
		return nil, err
	}
	return model.Network{Net: r.Net, Preprocess: p}, nil
}

func (n networks) Load(path string, info model.Info) (Network, error) {
	if err := model.Verify(path); err != nil {
		return nil, err
	}
	if err := checkTrained(path); err != nil {
		return nil, err
	}
	network, err := model.LoadNetwork(n.Engine, path, info.Preprocess)
	if err != nil {
		return nil, err
	}
	return network, model.Complete(path, info)
}

// modelFiles are the networks in the project folder.
type modelFiles struct {
	config Config
	store  *store.Store
	cases  *Cases
}

func (f modelFiles) path(version int) string {
	return filepath.Join(f.store.Dir(), "models", fmt.Sprintf("%04d.safetensors", version))
}

// info returns what a prediction needs beside a network that was trained on this many labels. Its cases are those of the
// project's training labels now.
func (f modelFiles) info(ctx context.Context, labelled int) (model.Info, error) {
	items, err := f.store.LabelledItems(ctx)
	var cases []int
	for _, item := range items {
		index, there := f.cases.index[item.Case]
		if there && f.cases.roles[item.Case] == store.Training && !slices.Contains(cases, index) {
			cases = append(cases, index)
		}
	}
	info := model.Describe(f.cases.set, cases, f.config.Preprocess)
	info.Preset, info.Slices, info.Channel = f.config.Preset, labelled, f.config.Channel
	return info, err
}

// save stores the network of a model.
func (f modelFiles) save(ctx context.Context, n Network, m store.Model) error {
	path := f.path(m.Version)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	info, err := f.info(ctx, m.Labelled)
	if err != nil {
		return err
	}
	if err := n.Save(path, info); err != nil {
		return err
	}
	return os.Chmod(path, 0o600)
}

// load reads the network of a model.
func (f modelFiles) load(ctx context.Context, l Learner, m store.Model) (Network, error) {
	info, err := f.info(ctx, m.Labelled)
	if err != nil {
		return nil, err
	}
	n, err := l.Load(f.path(m.Version), info)
	if err == nil {
		err = f.checkClasses(n)
	}
	if err != nil {
		return nil, fmt.Errorf("model %d: %w", m.Version, err)
	}
	return n, nil
}

// checkClasses returns an error for a network of other classes than the project's, as where an older program let classes be added.
func (f modelFiles) checkClasses(n Network) error {
	if of, tells := n.(interface{ Classes() int }); tells && of.Classes() != len(f.config.Classes) {
		return fmt.Errorf("its network knows %d classes with the background, the project has %d: it is not used", of.Classes(), len(f.config.Classes))
	}
	return nil
}

// canServe returns an error unless annotation can carry out a strategy.
func canServe(s query.Spec) error {
	if s.Strategy.Needs().HiddenForeground {
		return errors.New("it looks at masks that nobody has drawn yet: it exists in simulations only")
	}
	return nil
}
