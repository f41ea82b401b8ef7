// Package slurmtest starts SLURM's own daemons for tests: a controller and two nodes of eight processors each, whatever this machine has, ready
// within seconds, that listen on 127.0.0.1 only and keep everything in a temporary folder. Root only: each node is a PID namespace, so that a
// test can kill it with all that runs there.
package slurmtest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// needed are the programs; Debian's packages of SLURM have a daemon that can be several nodes.
var needed = []string{"slurmctld", "slurmd", "munged", "sbatch", "squeue", "scontrol", "scancel", "sinfo", "unshare", "setpriv"}

// Missing says in a line why there can be no cluster here, "" if there can.
func Missing() string {
	if os.Geteuid() != 0 {
		return "a SLURM cluster for tests needs root"
	}
	for _, name := range needed {
		if _, err := exec.LookPath(name); err != nil {
			return "there is no " + name + ": scripts/deps.sh test installs SLURM for tests"
		}
	}
	if _, err := user.Lookup("munge"); err != nil {
		return "there is no user munge: scripts/deps.sh test installs SLURM for tests"
	}
	if err := exec.Command("unshare", "--pid", "--fork", "--mount-proc", "true").Run(); err != nil {
		return "a SLURM cluster for tests needs process namespaces, which are not allowed here: unshare: " + err.Error()
	}
	return ""
}

// Cluster is a SLURM installation of two nodes.
type Cluster struct {
	Dir    string // temporary
	daemon map[string]*process
}

// process is a child that is waited for.
type process struct {
	*exec.Cmd
	over chan struct{}
}

// Nodes are the names of the nodes.
var Nodes = []string{"n1", "n2"}

const config = `ClusterName=test
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=@P0@
SlurmUser=root
AuthInfo=socket=@S@/munge/sock,cred_expire=5
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation=@S@/state
SlurmdSpoolDir=@S@/spool-%n
SlurmctldPidFile=@S@/slurmctld.pid
SlurmdPidFile=@S@/slurmd-%n.pid
SlurmctldLogFile=@S@/log/slurmctld.log
SlurmdLogFile=@S@/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MessageTimeout=5
SlurmdTimeout=6
SlurmdParameters=config_overrides
KillWait=2
MaxArraySize=101
SchedulerParameters=sched_interval=1,sched_min_interval=0,bf_interval=1,batch_sched_delay=0
NodeName=n1 NodeHostname=localhost NodeAddr=127.0.0.1 Port=@P1@ CPUs=8 RealMemory=1000
NodeName=n2 NodeHostname=localhost NodeAddr=127.0.0.1 Port=@P2@ CPUs=8 RealMemory=1000
PartitionName=main Nodes=n1,n2 Default=YES DefaultTime=00:10:00 MaxTime=1:00:00
`

// Start starts a cluster and waits until its nodes are idle.
func Start() (c *Cluster, err error) {
	dir, err := os.MkdirTemp("", "slurm") // short: sockets have 108 bytes for their path
	if err != nil {
		return nil, err
	}
	c = &Cluster{Dir: dir, daemon: map[string]*process{}}
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, c.logs())
			c.Stop()
		}
	}()
	for _, sub := range []string{"state", "log", "munge", "spool-n1", "spool-n2"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o711); err != nil {
			return c, err
		}
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		return c, err
	}
	text := strings.ReplaceAll(config, "@S@", dir)
	for i := range 3 {
		port, err := freePort()
		if err != nil {
			return c, err
		}
		text = strings.ReplaceAll(text, fmt.Sprintf("@P%d@", i), port)
	}
	if err := os.WriteFile(c.conf(), []byte(text), 0o644); err != nil {
		return c, err
	}
	if err := c.startMunge(); err != nil {
		return c, err
	}
	if err := c.start("slurmctld", "slurmctld", "-D"); err != nil {
		return c, err
	}
	for _, node := range Nodes {
		if err := c.StartNode(node); err != nil {
			return c, err
		}
	}
	return c, wait(20*time.Second, "nodes that are idle", func() bool {
		out, err := c.Run("sinfo", "-h", "-N", "-o", "%t")
		return err == nil && strings.Count(out, "idle\n") == len(Nodes)
	})
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

func (c *Cluster) conf() string { return filepath.Join(c.Dir, "slurm.conf") }

// Env is the environment in which SLURM's commands mean this cluster.
func (c *Cluster) Env() []string { return append(os.Environ(), "SLURM_CONF="+c.conf()) }

// startMunge starts the daemon that vouches for users, with a key of its own.
func (c *Cluster) startMunge() error {
	munge, err := user.Lookup("munge")
	if err != nil {
		return err
	}
	uid, _ := strconv.Atoi(munge.Uid)
	gid, _ := strconv.Atoi(munge.Gid)
	dir := filepath.Join(c.Dir, "munge")
	key := make([]byte, 1024)
	rand.Read(key)
	if err := os.WriteFile(filepath.Join(dir, "key"), key, 0o600); err != nil {
		return err
	}
	if err := errors.Join(os.Chown(dir, uid, gid), os.Chown(filepath.Join(dir, "key"), uid, gid)); err != nil {
		return err
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	err = c.start("munged", "setpriv", "--reuid", "munge", "--regid", "munge", "--clear-groups", "munged", "--foreground", "--key-file="+in("key"),
		"--socket="+in("sock"), "--pid-file="+in("pid"), "--log-file="+in("log"), "--seed-file="+in("seed"))
	if err != nil {
		return err
	}
	return wait(10*time.Second, "munged's socket", func() bool { _, err := os.Stat(in("sock")); return err == nil })
}

// start starts a daemon as a child, which is waited for.
func (c *Cluster) start(name string, command ...string) error {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = c.Env()
	p := &process{cmd, make(chan struct{})}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { cmd.Wait(); close(p.over) }()
	c.daemon[name] = p
	return nil
}

// StartNode starts a node, at first or after it was killed.
func (c *Cluster) StartNode(node string) error {
	return c.start(node, "unshare", "--pid", "--fork", "--kill-child", "--mount-proc",
		"sh", "-c", "slurmd -D -N "+node+"; exec sleep infinity") // what runs here outlives slurmd, but not the namespace
}

// KillNode kills a node with all that runs on it. SLURM notices after some 15 s, or with tell at once.
func (c *Cluster) KillNode(node string, tell bool) error {
	c.kill(node, syscall.SIGKILL)
	if !tell {
		return nil
	}
	_, err := c.Run("scontrol", "update", "nodename="+node, "state=down", "reason=killed")
	return err
}

// KillSlurmd kills the daemon of a node alone: SLURM gives the node up, and what runs there goes on.
func (c *Cluster) KillSlurmd(node string) error {
	p, ok := c.daemon[node]
	if !ok {
		return fmt.Errorf("%s does not run", node)
	}
	for _, shell := range children(p.Process.Pid) {
		for _, pid := range children(shell) {
			if name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); strings.TrimSpace(string(name)) == "slurmd" {
				return syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
	return fmt.Errorf("%s has no slurmd", node)
}

// children returns the processes that a process has started.
func children(pid int) (pids []int) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, field := range strings.Fields(string(text)) {
		if n, err := strconv.Atoi(field); err == nil {
			pids = append(pids, n)
		}
	}
	return pids
}

func (c *Cluster) kill(name string, s syscall.Signal) {
	p, ok := c.daemon[name]
	if !ok {
		return
	}
	p.Process.Signal(s)
	select {
	case <-p.over:
	case <-time.After(10 * time.Second):
		p.Process.Kill()
		<-p.over
	}
	delete(c.daemon, name)
}

// Run runs a command on the cluster and returns what it printed.
func (c *Cluster) Run(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = c.Env()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// Stop ends all daemons and all jobs, and removes the folder.
func (c *Cluster) Stop() {
	for _, node := range Nodes {
		c.kill(node, syscall.SIGKILL)
	}
	c.kill("slurmctld", syscall.SIGTERM)
	c.kill("munged", syscall.SIGTERM)
	os.RemoveAll(c.Dir)
}

// logs returns the ends of the daemons' logs.
func (c *Cluster) logs() string {
	var b strings.Builder
	files, _ := filepath.Glob(filepath.Join(c.Dir, "log", "*.log"))
	for _, path := range files {
		text, _ := os.ReadFile(path)
		fmt.Fprintf(&b, "%s:\n%s\n", filepath.Base(path), text[max(0, len(text)-2000):])
	}
	return b.String()
}

func wait(limit time.Duration, what string, ready func() bool) error {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if ready() {
			return nil
		}
	}
	return fmt.Errorf("after %v there are no %s", limit, what)
}
