package dataset

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nextslice/nextslice/internal/parallel"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/source"
)

// AllChannels as a selection stands for every channel that the data set has.
const AllChannels = "all"

// Selection is a list of channels, by numbers or names; AllChannels alone stands for all. In YAML it is that word or the list.
type Selection []string

// UnmarshalYAML reads a word, a number or a list of these.
func (s *Selection) UnmarshalYAML(decode func(any) error) error {
	var value any
	if err := decode(&value); err != nil {
		return err
	}
	list, ok := value.([]any)
	if !ok && value != nil {
		list = []any{value}
	}
	*s = nil
	for _, one := range list {
		*s = append(*s, fmt.Sprint(one))
	}
	return nil
}

// MarshalYAML returns the word all, or the list.
func (s Selection) MarshalYAML() (any, error) {
	if slices.Equal(s, Selection{AllChannels}) {
		return AllChannels, nil
	}
	return []string(s), nil
}

// Channel is one of the images that a case has of the same body, such as the sequences of an MR examination.
type Channel struct {
	Number int    `json:"number"`         // from 0: of a 4-D file, or of nnU-Net's X_0000, X_0001 …
	Name   string `json:"name,omitempty"` // that dataset.json gives, such as "T2"; else ""
}

// String returns the name, or the number where there is none.
func (c Channel) String() string {
	if c.Name == "" {
		return strconv.Itoa(c.Number)
	}
	return c.Name
}

// input is the image of one of a case's channels.
type input struct {
	path    string
	series  string // ID of a DICOM series in the folder path; "" where that holds no other
	channel int    // of the file
}

// inputs returns the images that are read of a case, in the channels' order.
func (c *Case) inputs() []input {
	if len(c.several) > 0 {
		return c.several
	}
	return []input{{c.Image, c.series(), c.Channel}}
}

// UseChannels chooses the channels of each case that are read together, by numbers or by the names that dataset.json gives, in
// this order, or AllChannels. Cases that lack one are left out and named in d.Problems, and so are those of which a channel
// lies on another grid than the first of the case, unless the voxels of both coincide as for volume.Volume.On, or
// resample asks for linear interpolation (volume.Volume.Resample). Every image becomes one on the case's own grid.
//
// Files X_0000, X_0001 … are channels of one case X in the layout NNUNet, which every folder has if all its images are named so; so are those of SequenceFolders. Of DICOM cases the series in
// the case's folder are, if the channels have names: see Sequences. Series of another patient or frame of reference are never brought together.
//
// The error is that of a selection that the data set cannot have, or that leaves no case.
func (d *Dataset) UseChannels(selection Selection, resample bool) error {
	d.groupChannels()
	count := 0
	for i := range d.Cases {
		count = max(count, d.channels(&d.Cases[i]))
	}
	chosen, err := d.selectChannels(selection, count)
	if err != nil {
		return err
	}
	d.Channels, d.resample = chosen, resample
	d.Problems = slices.DeleteFunc(d.Problems, Problem.OneIsRead)
	faults := make([]error, len(d.Cases))
	parallel.For(len(d.Cases), parallel.All, func(i int) { faults[i] = d.useChannels(&d.Cases[i]) })
	var kept []Case
	for i, c := range d.Cases {
		if faults[i] != nil {
			d.problem(c.ID, true, "%v", faults[i])
			continue
		}
		kept = append(kept, c)
		d.noteFrames(c)
	}
	if len(kept) == 0 {
		return fmt.Errorf("no case has %s that can be read together%s", DescribeChannels(chosen), d.firstProblems(3))
	}
	d.Cases = kept
	return nil
}

// UseChannelsOf is UseChannels with the channels that a model was trained on: by their names where this data set has names too,
// else by their numbers.
func (d *Dataset) UseChannelsOf(channels []Channel, resample bool) error {
	var selection Selection
	for _, c := range channels {
		if c.Name == "" || len(d.channelNames) == 0 {
			c.Name = strconv.Itoa(c.Number)
		}
		selection = append(selection, c.Name)
	}
	return d.UseChannels(selection, resample)
}

// Choose is UseChannels, or without a selection UseChannel. Its errors begin with channels or channel.
func (d *Dataset) Choose(channel int, selection Selection, resample bool) error {
	if len(selection) > 0 {
		if err := d.UseChannels(selection, resample); err != nil {
			return fmt.Errorf("channels: %w", err)
		}
		return nil
	}
	d.resample = resample
	if err := d.UseChannel(channel); err != nil {
		return fmt.Errorf("channel: %w", err)
	}
	return nil
}

// DescribeChannels says which channels there are: "2 channels (T2, ADC)".
func DescribeChannels(channels []Channel) string {
	var names []string
	for _, c := range channels {
		names = append(names, c.String())
	}
	return fmt.Sprintf("%s (%s)", count(len(channels), "channel"), strings.Join(names, ", "))
}

// groupChannels makes one case of the images X_0000, X_0001 … where all images are named so and several channels are asked for: also where listing.groupChannels leaves them alone, since dataset.json lists them,
// say.
func (d *Dataset) groupChannels() {
	if d.Layout == NNUNet || d.Layout == SequenceFolders {
		return
	}
	for _, c := range d.Cases {
		if stem := volume.TrimExt(c.Image); !numbered(stem) || !strings.HasSuffix(stem, firstChannel) && !exists(stem[:len(stem)-len(firstChannel)]+firstChannel+c.Image[len(stem):]) {
			return
		}
	}
	var first []Case
	for _, c := range d.Cases {
		if id, ok := strings.CutSuffix(c.ID, firstChannel); ok {
			c.ID = id
			first = append(first, c)
		}
	}
	d.Cases, d.Layout = first, NNUNet
}

// numbered reports whether a name without extension ends as those of nnU-Net's images.
func numbered(stem string) bool {
	n := len(stem) - len(firstChannel)
	return n > 0 && stem[n] == '_' && strings.Trim(stem[n+1:], "0123456789") == ""
}

// channelFile returns nnU-Net's file of a channel; "" where the case's image is not named so.
func (d *Dataset) channelFile(c *Case, channel int) string {
	if channel < len(c.files) {
		return c.files[channel]
	}
	if d.Layout != NNUNet || c.Channels > 1 || c.sequences != nil {
		return ""
	}
	return ChannelFile(c.Image, channel)
}

// ChannelFile returns the path of the image of a channel beside nnU-Net's X_0000; "" where the first is not named so.
func ChannelFile(first string, channel int) string {
	ext := first[len(volume.TrimExt(first)):]
	stem, ok := strings.CutSuffix(first, firstChannel+ext)
	if !ok {
		return ""
	}
	return stem + fmt.Sprintf("_%04d", channel) + ext
}

// channels returns how many channels a case has, up to the first that is missing.
func (d *Dataset) channels(c *Case) int {
	n := max(1, c.Channels, len(c.sequences), len(c.files))
	for d.channelFile(c, n) != "" && exists(d.channelFile(c, n)) {
		n++
	}
	return n
}

// selectChannels reads a selection.
func (d *Dataset) selectChannels(selection Selection, count int) (chosen []Channel, err error) {
	known := make([]Channel, max(count, len(d.channelNames)))
	for i := range known {
		known[i].Number = i
		if i < len(d.channelNames) {
			known[i].Name = d.channelNames[i]
		}
	}
	if slices.Equal(selection, Selection{AllChannels}) {
		return known, nil
	}
	for _, what := range selection {
		i := slices.IndexFunc(known, func(c Channel) bool { return c.Name != "" && strings.EqualFold(c.Name, what) })
		if n, err := strconv.Atoi(what); i < 0 && err == nil && n >= 0 && n < len(known) {
			i = n
		}
		switch {
		case i < 0:
			return nil, fmt.Errorf("there is no channel %q: the data set has %s, counted from 0", what, DescribeChannels(known))
		case slices.Contains(chosen, known[i]):
			return nil, fmt.Errorf("channel %s is listed twice", known[i])
		}
		chosen = append(chosen, known[i])
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("want %s or a list of channels", AllChannels)
	}
	return chosen, nil
}

// useChannels finds the images of a case's channels and checks their grids.
func (d *Dataset) useChannels(c *Case) error {
	c.several = nil
	for _, channel := range d.Channels {
		if c.sequences != nil {
			in, err := d.sequence(c, channel)
			if err != nil {
				return err
			}
			c.several = append(c.several, in)
			continue
		}
		if channel.Number < max(1, c.Channels) {
			c.several = append(c.several, input{c.Image, "", channel.Number})
			continue
		}
		path := d.channelFile(c, channel.Number)
		if path == "" && c.files != nil {
			return c.missing(channel)
		}
		if path == "" {
			return fmt.Errorf("it has no channel %s: its image holds %d, counted from 0", channel, max(1, c.Channels))
		}
		image, err := source.Open(path, "")
		if err != nil && !exists(path) {
			return fmt.Errorf("it has no channel %s: there is no file %s", channel, path)
		}
		if err != nil {
			return fmt.Errorf("channel %s: %s", channel, unreadable("image", path, err))
		}
		if image.Channels > 1 {
			return fmt.Errorf("channel %s: %s holds %d channels itself", channel, path, image.Channels)
		}
		if err := c.fits(d, image.Grid, originOf(image.Series)); err != nil {
			return fmt.Errorf("channel %s: %w", channel, err)
		}
		c.several = append(c.several, input{path: path})
	}
	return nil
}

// fits returns an error unless an image of this grid and origin can be brought to the case's.
func (c *Case) fits(d *Dataset, g volume.Grid, from origin) error {
	if err := from.at(c.origin); err != nil {
		return err
	}
	located := c.Grid.Unit == volume.Millimetre && g.Unit == volume.Millimetre
	if !located {
		if c.Grid.Size == g.Size {
			return nil
		}
		return fmt.Errorf("it has %v voxels, the case's first image %v, and not both headers tell where they lie", g.Size, c.Grid.Size)
	}
	if err := c.Grid.Within(g); err != nil && !d.resample {
		return fmt.Errorf("it lies on another grid than the case's first image: %w; resample it, or ask for linear interpolation (resample)", err)
	}
	return nil
}

// readInputs reads the images of a case, all on the case's grid.
func (d *Dataset) readInputs(c *Case) ([]*volume.Volume, error) {
	var images []*volume.Volume
	for _, in := range c.inputs() {
		v, _, err := source.Read(in.path, in.series, in.channel) // Open has reported the warnings
		if err != nil {
			return nil, err
		}
		if in.path != c.Image || in.series != c.series() {
			if v, err = bring(v, c.Grid, d.resample); err != nil {
				return nil, fmt.Errorf("%s: %w", in.path, err)
			}
		}
		images = append(images, v)
	}
	return images, nil
}

// bring takes an image to a grid: voxel for voxel where they coincide, else, if asked for, by linear interpolation.
func bring(v *volume.Volume, g volume.Grid, resample bool) (*volume.Volume, error) {
	on, err := v.On(g)
	if err == nil || !resample {
		return on, err
	}
	return v.Resample(g)
}

// Together brings images of one case, read from several files, to a grid, that of their first channel, as UseChannels does.
func Together(images []*volume.Volume, names []string, g volume.Grid, resample bool) error {
	for i := range images {
		v, err := bring(images[i], g, resample)
		if err != nil {
			return fmt.Errorf("%s lies on another grid than the first image of the case: %w; resample it, or ask for linear interpolation (--resample)", names[i], err)
		}
		images[i] = v
	}
	return nil
}
