package dataset

import (
	"errors"
	"fmt"
	"strings"

	"github.com/nextslice/nextslice/volume/source"
)

// firstChannel ends the names of nnU-Net's images: one file for each channel, from _0000 on.
const firstChannel = "_0000"

// oneIsRead ends what is reported of cases with several channels.
const oneIsRead = "channel 0 is read unless another one is chosen"

// OneIsRead reports whether the problem is that only one channel of several is read, which a choice of channels settles.
func (p Problem) OneIsRead() bool { return strings.HasSuffix(p.Text, oneIsRead) }

// UseChannel chooses the channel of each case that is read, counted from 0, which is also the default: an image of a 4-D
// file, in the layout NNUNet the file X_0001 beside X_0000, or a series of a DICOM case, brought to the grid of X_0000 where their voxels coincide. Cases without
// such a channel are left out and named in d.Problems; the error is that of a channel that no case has.
func (d *Dataset) UseChannel(channel int) error {
	var kept []Case
	for _, c := range d.Cases {
		if err := d.useChannel(&c, channel); err != nil {
			d.problem(c.ID, true, "%v", err)
			continue
		}
		kept = append(kept, c)
	}
	if len(kept) == 0 {
		return fmt.Errorf("no case has a channel %d%s", channel, firstProblems(d.Problems[len(d.Problems)-len(d.Cases):], 3))
	}
	d.Cases = kept
	return nil
}

func (d *Dataset) useChannel(c *Case, channel int) error {
	if c.sequences != nil {
		one := Channel{Number: channel}
		if channel < 0 || channel >= len(c.sequences) {
			return fmt.Errorf("it has no channel %d: dataset.json names %d, counted from 0", channel, len(c.sequences))
		}
		one.Name = d.channelNames[channel]
		in, err := d.sequence(c, one)
		c.several = []input{in}
		return err
	}
	if d.Layout != NNUNet && c.files == nil || c.Channels > 1 {
		if channel < 0 || channel >= max(1, c.Channels) {
			return fmt.Errorf("it has no channel %d: its image holds %d, counted from 0", channel, max(1, c.Channels))
		}
		c.Channel = channel
		return nil
	}
	path := d.channelFile(c, channel)
	if channel == 0 {
		c.several = nil
		return nil
	}
	if channel > 0 && channel < len(c.files) && path == "" {
		return c.missing(Channel{channel, d.channelNames[channel]})
	}
	if channel < 0 || path == "" || !exists(path) {
		return fmt.Errorf("it has no channel %d: there is no file %s", channel, path)
	}
	image, err := source.Open(path, "")
	if err != nil {
		return errors.New(unreadable("image", path, err))
	}
	if err := c.fits(d, image.Grid, originOf(image.Series)); err != nil {
		return fmt.Errorf("channel %d: %w", channel, err)
	}
	c.several = []input{{path: path}}
	return nil
}

// noteChannels reports images that hold more than the channel that is read.
func (d *Dataset) noteChannels() {
	for _, c := range d.Cases {
		if c.Channels > 1 {
			d.problem("", false, "images hold more than one channel (%s: %d): "+oneIsRead, c.ID, c.Channels)
			return
		}
		if len(c.files) > 1 {
			d.problem("", false, "cases have several images, %s (%s): "+oneIsRead, strings.Join(d.channelNames, " and "), c.ID)
			return
		}
		if len(c.sequences) > 1 {
			d.problem("", false, "cases have several series, %s (%s): "+oneIsRead, strings.Join(d.channelNames, " and "), c.ID)
			return
		}
	}
}
