package cluster

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSubmitted(t *testing.T) {
	for out, want := range map[string]jobID{"12\n": {ID: "12"}, "12;gold\n": {"12", "gold"}} {
		if got, err := parseSubmitted(out); err != nil || got != want {
			t.Errorf("%q: %v, %v", out, got, err)
		}
	}
	for _, out := range []string{"", "Submitted batch job 12\n", "0", ";gold"} {
		if got, err := parseSubmitted(out); err == nil {
			t.Errorf("%q was read as %v", out, got)
		}
	}
}

func TestParseQueue(t *testing.T) {
	got, err := parseQueue("6|0|RUNNING|None|n1|2026-11-29T10:00:00\n6|4|PENDING|JobArrayTaskLimit||N/A\n\n7|N/A|RUNNING|None|n1|2026\n6|1|COMPLETED|None|n2|2026-11-29T10:00:00\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []queued{
		{"6", 0, "RUNNING", "None", "n1", "2026-11-29T10:00:00"}, {"6", 4, "PENDING", "JobArrayTaskLimit", "", "N/A"}, {"6", 1, "COMPLETED", "None", "n2", "2026-11-29T10:00:00"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for i, state := range [][2]bool{{true, false}, {true, true}, {false, false}} {
		if got[i].alive() != state[0] || got[i].waits() != state[1] {
			t.Errorf("%s: alive %v, waits %v", got[i].State, got[i].alive(), got[i].waits())
		}
	}
	if _, err := parseQueue("JOBID PARTITION NAME\n"); err == nil {
		t.Error("another format was read")
	}
}

func TestParseScripts(t *testing.T) {
	out := "6|/x/slurm/001/units.sh\n6|/x/slurm/001/units.sh\n8|/x/slurm/002/units.sh\n9|(null)\n"
	if diff := cmp.Diff([]jobID{{ID: "6"}}, parseScripts(out, "/x/slurm/001/units.sh")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What sacct says, also of elements that are still pending, which are one line, and of cancelled ones.
func TestParseAccount(t *testing.T) {
	got := parseAccount("6_0|TIMEOUT|0:0\n6_1|OUT_OF_MEMORY|0:125\n6_2|CANCELLED by 0|0:15\n6_3|COMPLETED|0:0\n6_[4-5%4]|PENDING|0:0\n16_7|FAILED|1:0\n", "6")
	want := map[int]string{0: "TIMEOUT", 1: "OUT_OF_MEMORY, exit 0:125", 2: "CANCELLED, exit 0:15", 3: "COMPLETED"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := parseAccount("Slurm accounting storage is disabled\n", "6"); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func TestParseMaxArraySize(t *testing.T) {
	if n := parseMaxArraySize("Configuration data as of 2026\nMailProg = /bin/mail\nMaxArraySize            = 101\nMaxJobCount = 10000\n"); n != 101 {
		t.Errorf("got %d", n)
	}
	if n := parseMaxArraySize(""); n != 1001 {
		t.Errorf("of nothing: %d", n)
	}
}

// A program in place of SLURM's that fails as it does.
func TestCommand(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("SQUEUE_PARTITION", "gold")
	script := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	script("squeue", `case "$*" in *7,8*) echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1;; *"-j 7"*) echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1;; esac
echo "8|0|RUNNING|None|n1|$SQUEUE_PARTITION"`)
	got, err := queue(t.Context(), []jobID{{ID: "7"}, {ID: "8"}})
	if err != nil || len(got) != 1 || got[0].Job != "8" || got[0].Start != "" {
		t.Errorf("of a job that was forgotten and one that runs: %v, %v", got, err)
	}
	script("squeue", "echo 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2; exit 1")
	if _, err := queue(t.Context(), []jobID{{ID: "7"}}); err == nil || !strings.Contains(err.Error(), "Unable to contact slurm controller") {
		t.Errorf("with the controller away: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := queue(t.Context(), []jobID{{ID: "7"}}); err == nil || !strings.Contains(err.Error(), "there is no squeue here") {
		t.Errorf("without SLURM: %v", err)
	}
}

func TestLastLines(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	write := func(text string) {
		if err := os.WriteFile(log, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a\nb\n\nc\n\n")
	if diff := cmp.Diff([]string{"b", "c"}, LastLines(log, 2)); diff != "" {
		t.Error(diff)
	}
	write("a\npanic: out of luck\n\ngoroutine 1 [running]:\nmain.main()\n\tmain.go:3\nexit status 2\n")
	if diff := cmp.Diff([]string{"panic: out of luck", "goroutine 1 [running]:"}, LastLines(log, 2)); diff != "" {
		t.Error(diff)
	}
	write(strings.Repeat("x\n", 1<<17) + "last\n")
	if diff := cmp.Diff([]string{"last"}, LastLines(log, 1)); diff != "" {
		t.Error(diff)
	}
	if got := LastLines(filepath.Join(log, "none"), 3); got != nil {
		t.Errorf("of no file: %v", got)
	}
}

func TestPerTask(t *testing.T) {
	for _, c := range []struct{ units, want, limit, size int }{
		{18, 0, 1000, 1}, {18, 4, 1000, 4}, {1000, 1, 1000, 1}, {1001, 1, 1000, 2}, {3000, 2, 1000, 3}, {250, 1, 101, 3}, {0, 1, 101, 1},
	} {
		if got := perTask(c.units, c.want, c.limit); got != c.size {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}

func TestSecondsAreNumbers(t *testing.T) {
	dir := t.TempDir()
	p := &Plan{Dir: dir, Patience: seconds(defaultPatience)}
	if err := writeJSON(filepath.Join(dir, planFile), p); err != nil {
		t.Fatal(err)
	}
	var back Plan
	if err := readJSON(filepath.Join(dir, planFile), &back); err != nil || back.Patience != p.Patience {
		t.Errorf("%v, %v", back.Patience, err)
	}
	path := filepath.Join(dir, "new.json")
	if err := writeNewJSON(path, 1); err != nil {
		t.Fatal(err)
	}
	if err := writeNewJSON(path, 2); !errors.Is(err, os.ErrExist) {
		t.Errorf("a second file of that name: %v", err)
	}
}
