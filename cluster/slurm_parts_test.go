package cluster_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/cluster"
	"github.com/nextslice/nextslice/internal/slurmtest"
)

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
	s.Program = l.program
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
