package server

import (
	"sync"
	"time"
)

// attempts delay those who guess: after some wrong tokens in a row an address, and a name, must wait before the next one, ever longer.
// What is kept is bounded, and nobody is made to hold a connection.
type attempts struct {
	now func() time.Time

	mu    sync.Mutex
	wrong map[string]*guesses
}

type guesses struct {
	count int
	until time.Time // no further attempt before
}

const (
	freeAttempts  = 5                      // without a delay
	firstDelay    = 500 * time.Millisecond // then doubled each time
	addressDelay  = time.Minute            // the longest
	nameDelay     = 4 * time.Second        // so that nobody can lock somebody else out by their name
	mostGuessers  = 10_000
	forgetGuesses = 15 * time.Minute
)

// begin counts an attempt as wrong, until succeed says otherwise, and returns how long to wait if there were too many.
func (a *attempts) begin(address, name string) (wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	for key, longest := range keys(address, name) {
		if g := a.wrong[key]; g != nil && g.until.After(now) {
			wait = max(wait, min(longest, g.until.Sub(now)))
		}
	}
	if wait > 0 {
		return wait
	}
	a.forget(now)
	for key, longest := range keys(address, name) {
		g := a.wrong[key]
		if g == nil {
			g = &guesses{}
			a.wrong[key] = g
		}
		g.until = now
		if g.count++; g.count > freeAttempts {
			g.until = now.Add(min(longest, firstDelay<<min(g.count-freeAttempts-1, 20)))
		}
	}
	return 0
}

func (a *attempts) succeed(address, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for key := range keys(address, name) {
		delete(a.wrong, key)
	}
}

func keys(address, name string) map[string]time.Duration {
	return map[string]time.Duration{"address " + address: addressDelay, "name " + name: nameDelay}
}

// forget drops old guesses, and all of them where there are more than can be kept.
func (a *attempts) forget(now time.Time) {
	if len(a.wrong) < mostGuessers {
		return
	}
	for key, g := range a.wrong {
		if now.Sub(g.until) > forgetGuesses {
			delete(a.wrong, key)
		}
	}
	if len(a.wrong) >= mostGuessers {
		clear(a.wrong)
	}
}
