package record

import "github.com/nextslice/nextslice/active"

// Remaining is what is left to do in a run folder.
type Remaining struct {
	Starts []Unit                  // trainings of cycle 0 that a unit without a cycle needs, in the order of the units
	Units  []Unit                  // that are not finished
	Done   map[Unit][]active.Cycle // of every unit, also of finished ones
}

// Remaining returns what is left to do of an experiment.
func (f *Folder) Remaining(c Config) (Remaining, error) {
	var first error
	r := f.RemainingOf(c, c.Units(), func(_ Unit, err error) {
		if first == nil {
			first = err
		}
	})
	return r, first
}

// RemainingOf returns what is left to do of some units. Those whose records cannot be read are told to failed and left out.
func (f *Folder) RemainingOf(c Config, units []Unit, failed func(Unit, error)) Remaining {
	r := Remaining{Done: map[Unit][]active.Cycle{}}
	begun := map[Unit]bool{}
	for _, u := range units {
		done, err := f.Cycles(u)
		if err != nil {
			failed(u, err)
			continue
		}
		r.Done[u] = done
		if active.Finished(done, c.Cycles) {
			continue
		}
		r.Units = append(r.Units, u)
		if start := u.Start(); len(done) == 0 && !begun[start] && !f.HoldsInitial(start) {
			begun[start] = true
			r.Starts = append(r.Starts, start)
		}
	}
	return r
}
