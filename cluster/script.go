package cluster

import (
	"fmt"
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

// sbatch returns the arguments of sbatch for an array.
func (p *Plan) sbatch(kind string, o SlurmOptions, after string) []string {
	elements := fmt.Sprintf("0-%d", len(p.array(kind).Tasks)-1)
	if kind == kindUnits && o.AtOnce > 0 {
		elements += fmt.Sprintf("%%%d", o.AtOnce)
	}
	args := []string{"--parsable", fmt.Sprintf("--job-name=ns-%s-%s", p.Name, kind), "--array=" + elements}
	if after != "" {
		args = append(args, "--dependency=afterany:"+after)
	}
	args = append(args, "--requeue", "--open-mode=append", fmt.Sprintf("--signal=B:USR1@%d", signalBefore),
		"--nodes=1", "--ntasks=1", fmt.Sprintf("--cpus-per-task=%d", p.cpus()))
	for _, option := range []struct{ name, value string }{
		{"time", o.Time}, {"partition", o.Partition}, {"account", o.Account}, {"qos", o.QOS}, {"mem", o.Mem}, {"gres", o.Gres}, {"constraint", o.Constraint},
	} {
		if option.value != "" {
			args = append(args, "--"+option.name+"="+option.value)
		}
	}
	log := strings.ReplaceAll(p.path("log", kind), "%", "%%") + "-%A_%a.log"
	args = append(args, "--output="+log, "--chdir="+p.Folder)
	args = append(args, o.Sbatch...) // last, so that they override what stands before
	return append(args, p.path(kind+".sh"))
}

// prefix is the variable that --setup can set to what the program is to be run by, such as "apptainer exec image.sif".
const prefix = "NEXTSLICE_PREFIX"

// script returns the script of an array. The program replaces the shell, so that SLURM's signals reach it.
func (p *Plan) script(kind, setup string) string {
	var b strings.Builder
	b.WriteString("#!/bin/bash\n")
	if setup = strings.TrimRight(setup, "\n"); setup != "" {
		b.WriteString(setup + "\n")
	}
	fmt.Fprintf(&b, "export GOMAXPROCS=%d\nexec ", p.cpus())
	if strings.Contains(setup, prefix+"=") {
		fmt.Fprintf(&b, "$%s ", prefix)
	}
	starts := ""
	if kind == kindStarts {
		starts = "--starts "
	}
	fmt.Fprintf(&b, "%s unit --slurm %s%s \"$SLURM_ARRAY_TASK_ID\"\n", quote(p.path(programFile)), starts, quote(p.Dir))
	return b.String()
}

// DryRun returns what Prepare and Submit would do, as shell commands that can be pasted once the plan's folder is there, and the scripts.
func (p *Plan) DryRun(o SlurmOptions) string {
	var b strings.Builder
	b.WriteString(p.Summary() + "\n")
	after := ""
	if len(p.Starts.Tasks) > 0 {
		fmt.Fprintf(&b, "STARTS=$(%s)\n", commandLine(p.sbatch(kindStarts, o, "")))
		after = "$STARTS"
	}
	fmt.Fprintf(&b, "%s\n", commandLine(p.sbatch(kindUnits, o, after)))
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
