package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/nextslice/nextslice/dataset/phantom/phantomtest"
	"github.com/nextslice/nextslice/record"
)

func TestExitCodes(t *testing.T) {
	for line, want := range map[string]int{
		"version":                           done,
		"--help":                            done,
		"simulate --help":                   done,
		"":                                  done,
		"simulat":                           misuse,
		"simulate --cycles many":            misuse,
		"simulate --cycles -1":              misuse,
		"select --scores x":                 misuse,
		"bench --width 3":                   misuse,
		"inspect " + t.TempDir() + "/none":  failed,
		"select --size 1 --scores /no/file": failed,
	} {
		var out, errs bytes.Buffer
		if got := run(t.Context(), strings.NewReader(""), &out, &errs, strings.Fields(line)); got != want {
			t.Errorf("%q: exit code %d, want %d\n%s", line, got, want, errs.String())
		}
		if want == done && errs.Len() > 0 || want != done && out.Len() > 0 {
			t.Errorf("%q: out %q, err %q", line, out.String(), errs.String())
		}
	}
}

// Whole numbers of flags are read as people write them: 010 would be 8.
func TestWholeNumbers(t *testing.T) {
	for line, want := range map[string]string{
		"simulate --initial-size 010":            `--initial-size: want a whole number without leading zeros or plus, got "010"`,
		"simulate --seed 0x10":                   `--seed: want a whole number, 0 or more, got "0x10"`,
		"simulate --seed=-1":                     `--seed: want a whole number, 0 or more, got "-1"`,
		"simulate --jobs 1_0":                    `--jobs: want a whole number, got "1_0"`,
		"simulate --cycles":                      "--cycles: expected int value but got none",
		"simulate --cycles 99999999999999999999": `got "99999999999999999999"`,
		"unit run 01":                            `want a whole number without leading zeros or plus, got "01"`,
		"train --set steps=010 --data phantom --out " + filepath.Join(t.TempDir(), "m.safetensors"): "--set steps=010: steps:1:9: steps: 010 is read as the number 8: write 10",
	} {
		var out, errs bytes.Buffer
		if got := run(t.Context(), strings.NewReader(""), &out, &errs, strings.Fields(line)); got != misuse || !strings.Contains(errs.String(), want) {
			t.Errorf("%q: exit code %d, %s\nwant %s", line, got, errs.String(), want)
		}
	}
}

// full is a disk with room for so many bytes.
type full struct{ left int }

func (w *full) Write(text []byte) (int, error) {
	n := min(w.left, len(text))
	if w.left -= n; n < len(text) {
		return n, fmt.Errorf("write results: %w", syscall.ENOSPC)
	}
	return n, nil
}

// A command whose output is cut has failed, and says so, once.
func TestOutputThatIsCut(t *testing.T) {
	for _, line := range []string{
		"strategies", "strategies --json", "completion bash", "completion zsh", "completion fish", "version", "version --json", "presets", "licences", "--help", "serve --help",
	} {
		for _, room := range []int{0, 5, 100} {
			var whole, errs bytes.Buffer
			if code := run(t.Context(), nil, &whole, &errs, strings.Fields(line)); code != done {
				t.Fatalf("%s: %s", line, errs.String())
			}
			if whole.Len() <= room {
				continue
			}
			code := run(t.Context(), nil, &full{room}, &errs, strings.Fields(line))
			if code != failed || strings.Count(errs.String(), "\n") != 1 || !strings.Contains(errs.String(), syscall.ENOSPC.Error()) {
				t.Errorf("%s with room for %d bytes: code %d: %s", line, room, code, errs.String())
			}
		}
	}
}

// interrupter cancels when a line appears, as a person does who has seen enough.
type interrupter struct {
	bytes.Buffer
	at     string
	cancel func()
}

func (w *interrupter) Write(text []byte) (int, error) {
	if strings.Contains(string(text), w.at) {
		w.cancel()
	}
	return w.Buffer.Write(text)
}

func TestInterruptTellsHowToGoOn(t *testing.T) {
	dir := t.TempDir()
	data, out := filepath.Join(dir, "my data"), filepath.Join(dir, "run")
	var discard bytes.Buffer
	if err := phantomtest.Write(data, 4, record.PhantomSeed); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	errs := &interrupter{at: "cycle 0: 2 labelled", cancel: cancel}
	config := filepath.Join(dir, "small.yaml")
	if err := os.WriteFile(config, []byte("canvas: [16, 16]\ninitial-size: 2\ntrain: {steps: 3, width: 2}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	line := []string{"simulate", config, "--data", data, "--out", out, "--strategies", "random"}
	if code := run(ctx, nil, &discard, errs, line); code != failed {
		t.Errorf("exit code %d", code)
	}
	want := "nextslice: interrupted; go on with:\n  nextslice simulate " + config + " --data " + quote(data) + " --out " + out + " --strategies random --resume\n"
	if runtime.GOOS != "windows" && !strings.Contains(want, " --data '"+data+"' ") {
		t.Errorf("not as a shell reads it: %s", want)
	}
	if !strings.HasSuffix(errs.String(), want) {
		t.Errorf("got %q\nwant %q", errs.String(), want)
	}
}

// A run folder is called after the folder of its data, however that is written.
func TestOwnFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "prostates", "t2")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for data, want := range map[string]string{".": "t2", "..": "prostates", "../t2/": "t2", dir: "t2", "elsewhere/x": "x", record.Phantom: record.Phantom} {
		if got := ownFolder(data); got != filepath.Join("runs", want) {
			t.Errorf("%s: %s, want runs/%s", data, got, want)
		}
	}
}

// However strategies are spelt, the table of a run finds their runs.
func TestStrategiesAreCanonical(t *testing.T) {
	list := "entropy+sb(draw=resample),random"
	config, err := simulateCommand{Strategies: &list}.config()
	if err != nil || strings.Join(config.Strategies, " ") != "entropy+sb random" {
		t.Errorf("%q, %v", config.Strategies, err)
	}
	list = "entropi"
	if _, err := (simulateCommand{Strategies: &list}).config(); err == nil {
		t.Error("no fault")
	}
}

func TestSplitList(t *testing.T) {
	got := splitList("random, entropy+sb(draw=partition,q=3),dropout(passes=4,map=jsd)+sb,")
	want := []string{"random", "entropy+sb(draw=partition,q=3)", "dropout(passes=4,map=jsd)+sb"}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got %q", got)
	}
}

// A demo has no --resume: what goes on with it is simulate.
func TestDemoInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out := filepath.Join(t.TempDir(), "first look")
	err := demoCommand{Out: out}.Run(ctx, streams{out: io.Discard, err: io.Discard, args: []string{"demo", "--out", out}})
	if want := "nextslice simulate --out " + quote(out) + " --resume"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}
