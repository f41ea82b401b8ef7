package cluster_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nextslice/nextslice/internal/slurmtest"
)

// An experiment gives the same records with SLURM as without, whatever happens to nodes, daemons, tasks and whoever submitted it.
func TestSLURM(t *testing.T) {
	calm := startingCluster(t)
	l := newLab(t)
	begin := time.Now()
	t.Cleanup(func() { t.Logf("%v with SLURM", time.Since(begin).Round(time.Second)) })
	t.Run("all", func(t *testing.T) {
		calm := calm()
		for _, test := range []struct {
			name string
			run  func(t *testing.T, l *lab, c *slurmtest.Cluster)
		}{
			{"undisturbed", undisturbed}, {"ordinary user", ordinaryUser}, {"divided query", dividedQuery}, {"submitter killed", submitterKilled}, {"time limit", timeLimit}, {"limit shorter than a cycle", limitTooShort},
			{"unit that fails", unitFails}, {"taken back", takenBack}, {"refused", refused},
		} {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				test.run(t, l, calm)
			})
		}
		t.Run("parts of a command", func(t *testing.T) {
			shards(t, l, calm) // sets SLURM_CONF: before the others, which run at the same time
		})
		t.Run("node killed", func(t *testing.T) {
			t.Parallel()
			nodeKilled(t, l, startCluster(t))
		})
		t.Run("slurmd alone killed", func(t *testing.T) {
			t.Parallel()
			slurmdKilled(t, l, startCluster(t))
		})
	})
}

func undisturbed(t *testing.T, l *lab, c *slurmtest.Cluster) {
	dir := filepath.Join(t.TempDir(), "run")
	out := l.run(t, c, 0, l.simulate(dir, "--slurm", "--units-per-task", "2", "--jobs", "2", "--time", "10", "--partition", "main", "--at-once", "2")...)
	for _, want := range []string{"4 units (2 strategies × 2 initial sets), 0 finished", "2 starts, then 4 units in 2 tasks of 2 CPUs; 1 thread, AVX2", "nextslice status " + dir} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	out = l.awaitEnd(t, c, dir, 0)
	if !strings.Contains(out, "4 units: 4 finished") || !strings.Contains(out, "dice_3d on the test cases") {
		t.Errorf("at the end:\n%s", out)
	}
	l.same(t, l.plain, dir)
	// The table is the one of a plain run.
	if _, table, _ := strings.Cut(out, "\n\n"); !strings.Contains(l.run(t, nil, 0, l.simulate(l.plain, "--threads", "1", "--isa", "avx2", "--resume")...), strings.Split(table, "records and figure")[0]) {
		t.Errorf("another table:\n%s", table)
	}
}

// ordinaryUser finds what only root could write or ask.
func ordinaryUser(t *testing.T, l *lab, c *slurmtest.Cluster) {
	dir := filepath.Join(openFolder(t, 0o777), "run")
	const nobody = 65534
	as := func(args ...string) (string, int) {
		cmd := exec.Command(l.program, args...)
		cmd.Env = append(c.Env(), "HOME="+filepath.Dir(dir))
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	if out, code := as(l.simulate(dir, append(one, "--slurm", "--time", "1", "--sbatch=--signal=B:USR1@1")...)...); code != 0 {
		t.Fatal(out)
	}
	pid := freeze(t, dir, 1)
	if out, code := as("status", dir); code != 3 || !strings.Contains(out, "1 running") {
		t.Errorf("status: exit code %d\n%s", code, out)
	}
	awaitLimit(t, pid) // its own requeue is allowed
	await(t, "the end", patience, func() bool { _, code := as("status", dir); return code == 0 })
	if a := attempt(dir); a.Restart != 1 {
		t.Errorf("finished by %s, want the second attempt", a)
	}
	l.same(t, l.plainOne, dir)
}

func unitFails(t *testing.T, l *lab, c *slurmtest.Cluster) {
	dir := filepath.Join(t.TempDir(), "run")
	l.run(t, c, 0, l.simulate(dir, "--slurm", "--units-per-task", "2")...)
	unit := filepath.Join(dir, "units", "1-random")
	another := `{"cycle":0,"labelled":99,"query":["x/000"],"measures":{}}` + "\n" // a record that is not this run's
	if err := errors.Join(os.MkdirAll(unit, 0o777), os.WriteFile(filepath.Join(unit, "cycles.jsonl"), []byte(another), 0o666)); err != nil {
		t.Fatal(err)
	}
	out := l.awaitEnd(t, c, dir, 1)
	for _, want := range []string{"3 finished, 1 failed", "failed: random, set 1", "recorded cycle 0 with 99", "units-", "| nextslice: 1 failed: random, set 1", "--slurm --resume"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if err := os.RemoveAll(unit); err != nil {
		t.Fatal(err)
	}
	if out := l.run(t, c, 0, l.simulate(dir, "--slurm", "--resume")...); !strings.Contains(out, "3 finished") || !strings.Contains(out, "1 unit in 1 task") {
		t.Errorf("resume:\n%s", out)
	}
	l.awaitEnd(t, c, dir, 0)
	l.same(t, l.plain, dir)
}

// takenBack is about a run that is looked at, nearly run twice, taken back by scancel, and gone on with on this machine.
func takenBack(t *testing.T, l *lab, c *slurmtest.Cluster) {
	dir := filepath.Join(t.TempDir(), "run")
	l.run(t, c, 0, l.simulate(dir, append(one, "--slurm")...)...)
	pid := freeze(t, dir, 1)
	defer thaw(pid)

	if out := l.run(t, c, 3, "status", dir); !strings.Contains(out, "1 running") || !strings.Contains(out, "entropy+sb, set 1") {
		t.Errorf("status:\n%s", out)
	}
	if out := l.run(t, c, 1, l.simulate(dir, append(one, "--resume")...)...); !strings.Contains(out, "scancel") {
		t.Errorf("a second writer was not refused:\n%s", out)
	}
	if out := l.run(t, c, 0, l.simulate(dir, append(one, "--slurm", "--resume")...)...); !strings.Contains(out, "nothing is left to submit") {
		t.Errorf("what runs was submitted again:\n%s", out)
	}
	// Without squeue nothing is lost, and nothing is submitted twice.
	away := unreachable(t, c)
	if out := l.run(t, away, 3, "status", dir); !strings.Contains(out, "SLURM does not answer") || strings.Contains(out, "lost") || !strings.Contains(out, "1 running") {
		t.Errorf("status without squeue:\n%s", out)
	}
	mark := filepath.Join(dir, "slurm", "001", "task", "units-0.json")
	text, err := os.ReadFile(mark)
	if err != nil {
		t.Fatal(err)
	}
	var state map[string]any
	if err := json.Unmarshal(text, &state); err != nil {
		t.Fatal(err)
	}
	state["updated"] = time.Now().Add(-time.Hour)
	old, _ := json.Marshal(state)
	if err := os.WriteFile(mark, old, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := l.run(t, away, 3, "status", dir); !strings.Contains(out, "1 unknown") {
		t.Errorf("status without squeue of a task that is silent:\n%s", out)
	}
	if out := l.run(t, away, 1, l.simulate(dir, append(one, "--slurm", "--resume")...)...); !strings.Contains(out, "SLURM does not tell") {
		t.Errorf("submitted without knowing what runs:\n%s", out)
	}
	if out := l.run(t, c, 3, "status", dir); !strings.Contains(out, "no sign of life for 1h") {
		t.Errorf("status of a task that is silent:\n%s", out)
	}

	thaw(pid)
	if out := l.run(t, c, 0, "status", dir, "--cancel"); !strings.Contains(out, "scancel "+attempt(dir).Job) {
		t.Errorf("cancel:\n%s", out)
	}
	if out := l.awaitEnd(t, c, dir, -1); !strings.Contains(out, "stopped: entropy+sb, set 1") && !strings.Contains(out, "1 finished") {
		t.Errorf("after scancel:\n%s", out)
	}
	l.run(t, c, 0, l.simulate(dir, append(one, "--resume", "--threads", "1", "--isa", "avx2")...)...)
	l.same(t, l.plainOne, dir)
}

// refused is about what SLURM does not take: nothing stays behind.
func refused(t *testing.T, l *lab, c *slurmtest.Cluster) {
	dir := filepath.Join(t.TempDir(), "run")
	for flag, want := range map[string]string{"--partition=gold": "invalid partition", "--mem=900G": "nothing was submitted", "--gres=gpu:9": "nothing was submitted"} {
		out := l.run(t, c, 1, l.simulate(dir, "--slurm", "--resume", flag)...)
		if !strings.Contains(out, want) {
			t.Errorf("%s:\n%s", flag, out)
		}
		if plans, _ := filepath.Glob(filepath.Join(dir, "slurm", "*")); len(plans) > 0 {
			t.Errorf("%s: left %v", flag, plans)
		}
	}
	if out, err := c.Run("squeue", "-h", "-t", "PENDING", "-o", "%o"); err != nil || strings.Contains(out, dir) {
		t.Errorf("something stays submitted: %v\n%s", err, out)
	}
}
