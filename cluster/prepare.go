package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/nextslice/nextslice/experiment"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/tensor/engines"
	"github.com/nextslice/nextslice/train/recipe"
)

// Options say how an experiment is divided into tasks, and what SLURM is told.
type Options struct {
	Out          string // run folder
	Resume       bool
	Records      []string // see experiment.Options
	SaveModels   bool
	Threads      int    // of each unit; 0 is 1
	Jobs         int    // units of a task at the same time; 0 is 1
	Engine, ISA  string // see experiment.Options; ISA "" is avx2 where the program is for such processors, so that a mixed cluster gives one set of bytes
	UnitsPerTask int    // 0 is Jobs

	Slurm bool // the plan will be submitted
	SlurmOptions

	Patience time.Duration // see Plan.Patience; 0 is 90 s
	Progress func(experiment.Event)
	Notice   func(string)
}

// maxTasks is how many elements an array gets at most: sites count each against what a user may submit.
const maxTasks = 1000

// defaultPatience is a guess: attribute caches of NFS hold up to 60 s.
const defaultPatience = 90 * time.Second

// Prepare makes or extends the run folder of an experiment and plans tasks for what is missing in it; nothing is submitted. With Resume it leaves
// out what tasks of earlier plans are at, or wait to be. The plan is nil if nothing is left to plan.
func Prepare(ctx context.Context, c record.Config, o Options) (*Plan, error) {
	o, err := o.complete(c.Train)
	if err != nil {
		return nil, err
	}
	if c, err = absoluteData(c); err != nil {
		return nil, err
	}
	if o.Out, err = filepath.Abs(o.Out); err != nil {
		return nil, err
	}
	if err := record.Held(o.Out); err != nil {
		return nil, err
	}
	c, folder, err := experiment.Prepare(ctx, c, experiment.Options{
		Out: o.Out, Resume: o.Resume, Records: o.Records, Threads: o.Threads, Jobs: 1, Engine: o.Engine, ISA: o.ISA, Progress: o.Progress, Notice: o.Notice,
	})
	if err != nil {
		return nil, err
	}
	dir, err := newPlanDir(o.Out)
	if err != nil {
		return nil, err
	}
	p, err := o.plan(ctx, c, folder, dir, nil)
	if err == nil && p != nil {
		err = p.write(o.Setup)
	}
	if err != nil || p == nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return p, nil
}

// complete fills in what was left open, and refuses an engine that there is not, or that has not got the recipe's precision.
func (o Options) complete(c recipe.Config) (Options, error) {
	o.Threads, o.Jobs, o.Patience = max(1, o.Threads), max(1, o.Jobs), cmp.Or(o.Patience, defaultPatience)
	o.ISA = ISA(o.Engine, o.ISA, c)
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	if (experiment.Engine{Name: o.Engine}).IsTorch() {
		return o, &record.ConfigError{Err: errors.New("engine torch: tasks of a cluster compute on processors only: run simulate without --slurm or --prepare inside a job that has a GPU")}
	}
	if err := (experiment.Engine{Name: o.Engine, ISA: o.ISA}).For(c).Validate(); err != nil {
		return o, &record.ConfigError{Err: err}
	}
	if _, err := engines.Planned(o.Engine, o.Threads, o.ISA); err != nil {
		return o, &record.ConfigError{Err: err}
	}
	return o, nil
}

// ISA returns the instruction set that was asked for, or that the recipe's precision needs, or one that the nodes of a mixed cluster have in
// common: they then give one set of bytes.
func ISA(engine, asked string, c recipe.Config) string {
	if asked == "" && engine != "ref" && c.Precision == "bfloat16" {
		return experiment.MatrixUnit
	}
	if asked == "" && engine != "ref" && runtime.GOARCH == "amd64" && engines.Names()[0] == "native" {
		return "avx2"
	}
	return asked
}

// plan divides what is missing into tasks. It leaves out units that were not begun and will be taken over from records.
func (o Options) plan(ctx context.Context, c record.Config, folder *record.Folder, dir string, taken map[record.Unit]bool) (*Plan, error) {
	left, err := folder.Remaining(c)
	if err != nil {
		return nil, err
	}
	unfinished := len(left.Units)
	left.Units = slices.DeleteFunc(left.Units, func(u record.Unit) bool { return taken[u] && len(left.Done[u]) == 0 })
	if n := unfinished - len(left.Units); n > 0 {
		o.Notice(fmt.Sprintf("%d finished runs would be taken over from records, if the data are the same", n))
	}
	p := o.empty(c, dir)
	if len(left.Units) == 0 {
		return nil, nil
	}
	if err := beingMade(o.Out, dir); err != nil {
		return nil, err
	}
	busy, err := busyUnits(ctx, o.Out, left)
	if err != nil {
		return nil, err
	}
	if len(busy.units) > 0 {
		o.Notice(fmt.Sprintf("%d of %d units that are not finished are left out: tasks of earlier plans run them, or wait to (%s)", len(busy.units), len(left.Units), busy.by()))
	}
	p.busy = len(busy.units)
	isBusy := func(u record.Unit) bool { return busy.units[u] }
	left.Units = slices.DeleteFunc(left.Units, isBusy)
	left.Starts = slices.DeleteFunc(left.Starts, func(s record.Unit) bool {
		return busy.starts[s] || !slices.ContainsFunc(left.Units, func(u record.Unit) bool { return u.Start() == s && len(left.Done[u]) == 0 })
	})
	if len(left.Units) == 0 {
		return nil, nil
	}
	o.pack(p, left, maxArraySize(ctx))
	return p, nil
}

// empty returns a plan of nothing.
func (o Options) empty(c record.Config, dir string) *Plan {
	return &Plan{
		Dir: dir, Folder: o.Out, Config: c, Name: jobName(c), Made: time.Now().UTC(), Threads: o.Threads, Jobs: o.Jobs,
		Engine: o.Engine, ISA: o.ISA, SaveModels: o.SaveModels, Slurm: o.Slurm, Time: o.Time, Patience: seconds(o.Patience),
	}
}

// pack divides units into tasks, of more units each than asked for where there would be more tasks than limit.
func (o Options) pack(p *Plan, left record.Remaining, limit int) {
	want := max(o.UnitsPerTask, o.Jobs)
	size := perTask(len(left.Units), want, min(limit, maxTasks))
	if size > want {
		o.Notice(fmt.Sprintf("%d units to a task: %d tasks of %d would be more than the %d that an array should have", size, (len(left.Units)+want-1)/want, want, min(limit, maxTasks)))
	}
	p.Units = newArray(left.Units, size)
	p.Starts = newArray(left.Starts, perTask(len(left.Starts), 1, min(limit, maxTasks)))
}

// Summary says in a line what a plan runs.
func (p *Plan) Summary() string {
	c := p.Config
	sets := plural(c.InitialSets, "initial set")
	by := fmt.Sprintf("%s × %s", plural(len(c.Strategies), "strategy"), sets)
	if c.Ceiling {
		by = fmt.Sprintf("%s and the ceiling × %s", plural(len(c.Strategies), "strategy"), sets)
	}
	if n := len(c.Grid); n > 0 {
		by = fmt.Sprintf("%s × %s", plural(n, "recipe"), by)
	}
	all := len(c.Units())
	what := "finished"
	if p.busy > 0 {
		what = fmt.Sprintf("finished, %d under way", p.busy)
	}
	text := fmt.Sprintf("%s (%s), %d %s; ", plural(all, "unit"), by, all-len(p.Units.Units)-p.busy, what)
	if n := len(p.Starts.Units); n > 0 {
		text += plural(n, "start") + ", then "
	}
	text += fmt.Sprintf("%s in %s of %s; %s", plural(len(p.Units.Units), "unit"), plural(len(p.Units.Tasks), "task"), plural(p.cpus(), "CPU"), plural(p.Threads, "thread"))
	if p.ISA != "" {
		text += ", " + cmp.Or(map[string]string{"avx2": "AVX2", "avx512": "AVX-512"}[p.ISA], p.ISA)
	}
	return text
}

func plural(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "y"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(what, "y"))
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// absoluteData makes the data's folder one that is found from everywhere.
func absoluteData(c record.Config) (record.Config, error) {
	if c.Data == record.Phantom {
		return c, nil
	}
	var err error
	c.Data, err = filepath.Abs(c.Data)
	return c, err
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9.-]+`)

// jobName returns the name of an experiment's data, as a job can be called.
func jobName(c record.Config) string {
	return cmp.Or(strings.Trim(notInNames.ReplaceAllString(filepath.Base(c.Data), "-"), "-"), "data")
}

// DryRun returns what Prepare and Submit would do of an experiment, as text, and writes nothing. It does not look at the data.
func DryRun(ctx context.Context, c record.Config, o Options) (string, error) {
	o, err := o.complete(c.Train)
	if err != nil {
		return "", err
	}
	if c, err = absoluteData(c); err != nil {
		return "", err
	}
	if o.Out, err = filepath.Abs(o.Out); err != nil {
		return "", err
	}
	c.Strategies = record.Canonical(c.Strategies)
	c.Out, c.Jobs = "", 0
	if _, err := record.CheckFolder(o.Out, c, o.Resume); err != nil {
		return "", err
	}
	names, err := planNumbers(o.Out)
	if err != nil {
		return "", err
	}
	taken, err := experiment.Taken(o.Records, c)
	if err != nil {
		return "", err
	}
	p, err := o.plan(ctx, c, &record.Folder{Dir: o.Out}, filepath.Join(o.Out, record.TasksFolder, planName(len(names)+1)), taken)
	if err != nil {
		return "", err
	}
	if p == nil {
		return "nothing is left to submit\n", nil
	}
	return p.DryRun(o.SlurmOptions), nil
}
