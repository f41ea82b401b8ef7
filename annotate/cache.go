package annotate

import (
	"context"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/volume"
)

// DefaultCache bounds, in bytes, what is kept in memory: half of it for the slices that networks see, a quarter for the page's images, and a quarter
// for uncertainty maps. Large images of the page are kept in files, of eight times as many bytes.
const DefaultCache = 1 << 30

// cache keeps the pictures that were used last.
type cache struct {
	data *dataset.Dataset
	axis int    // that slices are cut across
	dir  string // of the files: the project's, for the system's own may be in memory
	most int    // bytes of pictures in memory, but for the one that was read last; files may have inFiles as many bytes

	mu    sync.Mutex
	used  []*entry // the newest at the end
	heavy *semaphore.Weighted
	// waiting are those who want to show an image and have no room for it yet.
	waiting atomic.Int32
}

// inFiles is how many bytes pictures may have in files for each byte that they may have in memory.
const inFiles = 32

type entry struct {
	index, channel int       // of the case, and of those that are read of it
	once           sync.Once // reads the image; others wait for it
	picture        *picture
	err            error
}

// get returns a channel of a case. A failure is not kept: the file may come back.
func (c *cache) get(index, channel int) (*picture, error) {
	c.mu.Lock()
	e := &entry{index: index, channel: channel}
	if i := slices.IndexFunc(c.used, func(e *entry) bool { return e.index == index && e.channel == channel }); i >= 0 {
		e = c.used[i]
		c.used = slices.Delete(c.used, i, i+1)
	}
	c.used = append(c.used, e)
	c.mu.Unlock()

	e.once.Do(func() {
		p, err := c.read(index, channel)
		c.mu.Lock()
		defer c.mu.Unlock()
		e.picture, e.err = p, err
		memory, files := 0, 0
		for i := len(c.used) - 1; i >= 0; i-- {
			if p := c.used[i].picture; p != nil {
				memory, files = memory+len(p.memory), files+p.bytes()-len(p.memory)
			}
			if c.used[i].err != nil || (memory > c.most || files > inFiles*c.most) && i < len(c.used)-1 {
				if p := c.used[i].picture; p != nil {
					memory, files = memory-len(p.memory), files-p.bytes()+len(p.memory)
				}
				c.used = slices.Delete(c.used, i, i+1) // its file goes with the last who looks at it
			}
		}
	})
	return e.picture, e.err
}

// forget drops a picture, so that it is read again.
func (c *cache) forget(p *picture) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.used = slices.DeleteFunc(c.used, func(e *entry) bool { return e.picture == p })
}

func (c *cache) read(index, channel int) (*picture, error) {
	if c.axis == stackAxis {
		stack, err := c.data.Stack(index, channel)
		if err != nil {
			return nil, err
		}
		if stack != nil {
			return newStacked(stack)
		}
	}
	v, done, err := c.volume(index, channel)
	if err != nil {
		return nil, err
	}
	defer done()
	return newPicture(v, c.axis, c.dir, inMemory), nil
}

// volume reads an image of a case, as long as there is room for it; done is called when the caller no longer needs it.
func (c *cache) volume(index, channel int) (v *volume.Volume, done func(), err error) {
	c.waiting.Add(1)
	done, err = c.room(index, func(weight int64) error {
		defer c.waiting.Add(-1)
		return c.heavy.Acquire(context.Background(), weight)
	})
	if err != nil {
		return nil, nil, err
	}
	if v, err = c.data.ChannelImage(index, channel); err == nil && v.Size != c.data.Cases[index].Grid.Size {
		err = &changedError{c.data.Cases[index].ID}
	}
	if err != nil {
		done()
		return nil, nil, err
	}
	return v, done, nil
}

// Room for images that are being read, in bytes, and from how many on the memory of one is given back to the system at once.
const (
	roomToRead = 1 << 30
	giveBack   = 256 << 20
)

// later returns room for who reads behind people's backs: when nobody waits to be shown an image.
func (c *cache) later(ctx context.Context, index int) (done func(), err error) {
	return c.room(index, func(weight int64) error {
		for c.waiting.Load() > 0 || !c.heavy.TryAcquire(weight) {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(20 * time.Millisecond):
			}
		}
		return nil
	})
}

// room acquires the memory to read an image of a case: its file's bytes, its voxels, and a copy of them. done gives it back.
func (c *cache) room(index int, acquire func(weight int64) error) (done func(), err error) {
	bytes := int64(12 * c.data.Cases[index].Grid.Len())
	weight := min(bytes, roomToRead)
	if err := acquire(weight); err != nil {
		return nil, err
	}
	if bytes >= giveBack {
		debug.FreeOSMemory()
	}
	return func() {
		if bytes >= giveBack {
			debug.FreeOSMemory() // or the next one would come on top
		}
		c.heavy.Release(weight)
	}, nil
}

type changedError struct{ id string }

func (e *changedError) Error() string {
	return "case " + e.id + ": the image's size has changed since the server was started: put the old file back"
}
