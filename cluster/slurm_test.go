package cluster_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nextslice/nextslice/cluster"
	"github.com/nextslice/nextslice/internal/slurmtest"
	"github.com/nextslice/nextslice/record"
)

// lab is the program, an experiment of seconds, and what comes of it without SLURM: whole, and one unit of it.
type lab struct {
	dir, program, config string
	plain, plainOne      string // run folders
}

// one are the flags of the experiment's single unit.
var one = []string{"--strategies", "entropy+sb", "--initial-sets", "1"}

const experimentFile = `data: %s
canvas: [32, 32]
strategies: [random, entropy+sb]
initial-sets: 2
initial-size: 4
query-size: 4
cycles: 2
input: {antialias: false, slices: 1}
train: {steps: 60, width: 8, deep-supervision: false, augment: {scale: 0.1, zoom: 0, contrast: 0.2, gamma: 0}}
`

// newLab builds the program and runs the experiment without SLURM.
func newLab(t *testing.T) *lab {
	t.Helper()
	if why := slurmtest.Missing(); why != "" {
		t.Skip(why)
	}
	l := &lab{dir: openFolder(t, 0o755)}
	l.program = filepath.Join(l.dir, "nextslice")
	if out, err := exec.Command("go", "build", "-o", l.program, "../cmd/nextslice").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	l.run(t, nil, 0, "phantom", filepath.Join(l.dir, "data"), "--cases", "8")
	l.config = filepath.Join(l.dir, "experiment.yaml")
	if err := os.WriteFile(l.config, fmt.Appendf(nil, experimentFile, filepath.Join(l.dir, "data")), 0o666); err != nil {
		t.Fatal(err)
	}
	l.plain, l.plainOne = filepath.Join(l.dir, "plain"), filepath.Join(l.dir, "plain-one")
	l.run(t, nil, 0, l.simulate(l.plain, "--threads", "1", "--isa", "avx2")...)
	l.run(t, nil, 0, l.simulate(l.plainOne, append(one, "--threads", "1", "--isa", "avx2")...)...)
	return l
}

// openFolder returns a temporary folder that other users can reach, as t.TempDir's cannot.
func openFolder(t *testing.T, mode fs.FileMode) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "nextslice")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, mode); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (l *lab) simulate(out string, flags ...string) []string {
	return append([]string{"simulate", l.config, "--out", out}, flags...)
}

// run runs the program to its end and returns all that it printed. The code must be as wanted; -1 is any.
func (l *lab) run(t *testing.T, c *slurmtest.Cluster, want int, args ...string) string {
	t.Helper()
	cmd := exec.Command(l.program, args...)
	if c != nil {
		cmd.Env = c.Env()
	}
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); want >= 0 && code != want {
		t.Fatalf("nextslice %s: exit code %d, want %d\n%s", strings.Join(args, " "), code, want, out)
	}
	return string(out)
}

func startCluster(t *testing.T) *slurmtest.Cluster {
	t.Helper()
	c, err := slurmtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	return c
}

// await waits for something that must come.
func await(t *testing.T, what string, limit time.Duration, come func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !come(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%v have passed without: %s", limit, what)
		}
	}
}

// patience is for what takes seconds on a machine of its own.
const patience = 4 * time.Minute

// awaitEnd looks at a run until nothing is under way, and returns the last look.
func (l *lab) awaitEnd(t *testing.T, c *slurmtest.Cluster, dir string, want int) string {
	t.Helper()
	var out bytes.Buffer
	code := 0
	await(t, "the end of "+dir, patience, func() bool {
		time.Sleep(300 * time.Millisecond)
		out.Reset()
		cmd := exec.Command(l.program, "status", dir)
		cmd.Env, cmd.Stdout, cmd.Stderr = c.Env(), &out, &out
		cmd.Run()
		code = cmd.ProcessState.ExitCode()
		return code != 3
	})
	if want >= 0 && code != want {
		t.Fatalf("status: exit code %d, want %d\n%s\n%s", code, want, out.String(), logs(dir))
	}
	return out.String()
}

// logs returns what the tasks of a run said.
func logs(dir string) string {
	var b strings.Builder
	files, _ := filepath.Glob(filepath.Join(dir, "slurm", "*", "log", "*"))
	for _, f := range files {
		text, _ := os.ReadFile(f)
		fmt.Fprintf(&b, "%s:\n%s", filepath.Base(f), text)
	}
	return b.String()
}

// same holds that a run folder has the records of another, byte for byte: cycles, starts, last predictions, and the exported record.
func (l *lab) same(t *testing.T, plain, dir string) {
	t.Helper()
	a, b := recordFiles(t, plain), recordFiles(t, dir)
	for name := range a {
		if _, ok := b[name]; !ok {
			t.Errorf("%s is missing", name)
		} else if a[name] != b[name] {
			t.Errorf("%s differs from that of a run without SLURM", name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			t.Errorf("%s is in no run without SLURM", name)
		}
	}
	exports := t.TempDir()
	for _, x := range []struct{ run, to string }{{plain, "a"}, {dir, "b"}} {
		l.run(t, nil, 0, "report", x.run, "--export", filepath.Join(exports, x.to))
	}
	for _, name := range []string{"config.yaml", "data.json", "env.json", "cycles.csv"} {
		a, err := os.ReadFile(filepath.Join(exports, "a", name))
		b, err2 := os.ReadFile(filepath.Join(exports, "b", name))
		if err = errors.Join(err, err2); err != nil || !bytes.Equal(a, b) {
			t.Errorf("the record's %s differs (%v):\n%s\n%s", name, err, a, b)
		}
	}
}

// recordFiles returns the files that must be the same bytes.
func recordFiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, pattern := range []string{"initial/*", "units/*/cycles.jsonl", "units/*/last/*"} {
		found, err := fs.Glob(os.DirFS(dir), pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range found {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			files[name] = string(text)
		}
	}
	if len(files) < 4 {
		t.Fatalf("%s has %d files of records", dir, len(files))
	}
	return files
}

// attempt returns who writes the single unit, the zero value before anybody does.
func attempt(dir string) (a record.Attempt) {
	a, _, _ = (&record.Folder{Dir: dir}).Attempt(record.Unit{Strategy: "entropy+sb", Set: 1})
	return a
}

// cycles returns how many cycles of the single unit are recorded.
func cycles(dir string) int {
	text, _ := os.ReadFile(filepath.Join(dir, "units", "1-entropy+sb", "cycles.jsonl"))
	return bytes.Count(text, []byte("\n"))
}

// tasks returns the processes of a run's tasks.
func tasks(dir string) (pids []int) {
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && strings.HasPrefix(to, filepath.Join(dir, "slurm")+"/") {
			var pid int
			fmt.Sscanf(link, "/proc/%d/exe", &pid)
			pids = append(pids, pid)
		}
	}
	return pids
}

// freeze stops the process of the single unit when it has recorded a number of cycles, so that a test has time, and returns it.
func freeze(t *testing.T, dir string, after int) int {
	t.Helper()
	var pid int
	await(t, fmt.Sprintf("a process of %s that has recorded %d cycles", dir, after), patience, func() bool {
		if after == 0 {
			if _, err := os.Stat(filepath.Join(dir, "slurm", "001", "task", "units-0.json")); err != nil {
				return false
			}
		}
		if cycles(dir) < after {
			return false
		}
		pids := tasks(dir)
		if len(pids) == 1 {
			pid = pids[0]
			syscall.Kill(pid, syscall.SIGSTOP)
		}
		return len(pids) == 1
	})
	time.Sleep(20 * time.Millisecond) // a write that had begun
	if cycles(dir) > 2 {
		t.Fatalf("%s was finished before it could be disturbed", dir)
	}
	return pid
}

// thaw lets a process go on, at the end of the test at the latest.
func thaw(pid int) { syscall.Kill(pid, syscall.SIGCONT) }

// An experiment gives the same records with SLURM as without, whatever happens to nodes, daemons, tasks and whoever submitted it.
func TestSLURM(t *testing.T) {
	l := newLab(t)
	begin := time.Now()
	t.Cleanup(func() { t.Logf("%v with SLURM", time.Since(begin).Round(time.Second)) })
	t.Run("all", func(t *testing.T) {
		calm := startCluster(t)
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
	l.run(t, c, 0, l.simulate(dir, append(one, "--slurm", "--time", "1", "--sbatch=--signal=B:USR1@1")...)...)
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

func unitFails(t *testing.T, l *lab, c *slurmtest.Cluster) {
	dir := filepath.Join(t.TempDir(), "run")
	l.run(t, c, 0, l.simulate(dir, "--slurm", "--units-per-task", "2")...)
	broken := filepath.Join(dir, "units", "1-random", "cycles.jsonl")
	if err := os.MkdirAll(broken, 0o777); err != nil {
		t.Fatal(err)
	}
	out := l.awaitEnd(t, c, dir, 1)
	for _, want := range []string{"3 finished, 1 failed", "failed: random, set 1", "is a directory", "units-", "| nextslice: 1 failed: random, set 1", "--slurm --resume"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if err := os.Remove(broken); err != nil {
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
	away := *c
	away.Dir = filepath.Join(t.TempDir(), "away")
	if out := l.run(t, &away, 3, "status", dir); !strings.Contains(out, "SLURM does not answer") || strings.Contains(out, "lost") || !strings.Contains(out, "1 running") {
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
	if out := l.run(t, &away, 3, "status", dir); !strings.Contains(out, "1 unknown") {
		t.Errorf("status without squeue of a task that is silent:\n%s", out)
	}
	if out := l.run(t, &away, 1, l.simulate(dir, append(one, "--slurm", "--resume")...)...); !strings.Contains(out, "SLURM does not tell") {
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

// Parts of a command, each an element of an array: those that are there already are not submitted, one that fails leaves its last words,
// and is submitted again.
func shards(t *testing.T, l *lab, c *slurmtest.Cluster) {
	t.Setenv("SLURM_CONF", filepath.Join(c.Dir, "slurm.conf"))
	dir := openFolder(t, 0o755)
	images := filepath.Join(l.dir, "data", "imagesTr")
	s := &cluster.Shards{
		Dir: dir, Name: "convert", Of: 4, CPUs: 1, File: "part-{}.nrrd", Program: l.program,
		Args: []string{"convert", filepath.Join(images, "phantom_00{}.nii.gz"), filepath.Join(dir, "part-{}.nrrd")},
	}
	text, err := s.Submit(t.Context(), cluster.SlurmOptions{Time: "5", Partition: "main", AtOnce: 2})
	if err != nil || !strings.Contains(text, "4 of 4 parts are job") {
		t.Fatal(text, err)
	}
	all := func(want int) cluster.ShardsView {
		t.Helper()
		var v cluster.ShardsView
		await(t, "the end of all parts", patience, func() bool {
			v = s.Look(t.Context())
			return v.Running+v.Waiting == 0
		})
		if v.Finished != want || v.Trouble != nil {
			t.Errorf("%+v", v)
		}
		return v
	}
	all(4)
	if text, err := s.Submit(t.Context(), cluster.SlurmOptions{}); err != nil || text != "nothing is left to submit" {
		t.Errorf("%s, %v", text, err)
	}
	if err := os.Remove(s.Files()[2]); err != nil {
		t.Fatal(err)
	}
	s, err = cluster.OpenShards(dir)
	if err != nil {
		t.Fatal(err)
	}
	await(t, "the end of the element whose file was removed", patience, func() bool { // it may still be completing
		text, err := s.Submit(t.Context(), cluster.SlurmOptions{Setup: "if [ $SLURM_ARRAY_TASK_ID = 3 ]; then echo no disk; exit 1; fi"})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(text, "1 of 4 parts")
	})
	if v := all(3); len(v.Ended) != 1 || !strings.Contains(v.Ended[0], "part 3 (") || !strings.Contains(v.Ended[0], "no disk") {
		t.Errorf("%+v", v)
	}
	await(t, "the end of the element that failed", patience, func() bool {
		text, err := s.Submit(t.Context(), cluster.SlurmOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(text, "1 of 4 parts")
	})
	all(4)
}

// A query whose scoring is divided picks what an undivided one picks, from what the parts have scored.
func dividedQuery(t *testing.T, l *lab, c *slurmtest.Cluster) {
	dir := t.TempDir()
	model := filepath.Join(dir, "model.safetensors")
	l.run(t, nil, 0, "train", "--data", filepath.Join(l.dir, "data"), "--out", model, "--preset", "demo", "--set", "steps=3")
	query := []string{"query", "--data", filepath.Join(l.dir, "data", "imagesTr"), "--model", model, "--size", "5", "--per-case", "2", "--json"}
	isa := "avx2"
	if runtime.GOARCH != "amd64" {
		isa = "baseline"
	}
	out := func(c *slurmtest.Cluster, args ...string) (stdout, stderr string, code int) {
		cmd := exec.Command(l.program, append(query, args...)...)
		var o, e bytes.Buffer
		cmd.Env, cmd.Stdout, cmd.Stderr = c.Env(), &o, &e
		cmd.Run()
		return o.String(), e.String(), cmd.ProcessState.ExitCode()
	}
	plain, stderr, code := out(c, "--work", filepath.Join(dir, "plain"), "--threads", "1", "--isa", isa)
	if code != 0 {
		t.Fatal(stderr)
	}
	divided := []string{"--work", filepath.Join(dir, "divided"), "--isa", isa, "--slurm", "3"}
	if text, stderr, code := out(c, divided...); code != 0 || !strings.Contains(text, "3 of 3 parts are job") {
		t.Fatal(text, stderr)
	}
	await(t, "the end of all parts", patience, func() bool {
		time.Sleep(300 * time.Millisecond)
		var text string
		text, stderr, code = out(c, divided...)
		if code == 3 && !strings.Contains(text, "of 3 parts are finished") {
			t.Error(text)
		}
		if code == 0 && text != plain {
			t.Errorf("other picks:\n%s\nwant\n%s", text, plain)
		}
		return code != 3
	})
	if code != 0 || !strings.Contains(stderr, "3 parts of ") || !strings.Contains(stderr, "slices were scored by parts of this query") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	for n := range 3 { // each did its share
		text, err := os.ReadFile(filepath.Join(dir, "divided", "shard-parts-of-3", fmt.Sprintf("scores-%d.csv", n+1)))
		if lines := bytes.Count(text, []byte("\n")); err != nil || lines < 20 {
			t.Errorf("part %d has scored %d slices, %v", n+1, lines-1, err)
		}
	}
	if text, stderr, code := out(c, append(divided, "--seed", "7")...); code != 1 || !strings.Contains(stderr, "parts of another query") {
		t.Errorf("another query in the same folder: %d %s %s", code, text, stderr)
	}
}
