package annotate

import (
	"slices"
	"sync"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/volume"
)

// DefaultCache bounds, in bytes, what is kept in memory: half of it for the slices that networks see, a quarter for the page's images, and a quarter
// for uncertainty maps.
const DefaultCache = 1 << 30

// image is a case's volume with what the page shows it by.
type image struct {
	*volume.Volume
	low, high float64 // 1st and 99th percentile
}

// cache keeps the volumes that were used last.
type cache struct {
	data *dataset.Dataset
	most int // bytes of voxels, but for the image that was read last

	mu   sync.Mutex
	used []*entry // the newest at the end
}

type entry struct {
	index, channel int       // of the case, and of those that are read of it
	once           sync.Once // reads the volume; others wait for it
	image          *image
	err            error
}

// get returns a channel of a case. A failure is not kept: the file may come back.
func (c *cache) get(index, channel int) (*image, error) {
	c.mu.Lock()
	e := &entry{index: index, channel: channel}
	if i := slices.IndexFunc(c.used, func(e *entry) bool { return e.index == index && e.channel == channel }); i >= 0 {
		e = c.used[i]
		c.used = slices.Delete(c.used, i, i+1)
	}
	c.used = append(c.used, e)
	c.mu.Unlock()

	e.once.Do(func() {
		image, err := c.read(index, channel)
		c.mu.Lock()
		defer c.mu.Unlock()
		e.image, e.err = image, err
		bytes := 0
		for i := len(c.used) - 1; i >= 0; i-- {
			if image := c.used[i].image; image != nil {
				bytes += 4 * len(image.Data)
			}
			if c.used[i].err != nil || bytes > c.most && i < len(c.used)-1 {
				c.used = slices.Delete(c.used, i, i+1)
			}
		}
	})
	return e.image, e.err
}

func (c *cache) read(index, channel int) (*image, error) {
	v, err := c.data.ChannelImage(index, channel)
	if err != nil {
		return nil, err
	}
	if v.Size != c.data.Cases[index].Grid.Size {
		return nil, &changedError{c.data.Cases[index].ID}
	}
	low, high := window(v.Data)
	return &image{v, low, high}, nil
}

type changedError struct{ id string }

func (e *changedError) Error() string {
	return "case " + e.id + ": the image's size has changed since the server was started: put the old file back"
}
