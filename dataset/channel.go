package dataset

import (
	"fmt"
	"os"
	"strings"

	"github.com/nextslice/nextslice/volume"
)

// firstChannel ends the names of nnU-Net's images: one file for each channel, from _0000 on.
const firstChannel = "_0000"

// oneIsRead ends what is reported of cases with several channels.
const oneIsRead = "channel 0 is read unless another one is chosen"

// OneIsRead reports whether the problem is that only one channel of several is read, which a choice of channels settles.
func (p Problem) OneIsRead() bool { return strings.HasSuffix(p.Text, oneIsRead) }

// UseChannel chooses the channel of each case that is read, counted from 0, which is also the default: an image of a 4-D
// file, or in the layout NNUNet the file X_0001 beside X_0000. The error names the first case without such a channel.
func (d *Dataset) UseChannel(channel int) error {
	for i := range d.Cases {
		c := &d.Cases[i]
		if d.Layout != NNUNet || c.Channels > 1 {
			if channel < 0 || channel >= max(1, c.Channels) {
				return fmt.Errorf("case %s has no channel %d: its image holds %d, counted from 0", c.ID, channel, max(1, c.Channels))
			}
			c.Channel = channel
			continue
		}
		ext := c.Image[len(volume.TrimExt(c.Image)):]
		image := strings.TrimSuffix(c.Image, firstChannel+ext) + fmt.Sprintf("_%04d", channel) + ext
		if _, err := os.Stat(image); channel < 0 || err != nil {
			return fmt.Errorf("case %s has no channel %d: there is no file %s", c.ID, channel, image)
		}
		c.Image = image
	}
	return nil
}

// noteChannels reports images that hold more than the channel that is read.
func (d *Dataset) noteChannels() {
	for _, c := range d.Cases {
		if c.Channels > 1 {
			d.problem("", false, "images hold more than one channel (%s: %d): "+oneIsRead, c.ID, c.Channels)
			return
		}
	}
}
