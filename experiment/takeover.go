package experiment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/record"
)

// initialNames returns the names of the items of each initial set.
func (d *data) initialNames(ctx context.Context, c record.Config) (map[int][]string, error) {
	sets := map[int][]string{}
	for set := 1; set <= c.InitialSets; set++ {
		items, err := d.initialSet(ctx, c, set)
		if err != nil {
			return nil, err
		}
		sets[set] = active.At(d.pool.Names, items)
	}
	return sets, nil
}

// source is a record whose finished units are taken over, so that they are not run again.
type source struct {
	record.Export
	dir    string
	config record.Config
}

// readSources reads records. One of another experiment than c is an error: another configuration, but for the strategies,
// the number of initial sets, recipes that only one has, further cycles there, and where the data lie.
func readSources(dirs []string, c record.Config) (sources []source, err error) {
	for _, dir := range dirs {
		f, err := record.ReadExport(dir)
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%s is no record: nextslice report RUN --export DIR makes one (%w)", dir, err)
		}
		if err != nil {
			return nil, err
		}
		recorded, err := record.ReadConfig(filepath.Join(dir, record.ConfigFile), nil)
		if err == nil {
			err = record.SameExperiment(recorded, c)
		}
		if err != nil {
			return nil, fmt.Errorf("%s cannot be taken over: %w", dir, err)
		}
		sources = append(sources, source{f, dir, recorded})
	}
	return sources, nil
}

// Taken returns the units of c whose finished runs Run and Prepare would take over from records, if the data are those of the records: it
// does not look at them.
func Taken(dirs []string, c record.Config) (map[record.Unit]bool, error) {
	sources, err := readSources(dirs, c)
	if err != nil {
		return nil, err
	}
	taken := map[record.Unit]bool{}
	for _, s := range sources {
		for _, u := range c.Units() {
			if _, ok := s.Finished(s.config, c, u); ok {
				taken[u] = true
			}
		}
	}
	return taken, nil
}

// checkSources refuses records of other data, down to the bytes of their files, or of other initial sets.
func checkSources(ctx context.Context, sources []source, c record.Config, d *data, out string) error {
	if len(sources) == 0 {
		return nil
	}
	if err := d.sum(&record.Folder{Dir: out}); err != nil {
		return err
	}
	for _, s := range sources {
		if err := s.check(ctx, c, d); err != nil {
			return err
		}
	}
	return nil
}

// check refuses a record of other data or other initial sets.
func (s source) check(ctx context.Context, c record.Config, d *data) error {
	var there record.Data
	if err := json.Unmarshal(s.Data, &there); err != nil {
		return fmt.Errorf("%s cannot be taken over: %s: %w", s.dir, record.DataFile, err)
	}
	there.Name, there.Layout = d.record.Name, d.record.Layout // of the folder, which may have moved
	if change := there.Differs(d.record); change != "" {
		return fmt.Errorf("%s cannot be taken over: it was made of other data: %s (see %s there)", s.dir, change, record.DataFile)
	}
	for _, r := range s.Runs {
		items, err := d.initialSet(ctx, c, r.Set)
		if err != nil {
			return err
		}
		if len(r.Cycles) > 0 && r.Cycles[0].Initial != nil && !slices.Equal(r.Cycles[0].Initial, active.At(d.pool.Names, items)) {
			return fmt.Errorf("%s cannot be taken over: %s started from other slices than it would here: the seed or the data differ", s.dir, r.Unit)
		}
	}
	return nil
}

// takeOver writes the finished units of records to the run folder, where it has none of their cycles yet. The engine is
// not compared: numbers of other engines and thread counts differ in the last bits.
func (x *experiment) takeOver(sources []source, notice func(string)) error {
	for _, s := range sources {
		taken := 0
		for _, u := range x.config.Units() {
			r, ok := s.Finished(s.config, x.config, u)
			if !ok {
				continue
			}
			done, err := x.folder.Cycles(u)
			if err != nil {
				return err
			}
			if len(done) > 0 {
				continue
			}
			if err := x.folder.TakeOver(u, r, s.Env); err != nil {
				return err
			}
			taken++
		}
		notice(fmt.Sprintf("%d finished runs taken from %s", taken, s.dir))
	}
	return nil
}
