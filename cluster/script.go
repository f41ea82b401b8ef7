package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// SlurmOptions are what SLURM is told beside what a plan says. All are options of sbatch; what is empty is the site's default.
type SlurmOptions struct {
	Time, Partition, Account, QOS, Mem, Gres, Constraint string

	AtOnce int      // elements of the array of units that run at the same time; 0 is no limit
	Sbatch []string // further arguments
	Setup  string   // shell lines that stand before the program, such as "module load gcc"
}

// signalBefore is how long before the time limit a task is told, in seconds: time enough to stop and be requeued. SLURM takes the liberty of up to
// a minute more.
const signalBefore = 120

// array is a job array as sbatch is told of it.
type array struct {
	name     string
	elements string // such as 0-17
	after    string // id of the array that must have ended, "" for none
	cpus     int    // of an element
	warned   bool   // before the time limit
	log      string // beginning of the path of its logs
	chdir    string
	script   string
}

// sbatch returns the arguments of sbatch for an array.
func (o SlurmOptions) sbatch(a array) []string {
	args := []string{"--parsable", "--job-name=" + a.name, "--array=" + a.elements}
	if a.after != "" {
		args = append(args, "--dependency=afterany:"+a.after)
	}
	args = append(args, "--requeue", "--open-mode=append")
	if a.warned {
		args = append(args, fmt.Sprintf("--signal=B:USR1@%d", signalBefore))
	}
	args = append(args, "--nodes=1", "--ntasks=1", fmt.Sprintf("--cpus-per-task=%d", a.cpus))
	for _, option := range []struct{ name, value string }{
		{"time", o.Time}, {"partition", o.Partition}, {"account", o.Account}, {"qos", o.QOS}, {"mem", o.Mem}, {"gres", o.Gres}, {"constraint", o.Constraint},
	} {
		if option.value != "" {
			args = append(args, "--"+option.name+"="+option.value)
		}
	}
	args = append(args, "--output="+strings.ReplaceAll(a.log, "%", "%%")+"-%A_%a.log", "--chdir="+a.chdir)
	args = append(args, o.Sbatch...) // last, so that they override what stands before
	return append(args, a.script)
}

// submit hands an array to SLURM. Where sbatch fails the array may be submitted all the same, by a controller that was slow to say so: see mayRun.
func (o SlurmOptions) submit(ctx context.Context, a array) (jobID, error) {
	out, err := command(context.WithoutCancel(ctx), "sbatch", o.sbatch(a)...)
	if err != nil {
		return jobID{}, err
	}
	return parseSubmitted(out)
}

// mayRun returns the arrays that run a script although sbatch has failed for the reason why. The error is that SLURM does not tell.
func (o SlurmOptions) mayRun(ctx context.Context, script string, why error) ([]jobID, error) {
	if _, is := errors.AsType[notRunError](why); is {
		return nil, nil
	}
	elsewhere := func(arg string) bool { return strings.HasPrefix(arg, "-M") || strings.HasPrefix(arg, "--cluster") }
	if slices.ContainsFunc(o.Sbatch, elsewhere) || os.Getenv("SBATCH_CLUSTERS") != "" {
		return nil, errors.New("the jobs are for another cluster")
	}
	return submitted(context.WithoutCancel(ctx), script)
}

// limited adds how many elements may run at the same time.
func (o SlurmOptions) limited(elements string) string {
	if o.AtOnce > 0 {
		elements += fmt.Sprintf("%%%d", o.AtOnce)
	}
	return elements
}

// job returns an array of the plan as sbatch is told of it.
func (p *Plan) job(kind string, o SlurmOptions, after string) array {
	elements := fmt.Sprintf("0-%d", len(p.array(kind).Tasks)-1)
	if kind == kindUnits {
		elements = o.limited(elements)
	}
	return array{
		name: fmt.Sprintf("ns-%s-%s", p.Name, kind), elements: elements, after: after, cpus: p.cpus(), warned: true,
		log: p.path("log", kind), chdir: p.Folder, script: p.path(kind + ".sh"),
	}
}

// prefix is the variable that --setup can set to what the program is to be run by, such as "apptainer exec image.sif".
const prefix = "NEXTSLICE_PREFIX"

// script returns the script of an array. The program replaces the shell, so that SLURM's signals reach it.
func (p *Plan) script(kind, setup string) string {
	starts := ""
	if kind == kindStarts {
		starts = "--starts "
	}
	return scriptOf(setup, p.cpus(), fmt.Sprintf("%s unit --slurm %s%s \"$SLURM_ARRAY_TASK_ID\"", quote(p.path(programFile)), starts, quote(p.Dir)))
}

// private makes what a task writes, and its log, which SLURM opens, its owner's alone.
const private = "umask 077\n[ -f /proc/self/fd/1 ] && chmod 600 /proc/self/fd/1\n"

// scriptOf returns the script that runs a command line.
func scriptOf(setup string, cpus int, line string) string {
	var b strings.Builder
	b.WriteString("#!/bin/bash\n" + private)
	if setup = strings.TrimRight(setup, "\n"); setup != "" {
		b.WriteString(setup + "\n")
	}
	fmt.Fprintf(&b, "export GOMAXPROCS=%d\nexec ", cpus)
	if strings.Contains(setup, prefix+"=") {
		fmt.Fprintf(&b, "$%s ", prefix)
	}
	b.WriteString(line + "\n")
	return b.String()
}

// DryRun returns what Prepare and Submit would do, as shell commands that can be pasted once the plan's folder is there, and the scripts.
func (p *Plan) DryRun(o SlurmOptions) string {
	var b strings.Builder
	b.WriteString(p.Summary() + "\n")
	after := ""
	if len(p.Starts.Tasks) > 0 {
		fmt.Fprintf(&b, "STARTS=$(%s)\n", commandLine(o.sbatch(p.job(kindStarts, o, ""))))
		after = "$STARTS"
	}
	fmt.Fprintf(&b, "%s\n", commandLine(o.sbatch(p.job(kindUnits, o, after))))
	for _, kind := range []string{kindStarts, kindUnits} {
		if len(p.array(kind).Tasks) > 0 {
			fmt.Fprintf(&b, "# %s\n%s", p.path(kind+".sh"), p.script(kind, o.Setup))
		}
	}
	return b.String()
}

// commandLine writes a command of sbatch over several lines.
func commandLine(args []string) string {
	line := "sbatch"
	for i, a := range args {
		if i == len(args)-1 || slices.ContainsFunc([]string{"--dependency=", "--nodes=", "--output=", "--chdir="}, func(option string) bool { return strings.HasPrefix(a, option) }) {
			line += " \\\n "
		}
		line += " " + quote(a)
	}
	return line
}

// quote returns an argument as a shell reads it back. $STARTS is left for the shell to fill in.
func quote(arg string) string {
	if arg != "" && !strings.ContainsAny(strings.ReplaceAll(arg, "$STARTS", ""), " \t\n'\"\\()[]{}*?$&|;<>`#~!") {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}
