package experiment

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/nextslice/nextslice/active"
)

// Folder is a run folder:
//
//	config.yaml                        the whole configuration, defaults filled in
//	env.json                           versions, processor, engine and threads
//	data.json                          which cases are used for what
//	initial.json                       the items of each initial set
//	initial/<set>.safetensors          the model of cycle 0, which the strategies of an initial set share
//	initial/<set>.json                 its evaluation
//	initial/<set>-learning-loss…       the same for those whose network is trained with a loss module, and the module
//	units/<set>-<strategy>/cycles.jsonl    one line per finished cycle; the same bytes for the same seed and threads
//	units/<set>-<strategy>/timings.jsonl   seconds per phase of each of them, passes and memory
//	units/<set>-<strategy>/last/           of the last model: the masks that it predicts for the test cases, its calibration,
//	                                       and with Options.SaveModels itself
//	curves.png, curves.svg, curves.csv     drawn from the lines above
//
// With a grid the name of the recipe stands before the set: units/<recipe>-<set>-<strategy>.
type Folder struct {
	Dir  string
	lock *os.File
}

// checkFolder tells whether dir can be the run folder of c, or, with resume, is it already: recorded says which. What is
// recorded may have fewer strategies, initial sets and recipes than c: only what is missing is run. It refuses folders
// that hold something else.
func checkFolder(dir string, c Config, resume bool) (recorded bool, err error) {
	there, err := recordedConfig(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return false, err
		}
		for _, e := range entries {
			if e.Name() != lockName {
				return false, fmt.Errorf("%s is not empty and holds no run: choose another folder with --out", dir)
			}
		}
		return false, nil
	case err != nil:
		return false, err
	}
	if lines := there.outgrownBy(c); len(lines) > 0 {
		return false, fmt.Errorf("%s holds another experiment: choose another folder with --out\n  %s", dir, strings.Join(lines, "\n  "))
	}
	if !resume {
		return false, fmt.Errorf("%s holds this experiment already: go on with it with --resume, or choose another folder with --out", dir)
	}
	return true, nil
}

// createFolder makes dir the run folder of c, or goes on with the one that is there, as checkFolder allows, and holds
// it against other processes until close.
func createFolder(dir string, c Config, resume bool) (*Folder, error) {
	recorded, err := checkFolder(dir, c, resume)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	lock, err := lockFile(filepath.Join(dir, lockName))
	if err != nil {
		return nil, fmt.Errorf("%s is in use by another nextslice: wait for it, or choose another folder with --out (%w)", dir, err)
	}
	f := &Folder{Dir: dir, lock: lock}
	if !recorded || !f.holds(c) {
		if err := renameio.WriteFile(f.path("config.yaml"), c.YAML(), 0o666); err != nil {
			f.close()
			return nil, err
		}
	}
	return f, nil
}

// holds reports whether the folder's configuration is c.
func (f *Folder) holds(c Config) bool {
	text, err := os.ReadFile(f.path("config.yaml"))
	return err == nil && bytes.Equal(text, c.YAML())
}

const lockName = ".lock"

// OpenFolder opens a run folder for reading.
func OpenFolder(dir string) (*Folder, Config, error) {
	c, err := recordedConfig(dir)
	if _, missing := os.Stat(dir); errors.Is(missing, os.ErrNotExist) {
		return nil, Config{}, fmt.Errorf("there is no folder %s", dir)
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, Config{}, fmt.Errorf("%s is no run folder: it has no config.yaml", dir)
	}
	if err != nil {
		return nil, Config{}, err
	}
	return &Folder{Dir: dir}, *c, nil
}

func recordedConfig(dir string) (*Config, error) {
	path := filepath.Join(dir, "config.yaml")
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	c, err := ReadConfig(path, nil)
	return &c, err
}

func (f *Folder) path(elements ...string) string {
	return filepath.Join(append([]string{f.Dir}, elements...)...)
}

func (f *Folder) close() { f.lock.Close() }

// Files of a training of cycle 0, see Unit.start.
func (f *Folder) initialModel(start Unit) string {
	return f.path("initial", start.Name()+".safetensors")
}
func (f *Folder) initialModule(start Unit) string {
	return f.path("initial", start.Name()+"-module.safetensors")
}
func (f *Folder) initialMeasures(start Unit) string { return f.path("initial", start.Name()+".json") }

// holdsInitial tells whether a run before has finished such a training.
func (f *Folder) holdsInitial(start Unit) bool {
	_, err := os.Stat(f.initialMeasures(start))
	return err == nil
}

// writeJSON replaces a file as a whole.
func writeJSON(path string, value any) error {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return renameio.WriteFile(path, append(data, '\n'), 0o666)
}

// recordEnv writes env.json. A run that goes on elsewhere keeps that of its first part, and is told if its numbers may
// differ in the last bits.
func (f *Folder) recordEnv(env Env, notice func(string)) error {
	path := f.path("env.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return writeJSON(path, env)
	}
	if err != nil {
		return err
	}
	var first Env
	if err := json.Unmarshal(text, &first); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if !first.SameBits(env) {
		notice(fmt.Sprintf("This run was begun with %s, threads %d, and goes on with %s, threads %d: its records will not repeat to the last bit.",
			first.EngineText(), first.Threads, env.EngineText(), env.Threads))
	}
	return nil
}

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

// recorder appends the cycles of a unit to its files. It is the unit's active.Recorder.
type recorder struct {
	cycles, timings *os.File
	seconds         func() Timing // of the cycle that is being recorded
	recorded        func(active.Cycle)
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

// openUnit returns the finished cycles of a unit and a recorder that goes on behind them. What a crash left of an
// unfinished line is cut off.
func (f *Folder) openUnit(u Unit) ([]active.Cycle, *recorder, error) {
	path := f.path("units", u.Name(), "cycles.jsonl")
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, nil, err
	}
	done, size, err := readCycles(path)
	if err != nil {
		return nil, nil, err
	}
	cycles, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, nil, err
	}
	if err := cycles.Truncate(size); err != nil {
		cycles.Close()
		return nil, nil, err
	}
	if _, err := cycles.Seek(size, io.SeekStart); err != nil {
		cycles.Close()
		return nil, nil, err
	}
	timings, err := os.OpenFile(f.path("units", u.Name(), "timings.jsonl"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		cycles.Close()
		return nil, nil, err
	}
	return done, &recorder{cycles: cycles, timings: timings}, nil
}

// Record writes the times first: a crash between the two writes leaves the times of a cycle that is run again, never a
// cycle without times.
func (r *recorder) Record(c active.Cycle) error {
	line, err := json.Marshal(r.seconds())
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

func (r *recorder) close() error { return errors.Join(r.cycles.Close(), r.timings.Close()) }
