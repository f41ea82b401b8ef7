package annotate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/nn/safetensors"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/train"
	"github.com/nextslice/nextslice/volume"
)

// FixedNetwork returns a Learner that trains nothing: its network is always that of m, which was read from path and which it closes. In the
// project folder stand files that name the network, not the network itself.
//
// The loop goes on as with one that learns, but begins without labels: the network proposes masks from the first slice on, and whenever half of a query is
// answered it is validated on the labels that there are, and asked for the next query.
func FixedNetwork(m *model.Model, path string) (Learner, error) {
	hash := sha256.New()
	for n, file := range model.Files(path) {
		data, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) && n > 0 {
			continue
		}
		if err != nil {
			return nil, err
		}
		hash.Write(data)
	}
	return &fixed{m, fixedNetwork{m.Network(), filepath.Base(path), hex.EncodeToString(hash.Sum(nil))}}, nil
}

type fixed struct {
	model   *model.Model
	network fixedNetwork
}

// fixedNetwork is a network that is kept by its name and checksum.
type fixedNetwork struct {
	model.Network
	name, sum string
}

// Keys of the metadata of a file that names a network.
const (
	networkName = "nextslice-network"
	networkSum  = "nextslice-network-sha256"
)

func (f *fixed) Train(context.Context, train.Config, preprocess.Config, train.Set, uint64, func(train.Progress)) (Network, error) {
	return f.network, nil
}

// Load returns the network if it is that of the file.
func (f *fixed) Load(path string, _ model.Info) (Network, error) {
	file, err := safetensors.Read(path)
	if err != nil {
		return nil, err
	}
	switch name := file.Metadata[networkName]; {
	case name == "":
		return nil, fmt.Errorf("%s was trained in the project: serve it without --model", path)
	case file.Metadata[networkSum] != f.network.sum:
		return nil, fmt.Errorf("%s is of another network or description, %s: serve the project with that", path, name)
	}
	return f.network, nil
}

func (f *fixed) Close() error {
	if f.model.Foreign == nil {
		return nil
	}
	return f.model.Foreign.Close()
}

// Save writes a file that names the network.
func (n fixedNetwork) Save(path string, _ model.Info) error {
	return safetensors.Write(path, &safetensors.File{Metadata: map[string]string{networkName: n.name, networkSum: n.sum}})
}

// checkTrained returns an error for a file that names a network which was not trained in the project.
func checkTrained(path string) error {
	file, err := safetensors.Read(path)
	if err == nil && file.Metadata[networkName] != "" {
		return fmt.Errorf("it is %s, which was not trained here: give it with --model, or go on without it", file.Metadata[networkName])
	}
	return err
}

// fits returns an error unless a network that is never trained can serve a project; nil is none.
func fits(m *model.Model, c Config, data *dataset.Dataset) error {
	if m == nil {
		return nil
	}
	err := model.ServesForeign(c.spec())
	if err == nil {
		err = m.Network().Serves(c.spec())
	}
	if err != nil {
		return fmt.Errorf("--model: %w", err)
	}
	if len(c.Classes) != len(m.Classes) {
		return fmt.Errorf("--model: the network knows %d classes with the background, the project has %d (%v): want the same, in this order", len(m.Classes), len(c.Classes), c.names())
	}
	a, b := c.Preprocess, m.Preprocess
	a.NaN, b.NaN = nil, nil
	if !reflect.DeepEqual(a, b) {
		return errors.New("--model: the project's slices are made otherwise than the network wants them: begin another project with --project")
	}
	for _, one := range data.Cases {
		if there := one.Grid.Orientation(); m.Orientation != "" && one.Grid.Unit == volume.Millimetre && there != m.Orientation {
			return fmt.Errorf("--model: the axes of case %s run to %s, those that the network was trained on to %s: slices are labelled as their files have them, so bring these to %s", one.ID, there, m.Orientation, m.Orientation)
		}
		if err := m.Fits(one.Grid); err != nil {
			return fmt.Errorf("--model: case %s: %w", one.ID, err)
		}
	}
	return nil
}
