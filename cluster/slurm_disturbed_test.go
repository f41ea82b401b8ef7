package cluster_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/nextslice/nextslice/internal/slurmtest"
)

func submitterKilled(t *testing.T, l *lab, c *slurmtest.Cluster) {
	dir := filepath.Join(t.TempDir(), "run")
	cmd := exec.Command(l.program, l.simulate(dir, "--slurm", "--follow")...)
	var out bytes.Buffer
	cmd.Env, cmd.Stdout = c.Env(), &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "jobs", patience, func() bool { _, err := os.Stat(filepath.Join(dir, "slurm", "001", "jobs.json")); return err == nil })
	cmd.Process.Kill() // maybe before the second array was submitted, or written down
	cmd.Wait()
	if strings.Contains(l.awaitEnd(t, c, dir, -1), "missing") {
		t.Error("units are in no plan")
	}
	if out := l.run(t, c, -1, l.simulate(dir, "--slurm", "--resume")...); !strings.Contains(out, "units are job") && !strings.Contains(out, "nothing is left to submit") {
		t.Errorf("resume:\n%s", out)
	}
	l.awaitEnd(t, c, dir, 0)
	l.same(t, l.plain, dir)
}

func nodeKilled(t *testing.T, l *lab, c *slurmtest.Cluster) {
	dir := filepath.Join(t.TempDir(), "run")
	l.run(t, c, 0, l.simulate(dir, append(one, "--slurm")...)...)
	freeze(t, dir, 1)
	before := attempt(dir)
	if err := c.KillNode(before.Node, true); err != nil {
		t.Fatal(err)
	}
	l.awaitEnd(t, c, dir, 0)
	if after := attempt(dir); after.Restart != 1 || after.Node == before.Node || after.Job != before.Job {
		t.Errorf("before %s, after %s", before, after)
	}
	l.same(t, l.plainOne, dir)
}

func slurmdKilled(t *testing.T, l *lab, c *slurmtest.Cluster) {
	dir := filepath.Join(t.TempDir(), "run")
	l.run(t, c, 0, l.simulate(dir, append(one, "--slurm")...)...)
	old := freeze(t, dir, 1)
	before := attempt(dir)
	if err := c.KillSlurmd(before.Node); err != nil {
		t.Fatal(err)
	}
	await(t, "the next attempt", patience, func() bool { return attempt(dir).Restart == 1 })
	thaw(old) // both write now
	await(t, "the end of the first attempt", patience, func() bool { return syscall.Kill(old, 0) != nil || zombie(old) })
	if text := logs(dir); !strings.Contains(text, "was taken over by another attempt") {
		t.Errorf("the first attempt did not say why it stopped:\n%s", text)
	}
	l.awaitEnd(t, c, dir, 0)
	if after := attempt(dir); after.Restart != 1 || after.Node == before.Node {
		t.Errorf("before %s, after %s", before, after)
	}
	l.same(t, l.plainOne, dir)
}

// zombie tells whether a process has ended and nobody has asked how.
func zombie(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || bytes.Contains(text, []byte(") Z "))
}

// awaitLimit waits for SLURM's word that the time limit of a frozen task is near: with the signal SLURM lets the task go on.
func awaitLimit(t *testing.T, pid int) {
	t.Helper()
	await(t, "SLURM's word that the time limit is near", patience, func() bool {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || !bytes.Contains(text, []byte(") T "))
	})
}

func timeLimit(t *testing.T, l *lab, c *slurmtest.Cluster) {
	dir := filepath.Join(t.TempDir(), "run")
	l.run(t, c, 0, l.simulate(dir, append(one, "--slurm", "--time", "1", "--sbatch=--signal=B:USR1@1")...)...)
	pid := freeze(t, dir, 1)
	awaitLimit(t, pid)
	l.awaitEnd(t, c, dir, 0)
	if a := attempt(dir); a.Restart != 1 {
		t.Errorf("finished by %s, want the second attempt", a)
	}
	if !strings.Contains(logs(dir), "requeue ") {
		t.Errorf("nothing was requeued:\n%s", logs(dir))
	}
	l.same(t, l.plainOne, dir)
}

func limitTooShort(t *testing.T, l *lab, c *slurmtest.Cluster) {
	dir := filepath.Join(t.TempDir(), "run")
	// A cycle is to be longer than SLURM takes from letting the task go on to its word.
	config := filepath.Join(t.TempDir(), "experiment.yaml")
	text := strings.Replace(fmt.Sprintf(experimentFile, filepath.Join(l.dir, "data")), "canvas: [32, 32]", "canvas: [256, 256]", 1)
	if err := os.WriteFile(config, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	l.run(t, c, 0, append([]string{"simulate", config, "--out", dir, "--slurm", "--time", "1", "--sbatch=--signal=B:USR1@1"}, one...)...)
	pid := freeze(t, dir, 0)
	awaitLimit(t, pid)
	out := l.awaitEnd(t, c, dir, 1)
	if !strings.Contains(out, "the time limit (--time 1) is shorter than a cycle") || !strings.Contains(out, "give --time") {
		t.Errorf("status:\n%s", out)
	}
	if a := attempt(dir); a.Restart != 0 {
		t.Errorf("it was requeued to no end: %s", a)
	}
}
