package annotate

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/internal/contents"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"

	"github.com/nextslice/nextslice/annotate/fault"
	"github.com/nextslice/nextslice/annotate/store"
)

// Cases are the cases of the data folder: as the page shows them, and as networks see them, which is read in the
// background when a project is opened and kept: see spill.
type Cases struct {
	set     *dataset.Dataset // without masks: those of the project count
	config  preprocess.Config
	index   map[string]int        // of a case in set
	roles   map[string]store.Role // of all cases that ever were in the project
	volumes *cache
	spill   spill
	events  *Events
	now     func() time.Time
	loaded  chan struct{}            // closed when all cases were tried
	files   map[string][]string      // that a case is read from, its mask too
	looked  map[string]contents.Seen // these by their paths when watch has looked at them last; only watch uses it

	mu     sync.Mutex
	slices map[string][][]float32 // by case: normalised and on the canvas
	failed map[string]time.Time   // when a case could not be read
	warned []Warning              // what people should know of the data

	ignored map[Item]bool // that are never asked for
}

// leaveIgnored leaves slices out whose mask says nothing, as the pool of a simulation does: who answers by the masks has no answer.
func (c *Cases) leaveIgnored(data *dataset.Dataset) error {
	c.ignored = map[Item]bool{}
	if data.Ignore == 0 {
		return nil
	}
	for i, one := range data.Cases {
		if one.Label == "" {
			continue
		}
		mask, err := data.Reference(i)
		if err != nil {
			return fmt.Errorf("read the mask: %w", err)
		}
		for k := range c.config.Slices(mask.Grid) {
			if !slices.ContainsFunc(mask.Slice(c.config.Axis, k), func(v uint8) bool { return v != volume.Ignored }) {
				c.ignored[Item{Case: one.ID, Slice: k}] = true
			}
		}
	}
	return nil
}

// Warning is what people should know of the data: an English sentence, and the same as a code.
type Warning struct {
	Text string
	fault.Message
}

// doubt is what is wrong with the data by its kind, with the words of package dataset: see fault.Told.
func doubt(p dataset.Problem) fault.Message {
	text, unused := strings.CutPrefix(p.Text, maskUnused)
	switch {
	case p.Case == "":
		return fault.Say(fault.DataSet, "text", p.Text)
	case p.LeftOut:
		return fault.Say(fault.DataLeftOut, "case", p.Case, "text", p.Text)
	case unused:
		return fault.Say(fault.DataMaskUnused, "case", p.Case, "text", text)
	}
	return fault.Say(fault.DataDoubt, "case", p.Case, "text", p.Text)
}

// warn keeps a text for the page, and tells the person who runs the server. The caller holds c.mu.
func (c *Cases) warn(text string, m fault.Message) {
	if slices.ContainsFunc(c.warned, func(w Warning) bool { return w.Text == text }) {
		return
	}
	c.warned = append(c.warned, Warning{text, m})
	c.events.log.Warn(text)
}

// notes returns what people should know of the data, by case.
func (c *Cases) notes() []Warning {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.SortedFunc(slices.Values(c.warned), func(a, b Warning) int { return strings.Compare(a.Text, b.Text) })
}

func newCases(c Config, data *dataset.Dataset, roles map[string]store.Role, e *Events, now func() time.Time) *Cases {
	set := *data
	set.Classes, set.Cases = c.names(), slices.Clone(data.Cases)
	index, files := map[string]int{}, map[string][]string{}
	for i := range set.Cases {
		images, label := set.Cases[i].Files()
		if label != "" {
			images = append(images, label)
		}
		files[set.Cases[i].ID] = images
		set.Cases[i].Label = ""
		index[set.Cases[i].ID] = i
	}
	return &Cases{
		set: &set, config: c.Preprocess, index: index, files: files, roles: roles, volumes: &cache{data: &set, axis: c.Preprocess.Axis, heavy: semaphore.NewWeighted(roomToRead)}, events: e, now: now,
		loaded: make(chan struct{}), slices: map[string][][]float32{}, failed: map[string]time.Time{}, looked: map[string]contents.Seen{},
	}
}

// LargestSlice returns the pixels of the largest slice of all cases.
func (c *Cases) LargestSlice() (pixels int) {
	for _, one := range c.set.Cases {
		h, w := c.config.SliceSize(one.Grid)
		pixels = max(pixels, h*w)
	}
	return pixels
}

// ErrGone says that a case's image cannot be read.
var ErrGone = errors.New("the image cannot be read")

// Item reads an item's name; it is ErrNotFound if the data set does not have it.
func (c *Cases) Item(name string) (Item, error) {
	item, err := store.ParseItem(name)
	if err != nil {
		return Item{}, fault.With(fmt.Errorf("%w: %w", ErrNotFound, err), fault.NoItem, "item", name)
	}
	index, ok := c.index[item.Case]
	if !ok || item.Slice >= c.config.Slices(c.set.Cases[index].Grid) {
		return Item{}, fault.With(fmt.Errorf("the data set has no item %q: %w", name, ErrNotFound), fault.NoItem, "item", name)
	}
	return item, nil
}

// Image returns a slice's intensities, [height width], in one of the channels that are read of each case, from 0. It is
// ErrNotFound if there are not as many.
func (c *Cases) Image(item Item, channel int) ([]float32, error) {
	if err := c.checkChannel(item.Case, channel); err != nil {
		return nil, err
	}
	v, err := c.look(item, channel)
	if err != nil {
		return nil, err
	}
	values, err := v.slice(item.Slice)
	if err != nil {
		return nil, fault.With(fmt.Errorf("%w: %s: %w", ErrGone, item.Case, err), fault.Image, "case", item.Case, "text", err.Error())
	}
	return values, nil
}

// Channel returns a case's image in one of the channels that are read of it, from 0. It is ErrNotFound if the data set does not have
// the case or the channel, ErrGone if it cannot be read.
func (c *Cases) Channel(name string, channel int) (*volume.Volume, error) {
	if err := c.checkChannel(name, channel); err != nil {
		return nil, err
	}
	index := c.index[name]
	v, done, err := c.volumes.volume(index, channel)
	if err != nil {
		return nil, c.gone(name, err)
	}
	done() // the caller has it from now on
	return v, nil
}

// gone keeps in mind that a case's image cannot be read, and says so.
func (c *Cases) gone(name string, err error) error {
	err = fault.With(fmt.Errorf("%w: %w; put the file back, its slices are left out until then", ErrGone, err), fault.Image, "case", name, "text", err.Error())
	c.fail(name, err)
	return err
}

// checkChannel returns ErrNotFound unless the data set has a case, and as many channels.
func (c *Cases) checkChannel(name string, channel int) error {
	if err := c.check(name); err != nil {
		return err
	}
	if channel < 0 || channel >= max(1, len(c.set.Channels)) {
		return fmt.Errorf("the project reads %d channels of each case, counted from 0: there is no channel %d: %w", max(1, len(c.set.Channels)), channel, ErrNotFound)
	}
	return nil
}

// Grid returns that of a case, or ErrNotFound.
func (c *Cases) Grid(name string) (volume.Grid, error) {
	if err := c.check(name); err != nil {
		return volume.Grid{}, err
	}
	return c.grid(Item{Case: name}), nil
}

// Names returns the cases of the data set.
func (c *Cases) Names() (names []string) {
	for _, one := range c.set.Cases {
		names = append(names, one.ID)
	}
	return names
}

// Stamp returns a text that is another one when a file that a case is read from, also one of voxels or of a series, has another size or time.
// ErrGone: one is not there.
func (c *Cases) Stamp(name string) (string, error) {
	if err := c.check(name); err != nil {
		return "", err
	}
	stamp := ""
	for _, path := range c.files[name] {
		at, err := contents.Stat(path)
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrGone, err)
		}
		stamp += fmt.Sprintf("%s %s\n", path, at)
	}
	return stamp, nil
}

// check returns ErrNotFound unless the data set has a case.
func (c *Cases) check(name string) error {
	if _, ok := c.index[name]; !ok {
		return fault.With(fmt.Errorf("the data set has no case %q: %w", name, ErrNotFound), fault.NoCase, "case", name)
	}
	return nil
}

// volume returns a case's image, of several channels the first.
func (c *Cases) volume(name string) (*picture, error) { return c.channel(name, 0) }

// channelNames returns the names of the channels that are read of each case, none where it is one image.
func (c *Cases) channelNames() []string {
	names := []string{}
	for _, channel := range c.set.Channels {
		names = append(names, channel.String())
	}
	return names
}

// channel returns one of a case's images and keeps in mind whether it can be read.
func (c *Cases) channel(name string, channel int) (*picture, error) {
	index, ok := c.index[name]
	if !ok {
		return nil, fault.With(fmt.Errorf("%w: case %s is not in the data folder", ErrGone, name), fault.NoCase, "case", name)
	}
	v, err := c.volumes.get(index, channel)
	if err != nil {
		return nil, c.gone(name, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.failed, name)
	return v, nil
}

// look returns one of a case's images for a slice of it, which can be read as far as its file tells.
func (c *Cases) look(item Item, channel int) (*picture, error) {
	for again := false; ; again = true {
		p, err := c.channel(item.Case, channel)
		if err != nil {
			return nil, err
		}
		if err = p.check(item.Slice); err == nil {
			return p, nil
		}
		c.volumes.forget(p)
		if again || !errors.Is(err, dicom.ErrChanged) {
			return nil, c.gone(item.Case, err)
		}
	}
}

// ahead reads what is shown of the first cases, by name, so that it need not be read when people come to them.
func (c *Cases) ahead(ctx context.Context, names []string) {
	for _, name := range names {
		for channel := range max(1, len(c.set.Channels)) {
			if ctx.Err() == nil && c.readable(name) {
				_, _ = c.channel(name, channel) // reports its failure itself
			}
		}
	}
}

// load reads all cases. Those that cannot be read are reported and left out for now.
func (c *Cases) load(ctx context.Context) error {
	defer close(c.loaded)
	workers, ctx := errgroup.WithContext(ctx)
	workers.SetLimit(max(1, runtime.GOMAXPROCS(0)/2)) // the rest serves people
	var done atomic.Int64
	for i := range c.set.Cases {
		workers.Go(func() error {
			c.loadCase(ctx, i)
			c.events.setTraining(Training{Running: true, Phase: "load", Step: int(done.Add(1)), Steps: len(c.set.Cases)})
			return ctx.Err()
		})
	}
	err := workers.Wait()
	c.events.setTraining(Training{})
	return err
}

func (c *Cases) loadCase(ctx context.Context, index int) {
	name := c.set.Cases[index].ID
	done, err := c.volumes.later(ctx, index)
	if err != nil {
		return
	}
	defer done()
	s, err := dataset.Load(ctx, c.set, []int{index}, c.config, nil)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		c.fail(name, err)
	default:
		images := c.spill.keep(s.Images)
		c.mu.Lock()
		defer c.mu.Unlock()
		for i, text := range s.Warnings {
			c.warn("data: "+text, c.nonFinite(name, s.NonFinite[i]))
		}
		c.slices[name] = images
	}
}

// nonFinite says of how many voxels of a case are no numbers, and what is made of them.
func (c *Cases) nonFinite(name string, voxels int) fault.Message {
	if c.config.NaN == nil {
		return fault.Say(fault.DataNaN, "case", name, "n", voxels)
	}
	return fault.Say(fault.DataNaNAs, "case", name, "n", voxels, "value", *c.config.NaN)
}

// loadMissing tries the cases again that could not be read some time ago.
func (c *Cases) loadMissing(ctx context.Context) {
	for i, one := range c.set.Cases {
		if c.slice(Item{Case: one.ID}) == nil && c.readable(one.ID) {
			c.loadCase(ctx, i)
		}
	}
}

// wait returns when all cases are loaded.
func (c *Cases) wait(ctx context.Context) error {
	select {
	case <-c.loaded:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// retryAfter is how long a case that could not be read is left alone.
const retryAfter = 30 * time.Second

// fail keeps in mind that a case cannot be used for now, and tells everybody.
func (c *Cases) fail(name string, err error) {
	c.mu.Lock()
	_, known := c.failed[name]
	c.failed[name] = c.now()
	c.mu.Unlock()
	if !known {
		c.events.problem(err)
	}
}

// readable reports whether a case is there and could be read when it was last tried.
func (c *Cases) readable(name string) bool {
	if c.check(name) != nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	at, failed := c.failed[name]
	return !failed || c.now().Sub(at) > retryAfter
}

// slice returns an item as networks see it, nil if its case could not be read or is not loaded yet.
func (c *Cases) slice(item Item) []float32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if images := c.slices[item.Case]; item.Slice < len(images) {
		return images[item.Slice]
	}
	return nil
}

// grid is that of an item's case.
func (c *Cases) grid(item Item) volume.Grid { return c.set.Cases[c.index[item.Case]].Grid }

// onCanvas returns an item's mask on the canvas.
func (c *Cases) onCanvas(item Item, mask []uint8) []uint8 {
	g := c.grid(item)
	g.Size[c.config.Axis] = 1 // a volume of this slice alone
	return c.config.Labels(mask, g, 0)
}

func (c *Cases) emptyMask(name string) *volume.Mask {
	g := c.grid(Item{Case: name})
	return &volume.Mask{Grid: g, Data: make([]uint8, g.Len())}
}

// known is a case as the project knows it.
func (c *Cases) known(name string) store.Case {
	g := c.grid(Item{Case: name})
	h, w := c.config.SliceSize(g)
	return store.Case{Name: name, Slices: c.config.Slices(g), Height: h, Width: w, Role: c.roles[name]}
}

// place puts the labels of a case into its mask. It goes on behind one that is damaged, and returns the errors.
func (c *Cases) place(mask *volume.Mask, labels []store.Labelled) error {
	var damaged []error
	for _, l := range labels {
		slice, err := l.Mask()
		if err != nil {
			damaged = append(damaged, err)
			continue
		}
		mask.SetSlice(c.config.Axis, l.Item.Slice, slice)
	}
	return errors.Join(damaged...)
}

// items returns all slices of the cases of a role that can be read, by case and slice: the order of a simulation's
// pool.
func (c *Cases) items(role store.Role) []Item {
	loaded := false
	select {
	case <-c.loaded:
		loaded = true
	default:
	}
	var items []Item
	for _, one := range c.set.Cases {
		if c.roles[one.ID] != role || !c.readable(one.ID) || loaded && c.slice(Item{Case: one.ID}) == nil {
			continue
		}
		items = append(items, slices.DeleteFunc(c.slicesOf(one.ID), func(i Item) bool { return c.ignored[i] })...)
	}
	return items
}

// slicesOf returns the items of a case.
func (c *Cases) slicesOf(name string) (items []Item) {
	for k := range c.config.Slices(c.grid(Item{Case: name})) {
		items = append(items, Item{Case: name, Slice: k})
	}
	return items
}

// segment calls each with what a network predicts for each item, on the item's grid: class probabilities, [h w K], and
// mask, [h w], valid until each returns. Items that are not loaded are passed over.
func (c *Cases) segment(ctx context.Context, n Network, items []Item, each func(item Item, probs []float32, mask []uint8) error) error {
	var images [][]float32
	var known []Item
	for _, item := range items {
		if image := c.slice(item); image != nil {
			images, known = append(images, image), append(known, item)
		}
	}
	r := model.Restorer{Preprocess: c.config, Classes: len(c.set.Classes)}
	return n.Predict(ctx, images, func(i int, canvas []float32) error {
		probs, mask := r.Slice(canvas, c.grid(known[i]), known[i].Slice)
		return each(known[i], probs, mask)
	})
}
