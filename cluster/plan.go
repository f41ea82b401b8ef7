package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nextslice/nextslice/internal/atomicfile"
	"github.com/nextslice/nextslice/record"
)

// Plan is what is to be run, and how: one folder slurm/NNN of a run folder.
type Plan struct {
	Dir    string        `json:"-"` // its folder
	Folder string        `json:"-"` // the run folder
	Config record.Config `json:"-"` // that of the folder

	busy int // units that tasks of other plans are at

	Name       string    `json:"name"` // of the experiment, for the names of jobs
	Made       time.Time `json:"made"`
	Threads    int       `json:"threads"` // of each unit
	Jobs       int       `json:"jobs"`    // units of a task at the same time
	Engine     string    `json:"engine,omitempty"`
	ISA        string    `json:"isa,omitempty"`
	SaveModels bool      `json:"save_models,omitempty"`
	Slurm      bool      `json:"slurm"`          // made to be submitted
	Time       string    `json:"time,omitempty"` // limit of a job, as SLURM writes it, "" for the partition's

	Starts Array `json:"starts"`
	Units  Array `json:"units"`

	// Patience is how long a unit waits for a sign of a start that is missing, before it trains the start itself: directories of
	// network file systems are cached.
	Patience seconds `json:"start_patience_s"`
}

// Array is what one job array runs.
type Array struct {
	Units []unit  `json:"units"`
	Tasks [][]int `json:"tasks"` // numbers of units, by element
}

// seconds is a time that JSON writes as a number of seconds.
type seconds time.Duration

func (s seconds) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(s).Seconds()) }
func (s *seconds) UnmarshalJSON(text []byte) error {
	var n float64
	err := json.Unmarshal(text, &n)
	*s = seconds(n * float64(time.Second))
	return err
}

// unit is a record.Unit as JSON.
type unit struct {
	Grid     string `json:"grid,omitempty"`
	Strategy string `json:"strategy,omitempty"`
	Set      int    `json:"set"`
}

// newArray packs units into tasks of size units.
func newArray(units []record.Unit, size int) Array {
	var a Array
	numbers := make([]int, len(units))
	for i, u := range units {
		a.Units = append(a.Units, unit(u))
		numbers[i] = i
	}
	a.Tasks = slices.Collect(slices.Chunk(numbers, size))
	return a
}

// of returns the units of an element.
func (a Array) of(element int) ([]record.Unit, error) {
	if element < 0 || element >= len(a.Tasks) {
		return nil, fmt.Errorf("there is no task %d: want 0 to %d", element, len(a.Tasks)-1)
	}
	var units []record.Unit
	for _, i := range a.Tasks[element] {
		if i < 0 || i >= len(a.Units) {
			return nil, fmt.Errorf("task %d names unit %d of %d: the plan is damaged", element, i, len(a.Units))
		}
		units = append(units, record.Unit(a.Units[i]))
	}
	return units, nil
}

// element returns the task of a unit, or -1.
func (a Array) element(u record.Unit) int {
	return slices.IndexFunc(a.Tasks, func(task []int) bool {
		return slices.ContainsFunc(task, func(i int) bool { return i < len(a.Units) && record.Unit(a.Units[i]) == u })
	})
}

// perTask returns how many units a task must hold so that there are at most limit tasks, and at least want.
func perTask(units, want, limit int) int {
	return max(1, want, (units+limit-1)/limit)
}

// Kinds of arrays, as they stand in names of files and jobs.
const (
	kindStarts = "starts"
	kindUnits  = "units"
)

func (p *Plan) array(kind string) Array {
	if kind == kindStarts {
		return p.Starts
	}
	return p.Units
}

func (p *Plan) path(elements ...string) string {
	return filepath.Join(append([]string{p.Dir}, elements...)...)
}

// cpus returns the processors of a task.
func (p *Plan) cpus() int { return p.Threads * p.Jobs }

const (
	planFile    = "plan.json"
	programFile = "nextslice"
)

// write fills the plan's folder, which is there and empty.
func (p *Plan) write(setup string) error {
	for _, sub := range []string{"task", "log"} {
		if err := os.Mkdir(p.path(sub), 0o700); err != nil {
			return err
		}
	}
	for _, kind := range []string{kindStarts, kindUnits} {
		if err := atomicfile.Write(p.path(kind+".sh"), []byte(p.script(kind, setup)), 0o700); err != nil {
			return err
		}
	}
	if err := atomicfile.Write(p.path(record.ConfigFile), p.Config.YAML(), 0o600); err != nil {
		return err
	}
	if err := copyProgram("", p.path(programFile)); err != nil {
		return err
	}
	return writeJSON(p.path(planFile), p) // last: without it the folder is no plan
}

// copyProgram copies a program, this one for "": what waits in a queue for days runs what was submitted.
func copyProgram(from, to string) error {
	if from == "" {
		var err error
		if from, err = os.Executable(); err != nil {
			return err
		}
	}
	program, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return atomicfile.Write(to, program, 0o700)
}

// Open reads a plan: that of a folder slurm/NNN, or the last one of a run folder.
func Open(dir string) (*Plan, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, planFile)); err == nil {
		return open(dir)
	}
	plans, err := Plans(dir)
	if err != nil {
		return nil, err
	}
	if len(plans) == 0 {
		return nil, fmt.Errorf("%s holds no plan: make one with nextslice simulate CONFIG --slurm, or --prepare, --out %s", dir, dir)
	}
	return plans[len(plans)-1], nil
}

func open(dir string) (*Plan, error) {
	p := &Plan{Dir: dir, Folder: filepath.Dir(filepath.Dir(dir))}
	if err := readJSON(filepath.Join(dir, planFile), p); err != nil {
		return nil, err
	}
	var err error
	p.Config, err = record.ReadConfig(filepath.Join(dir, record.ConfigFile), nil)
	return p, err
}

// Plans returns all plans of a run folder, the oldest first.
func Plans(run string) ([]*Plan, error) {
	run, err := filepath.Abs(run)
	if err != nil {
		return nil, err
	}
	numbers, err := planNumbers(run)
	if err != nil {
		return nil, err
	}
	var plans []*Plan
	for _, name := range numbers {
		p, err := open(filepath.Join(run, record.TasksFolder, name))
		if errors.Is(err, os.ErrNotExist) {
			continue // is being made, or was never completed
		}
		if err != nil {
			return nil, err
		}
		plans = append(plans, p)
	}
	return plans, nil
}

// planNumbers returns the names of the folders of plans, complete or not.
func planNumbers(run string) (names []string, err error) {
	entries, err := os.ReadDir(filepath.Join(run, record.TasksFolder))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		var n int
		if _, err := fmt.Sscanf(e.Name(), "%d", &n); err == nil && e.IsDir() && e.Name() == planName(n) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// beingMade returns an error if another process is making a plan in this moment: what it will submit cannot be known yet.
func beingMade(run, own string) error {
	names, err := planNumbers(run)
	if err != nil {
		return err
	}
	for _, name := range names {
		dir := filepath.Join(run, record.TasksFolder, name)
		if info, err := os.Stat(dir); dir == own || err != nil || time.Since(info.ModTime()) > making {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, planFile)); errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%s is being made by another nextslice, or was left by one that was killed: try again in a minute", dir)
		}
	}
	return nil
}

// making is how long a folder without a plan may be one that is just being filled.
const making = time.Minute

func planName(n int) string { return fmt.Sprintf("%03d", n) }

// newPlanDir makes the folder of the next plan. Making it excludes others.
func newPlanDir(run string) (string, error) {
	names, err := planNumbers(run)
	if err != nil {
		return "", err
	}
	n := 1
	if len(names) > 0 {
		_, _ = fmt.Sscanf(names[len(names)-1], "%d", &n)
		n++
	}
	if err := os.MkdirAll(filepath.Join(run, record.TasksFolder), 0o700); err != nil {
		return "", err
	}
	dir := filepath.Join(run, record.TasksFolder, planName(n))
	err = os.Mkdir(dir, 0o700)
	if errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("%s has just been made by another nextslice: see with nextslice status %s what it submits", dir, run)
	}
	return dir, err
}

func writeJSON(path string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(path, append(text, '\n'), 0o600)
}

// writeNewJSON writes a file as a whole, or fails with fs.ErrExist where there is one: a link is made by one process only, also on NFS.
func writeNewJSON(path string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteNew(path, append(text, '\n'), 0o600)
}

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

// names lists units for a line of text.
func names(units []record.Unit) string {
	var text []string
	for _, u := range units {
		text = append(text, u.String())
	}
	return strings.Join(text, "; ")
}
