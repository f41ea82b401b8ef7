//go:build unix

package torch_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/nn/unet/torch"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
	"github.com/nextslice/nextslice/train"
)

// oneLine reports an error that is not one line with the words.
func oneLine(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Error("there was no error")
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than a line: %q", err)
	}
}

// script writes a shell script.
func script(t *testing.T, text string) string {
	path := filepath.Join(t.TempDir(), "python")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// site lets the Python of the test run a text when it starts.
func site(t *testing.T, text string) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "sitecustomize.py"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PYTHONPATH", dir)
}

// What is wrong before anything is computed is told in a line, without a wait.
func TestFaultsOfPython(t *testing.T) {
	good := python(t)
	for name, c := range map[string]struct {
		python string
		words  []string
	}{
		"no such program": {"/nowhere/python", []string{"there is no such program", "--python", torch.PythonVariable}},
		"no PyTorch":      {script(t, "exec "+good+` -I -S "$@"`), []string{"has no PyTorch", "-m pip install torch"}},
		"not a Python":    {"true", []string{"is not a Python"}},
		"a broken Python": {script(t, "echo a library is missing >&2; exit 127"), []string{"does not work: a library is missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := torch.New(t.Context(), ref.New(1), torch.Options{Python: c.python, Device: device})
			oneLine(t, err, append(c.words, "engine torch: ")...)
		})
	}
	t.Run("none", func(t *testing.T) {
		for _, name := range []string{torch.PythonVariable, "VIRTUAL_ENV", "CONDA_PREFIX", "PATH"} {
			t.Setenv(name, "")
		}
		if _, err := torch.FindPython(t.Context(), ""); err != nil { // else the system's has it
			oneLine(t, err, "no Python with PyTorch was found", "python3 -m venv")
		}
	})
	t.Run("precision", func(t *testing.T) {
		_, err := torch.New(t.Context(), ref.New(1), torch.Options{Python: good, Precision: "float8"})
		oneLine(t, err, `precision "float8"`, "exact, float32, tf32, bfloat16")
	})
}

// The order in which Pythons are tried: what is named, then the environments, then the path.
func TestFindPython(t *testing.T) {
	good := python(t)
	venv, conda := t.TempDir(), t.TempDir()
	for _, dir := range []string{venv, conda} {
		if err := errors.Join(os.Mkdir(filepath.Join(dir, "bin"), 0o700), os.Symlink(script(t, "exec "+good+` "$@"`), filepath.Join(dir, "bin", "python"))); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("VIRTUAL_ENV", venv)
	t.Setenv("CONDA_PREFIX", conda)
	t.Setenv(torch.PythonVariable, good)
	for _, c := range []struct{ named, unset, want string }{
		{filepath.Join(conda, "bin", "python"), "", filepath.Join(conda, "bin", "python")},
		{"", "", good},
		{"", torch.PythonVariable, filepath.Join(venv, "bin", "python")}, // the link, not what it leads to
		{"", "VIRTUAL_ENV", filepath.Join(conda, "bin", "python")},
	} {
		if c.unset != "" {
			t.Setenv(c.unset, "")
		}
		if got, err := torch.FindPython(t.Context(), c.named); err != nil || got != c.want {
			t.Errorf("named %q: got %s, %v, want %s", c.named, got, err, c.want)
		}
	}
}

// A device that there is not is refused by the worker; a GPU is never replaced by the processor.
func TestFaultsOfDevices(t *testing.T) {
	good := python(t)
	wrong := map[string][]string{"cuda:99": {"device cuda:99"}}
	if device == "cpu" {
		wrong = map[string][]string{"": {"sees no GPU", "--engine native"}} // others are in checks.py
	}
	for name, words := range wrong {
		_, err := torch.New(t.Context(), ref.New(1), torch.Options{Python: good, Device: name})
		oneLine(t, err, words...)
	}
}

// Whatever Python's modules print, whether there is numpy or not, in whichever folder: the worker's replies are its own. And it has a
// process group of its own, which Ctrl-C does not reach.
func TestSeam(t *testing.T) {
	site(t, `
import os, sys, threading, time
print("printed while Python starts")
sys.modules["numpy"] = None
def noise():
    while True:
        os.write(1, b"noise\n")
        time.sleep(0.001)
threading.Thread(target=noise, daemon=True).start()
`)
	here := t.TempDir()
	if err := os.WriteFile(filepath.Join(here, "torch.py"), []byte("raise SystemExit('the wrong torch')"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(here)
	e := start(t, torch.Options{})
	if group, err := syscall.Getpgid(e.Pid()); err != nil || group != e.Pid() || group == syscall.Getpgrp() {
		t.Errorf("the worker %d is in group %d, %v", e.Pid(), group, err)
	}
	r, err := train.Run(t.Context(), e, config(3), discs(4, 16), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if loss := r.Losses[2]; !(loss > 0 && loss < 2) {
		t.Errorf("the loss is %v", loss)
	}
	again, err := train.Run(t.Context(), e, config(3), discs(4, 16), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	for step, loss := range r.Losses { // PyTorch's own masks go by the seed too
		if d := again.Losses[step] - loss; d > 1e-4 || d < -1e-4 {
			t.Errorf("step %d: losses %v and %v with the same seed", step, loss, again.Losses[step])
		}
	}

	for range 5 { // networks that are no more
		unet.New(e, unet.Config{Classes: 2, Width: 2}, random.Stream(1)).Forward(tensor.New(tensor.Shape{N: 1, H: 8, W: 8, C: 1}), unet.Pass{})
	}
	for i := 0; e.Freed() < 4; i++ {
		if runtime.GC(); i > 100 {
			t.Fatalf("only %d of 5 networks are free", e.Freed())
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.Net.Forward(tensor.New(tensor.Shape{N: 1, H: 8, W: 8, C: 1}), unet.Pass{})
	if e.Freed() > 1 {
		t.Errorf("the worker was not told of %d networks", e.Freed())
	}
}

// worker.py imports PyTorch and the standard library only.
func TestImports(t *testing.T) {
	known := strings.Fields("contextlib ctypes functools json math os struct sys traceback torch")
	for line := range strings.Lines(string(torch.Program())) {
		words := strings.Fields(line)
		if len(words) > 1 && (words[0] == "import" || words[0] == "from") && !slices.Contains(known, words[1]) {
			t.Errorf("worker.py: %s", strings.TrimSpace(line))
		}
	}
}

// A worker that is killed ends the training that it was at, in a line, and no other: the next one has a new worker, and networks that were
// trained before go on there.
func TestKilledWorker(t *testing.T) {
	var notices []string
	e := start(t, torch.Options{Notice: func(text string) { notices = append(notices, text) }})
	x := tensor.New(tensor.Shape{N: 1, H: 16, W: 16, C: 1})
	x.Data[3] = 1
	before, err := train.Run(t.Context(), e, config(2), discs(4, 16), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(before.Net.Forward(x, unet.Pass{}).Data)
	first := e.Pid()
	_, err = train.Run(t.Context(), e, config(1000), discs(4, 16), 2, func(p train.Progress) {
		if p.Step == 2 {
			syscall.Kill(e.Pid(), syscall.SIGKILL)
		}
	})
	oneLine(t, err, "the worker ended (signal: killed)")
	after, err := train.Run(t.Context(), e, config(2), discs(4, 16), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if e.Pid() == first || len(notices) != 1 || !strings.Contains(notices[0], "a new one computes") {
		t.Errorf("worker %d after %d, notices %q", e.Pid(), first, notices)
	}
	after.Net.Forward(x, unet.Pass{})
	for _, same := range []bool{true, false, true} { // the new worker has not seen these images at first
		if got := before.Net.Forward(x, unet.Pass{SameImages: same}).Data; !near(got, want, 1e-4) {
			t.Errorf("the network of before computes %v, want %v", got[:4], want[:4])
		}
	}

	// One that hangs is killed some time after Ctrl-C.
	e.SetPatience(300 * time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	begin := time.Now()
	_, err = train.Run(ctx, e, config(1000), discs(4, 16), 2, func(p train.Progress) {
		if p.Step == 2 {
			syscall.Kill(e.Pid(), syscall.SIGSTOP)
			time.AfterFunc(50*time.Millisecond, cancel)
		}
	})
	if took := time.Since(begin); !errors.Is(err, context.Canceled) || took > 20*time.Second {
		t.Errorf("after %v: %v", took, err)
	}
}

func near(a, b []float32, tolerance float32) bool {
	for i := range a {
		if d := a[i] - b[i]; !(d < tolerance && d > -tolerance) {
			return false
		}
	}
	return len(a) == len(b)
}

// A worker that ends by itself has said why on its error stream; with a fallback the processor goes on, and the person is told.
func TestFallback(t *testing.T) {
	site(t, `
import builtins, os, sys
real = builtins.__import__
def importing(name, *args, **kwargs):
    module = real(name, *args, **kwargs)
    if name == "torch" and hasattr(module, "batch_norm") and not hasattr(module, "nextslice_calls"):
        module.nextslice_calls, norm = 0, module.batch_norm
        def batch_norm(*args):
            module.nextslice_calls += 1
            if module.nextslice_calls > 100:
                sys.stderr.write("CUDA error: an illegal memory access\n")
                sys.stderr.flush()
                os._exit(3)
            return norm(*args)
        module.batch_norm = batch_norm
    return module
builtins.__import__ = importing
`)
	var notices []string
	e := start(t, torch.Options{Fallback: true, Notice: func(text string) { notices = append(notices, text) }})
	before := unet.New(e, unet.Config{Classes: 2, Width: 2}, random.Stream(1))
	x := tensor.New(tensor.Shape{N: 1, H: 16, W: 16, C: 1})
	x.Data[3] = 1
	want := slices.Clone(before.Forward(x, unet.Pass{}).Data)
	_, err := train.Run(t.Context(), e, config(1000), discs(4, 16), 2, nil)
	oneLine(t, err, "the worker ended (exit status 3): CUDA error: an illegal memory access")
	r, err := train.Run(t.Context(), e, config(2), discs(4, 16), 2, nil)
	if err != nil || r.Net.Remote() {
		t.Fatalf("on the processor: %v", err)
	}
	if len(notices) != 1 || !strings.Contains(notices[0], "the processor does from now on (engine ref)") {
		t.Errorf("notices %q", notices)
	}
	if got := before.Forward(x, unet.Pass{SameImages: true}).Data; before.Remote() || !near(got, want, 1e-4) {
		t.Errorf("the network of before computes %v, want %v", got[:4], want[:4])
	}
	if !strings.Contains(e.Detail(), "in place of PyTorch") {
		t.Error(e.Detail())
	}
}

// Where memory ends, the message says for what; the next training has a new worker with all of it.
func TestMemory(t *testing.T) {
	if device == "cpu" {
		site(t, `
import builtins
real = builtins.__import__
def importing(name, *args, **kwargs):
    module = real(name, *args, **kwargs)
    if name == "torch" and hasattr(module, "batch_norm"):
        builtins.__import__ = real
        import os, resource
        limit = int(open("/proc/self/statm").read().split()[0]) * os.sysconf("SC_PAGE_SIZE") + (1 << 30)
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    return module
builtins.__import__ = importing
`)
		if runtime.GOOS != "linux" {
			t.Skip("memory can be bounded on Linux only")
		}
	}
	e := start(t, torch.Options{Precision: "float32"})
	c := config(3)
	c.Width, c.Batch = 64, onGPU(512, 2)
	size := onGPU(512, 2048)
	_, err := train.Run(t.Context(), e, c, discs(1, size), 1, nil)
	words := []string{"does not suffice for", fmt.Sprintf("%d slices of %dx%d", c.Batch, size, size), "width 64", "lower batch or width"}
	if device != "cpu" {
		words = append(words, "GiB were free")
	}
	oneLine(t, err, words...)
	if r, err := train.Run(t.Context(), e, config(3), discs(4, 16), 1, nil); err != nil || len(r.Losses) != 3 {
		t.Errorf("the training after it: %v", err)
	}
}

// A worker does not outlive this program, however that ends.
func TestOrphan(t *testing.T) {
	good := python(t)
	if os.Getenv("NEXTSLICE_ORPHAN") != "" {
		e := start(t, torch.Options{})
		fmt.Printf("pid %d\n", e.Pid())
		select {}
	}
	c := exec.Command(os.Args[0], "-test.run", "^TestOrphan$")
	c.Env = append(os.Environ(), "NEXTSLICE_ORPHAN=1", torch.PythonVariable+"="+good)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	pid := 0
	for lines := bufio.NewScanner(out); pid == 0 && lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "pid "); ok {
			pid, _ = strconv.Atoi(text)
		}
	}
	if pid == 0 {
		t.Fatal("no worker was started")
	}
	c.Process.Kill()
	c.Wait()
	for begin := time.Now(); syscall.Kill(pid, 0) == nil && !isZombie(pid); time.Sleep(20 * time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			syscall.Kill(pid, syscall.SIGKILL)
			t.Fatal("the worker lives on")
		}
	}
}

// isZombie tells whether a process has ended and nobody has asked yet how.
func isZombie(pid int) bool {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(text), ") ")
	return strings.HasPrefix(state, "Z")
}
