package cluster_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nextslice/nextslice/internal/slurmtest"
)

// tortureFile is an experiment of 40 units.
const tortureFile = `data: %s
canvas: [32, 32]
strategies: [random, entropy, entropy+sb, margin]
initial-sets: 5
initial-size: 4
query-size: 4
cycles: 3
input: {antialias: false, slices: 1}
train: {width: 6, deep-supervision: false, augment: {scale: 0.1, zoom: 0, contrast: 0.2, gamma: 0}}
grid: {steps: [30, 45]}
`

// torment is what was done to a cluster, and what came of it.
type torment struct {
	rng   *rand.Rand
	l     *lab
	c     *slurmtest.Cluster
	done  map[string]int
	ready map[string]time.Time // when a node that is down comes up
}

// TestTorture runs an experiment of 40 units again and again for a time given by NEXTSLICE_TORTURE, such as 10m, while nodes, their daemons, tasks
// and whoever submits are killed at random, and holds that each run ends with the records of one without SLURM. See make torture.
func TestTorture(t *testing.T) {
	given := os.Getenv("NEXTSLICE_TORTURE")
	if given == "" {
		t.Skip("takes the time that NEXTSLICE_TORTURE gives: make torture")
	}
	limit, err := time.ParseDuration(given)
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	l := newLab(t)
	if err := os.WriteFile(l.config, fmt.Appendf(nil, tortureFile, filepath.Join(l.dir, "data")), 0o666); err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(l.dir, "plain-grid")
	l.run(t, nil, 0, l.simulate(plain, "--jobs", "2", "--threads", "1", "--isa", "avx2")...)
	m := &torment{rand.New(rand.NewPCG(seed, 0)), l, startCluster(t), map[string]int{}, map[string]time.Time{}}
	end := time.Now().Add(limit)
	for time.Now().Before(end) && !t.Failed() {
		dir := filepath.Join(l.dir, fmt.Sprintf("round-%d", m.done["runs"]+1))
		m.round(t, dir, end)
		l.same(t, plain, dir)
		m.count(dir)
		m.done["runs"]++
		m.done["units"] += 40
		if t.Failed() {
			t.Log(logs(dir))
		}
	}
	var report []string
	for what, n := range m.done {
		report = append(report, fmt.Sprintf("%-50s %d", what, n))
	}
	slices.Sort(report)
	t.Logf("%v of torture\n%s", limit, strings.Join(report, "\n"))
}

// round runs the experiment to its end, and disturbs it until the time is over.
func (m *torment) round(t *testing.T, dir string, end time.Time) {
	t.Helper()
	last := end.Add(15 * time.Minute)
	for {
		if time.Now().After(last) {
			t.Fatalf("a quarter of an hour after the last kill the run is not finished\n%s\n%s", m.l.run(t, m.c, -1, "status", dir), logs(dir))
		}
		m.submit(dir, time.Now().Before(end))
		for range 4 {
			if time.Now().Before(end) {
				m.hurt(t, dir)
			}
			m.raise(t)
			time.Sleep(time.Duration(1000+m.rng.IntN(2500)) * time.Millisecond)
			if out := m.l.run(t, m.c, -1, "status", dir); strings.Contains(out, "40 units: 40 finished") {
				return
			}
		}
	}
}

// submit submits what is missing, or is killed at it.
func (m *torment) submit(dir string, kill bool) {
	cmd := exec.Command(m.l.program, m.l.simulate(dir, "--slurm", "--resume", "--units-per-task", fmt.Sprint(1+m.rng.IntN(3)))...)
	cmd.Env = m.c.Env()
	if cmd.Start() != nil {
		return
	}
	if kill && m.rng.IntN(3) == 0 {
		time.AfterFunc(time.Duration(m.rng.IntN(2500))*time.Millisecond, func() { cmd.Process.Kill() })
	}
	if cmd.Wait(); cmd.ProcessState.ExitCode() < 0 {
		m.done["kills: submitter"]++
	}
}

// hurt does something bad.
func (m *torment) hurt(t *testing.T, dir string) {
	t.Helper()
	node := slurmtest.Nodes[m.rng.IntN(len(slurmtest.Nodes))]
	_, down := m.ready[node]
	processes := tasks(dir)
	switch m.rng.IntN(6) {
	case 0:
		if down {
			return
		}
		tell := m.rng.IntN(2) == 0
		if m.c.KillNode(node, tell) == nil {
			m.done["kills: node"]++
			m.ready[node] = time.Now().Add(time.Duration(m.rng.IntN(12)) * time.Second)
		}
	case 1:
		if down {
			return
		}
		if m.c.KillSlurmd(node) == nil { // what runs there goes on, beside what SLURM starts elsewhere
			m.done["kills: slurmd alone"]++
			for _, pid := range processes { // half of them slow, so that they still write when their successors do
				if env, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid)); strings.Contains(string(env), "SLURMD_NODENAME="+node) && m.rng.IntN(2) == 0 {
					syscall.Kill(pid, syscall.SIGSTOP)
					time.AfterFunc(time.Duration(20+m.rng.IntN(15))*time.Second, func() { thaw(pid) })
				}
			}
			m.ready[node] = time.Now().Add(time.Duration(30+m.rng.IntN(25)) * time.Second)
		}
	case 2:
		if len(processes) > 0 && syscall.Kill(processes[m.rng.IntN(len(processes))], syscall.SIGKILL) == nil {
			m.done["kills: task"]++
		}
	case 3:
		if len(processes) > 0 {
			pid := processes[m.rng.IntN(len(processes))]
			syscall.Kill(pid, syscall.SIGSTOP)
			time.AfterFunc(time.Duration(m.rng.IntN(20))*time.Second, func() { thaw(pid) })
			m.done["tasks frozen for a while"]++
		}
	case 4:
		if len(processes) > 0 && syscall.Kill(processes[m.rng.IntN(len(processes))], syscall.SIGUSR1) == nil {
			m.done["told that the time limit is near"]++
		}
	}
}

// raise starts nodes again whose time has come.
func (m *torment) raise(t *testing.T) {
	t.Helper()
	for node, at := range m.ready {
		if time.Now().Before(at) {
			continue
		}
		delete(m.ready, node)
		m.c.KillNode(node, false) // what is left of it
		if err := m.c.StartNode(node); err != nil {
			t.Fatal(err)
		}
	}
	if len(m.ready) == 0 { // a node that SLURM was told is down stays so, and jobs whose node failed too often are held
		m.c.Run("scontrol", "update", "nodename=n1,n2", "state=resume")
	}
	if held, err := m.c.Run("squeue", "-h", "-r", "-t", "PENDING", "-o", "%i|%r"); err == nil {
		for line := range strings.Lines(held) {
			if id, why, _ := strings.Cut(strings.TrimSpace(line), "|"); strings.Contains(strings.ToLower(why), "held") {
				m.c.Run("scontrol", "release", id)
				m.done["held jobs released"]++
			}
		}
	}
}

var attempted = regexp.MustCompile(`(?m)^job \d+_\d+, restart (\d+), on`)

// count counts what the tasks of a run said.
func (m *torment) count(dir string) {
	text := logs(dir)
	for _, match := range attempted.FindAllStringSubmatch(text, -1) {
		m.done["attempts at tasks"]++
		if match[1] != "0" {
			m.done["attempts at tasks that SLURM started again"]++
		}
	}
	m.done["attempts that stopped for a later one"] += strings.Count(text, "was taken over by another attempt")
	m.done["requeued by themselves"] += len(regexp.MustCompile(`(?m)^requeue `).FindAllString(text, -1))
	plans, _ := filepath.Glob(filepath.Join(dir, "slurm", "*", "plan.json"))
	m.done["submissions"] += len(plans)
}
