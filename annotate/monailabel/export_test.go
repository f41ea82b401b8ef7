package monailabel

import "time"

// SetClock sets the clock of what lapses.
func (h *Handler) SetClock(now func() time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = now
}
