package annotate

import (
	"container/list"
	"sync"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/volume"
)

// cacheBytes bounds the voxels that are kept in memory for the page.
const cacheBytes = 1 << 30

// image is a case's volume with what the page shows it by.
type image struct {
	*volume.Volume
	low, high float64 // 1st and 99th percentile
}

// cache keeps the volumes that were used last.
type cache struct {
	data *dataset.Dataset

	mu     sync.Mutex
	used   *list.List // of *entry, the newest in front
	byCase map[int]*list.Element
	bytes  int
}

type entry struct {
	index int
	once  sync.Once // reads the volume; others wait for it
	image *image
	err   error
}

func newCache(data *dataset.Dataset) *cache {
	return &cache{data: data, used: list.New(), byCase: map[int]*list.Element{}}
}

// get returns a case's volume. A failure is not kept: the file may come back.
func (c *cache) get(index int) (*image, error) {
	c.mu.Lock()
	element, ok := c.byCase[index]
	if ok {
		c.used.MoveToFront(element)
	} else {
		element = c.used.PushFront(&entry{index: index})
		c.byCase[index] = element
	}
	e := element.Value.(*entry)
	c.mu.Unlock()

	e.once.Do(func() {
		e.image, e.err = c.read(index)
		c.mu.Lock()
		defer c.mu.Unlock()
		if e.err != nil {
			c.remove(element)
			return
		}
		c.bytes += 4 * len(e.image.Data)
		for c.bytes > cacheBytes && c.used.Len() > 1 {
			oldest := c.used.Back()
			if old := oldest.Value.(*entry); old.image != nil {
				c.bytes -= 4 * len(old.image.Data)
			}
			c.remove(oldest)
		}
	})
	return e.image, e.err
}

func (c *cache) remove(element *list.Element) {
	e := element.Value.(*entry)
	if c.byCase[e.index] == element {
		delete(c.byCase, e.index)
		c.used.Remove(element)
	}
}

func (c *cache) read(index int) (*image, error) {
	v, err := c.data.Image(index)
	if err != nil {
		return nil, err
	}
	if v.Size != c.data.Cases[index].Grid.Size {
		return nil, &changedError{c.data.Cases[index].ID}
	}
	p := preprocess.Percentiles(append([]float32(nil), v.Data...), 1, 99)
	if p[0] == p[1] { // nearly everything is background
		p = preprocess.Percentiles(append([]float32(nil), v.Data...), 0, 100)
	}
	return &image{v, p[0], p[1]}, nil
}

type changedError struct{ id string }

func (e *changedError) Error() string {
	return "case " + e.id + ": the image's size has changed since the server was started: put the old file back"
}
