package annotate

import "sync"

// Event is something that the page shows as it happens.
type Event struct {
	Type string `json:"type" enum:"training,queue,model,label,stop,problem"`

	Item      string `json:"item,omitempty"`   // of label
	Person    string `json:"person,omitempty"` // of label
	Text      string `json:"text,omitempty"`   // of stop and problem, for a person
	Model     int    `json:"model,omitempty"`  // of model: its version
	*Training        // of training: its fields
}

// Training tells how far the training in the background is.
type Training struct {
	Running     bool    `json:"running"`
	Phase       string  `json:"phase"` // "load", "train", "validate", "score" or "" when nothing runs
	Cycle       int     `json:"cycle"`
	Step        int     `json:"step"`
	Steps       int     `json:"steps"`
	Epoch       int     `json:"epoch"` // which pass over the labelled slices it is, from 1; 0 outside "train"
	Epochs      int     `json:"epochs"`
	Loss        float64 `json:"loss"`
	SecondsLeft float64 `json:"seconds_left"`
}

// hub hands events to whoever listens. A listener that does not keep up misses events: each says what has changed, and
// the page asks for the state itself.
type hub struct {
	mu        sync.Mutex
	listeners map[chan Event]bool
	closed    bool
}

func newHub() *hub { return &hub{listeners: map[chan Event]bool{}} }

// Events returns a channel of events, which is closed when the project is, and a function that ends it.
func (p *Project) Events() (<-chan Event, func()) {
	h := p.hub
	c := make(chan Event, 64)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		close(c)
		return c, func() {}
	}
	h.listeners[c] = true
	return c, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.listeners, c)
	}
}

func (h *hub) send(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.listeners {
		select {
		case c <- e:
		default:
		}
	}
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for c := range h.listeners {
		close(c)
		delete(h.listeners, c)
	}
}
