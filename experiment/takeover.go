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
	data   record.Data
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
		var data record.Data
		if err := json.Unmarshal(f.Data, &data); err != nil {
			return nil, fmt.Errorf("%s cannot be taken over: %s: %w", dir, record.DataFile, err)
		}
		sources = append(sources, source{f, dir, recorded, data})
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

// needSlices tells whether what there is to outline has to be measured: for the run folder, or to compare it with that of records without hashes.
func needSlices(sources []source, out string) bool {
	return record.NeedsSlices(out) || slices.ContainsFunc(sources, func(s source) bool { return s.data.Files == nil && s.Slices != nil })
}

// checkSources refuses records of other data, down to the bytes of their files, or of other initial sets. notice is told what could not be compared.
func checkSources(ctx context.Context, sources []source, c record.Config, d *data, out string, notice func(string)) error {
	if len(sources) == 0 {
		return nil
	}
	if err := d.sum(&record.Folder{Dir: out}); err != nil {
		return err
	}
	for _, s := range sources {
		if err := s.check(ctx, c, d, notice); err != nil {
			return err
		}
	}
	return nil
}

// check refuses a record of other data, or one whose runs that would be taken over have started from other initial sets.
func (s source) check(ctx context.Context, c record.Config, d *data, notice func(string)) error {
	there := s.data
	there.Name, there.Layout = d.record.Name, d.record.Layout // of the folder, which may have moved
	if change := there.Differs(d.record); change != "" {
		return fmt.Errorf("%s cannot be taken over: it was made of other data: %s (see %s there)", s.dir, change, record.DataFile)
	}
	unchecked, err := s.data.Unchecked(s.dir, s.Slices, d.record, d.slices)
	if err != nil {
		return fmt.Errorf("%s cannot be taken over: it was made of other data: %w", s.dir, err)
	}
	if unchecked != "" {
		notice(unchecked)
	}
	for _, u := range c.Units() {
		r, ok := s.Finished(s.config, c, u)
		if !ok || r.Cycles[0].Initial == nil {
			continue
		}
		items, err := d.initialSet(ctx, c, u.Set)
		if err != nil {
			return err
		}
		if !slices.Equal(r.Cycles[0].Initial, active.At(d.pool.Names, items)) {
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
