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
	"github.com/nextslice/nextslice/report/record"
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

// takeOver writes the finished units of records to the run folder, where it has none of their cycles yet, so that they
// are not run again. Of a record with more cycles those that are asked for are taken, and one without a grid has the runs
// of a recipe that changes nothing. A record of another experiment is an error: another configuration (but for the
// strategies, the number of initial sets, recipes that only one has, further cycles there, and where the data lie), other
// cases, or other initial sets. The engine is not compared: numbers of other engines and thread counts differ in the last
// bits.
func (x *experiment) takeOver(dirs []string, notice func(string)) error {
	for _, dir := range dirs {
		f, err := record.ReadFolder(dir)
		if err != nil {
			return err
		}
		there, err := x.sameExperiment(f)
		if err != nil {
			return fmt.Errorf("%s cannot be taken over: %w", dir, err)
		}
		taken := 0
		for _, u := range x.config.Units() {
			key := u.Key()
			if base, ok := x.config.base(); ok && u.Grid == base {
				if key.Grid, ok = there.base(); !ok {
					continue
				}
			}
			r, found := record.Find(f.Runs, key)
			r, whole := r.Within(x.config.Cycles)
			if !found || !whole {
				continue
			}
			if mine := initialNames(x.config, u.Set, x.data.pool.Names); r.Cycles[0].Initial != nil && !slices.Equal(r.Cycles[0].Initial, mine) {
				return fmt.Errorf("%s cannot be taken over: %s started from other slices than it would here: the seed or the data are others", dir, u)
			}
			done, err := x.folder.Cycles(u)
			if err != nil {
				return err
			}
			if len(done) > 0 {
				continue
			}
			if err := x.folder.writeUnit(u, r, f.Env); err != nil {
				return err
			}
			taken++
		}
		notice(fmt.Sprintf("%d finished runs taken from %s", taken, dir))
	}
	return nil
}

// sameExperiment returns the configuration of a record, or as an error what makes it that of another experiment.
func (x *experiment) sameExperiment(f record.Folder) (Config, error) {
	recorded, err := parseConfig(record.ConfigFile, f.Config, nil)
	if err != nil {
		return Config{}, err
	}
	there, here := recorded, x.config
	for _, r := range here.Grid {
		i := slices.IndexFunc(there.Grid, func(o Recipe) bool { return o.Name == r.Name })
		if i >= 0 && !reflect.DeepEqual(there.recipe(r.Name), here.recipe(r.Name)) {
			return Config{}, fmt.Errorf("its recipe %s is another one", r.Name)
		}
	}
	there.Cycles = min(there.Cycles, here.Cycles)
	for _, c := range []*Config{&there, &here} {
		c.Data, c.Strategies, c.InitialSets, c.Grid, c.Jobs, c.Out = "", nil, 0, nil, 0, ""
	}
	if lines := there.differences(here); len(lines) > 0 {
		return Config{}, fmt.Errorf("it is another experiment\n  %s", strings.Join(lines, "\n  "))
	}
	var data DataRecord
	if err := json.Unmarshal(f.Data, &data); err != nil {
		return Config{}, fmt.Errorf("%s: %w", record.DataFile, err)
	}
	mine := x.data.record
	data.Name, data.Layout = mine.Name, mine.Layout // of the folder, which may have moved
	if !reflect.DeepEqual(data, mine) {
		return Config{}, fmt.Errorf("its data are others: cases, classes or preprocessing differ (see %s there)", record.DataFile)
	}
	return recorded, nil
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
