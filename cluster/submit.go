package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

// jobs are the ids of a plan's arrays; an empty one was not submitted.
type jobs struct {
	Starts jobID `json:"starts"`
	Units  jobID `json:"units"`
}

func (j jobs) of(kind string) jobID {
	if kind == kindStarts {
		return j.Starts
	}
	return j.Units
}

// ids lists those there are.
func (j jobs) ids() (ids []jobID) {
	for _, id := range []jobID{j.Starts, j.Units} {
		if id.ID != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

func (p *Plan) jobsFile() string { return p.path("jobs.json") }

// readJobs returns the ids of a plan's arrays as far as they were written down.
func (p *Plan) readJobs() (j jobs, err error) {
	err = readJSON(p.jobsFile(), &j)
	if errors.Is(err, os.ErrNotExist) {
		return j, nil
	}
	return j, err
}

// Submit hands a plan to SLURM: the array of starts, and that of units, which begins when the starts have ended, however they ended. If
// that fails nothing stays submitted, and the plan is removed. Where SLURM does not tell what it has taken, the plan stays, and the error says so.
func (p *Plan) Submit(ctx context.Context, o SlurmOptions) (text string, err error) {
	var j jobs
	if len(p.Starts.Tasks) > 0 {
		if j.Starts, err = o.submit(ctx, p.job(kindStarts, o, "")); err != nil {
			return "", p.withdraw(ctx, o, j, kindStarts, err)
		}
		if err := writeJSON(p.jobsFile(), j); err != nil {
			return "", p.withdraw(ctx, o, j, "", err)
		}
		text = "starts are job " + j.Starts.ID + ", "
	}
	if j.Units, err = o.submit(ctx, p.job(kindUnits, o, j.Starts.ID)); err != nil {
		return "", p.withdraw(ctx, o, j, kindUnits, err)
	}
	if err := writeJSON(p.jobsFile(), j); err != nil {
		return "", p.withdraw(ctx, o, j, "", err)
	}
	return text + "units are job " + j.Units.ID, nil
}

// withdraw takes back what a plan has submitted, of the array of kind what SLURM may have taken although sbatch failed; "" is none. It removes the plan when
// nothing of it is left, and returns the error to tell, for the reason why.
func (p *Plan) withdraw(ctx context.Context, o SlurmOptions, j jobs, kind string, why error) error {
	ids, unclear := j.ids(), error(nil)
	if kind != "" {
		var more []jobID
		more, unclear = o.mayRun(ctx, p.path(kind+".sh"), why)
		ids = append(ids, more...)
	}
	if unclear = errors.Join(unclear, cancel(context.WithoutCancel(ctx), ids)); unclear != nil {
		return fmt.Errorf("%w; jobs may have been submitted all the same, for SLURM does not tell (%s): when it answers, look with nextslice status %s, which takes them back with --cancel",
			why, strings.ReplaceAll(unclear.Error(), "\n", "; "), quote(p.Folder))
	}
	if err := os.RemoveAll(p.Dir); err != nil {
		return errors.Join(why, err)
	}
	if len(ids) > 0 {
		return fmt.Errorf("nothing stays submitted: %w", why)
	}
	return fmt.Errorf("nothing was submitted: %w", why)
}

// cancel takes arrays out of the queue and ends what runs of them.
func cancel(ctx context.Context, ids []jobID) error {
	var failed error
	for _, id := range ids {
		if _, err := command(ctx, "scancel", onCluster(id.Cluster, id.ID)...); err != nil {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// Cancel takes everything of a run folder that still waits or runs out of SLURM's hands, and returns the ids of the arrays. Records stay.
func Cancel(ctx context.Context, run string) ([]string, error) {
	plans, err := Plans(run)
	if err != nil {
		return nil, err
	}
	var ids []jobID
	for _, p := range plans {
		j, err := p.findJobs(ctx)
		if err != nil {
			return nil, err
		}
		ids = append(ids, j.ids()...)
	}
	elements, err := queue(ctx, ids)
	if err != nil {
		return nil, err
	}
	var alive []jobID
	var names []string
	for _, id := range ids {
		for _, q := range elements {
			if q.Job == id.ID && q.alive() {
				alive, names = append(alive, id), append(names, id.ID)
				break
			}
		}
	}
	return names, cancel(ctx, alive)
}

// findJobs returns the ids of a plan's arrays, also of those that a submitter did not live to write down: SLURM knows them by their
// script, as long as they wait or run. The error is that SLURM does not answer; a plan that was never submitted has none.
func (p *Plan) findJobs(ctx context.Context) (jobs, error) {
	j, err := p.readJobs()
	if err != nil || j.Units.ID != "" || !p.Slurm {
		return j, err
	}
	for _, kind := range []string{kindStarts, kindUnits} {
		if j.of(kind).ID != "" || len(p.array(kind).Tasks) == 0 {
			continue
		}
		ids, err := submitted(ctx, p.path(kind+".sh"))
		if err != nil {
			return j, fmt.Errorf("%s was submitted, but its jobs not written down: %w", p.Dir, err)
		}
		if len(ids) > 0 && kind == kindStarts {
			j.Starts = ids[0]
		} else if len(ids) > 0 {
			j.Units = ids[0]
		}
	}
	return j, nil
}
