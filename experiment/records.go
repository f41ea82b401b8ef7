package experiment

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/record"
)

// initialItems is the file with the names of the items of each initial set.
const initialItems = "initial.json"

// recordInitial writes the names of the initial sets' items, which cycles.jsonl does not repeat.
func (f *Folder) recordInitial(c Config, names []string) error {
	sets := map[int][]string{}
	for set := range c.InitialSets {
		sets[set+1] = initialNames(c, set+1, names)
	}
	return writeJSON(f.path(initialItems), sets)
}

func initialNames(c Config, set int, names []string) (items []string) {
	for _, i := range c.initialSet(set, len(names)) {
		items = append(items, names[i])
	}
	return items
}

// Initial returns the names of the items of each initial set, or nil for a run folder that does not tell.
func (f *Folder) Initial() (map[int][]string, error) {
	path := f.path(initialItems)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var sets map[int][]string
	if err := json.Unmarshal(text, &sets); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return sets, nil
}

// Key is what the unit is called in a record.
func (u Unit) Key() record.Key { return record.Key{Grid: u.Grid, Strategy: u.Strategy, Set: u.Set} }

// source is a record whose finished units are taken over, so that they are not run again.
type source struct {
	record.Folder
	dir    string
	config Config
}

// readSources reads records. One of another experiment than c is an error: another configuration, but for the strategies,
// the number of initial sets, recipes that only one has, further cycles there, and where the data lie.
func readSources(dirs []string, c Config) (sources []source, err error) {
	for _, dir := range dirs {
		f, err := record.ReadFolder(dir)
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%s is no record: nextslice report RUN --export DIR makes one (%w)", dir, err)
		}
		if err != nil {
			return nil, err
		}
		recorded, err := parseConfig(record.ConfigFile, f.Config, nil)
		if err == nil {
			err = sameExperiment(recorded, c)
		}
		if err != nil {
			return nil, fmt.Errorf("%s cannot be taken over: %w", dir, err)
		}
		sources = append(sources, source{f, dir, recorded})
	}
	return sources, nil
}

// sameExperiment tells what makes a recorded configuration that of another experiment.
func sameExperiment(there, here Config) error {
	for _, r := range here.Grid {
		i := slices.IndexFunc(there.Grid, func(o Recipe) bool { return o.Name == r.Name })
		if i >= 0 && !reflect.DeepEqual(there.recipe(r.Name), here.recipe(r.Name)) {
			return fmt.Errorf("its recipe %s is another one", r.Name)
		}
	}
	there.Cycles = min(there.Cycles, here.Cycles)
	for _, c := range []*Config{&there, &here} {
		c.Data, c.Strategies, c.InitialSets, c.Grid, c.Jobs, c.Out = "", nil, 0, nil, 0, ""
	}
	if lines := there.differences(here); len(lines) > 0 {
		return fmt.Errorf("it is another experiment\n  %s", strings.Join(lines, "\n  "))
	}
	return nil
}

// check refuses a record of other cases or other initial sets.
func (s source) check(c Config, d *data) error {
	var there DataRecord
	if err := json.Unmarshal(s.Data, &there); err != nil {
		return fmt.Errorf("%s cannot be taken over: %s: %w", s.dir, record.DataFile, err)
	}
	there.Name, there.Layout = d.record.Name, d.record.Layout // of the folder, which may have moved
	if !reflect.DeepEqual(there, d.record) {
		return fmt.Errorf("%s cannot be taken over: its data are others: cases, classes or preprocessing differ (see %s there)", s.dir, record.DataFile)
	}
	for _, r := range s.Runs {
		if len(r.Cycles) > 0 && r.Cycles[0].Initial != nil && !slices.Equal(r.Cycles[0].Initial, initialNames(c, r.Set, d.pool.Names)) {
			return fmt.Errorf("%s cannot be taken over: %s started from other slices than it would here: the seed or the data are others", s.dir, r.Key)
		}
	}
	return nil
}

// takeOver writes the finished units of a record to the run folder, where it has none of their cycles yet. Of a record with
// more cycles those that are asked for are taken, and one without a grid has the runs of a recipe that changes nothing. The
// engine is not compared: numbers of other engines and thread counts differ in the last bits.
func (x *experiment) takeOver(s source) (taken int, err error) {
	for _, u := range x.config.Units() {
		key := u.Key()
		if base, ok := x.config.base(); ok && u.Grid == base {
			if key.Grid, ok = s.config.base(); !ok {
				continue
			}
		}
		r, found := record.Find(s.Runs, key)
		r, whole := r.Within(x.config.Cycles)
		if !found || !whole {
			continue
		}
		done, err := x.folder.Cycles(u)
		if err != nil {
			return taken, err
		}
		if len(done) > 0 {
			continue
		}
		if err := x.folder.writeUnit(u, r, s.Env); err != nil {
			return taken, err
		}
		taken++
	}
	return taken, nil
}

// writeUnit writes a unit that was run elsewhere. record.json in its folder says so.
func (f *Folder) writeUnit(u Unit, r record.Run, env []byte) error {
	if err := os.MkdirAll(f.path("units", u.Name()), 0o777); err != nil {
		return err
	}
	source := struct {
		Text string          `json:"text"`
		Env  json.RawMessage `json:"env,omitempty"`
	}{"taken from a record: without scores and single cases", env}
	if err := writeJSON(f.path("units", u.Name(), "record.json"), source); err != nil {
		return err
	}
	if bins := r.Cycles[len(r.Cycles)-1].Calibration; bins != nil {
		if err := os.MkdirAll(f.lastFolder(u), 0o777); err != nil {
			return err
		}
		if err := writeJSON(filepath.Join(f.lastFolder(u), calibrationFile), bins); err != nil {
			return err
		}
	}
	var lines bytes.Buffer
	for _, c := range r.ActiveCycles() {
		if err := active.WriteCycle(&lines, c); err != nil {
			return err
		}
	}
	return renameio.WriteFile(f.path("units", u.Name(), "cycles.jsonl"), lines.Bytes(), 0o666)
}
