package cluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What a failing sbatch has left: SLURM is asked before anything is said or removed.
func TestSubmitFails(t *testing.T) {
	patience := slurmPatience
	t.Cleanup(func() { slurmPatience = patience })
	slurmPatience = 5 * time.Second
	const timedOut = "echo 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation' >&2; exit 1"
	const away = "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1"
	for name, test := range map[string]struct {
		sbatch, squeue string // %s: the script of the array that fails
		second         bool   // the array of units fails, not that of starts
		cancels        string
		stays          bool
		says           string
	}{
		"refused":                  {sbatch: "echo 'sbatch: error: invalid partition' >&2; exit 1", says: "nothing was submitted: sbatch: invalid partition"},
		"taken":                    {sbatch: timedOut, squeue: "echo '31|%s'; echo '32|/other.sh'", cancels: "31", says: "nothing stays submitted: sbatch: "},
		"taken, and never told":    {sbatch: "sleep 60", squeue: "echo '31|%s'", cancels: "31", says: "nothing stays submitted: sbatch did not answer"},
		"taken, and told nonsense": {sbatch: "echo welcome", squeue: "echo '31|%s'", cancels: "31", says: "not the id of a job"},
		"SLURM does not tell":      {sbatch: timedOut, squeue: away, stays: true, says: "jobs may have been submitted all the same, for SLURM does not tell (squeue: slurm_load_jobs error: Unable to contact slurm controller): when it answers, look with nextslice status "},
		"the second":               {sbatch: timedOut, squeue: "echo '31|%s'", second: true, cancels: "21 31", says: "nothing stays submitted"},
		"the second, not told":     {sbatch: timedOut, squeue: away, second: true, cancels: "21", stays: true, says: "may have been submitted"},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.HasPrefix(test.sbatch, "sleep") {
				slurmPatience = 300 * time.Millisecond
				defer func() { slurmPatience = 5 * time.Second }()
			}
			p := planned(t, true)
			if err := os.Remove(p.jobsFile()); err != nil {
				t.Fatal(err)
			}
			script := p.path("starts.sh")
			if test.second {
				script = p.path("units.sh")
				test.sbatch = "case $* in *starts.sh) echo 21; exit;; esac; " + test.sbatch
			}
			cancelled := filepath.Join(t.TempDir(), "cancelled")
			fake(t, "sbatch", test.sbatch)
			fake(t, "squeue", strings.ReplaceAll(test.squeue, "%s", script))
			fake(t, "scancel", fmt.Sprintf("echo $* >> '%s'", cancelled))
			_, err := p.Submit(t.Context(), SlurmOptions{})
			if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v\nwant %s", err, test.says)
			}
			if _, err := os.Stat(p.Dir); (err == nil) != test.stays {
				t.Errorf("the plan: %v", err)
			}
			if text, _ := os.ReadFile(cancelled); strings.Join(strings.Fields(string(text)), " ") != test.cancels {
				t.Errorf("cancelled %q, want %q", text, test.cancels)
			}
		})
	}
	p := planned(t, true)
	if err := os.Remove(p.jobsFile()); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SBATCH_CLUSTERS", "gold")
	fake(t, "sbatch", timedOut)
	if _, err := p.Submit(t.Context(), SlurmOptions{}); err == nil || !strings.Contains(err.Error(), "may have been submitted") {
		t.Errorf("on another cluster: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := p.Submit(t.Context(), SlurmOptions{}); err == nil || !strings.Contains(err.Error(), "nothing was submitted: there is no sbatch here") {
		t.Errorf("without SLURM: %v", err)
	}
}

// Parts that SLURM has taken although sbatch failed are submitted; where it does not tell, the next look finds them.
func TestShardsSubmitFails(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	s := &Shards{Dir: t.TempDir(), Name: "query", Of: 2, CPUs: 1, File: "{}", Program: program}
	taken := fmt.Sprintf("case $* in *-u*) echo '31|%s';; *31*) echo '31|1|RUNNING|None|n1|N/A'; echo '31|2|PENDING|Priority||N/A';; esac", s.script())
	fake(t, "sbatch", "echo 'Socket timed out' >&2; exit 1")
	fake(t, "squeue", "")
	if _, err := s.Submit(t.Context(), SlurmOptions{}); err == nil || !strings.Contains(err.Error(), "nothing was submitted") {
		t.Error(err)
	}
	if _, err := OpenShards(s.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("parts of which nothing was submitted: %v", err)
	}
	fake(t, "squeue", "echo 'Unable to contact slurm controller' >&2; exit 1")
	if _, err := s.Submit(t.Context(), SlurmOptions{}); err == nil || !strings.Contains(err.Error(), "may have been submitted") {
		t.Error(err)
	}
	s, err := OpenShards(s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if v := s.Look(t.Context()); v.Trouble == nil {
		t.Errorf("SLURM does not answer: %+v", v)
	}
	fake(t, "squeue", taken)
	if v := s.Look(t.Context()); v.Trouble != nil || v.Running != 1 || v.Waiting != 1 {
		t.Errorf("%+v", v)
	}
	if text, err := s.Submit(t.Context(), SlurmOptions{}); err != nil || text != "nothing is left to submit" {
		t.Errorf("a second time: %q, %v", text, err)
	}
	s = &Shards{Dir: t.TempDir(), Name: "query", Of: 2, CPUs: 1, File: "{}", Program: program}
	fake(t, "squeue", fmt.Sprintf("echo '31|%s'", s.script()))
	if text, err := s.Submit(t.Context(), SlurmOptions{}); err != nil || text != "2 of 2 parts are job 31" || s.Open {
		t.Errorf("taken: %q, %v, %+v", text, err, s)
	}
}
