package torch

import "time"

// Pid is that of the worker.
func (e *Engine) Pid() int { return e.worker.Worker.Pid() }

// SetPatience sets how long Watch waits.
func (e *Engine) SetPatience(d time.Duration) { e.patience = d }

// Freed is the number of networks that the worker has not been told of yet that they are no more.
func (e *Engine) Freed() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.freed)
}

// Program is the worker's text.
func Program() []byte { return program }
