package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/dataset/phantom"
)

// The former name of the native engine is taken, with a line that tells the new one.
func TestEngineFlag(t *testing.T) {
	for given, want := range map[string]string{"": "", "ref": "ref", "native": "native", "onednn": "native"} {
		var errs strings.Builder
		if got := (engineFlag{Engine: given}).name(streams{err: &errs}); got != want {
			t.Errorf("%q: got %q, want %q", given, got, want)
		}
		if told := errs.String(); (told != "") != (given == "onednn") || strings.Count(told, "\n") > 1 {
			t.Errorf("%q: told %q", given, told)
		}
	}
}

// The tasks of a cluster compute in the precision of the recipe, by the instruction set that has it.
func TestPrecisionOnCluster(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rounded.yaml")
	if err := os.WriteFile(file, []byte("train: {precision: bfloat16}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dry := []string{"simulate", file, "--out", filepath.Join(t.TempDir(), "run"), "--slurm", "--dry-run"}
	var out, errs strings.Builder
	code := run(t.Context(), nil, &out, &errs, dry)
	if code != 0 || !strings.Contains(out.String(), "amx") { // planned on a machine that may lack it
		t.Errorf("exit code %d, %q, %q", code, out.String(), errs.String())
	}
	out.Reset()
	errs.Reset()
	if code := run(t.Context(), nil, &out, &errs, append(dry, "--isa", "avx2")); code != misuse || !strings.Contains(errs.String(), "with the instruction set amx") {
		t.Errorf("another instruction set: exit code %d, %q", code, errs.String())
	}
}

// What is wrong with PyTorch is told by every command in a line, before anything is computed, and nothing is begun.
func TestTorchFlags(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	data := filepath.Join(dir, "data")
	if err := phantom.Write(t.Context(), data, 2, 1, nil); err != nil {
		t.Fatal(err)
	}
	tf32 := filepath.Join(t.TempDir(), "tf32.yaml")
	if err := os.WriteFile(tf32, []byte("train: {precision: tf32}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	torch := []string{"--engine", "torch", "--python", "/nowhere/python"}
	for _, c := range []struct {
		args []string
		want string
	}{
		{append([]string{"train", "--data", data, "--out", "m.safetensors"}, torch...), "there is no such program"},
		{append([]string{"predict", "m.safetensors", data, "masks"}, torch...), "there is no such program"},
		{append([]string{"query", "--data", data, "--strategy", "entropy+sb", "--size", "2"}, torch...), "there is no such program"},
		{append([]string{"serve", "--data", data, "--no-open"}, torch...), "there is no such program"},
		{append([]string{"simulate", "--out", "run"}, torch...), "there is no such program"},
		{[]string{"simulate", "--out", "run", "--engine", "torch,native"}, "the records of a run come from one engine"},
		{[]string{"simulate", "--out", "run", "--engine", "torch", "--prepare"}, "tasks of a cluster compute on processors only"},
		{[]string{"query", "--data", data, "--slurm", "2", "--engine", "torch"}, "tasks of a cluster compute on processors only"},
		{[]string{"train", "--data", data, "--out", "m.safetensors", "--python", "python3"}, "--python belongs to --engine torch"},
		{[]string{"train", "--data", data, "--out", "m.safetensors", "--precision", "tf32"}, "precision tf32 belongs to --engine torch"},
		{[]string{"train", "--data", data, "--out", "m.safetensors", "--set", "precision=tf32"}, "precision tf32 belongs to --engine torch"},
		{[]string{"train", "--data", data, "--out", "m.safetensors", "--set", "precision=half"}, "precision: want exact, float32, tf32, bfloat16"},
		{[]string{"query", "--data", data, "--strategy", "entropy", "--size", "2", "--set", "precision=exact"}, "precision exact belongs to --engine torch"},
		{[]string{"serve", "--data", data, "--no-open", "--project", filepath.Join(t.TempDir(), "p"), "--masks", "ignore", "--set", "precision=tf32"}, "precision tf32 belongs to --engine torch"},
		{[]string{"predict", "m.safetensors", data, "masks", "--engine", "ref", "--precision", "bfloat16"}, "is for --engine native"},
		{[]string{"simulate", "--out", "run", "--prepare", "--precision", "bfloat16"}, "say --isa amx"},
		{[]string{"query", "--data", data, "--slurm", "2", "--precision", "bfloat16"}, "say --isa amx"},
		{[]string{"simulate", "--out", "run", "--isa", "avx2", "--precision", "bfloat16"}, "with the instruction set amx"},
		{[]string{"simulate", tf32, "--out", "run"}, "precision tf32 belongs to --engine torch"},
		{[]string{"simulate", tf32, "--out", "run", "--prepare"}, "precision tf32 belongs to --engine torch"},
		{[]string{"serve", "--data", data, "--no-open", "--engine", "cuda"}, "or torch for a GPU"},
	} {
		var out, errs strings.Builder
		code := run(t.Context(), nil, &out, &errs, c.args)
		if lines := strings.TrimSpace(errs.String()); code != misuse || !strings.Contains(lines, c.want) || strings.Count(lines, "\n") > 0 {
			t.Errorf("%s: exit code %d, %q, want one line with %q", strings.Join(c.args, " "), code, lines, c.want)
		}
	}
	if left, _ := filepath.Glob("*"); len(left) != 1 {
		t.Errorf("there is %v", left)
	}
}
