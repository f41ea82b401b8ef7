package annotate

import "slices"

// For tests outside the package.

// HoldLoading holds back what is read for networks, as somebody does who waits to see an image, until release is called.
func (c *Cases) HoldLoading() (release func()) {
	c.volumes.waiting.Add(1)
	return func() { c.volumes.waiting.Add(-1) }
}

// Shown reports whether a case has been read to be shown.
func (c *Cases) Shown(name string) bool {
	c.volumes.mu.Lock()
	defer c.volumes.mu.Unlock()
	return slices.ContainsFunc(c.volumes.used, func(e *entry) bool { return e.index == c.index[name] && e.picture != nil })
}

// Loaded reports whether all cases were read for networks.
func (c *Cases) Loaded() bool {
	select {
	case <-c.loaded:
		return true
	default:
		return false
	}
}
