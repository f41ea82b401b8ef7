package worklist

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The scores of shards are, together, those of the whole.
func TestShards(t *testing.T) {
	dir, _ := partly(t, 6, 1)
	c := small(t, dir, "dropout", 4)
	ask(t, c)
	c.Model, c.Work = filepath.Join(c.Work, modelFile), filepath.Join(t.TempDir(), "whole")
	whole := ask(t, c)
	want := map[string]bool{}
	collect := func(into map[string]bool, r *Result) (n int, part string) {
		t.Helper()
		copied := filepath.Join(t.TempDir(), "scores.csv")
		must(t, r.WriteScores(copied))
		text, err := os.ReadFile(copied)
		must(t, err)
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")[1:]
		for _, line := range lines {
			fields := strings.SplitN(line, ",", 3)
			into[fields[0]+","+fields[1]] = true
			part = strings.Join(fields[2:], "")
		}
		return len(lines), part
	}
	if _, part := collect(want, whole); part != "" {
		t.Errorf("the whole is %s", part)
	}
	got, n := map[string]bool{}, 0
	digests := map[string]bool{}
	shard := func(part int) string {
		t.Helper()
		c.Shard = Shard{part, 3}
		r := ask(t, c)
		if r.Picks != nil || r.Scored != r.Candidates {
			t.Errorf("shard %d: %+v", part, r)
		}
		lines, is := collect(got, r)
		n += lines
		of, digest, _ := strings.Cut(is, ",")
		if of != fmt.Sprintf("%d/3", part) || len(digest) != 16 {
			t.Errorf("shard %d says that it is %q", part, is)
		}
		digests[digest] = true
		return digest
	}
	for part := 1; part <= 3; part++ {
		if part == 3 { // on a machine with a copy of the data, at other times
			elsewhere := filepath.Join(t.TempDir(), "copy")
			must(t, os.CopyFS(elsewhere, os.DirFS(dir)))
			c.Experiment.Data = elsewhere
		}
		shard(part)
	}
	if len(digests) != 1 {
		t.Errorf("the shards are of queries %v", digests)
	}
	if n != len(want) || len(got) != len(want) {
		t.Fatalf("%d scores in shards, %d of them different, %d in the whole", n, len(got), len(want))
	}
	for line := range want {
		if !got[line] {
			t.Errorf("%s is in no shard", line)
		}
	}
	c.Exclude = []string{"phantom_001/000"}
	shard(1)
	c.Exclude = nil
	list := filepath.Join(t.TempDir(), "round1.csv")
	must(t, os.WriteFile(list, []byte("phantom_000/3\n"), 0o666))
	c.Labelled = []string{list}
	shard(1)
	if len(digests) != 3 {
		t.Errorf("with other candidates, and with other labels, the queries are %v", digests)
	}
	c.Shard = Shard{1, 7}
	if _, err := Run(t.Context(), engine(t), c, func(Progress) {}, func(string) {}); err == nil || !strings.Contains(err.Error(), "divide them into 6 parts at most") {
		t.Errorf("more shards than cases: %v", err)
	}
}
