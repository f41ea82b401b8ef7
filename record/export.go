package record

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/nextslice/nextslice/internal/atomicfile"
)

// Names of the files of an exported record. A run folder has them too, but for cycles.csv.
const (
	ConfigFile = "config.yaml"
	DataFile   = "data.json"
	EnvFile    = "env.json"
	CyclesFile = "cycles.csv"
	SlicesFile = "slices.csv" // see Slice; older folders have none

	TimingsFile = "timings.csv" // of a record alone; see Timing; older records have none
)

// Export is a record that was exported from run folders: the contents of its folder.
type Export struct {
	Config, Data, Env, Slices []byte // the files as they stand; all but Config may be nil
	Runs                      []Run
}

// IsExport reports whether dir holds an exported record.
func IsExport(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, CyclesFile))
	return err == nil
}

// ReadExport reads an exported record.
func ReadExport(dir string) (Export, error) {
	x, err := readFiles(dir)
	if err != nil {
		return Export{}, err
	}
	path := filepath.Join(dir, CyclesFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return Export{}, err
	}
	if x.Runs, err = ReadRuns(bytes.NewReader(text)); err != nil {
		return Export{}, fmt.Errorf("%s: %w", path, err)
	}
	path = filepath.Join(dir, TimingsFile)
	switch text, err := os.ReadFile(path); {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return Export{}, err
	default:
		if err := readTimings(bytes.NewReader(text), x.Runs); err != nil {
			return Export{}, fmt.Errorf("%s: %w; without this file the record is read as one that has no times", path, err)
		}
	}
	return x, nil
}

// Read returns the record of a run folder, or an exported one.
func Read(dir string) (Export, error) {
	if IsExport(dir) {
		return ReadExport(dir)
	}
	folder, config, err := OpenFolder(dir)
	if err != nil {
		return Export{}, err
	}
	x, err := readFiles(dir)
	if err != nil {
		return Export{}, err
	}
	if x.Env, err = folder.allEnv(x.Env, config); err != nil {
		return Export{}, err
	}
	initial, err := folder.Initial()
	if err != nil {
		return Export{}, err
	}
	for _, u := range config.Units() {
		cycles, err := folder.Cycles(u)
		if err != nil {
			return Export{}, err
		}
		if len(cycles) == 0 {
			continue
		}
		start := initial[u.Set]
		if u.Strategy == Ceiling {
			start = nil // it is all of the pool
		}
		run := FromCycles(u, start, cycles)
		if last := &run.Cycles[len(run.Cycles)-1]; last.Cases == nil {
			if last.Cases, err = folder.takenCases(u); err != nil {
				return Export{}, err
			}
		}
		bins, err := folder.Calibration(u)
		if err != nil {
			return Export{}, err
		}
		run.Calibrate(bins)
		if run.Timings, err = folder.Timings(u); err != nil {
			return Export{}, err
		}
		x.Runs = append(x.Runs, run)
	}
	return x, nil
}

// readFiles reads what an exported record has in common with a run folder.
func readFiles(dir string) (x Export, err error) {
	if x.Config, err = os.ReadFile(filepath.Join(dir, ConfigFile)); err != nil {
		return Export{}, err
	}
	for name, content := range map[string]*[]byte{DataFile: &x.Data, EnvFile: &x.Env, SlicesFile: &x.Slices} {
		if *content, err = os.ReadFile(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return Export{}, err
		}
	}
	return x, nil
}

// Write writes an exported record to a folder, each file as a whole. One that is there is replaced; a folder with
// anything else in it is refused.
func (x Export) Write(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return atomicfile.IsTemporary(e.Name()) }) // of one that was killed
	for _, e := range entries {
		switch e.Name() {
		case ConfigFile, DataFile, EnvFile, CyclesFile, SlicesFile, TimingsFile:
		default:
			return fmt.Errorf("%s holds %s, which is not part of a record: choose another folder", dir, e.Name())
		}
	}
	if len(entries) > 0 && !IsExport(dir) {
		return fmt.Errorf("%s is not empty and holds no record: choose another folder", dir)
	}
	var table bytes.Buffer
	if err := WriteRuns(&table, x.Runs); err != nil {
		return err
	}
	timings, err := writeTimings(x.Runs)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	atomicfile.Sweep(dir)
	for _, file := range []struct { // first the one that says what the folder is: a record that was interrupted can be written again
		name    string
		content []byte
	}{{CyclesFile, table.Bytes()}, {ConfigFile, x.Config}, {DataFile, x.Data}, {EnvFile, x.Env}, {SlicesFile, x.Slices}, {TimingsFile, timings}} {
		if file.content == nil { // nor is it that of a record which was there
			if err := os.Remove(filepath.Join(dir, file.name)); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
			continue
		}
		if err := atomicfile.Write(filepath.Join(dir, file.name), file.content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// Finished returns the finished run of a unit of the experiment c among those of a record, whose configuration is recorded;
// see SameExperiment. Of more cycles those of c are taken, but not of a strategy whose queries depend on how many there will be. A
// record without a grid has the runs of a recipe that changes nothing.
func (x Export) Finished(recorded, c Config, u Unit) (Run, bool) {
	if base, ok := c.Base(); ok && u.Grid == base {
		if u.Grid, ok = recorded.Base(); !ok {
			return Run{}, false
		}
	}
	if s := u.Spec().Strategy; recorded.Cycles != c.Cycles && s != nil && s.Needs().QueryNumber {
		return Run{}, false
	}
	r, found := Find(x.Runs, u)
	r, whole := r.Within(c.Cycles)
	return r, found && whole
}
