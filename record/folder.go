package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"

	"github.com/nextslice/nextslice/internal/atomicfile"
	"github.com/nextslice/nextslice/metrics"
)

// Folder is a run folder:
//
//	config.yaml                        the whole configuration, defaults filled in
//	env.json                           versions, processor, engine and threads
//	data.json                          which cases are used for what
//	initial.json                       the items of each initial set
//	slices.csv                         what there is to outline on each slice of the pool, see Slice
//	initial/<set>.safetensors          the model of cycle 0, which the strategies of an initial set share
//	initial/<set>.json                 its evaluation
//	initial/<set>-learning-loss…       the same for those whose network is trained with a loss module, and the module
//	units/<set>-<strategy>/cycles.jsonl    one line per finished cycle; the same bytes for the same seed and threads
//	units/<set>-<strategy>/timings.jsonl   seconds per phase of each of them, passes and memory
//	units/<set>-<strategy>/last/           of the last model: the masks that it predicts for the test cases, its calibration,
//	                                       and, if models are saved, itself
//	curves.png, curves.svg, curves.csv     drawn from the lines above; see package report
//
// Where several processes write, as package cluster has them, each unit also has attempt.json, which names its writer, and
// env.json of the machines that have run it, as initial/<set>.env.json has those of a training of cycle 0, and slurm/ holds
// what was submitted.
//
// With a grid the name of the recipe stands before the set: units/<recipe>-<set>-<strategy>.
type Folder struct {
	Dir     string
	NoLock  *NoLockError // of CreateFolder, where its file system has no locks, to be told to whoever waits
	lock    *flock.Flock // nil for reading, and where there are no locks
	attempt *Attempt     // nil where there is one writer
}

// CheckFolder tells whether dir can be the run folder of c, or, with resume, is it already: recorded says which. What is
// recorded may have fewer strategies, initial sets and recipes than c: only what is missing is run. It refuses folders
// that hold something else.
func CheckFolder(dir string, c Config, resume bool) (recorded bool, err error) {
	there, err := recordedConfig(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return false, err
		}
		for _, e := range entries {
			if e.Name() != lockName && e.Name() != contentsFile && !atomicfile.IsTemporary(e.Name()) {
				return false, fmt.Errorf("%s is not empty and holds no run: choose another folder with --out", dir)
			}
		}
		return false, nil
	case err != nil:
		return false, err
	}
	if lines := there.missingFrom(c); len(lines) > 0 {
		return false, fmt.Errorf("%s holds another experiment: choose another folder with --out\n  %s", dir, strings.Join(lines, "\n  "))
	}
	if !resume {
		return false, fmt.Errorf("%s holds this experiment already: continue it with --resume, or choose another folder with --out", dir)
	}
	return true, nil
}

// CreateFolder makes dir the run folder of c, or goes on with the one that is there, as CheckFolder allows, and holds
// it against other processes until Close; see NoLock. Units of a folder without a lock, or of one that others may write into, are
// claimed as they are opened.
func CreateFolder(dir string, c Config, resume bool) (*Folder, error) {
	recorded, err := CheckFolder(dir, c, resume)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f := &Folder{Dir: dir}
	if f.lock, err = lock(dir); err != nil && !errors.As(err, &f.NoLock) {
		return nil, err
	}
	if f.NoLock != nil || f.Shared() {
		f.WriteAs(NewAttempt(0))
	}
	atomicfile.Sweep(dir)
	if err := f.configure(c, recorded); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// PrepareFolder is CreateFolder for one that several processes will write into: it takes no lock, which a shared file system may not
// have, and units are not claimed.
func PrepareFolder(dir string, c Config, resume bool) (*Folder, error) {
	recorded, err := CheckFolder(dir, c, resume)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f := &Folder{Dir: dir}
	return f, f.configure(c, recorded)
}

// configure writes the configuration, unless it is recorded as it is.
func (f *Folder) configure(c Config, recorded bool) error {
	if recorded && f.holds(c) {
		return nil
	}
	return atomicfile.Write(f.path(ConfigFile), c.YAML(), 0o600)
}

// TasksFolder holds what was planned for several processes, see package cluster.
const TasksFolder = "slurm"

// Shared tells whether several processes may write into the folder.
func (f *Folder) Shared() bool {
	_, err := os.Stat(f.path(TasksFolder))
	return err == nil
}

// holds reports whether the folder's configuration is c.
func (f *Folder) holds(c Config) bool {
	text, err := os.ReadFile(f.path(ConfigFile))
	return err == nil && bytes.Equal(text, c.YAML())
}

// OpenFolder opens a run folder for reading.
func OpenFolder(dir string) (*Folder, Config, error) {
	c, err := recordedConfig(dir)
	if _, missing := os.Stat(dir); errors.Is(missing, os.ErrNotExist) {
		return nil, Config{}, fmt.Errorf("there is no folder %s", dir)
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, Config{}, fmt.Errorf("%s is no run folder: it has no %s", dir, ConfigFile)
	}
	if err != nil {
		return nil, Config{}, err
	}
	return &Folder{Dir: dir}, *c, nil
}

func recordedConfig(dir string) (*Config, error) {
	path := filepath.Join(dir, ConfigFile)
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	c, err := ReadConfig(path, nil)
	return &c, err
}

func (f *Folder) path(elements ...string) string {
	return filepath.Join(append([]string{f.Dir}, elements...)...)
}

// Close lets go of the folder.
func (f *Folder) Close() error {
	if f.lock == nil {
		return nil
	}
	return f.lock.Close()
}

// WriteAs has units claimed for an attempt from now on: in a folder in which others write too.
func (f *Folder) WriteAs(a Attempt) { f.attempt = &a }

// InitialModel and InitialModule are the files of a training of cycle 0, see Unit.Start.
func (f *Folder) InitialModel(start Unit) string {
	return f.path("initial", start.Name()+".safetensors")
}

// InitialModule is the file of the loss module that was trained with it, if one was.
func (f *Folder) InitialModule(start Unit) string {
	return f.path("initial", start.Name()+"-module.safetensors")
}

func (f *Folder) initialMeasures(start Unit) string { return f.path("initial", start.Name()+".json") }

// HoldsInitial tells whether such a training was finished.
func (f *Folder) HoldsInitial(start Unit) bool {
	_, err := os.Stat(f.initialMeasures(start))
	return err == nil
}

// InitialMeasures returns the evaluation of such a training.
func (f *Folder) InitialMeasures(start Unit) (m metrics.Summary, err error) {
	err = readJSON(f.initialMeasures(start), &m)
	return m, err
}

// FinishInitial records the evaluation of such a training, whose files must be there: see HoldsInitial.
func (f *Folder) FinishInitial(start Unit, m metrics.Summary) error {
	return writeJSON(f.initialMeasures(start), m)
}

// writeJSON replaces a file as a whole.
func writeJSON(path string, value any) error {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(path, append(data, '\n'), 0o600)
}

// readJSON reads a file. A missing one is os.ErrNotExist.
func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
