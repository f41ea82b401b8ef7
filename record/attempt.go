package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Attempt names a process that writes units of a run folder in which others may write too. Where no lock can be relied on
// (NFS, Lustre, a node that was given up while its processes live on), a unit belongs to the attempt that stands in its
// attempt.json: each writes itself there when it begins, and stops when it finds another.
type Attempt struct {
	Job     string    `json:"job,omitempty"` // id of the SLURM job array, "" without one
	Element int       `json:"element"`       // of the array, or the number that the task was called with
	Restart int       `json:"restart"`       // how often SLURM has requeued it
	Node    string    `json:"node"`
	PID     int       `json:"pid"`
	Begun   time.Time `json:"begun"`
}

// NewAttempt returns this process as an attempt outside of SLURM.
func NewAttempt(element int) Attempt {
	node, err := os.Hostname()
	if err != nil {
		node = "unknown"
	}
	return Attempt{Element: element, Node: node, PID: os.Getpid(), Begun: time.Now().UTC()}
}

func (a Attempt) String() string {
	if a.Job == "" {
		return fmt.Sprintf("process %d on %s", a.PID, a.Node)
	}
	return fmt.Sprintf("job %s_%d, restart %d, on %s", a.Job, a.Element, a.Restart, a.Node)
}

// Same tells whether two are the same process.
func (a Attempt) Same(b Attempt) bool {
	return a.Job == b.Job && a.Element == b.Element && a.Restart == b.Restart && a.Node == b.Node && a.PID == b.PID && a.Begun.Equal(b.Begun)
}

// TakenError says that another attempt has taken a unit over: whoever gets it must stop, and write nothing more.
type TakenError struct {
	What string // such as "entropy, set 2"
	By   Attempt
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("%s was taken over by another attempt (%s)", e.What, e.By)
}

// Attempt returns whoever wrote a unit last in a folder of several writers; ok is false where nobody left a mark.
func (f *Folder) Attempt(u Unit) (a Attempt, ok bool, err error) {
	err = readJSON(f.attemptFile(u), &a)
	if errors.Is(err, os.ErrNotExist) {
		return Attempt{}, false, nil
	}
	return a, err == nil, err
}

func (f *Folder) attemptFile(u Unit) string { return f.path("units", u.Name(), "attempt.json") }

// claim makes the unit that of the folder's attempt, if it has one.
func (f *Folder) claim(u Unit) error {
	if f.attempt == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(f.attemptFile(u)), 0o700); err != nil {
		return err
	}
	return writeJSON(f.attemptFile(u), f.attempt)
}

// claimed returns a TakenError if the unit is another's by now.
func (f *Folder) claimed(u Unit) error {
	if f.attempt == nil {
		return nil
	}
	a, ok, err := f.Attempt(u)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%s has gone: was the run folder removed?", f.attemptFile(u))
	}
	if !a.Same(*f.attempt) {
		return &TakenError{u.String(), a}
	}
	return nil
}

// allEnv returns env.json with what the units of c and their starts were run with, where they ran on several machines.
func (f *Folder) allEnv(text []byte, c Config) ([]byte, error) {
	if text == nil {
		return nil, nil
	}
	var first Env
	if err := json.Unmarshal(text, &first); err != nil {
		return nil, fmt.Errorf("%s: %w", f.path(EnvFile), err)
	}
	all := first
	for _, u := range c.Units() {
		for _, path := range []string{f.startEnv(u.Start()), f.unitEnv(u)} {
			var env Env
			err := readJSON(path, &env)
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			all = all.With(env)
		}
	}
	if len(all.Also) == len(first.Also) {
		return text, nil
	}
	return all.JSON()
}

// OpenShared opens a run folder for one of several writers of the units of c, which the folder's configuration has, beside others
// maybe. It takes no lock.
func OpenShared(dir string, c Config, a Attempt) (*Folder, error) {
	f, there, err := OpenFolder(dir)
	if err != nil {
		return nil, err
	}
	if lines := c.missingFrom(there); len(lines) > 0 {
		return nil, fmt.Errorf("%s holds another experiment by now\n  %s", dir, strings.Join(lines, "\n  "))
	}
	f.WriteAs(a)
	return f, nil
}
