package cluster

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestShardsScript(t *testing.T) {
	s := &Shards{Dir: "/x y", Name: "query", Of: 10, CPUs: 2, File: "scores-{}.csv", Args: []string{"query", "--data", "my data", "--shard", "{}/10", "--scores", "/x y/scores-{}.csv"}}
	want := `#!/bin/bash
umask 077
[ -f /proc/self/fd/1 ] && chmod 600 /proc/self/fd/1
module load gcc
export GOMAXPROCS=2
exec '/x y/nextslice' query --data 'my data' --shard "$SLURM_ARRAY_TASK_ID"/10 --scores '/x y/scores-'"$SLURM_ARRAY_TASK_ID".csv
`
	if got := s.scriptText("module load gcc\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	args := strings.Join(SlurmOptions{AtOnce: 3, Mem: "4G"}.sbatch(s.array([]string{"2", "7"}, SlurmOptions{AtOnce: 3})), " ")
	for _, want := range []string{"--array=2,7%3", "--cpus-per-task=2", "--mem=4G", "--output=/x y/log/part-%A_%a.log", "--requeue"} {
		if !strings.Contains(args, want) {
			t.Errorf("%s is not in %s", want, args)
		}
	}
}

func TestShardsRefusals(t *testing.T) {
	dir := t.TempDir()
	for want, s := range map[string]Shards{
		"want 1 to 1000":   {Dir: dir, File: "{}"},
		"1001 parts":       {Dir: dir, File: "{}", Of: 1001},
		"the same file":    {Dir: dir, File: "scores.csv", Of: 2},
		"the whole path":   {Dir: "here", File: "{}", Of: 2},
		"SLURM does not t": {Dir: dir, File: "{}", Of: 2, Jobs: []jobID{{ID: "7"}}},
	} {
		fake(t, "squeue", "echo 'Unable to contact slurm controller' >&2; exit 1")
		if _, err := s.Submit(t.Context(), SlurmOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) > 0 {
		t.Errorf("left %v", files)
	}
}
