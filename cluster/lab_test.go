package cluster_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

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
train: {steps: 150, width: 8, deep-supervision: false, augment: {scale: 0.1, zoom: 0, contrast: 0.2, gamma: 0}}
`

// newLab builds the program and runs the experiment without SLURM.
func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{dir: openFolder(t, 0o755)}
	l.program = filepath.Join(l.dir, "nextslice")
	if out, err := exec.Command("go", "build", "-ldflags=-w", "-o", l.program, "../cmd/nextslice").CombinedOutput(); err != nil {
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
	return startingCluster(t)()
}

// startingCluster starts a cluster, and returns the function that waits until it is ready.
func startingCluster(t *testing.T) func() *slurmtest.Cluster {
	t.Helper()
	if why := slurmtest.Missing(); why != "" {
		t.Skip(why)
	}
	var c *slurmtest.Cluster
	var err error
	ready := make(chan struct{})
	go func() {
		defer close(ready)
		c, err = slurmtest.Start()
	}()
	t.Cleanup(func() {
		if <-ready; err == nil {
			c.Stop()
		}
	})
	return func() *slurmtest.Cluster {
		t.Helper()
		if <-ready; err != nil {
			t.Fatal(err)
		}
		return c
	}
}

// unreachable returns a cluster whose controller nobody can reach: its commands fail at once, where those that find no configuration try for
// a minute.
func unreachable(t *testing.T, c *slurmtest.Cluster) *slurmtest.Cluster {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.Dir, "slurm.conf"))
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`(?m)^SlurmctldPort=.*$`).ReplaceAll(text, []byte("SlurmctldPort=1\nSlurmctldTimeout=1"))
	text = regexp.MustCompile(`(?m)^MessageTimeout=.*$`).ReplaceAll(text, []byte("MessageTimeout=1"))
	away := *c
	away.Dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(away.Dir, "slurm.conf"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	return &away
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
		time.Sleep(time.Second) // each look is a process, and a dozen tests look
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
			if strings.HasSuffix(name, ".env.json") {
				continue // of tasks alone
			}
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
	begun := func() bool {
		_, err := os.Stat(filepath.Join(dir, "slurm", "001", "task", "units-0.json"))
		return err == nil
	}
	var pid int
	for end := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) { // a cycle may take no more than some ten of them
		if begun() {
			if pids := tasks(dir); len(pids) == 1 {
				pid = pids[0]
				syscall.Kill(pid, syscall.SIGSTOP) // also while it is looked at
				if cycles(dir) >= after {
					break
				}
				syscall.Kill(pid, syscall.SIGCONT)
			}
		}
		if cycles(dir) > 2 {
			t.Fatalf("%s was finished before it could be stopped", dir)
		}
		if time.Now().After(end) {
			t.Fatalf("%v have passed without a process of %s that has recorded %d cycles", patience, dir, after)
		}
	}
	time.Sleep(20 * time.Millisecond) // a write that had begun
	if cycles(dir) > 2 {
		t.Fatalf("%s was finished before it could be disturbed", dir)
	}
	return pid
}

// thaw lets a process go on, at the end of the test at the latest.
func thaw(pid int) { syscall.Kill(pid, syscall.SIGCONT) }
