package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/nextslice/nextslice/active"
)

// Cycles returns the finished cycles of a unit, none if it was not begun.
func (f *Folder) Cycles(u Unit) ([]active.Cycle, error) {
	cycles, _, err := readCycles(f.path("units", u.Name(), "cycles.jsonl"))
	return cycles, err
}

func readCycles(path string) ([]active.Cycle, int64, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	cycles, size, err := active.ReadCycles(file)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", path, err)
	}
	return cycles, size, nil
}

// Recorder appends the cycles of a unit to its files. It is the unit's active.Recorder.
type Recorder struct {
	cycles, timings *os.File
	costs           func() Timing
	recorded        func(active.Cycle)
	claimed         func() error
}

// Timing is what a cycle cost: the wall time of its phases, in seconds, and more of its query.
type Timing struct {
	Cycle    int     `json:"cycle"`
	Train    float64 `json:"train_s"` // 0 where the model of cycle 0 was there already
	Evaluate float64 `json:"evaluate_s"`
	Members  float64 `json:"members_s"` // training of the further networks of an ensemble
	Score    float64 `json:"score_s"`   // forward passes for the query
	Query    float64 `json:"query_s"`   // picking the items from scores and features

	Passes int     `json:"passes"`            // forward passes for the query: of one item each
	PeakMB float64 `json:"peak_mb,omitempty"` // largest resident memory of the whole process, all jobs, during the query; on Linux only
}

// OpenUnit returns the finished cycles of a unit and a recorder that continues after them: costs tells what the cycle that is
// being recorded has cost, and recorded is called when it is on disk. What a crash left of an unfinished line of
// either file is cut off. In a folder of several writers the unit is claimed first.
func (f *Folder) OpenUnit(u Unit, costs func() Timing, recorded func(active.Cycle)) ([]active.Cycle, *Recorder, error) {
	path := f.path("units", u.Name(), "cycles.jsonl")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, nil, err
	}
	if err := f.claim(u); err != nil {
		return nil, nil, err
	}
	done, size, err := readCycles(path)
	if err != nil {
		return nil, nil, err
	}
	cycles, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, err
	}
	r := &Recorder{cycles: cycles, costs: costs, recorded: recorded, claimed: func() error { return f.claimed(u) }}
	err = cycles.Truncate(size)
	if err == nil {
		_, err = cycles.Seek(size, io.SeekStart)
	}
	if err == nil {
		r.timings, err = openTimings(f.path("units", u.Name(), timingsFile))
	}
	if err != nil {
		cycles.Close()
		return nil, nil, err
	}
	return done, r, nil
}

// Record writes the times first: a crash between the two writes leaves the times of a cycle that is run again, never a
// cycle without times. Two writers of one unit, in the moment between a claim and this, write equal bytes at the same place of
// cycles.jsonl; timings.jsonl may then have two lines of a cycle, of which the last counts.
func (r *Recorder) Record(c active.Cycle) error {
	if err := r.claimed(); err != nil {
		return err
	}
	line, err := json.Marshal(r.costs())
	if err != nil {
		return err
	}
	if _, err := r.timings.Write(append(line, '\n')); err != nil {
		return err
	}
	if err := active.WriteCycle(r.cycles, c); err != nil {
		return err
	}
	if err := r.cycles.Sync(); err != nil {
		return err
	}
	r.recorded(c)
	return nil
}

// Close closes the unit's files.
func (r *Recorder) Close() error { return errors.Join(r.cycles.Close(), r.timings.Close()) }
