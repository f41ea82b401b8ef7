package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/internal/atomicfile"
)

// takenFile says of a unit that it was taken from a record, and holds what cycles.jsonl has no place for.
const takenFile = "record.json"

// taken is the contents of takenFile.
type taken struct {
	Text  string          `json:"text"`
	Env   json.RawMessage `json:"env,omitempty"` // of the place where the unit was run
	Cases []takenCase     `json:"cases,omitempty"`
}

// takenCase is a Case; null stands for NaN.
type takenCase struct {
	ID     string   `json:"id"`
	Dice3D *float64 `json:"dice_3d"`
}

// TakeOver writes a unit that was run elsewhere, with the env.json of that place: all that its record holds.
func (f *Folder) TakeOver(u Unit, r Run, env []byte) error {
	if env != nil {
		var there Env
		if err := json.Unmarshal(env, &there); err != nil {
			return fmt.Errorf("%s of the record: %w", EnvFile, err)
		}
		if _, err := addEnv(f.path(EnvFile), there); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(f.path("units", u.Name()), 0o700); err != nil {
		return err
	}
	last := r.Cycles[len(r.Cycles)-1]
	source := taken{Text: "taken from a record: without scores, and single cases by their Dice alone", Env: env}
	for _, c := range last.Cases {
		one := takenCase{ID: c.ID, Dice3D: &c.Dice3D}
		if math.IsNaN(c.Dice3D) {
			one.Dice3D = nil
		}
		source.Cases = append(source.Cases, one)
	}
	if err := writeJSON(f.path("units", u.Name(), takenFile), source); err != nil {
		return err
	}
	if last.Calibration != nil {
		if err := f.RecordCalibration(u, last.Calibration); err != nil {
			return err
		}
	}
	var timings bytes.Buffer
	for _, t := range r.Timings {
		line, err := json.Marshal(t)
		if err != nil {
			return err
		}
		timings.Write(append(line, '\n'))
	}
	if timings.Len() > 0 {
		if err := atomicfile.Write(f.path("units", u.Name(), timingsFile), timings.Bytes(), 0o600); err != nil {
			return err
		}
	}
	var lines bytes.Buffer // last: with them the unit is there
	for _, c := range r.ActiveCycles() {
		if err := active.WriteCycle(&lines, c); err != nil {
			return err
		}
	}
	return atomicfile.Write(f.path("units", u.Name(), "cycles.jsonl"), lines.Bytes(), 0o600)
}

// takenCases returns the cases of a unit that was taken from a record, nil of another one.
func (f *Folder) takenCases(u Unit) (cases []Case, err error) {
	var source taken
	err = readJSON(f.path("units", u.Name(), takenFile), &source)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	for _, c := range source.Cases {
		v := math.NaN()
		if c.Dice3D != nil {
			v = *c.Dice3D
		}
		cases = append(cases, Case{c.ID, v})
	}
	return cases, err
}
