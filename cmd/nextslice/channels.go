package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
	"github.com/nextslice/nextslice/volume/source"
)

// channelsFlags choose the channels that a network gets of each case.
type channelsFlags struct {
	Channels string `placeholder:"LIST" help:"Channels that are read together as the input of one network: all, or numbers from 0 or names of dataset.json, separated by commas. Cases that lack one are left out and named."`
	Resample bool   `help:"Bring channels that lie on another grid than the first of their case to that grid, by linear interpolation, instead of leaving the case out."`
}

// nanFlag says what is made of voxels that are no number.
type nanFlag struct {
	NaN *float64 `name:"nan" placeholder:"VALUE" help:"What NaN and infinite voxels are read as; without it they count as background."`
}

// set puts the flag, if it was given, over a configuration's value.
func (f nanFlag) set(value **float64) {
	if f.NaN != nil {
		*value = f.NaN
	}
}

// apply puts the flags that were given over a configuration.
func (c channelsFlags) apply(channels *dataset.Selection, resample *bool) {
	if c.Channels != "" {
		*channels = splitChannels(c.Channels)
	}
	*resample = *resample || c.Resample
}

func splitChannels(list string) (channels dataset.Selection) {
	if list == "" {
		return nil
	}
	for _, one := range strings.Split(list, ",") {
		channels = append(channels, strings.TrimSpace(one))
	}
	return channels
}

// open reads the header of a single case's image. Of a DICOM case whose folder holds the channels of the model, by their names, it is the series of channel
// 0, and sequences are all of them by number; else nil.
func (c predictCommand) open(m *model.Model) (image *source.Image, sequences []*dicom.Series, err error) {
	names := channelNames(m)
	if info, err := os.Stat(c.In); err != nil || !info.IsDir() || c.Series != "" || len(c.Also) > 0 || len(names) < 2 {
		image, err := openImage(c.In, c.Series)
		return image, nil, err
	}
	sequences, faults, err := dataset.Sequences(c.In, names)
	if err != nil {
		return nil, nil, err
	}
	for n, fault := range faults {
		if fault != nil {
			return nil, nil, fmt.Errorf("%s: the model takes %s of a case: there is no channel %s: %w", c.In, dataset.DescribeChannels(m.Channels), names[n], fault)
		}
	}
	image, err = openImage(c.In, sequences[0].ID)
	return image, sequences, err
}

// channelNames returns the names of a model's channels by number; nil where not all from 0 on have one.
func channelNames(m *model.Model) []string {
	names := make([]string, len(m.Channels))
	for _, channel := range m.Channels {
		if channel.Number >= len(names) || channel.Name == "" {
			return nil
		}
		names[channel.Number] = channel.Name
	}
	return names
}

// isCase reports whether a folder is that of one DICOM case, with a folder for each channel of the model.
func (c predictCommand) isCase(m *model.Model) bool {
	names := channelNames(m)
	for _, name := range names {
		if kind, err := source.KindOf(filepath.Join(c.In, name)); err != nil || kind != source.Series {
			return false
		}
	}
	return len(names) > 1
}

// sequences reads the channels of a DICOM case.
func (c predictCommand) sequences(m *model.Model, image *source.Image, of []*dicom.Series) (images []*volume.Volume, err error) {
	var names []string
	for _, channel := range m.Channels {
		series := of[channel.Number]
		names = append(names, fmt.Sprintf("%s: channel %s", c.In, channel))
		if err := dataset.SamePlace(series, image.Series); err != nil {
			return nil, fmt.Errorf("%s: %w", names[len(names)-1], err)
		}
		v, err := series.Read()
		if err != nil {
			return nil, err
		}
		images = append(images, v)
	}
	return images, dataset.Together(images, names, image.Grid, c.Resample)
}

// images reads what the model takes of a single case.
func (c predictCommand) images(m *model.Model, image *source.Image, sequences []*dicom.Series) ([]*volume.Volume, error) {
	if len(m.Channels) < 2 {
		if len(c.Also) > 0 {
			return nil, usagef("--also: the model takes one image of a case")
		}
		channel := c.channel(m)
		switch {
		case image.Series != nil:
			channel = c.Channel // that of the training is one of a file's
		case len(m.Channels) == 1 && image.Channels > 1:
			channel = &m.Channels[0].Number
		}
		v, err := image.Read(chosen(channel))
		if err != nil {
			return nil, nameFlag(err)
		}
		return []*volume.Volume{v}, nil
	}
	wrong := func(got string) error {
		return fmt.Errorf("%s: the model takes %s of a case, got %s: give a 4-D file, X_0000 with X_0001 beside it, the folder of a DICOM case, or the first image and the others with --also",
			c.In, dataset.DescribeChannels(m.Channels), got)
	}
	if sequences != nil {
		return c.sequences(m, image, sequences)
	}
	if image.Channels > 1 && len(c.Also) == 0 {
		var images []*volume.Volume
		for _, channel := range m.Channels {
			if channel.Number >= image.Channels {
				return nil, wrong(fmt.Sprintf("an image of %d", image.Channels))
			}
			v, err := image.Read(channel.Number)
			if err != nil {
				return nil, err
			}
			images = append(images, v)
		}
		return images, nil
	}
	paths := append([]string{c.In}, c.Also...)
	if first := c.In; len(c.Also) == 0 && dataset.ChannelFile(first, 0) != "" {
		paths = nil
		for _, channel := range m.Channels {
			if path := dataset.ChannelFile(first, channel.Number); exists(path) {
				paths = append(paths, path)
			}
		}
	}
	if len(paths) != len(m.Channels) {
		return nil, wrong(fmt.Sprint(len(paths)))
	}
	var images []*volume.Volume
	for i, path := range paths {
		var v *volume.Volume
		var err error
		if path == c.In {
			v, err = image.Read(volume.OnlyChannel)
		} else {
			v, err = readBeside(image, path)
		}
		if err != nil {
			return nil, fmt.Errorf("channel %s: %w", m.Channels[i], err)
		}
		images = append(images, v)
	}
	return images, dataset.Together(images, paths, image.Grid, c.Resample)
}

// readBeside reads another image of a case.
func readBeside(first *source.Image, path string) (*volume.Volume, error) {
	image, err := source.Open(path, "")
	if err != nil {
		return nil, err
	}
	if err := dataset.SamePlace(image.Series, first.Series); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return image.Read(volume.OnlyChannel)
}
