// Command scaling works out how the wall time of an experiment falls with the number of tasks that run at the same time, by letting the
// clock run without the trainings: starts first, then units, each task taken by the first slot that is free, as SLURM does with a job
// array.
//
//	go run ./internal/bench/scaling studies/table1-promise12/experiment.yaml --cycle 120 --task 15
//
// All cycles take the same time, given in seconds; what a task takes before its first step (launch, reading the data) is given too.
package main

import (
	"flag"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/nextslice/nextslice/record"
)

func main() {
	cycle := flag.Float64("cycle", 120, "seconds of a cycle: training, evaluation, query")
	task := flag.Float64("task", 15, "seconds that a task takes before its first step")
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "scaling: want an experiment file; see the comment at the top of main.go")
		os.Exit(2)
	}
	_ = flag.CommandLine.Parse(os.Args[2:])
	c, err := record.ReadConfig(os.Args[1], nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, "scaling:", err)
		os.Exit(1)
	}
	starts := map[record.Unit]bool{}
	for _, u := range c.Units() {
		starts[u.Start()] = true
	}
	units := len(c.Units())
	fmt.Printf("%d starts, %d units of %d cycles; a cycle takes %.0f s, a task %.0f s before its first step\n", len(starts), units, c.Cycles, *cycle, *task)
	least := 2*(*task) + float64(1+c.Cycles)*(*cycle)
	fmt.Printf("critical path: a start and a unit, %s\n\n", hours(least))
	sizes := []int{1, 2, 4, 8}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(out, "slots\t")
	for _, n := range sizes {
		fmt.Fprintf(out, "%d a task\tefficiency\t", n)
	}
	fmt.Fprintln(out)
	for slots := 1; ; slots *= 2 {
		slots := min(slots, units)
		fmt.Fprintf(out, "%d\t", slots)
		for _, n := range sizes {
			e := experiment{len(starts), units, c.Cycles, *cycle, *task}
			wall := e.wall(slots, n)
			fmt.Fprintf(out, "%s\t%.0f %%\t", hours(wall), 100*e.work()/(wall*float64(slots)))
		}
		fmt.Fprintln(out)
		if slots == units {
			break
		}
	}
	out.Flush()
}

// experiment is what takes time.
type experiment struct {
	starts, units, cycles int
	cycle, task           float64
}

// work returns the time of the trainings alone, one after the other.
func (e experiment) work() float64 { return float64(e.starts+e.units*e.cycles) * e.cycle }

// wall returns the time from the first task to the end of the last, with so many tasks at a time, of so many units each.
func (e experiment) wall(slots, unitsPerTask int) float64 {
	var starts, units []float64
	for range e.starts {
		starts = append(starts, e.task+e.cycle)
	}
	for left := e.units; left > 0; left -= unitsPerTask {
		units = append(units, e.task+float64(min(left, unitsPerTask)*e.cycles)*e.cycle)
	}
	return schedule(starts, slots) + schedule(units, slots) // units wait for the whole array of starts
}

// schedule returns when the last of some tasks ends if each is taken, in order, by the first slot that is free.
func schedule(tasks []float64, slots int) (end float64) {
	free := make([]float64, slots)
	for _, t := range tasks {
		first := 0
		for i := range free {
			if free[i] < free[first] {
				first = i
			}
		}
		free[first] += t
		end = max(end, free[first])
	}
	return end
}

func hours(seconds float64) string { return fmt.Sprintf("%.2f h", seconds/3600) }
