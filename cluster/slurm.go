package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"
)

// slurmPatience is how long a command of SLURM may take: with its controller away they fail after minutes, or never.
var slurmPatience = 30 * time.Second

// notRunError tells that a command of SLURM was not even started, so that it has done nothing.
type notRunError struct{ error }

// command runs a command of SLURM and returns what it printed. The error has what it complained of.
func command(ctx context.Context, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, slurmPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	// SQUEUE_PARTITION and others would narrow what squeue shows.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "SQUEUE_") || strings.HasPrefix(v, "SACCT_") })
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.WaitDelay = time.Second // for what a wrapper has started
	apart(cmd)
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", notRunError{fmt.Errorf("there is no %s here: use a machine that has SLURM's commands", name)}
	case err != nil && cmd.Process == nil:
		return "", notRunError{fmt.Errorf("%s: %w", name, err)}
	case err != nil && ctx.Err() != nil:
		return "", fmt.Errorf("%s did not answer within %v", name, slurmPatience)
	case err != nil:
		said := strings.Join(strings.Fields(strings.ReplaceAll(errs.String(), name+": error: ", "")), " ")
		if said == "" {
			said = err.Error()
		}
		return "", fmt.Errorf("%s: %s", name, said)
	}
	return out.String(), nil
}

// jobID is the id of a job, and of the cluster it was sent to where there are several.
type jobID struct {
	ID      string `json:"id"`
	Cluster string `json:"cluster,omitempty"`
}

// parseSubmitted reads what sbatch --parsable prints: 12, or 12;cluster.
func parseSubmitted(out string) (jobID, error) {
	id, cluster, _ := strings.Cut(strings.TrimSpace(out), ";")
	if n, err := strconv.Atoi(id); err != nil || n <= 0 {
		return jobID{}, fmt.Errorf("sbatch --parsable printed %q, not the id of a job", strings.TrimSpace(out))
	}
	return jobID{id, cluster}, nil
}

// queued is what squeue says of an element of a job array.
type queued struct {
	Job     string // of the array
	Element int
	State   string // PENDING, RUNNING, ...
	Reason  string
	Nodes   string
	Start   string // expected or actual, N/A if unknown
}

// squeueFormat is of a text whose fields are the same in every release; those of --json are not.
const squeueFormat = "%F|%K|%T|%r|%N|%S"

// parseQueue reads what squeue -h prints in squeueFormat.
func parseQueue(out string) ([]queued, error) {
	var all []queued
	for line := range strings.Lines(out) {
		fields := strings.Split(strings.TrimSpace(line), "|")
		if len(fields) == 1 && fields[0] == "" {
			continue
		}
		if len(fields) != 6 {
			return nil, fmt.Errorf("squeue printed %q, not the 6 fields that it was asked for", strings.TrimSpace(line))
		}
		element, err := strconv.Atoi(fields[1])
		if err != nil {
			continue // not of an array
		}
		all = append(all, queued{fields[0], element, fields[2], fields[3], fields[4], fields[5]})
	}
	return all, nil
}

// ended are the states that squeue still shows for a while after a job.
var ended = []string{"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT"}

// alive tells whether the element runs or waits.
func (q queued) alive() bool { return !slices.Contains(ended, q.State) }

// waits tells whether the element has yet to be started, or started again.
func (q queued) waits() bool {
	return slices.Contains([]string{"PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT", "CONFIGURING"}, q.State)
}

// queue asks SLURM about job arrays. Elements that it has forgotten are missing from the answer; an error says that it did not tell.
func queue(ctx context.Context, ids []jobID) ([]queued, error) {
	clusters := map[string][]string{}
	for _, id := range ids {
		clusters[id.Cluster] = append(clusters[id.Cluster], id.ID)
	}
	var all []queued
	for cluster, of := range clusters {
		some, err := queueOf(ctx, cluster, of)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

func queueOf(ctx context.Context, cluster string, ids []string) ([]queued, error) {
	out, err := command(ctx, "squeue", onCluster(cluster, "-h", "-a", "-r", "-t", "all", "-j", strings.Join(ids, ","), "-o", squeueFormat)...)
	if err != nil && strings.Contains(err.Error(), "Invalid job id") {
		if len(ids) == 1 {
			return nil, nil // it was forgotten
		}
		var all []queued
		for _, id := range ids {
			some, err := queueOf(ctx, cluster, []string{id})
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	return parseQueue(out)
}

func onCluster(cluster string, args ...string) []string {
	if cluster == "" {
		return args
	}
	return append([]string{"-M", cluster}, args...)
}

// submitted looks for the arrays of a user that run a script: those of a submitter that was killed before it could write down their ids.
func submitted(ctx context.Context, script string) ([]jobID, error) {
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	out, err := command(ctx, "squeue", "-h", "-a", "-u", me.Username, "-o", "%F|%o")
	if err != nil {
		return nil, err
	}
	return parseScripts(out, script), nil
}

func parseScripts(out, script string) (ids []jobID) {
	for line := range strings.Lines(out) {
		id, runs, _ := strings.Cut(strings.TrimSpace(line), "|")
		if runs == script && !slices.Contains(ids, jobID{ID: id}) {
			ids = append(ids, jobID{ID: id})
		}
	}
	return ids
}

// account asks the accounting database, if there is one, why elements ended: by element, such as "TIMEOUT" or "OUT_OF_MEMORY, exit 0:125".
func account(ctx context.Context, id jobID) map[int]string {
	out, err := command(ctx, "sacct", onCluster(id.Cluster, "-XnP", "-o", "JobID,State,ExitCode", "-j", id.ID)...)
	if err != nil {
		return nil // accounting is off in many places, and away in others
	}
	return parseAccount(out, id.ID)
}

func parseAccount(out, id string) map[int]string {
	states := map[int]string{}
	for line := range strings.Lines(out) {
		fields := strings.Split(strings.TrimSpace(line), "|")
		if len(fields) != 3 {
			continue
		}
		job, element, _ := strings.Cut(fields[0], "_")
		n, err := strconv.Atoi(element) // pending ones are 6_[4-5%4]
		if job != id || err != nil {
			continue
		}
		state, _, _ := strings.Cut(fields[1], " ") // CANCELLED by 0
		if fields[2] != "0:0" {
			state += ", exit " + fields[2]
		}
		states[n] = state
	}
	return states
}

// maxArraySize returns how many elements an array may have here: that of a plain installation where SLURM does not tell.
func maxArraySize(ctx context.Context) int {
	out, err := command(ctx, "scontrol", "show", "config")
	if err != nil {
		return 1001
	}
	return parseMaxArraySize(out)
}

func parseMaxArraySize(out string) int {
	for line := range strings.Lines(out) {
		key, value, _ := strings.Cut(line, "=")
		if n, err := strconv.Atoi(strings.TrimSpace(value)); strings.TrimSpace(key) == "MaxArraySize" && err == nil && n > 0 {
			return n
		}
	}
	return 1001
}
