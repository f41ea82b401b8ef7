package releasetest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/annotate/script"
)

const small = `data: data
canvas: [32, 32]
strategies: [random, entropy+sb]
initial-size: 4
query-size: 3
cycles: 2
initial-sets: 1
input: {antialias: false, slices: 1}
train: {steps: 20, width: 4, deep-supervision: false, augment: {scale: 0.1, zoom: 0, contrast: 0.2, gamma: 0}}
`

// simulate runs a small simulation on a data set and returns its cycles by unit.
func simulate(t *testing.T, s system, data, isa string) map[string][]active.Cycle {
	t.Helper()
	if err := os.CopyFS(filepath.Join(s.home, "data"), os.DirFS(data)); err != nil && !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.home, "small.yaml"), []byte(small), 0o600); err != nil {
		t.Fatal(err)
	}
	out := "run " + cmp.Or(isa, "widest") // Windows takes no space at the end of a name
	s.run(t, "simulate", s.path(filepath.Join(s.home, "small.yaml")), "--threads", "1", "--isa="+isa, "--out", out)
	units, err := filepath.Glob(filepath.Join(s.home, out, "units", "*", "cycles.jsonl"))
	if err != nil || len(units) != 2 {
		t.Fatalf("%s: units %v, %v", s.name, units, err)
	}
	cycles := map[string][]active.Cycle{}
	for _, path := range units {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			var c active.Cycle
			if err := json.Unmarshal(line, &c); err != nil {
				t.Fatal(err)
			}
			unit := filepath.Base(filepath.Dir(path))
			cycles[unit] = append(cycles[unit], c)
		}
	}
	return cycles
}

// rounding is how far measures may lie apart: multiply-adds round once on arm64 and twice on the baseline of amd64, in every step of a training.
const rounding = 1e-3

// Every program picks the same slices and measures the same, within rounding.
func TestSimulation(t *testing.T) {
	here := native(t)
	data := filepath.Join(t.TempDir(), "data")
	here.run(t, "phantom", data, "--cases", "5")
	want := map[string]map[string][]active.Cycle{}
	for _, isa := range []string{"baseline", ""} { // "" is the widest
		want[isa] = simulate(t, here, data, isa)
	}
	for _, one := range []struct {
		system
		isa string
	}{{arm64(t), "baseline"}, {windows(t), "baseline"}, {windows(t), ""}} {
		s, want := one.system, want[one.isa]
		got := simulate(t, s, data, one.isa)
		furthest := 0.0
		for unit, cycles := range want {
			if len(got[unit]) != len(cycles) {
				t.Errorf("%s: %s has %d cycles, want %d", s.name, unit, len(got[unit]), len(cycles))
				continue
			}
			for i, a := range cycles {
				b := got[unit][i]
				if !slices.Equal(a.Query, b.Query) {
					t.Errorf("%s: %s, cycle %d picks %v, want %v", s.name, unit, i, b.Query, a.Query)
				}
				x, y := float64(a.Measures.Mean.Dice3D.Value), float64(b.Measures.Mean.Dice3D.Value)
				furthest = max(furthest, math.Abs(x-y))
				if math.Abs(x-y) > rounding || math.IsNaN(x) != math.IsNaN(y) {
					t.Errorf("%s: %s, cycle %d: Dice %v, want %v", s.name, unit, i, y, x)
				}
				for j := range a.Scores {
					if d := math.Abs(a.Scores[j] - b.Scores[j]); d > rounding {
						t.Errorf("%s: %s, cycle %d: score %v, want %v", s.name, unit, i, b.Scores[j], a.Scores[j])
					}
				}
			}
		}
		t.Logf("%s: Dice at most %.1g apart", s.name, furthest)
	}
}

// A server labels through its API, lets no second one near its project, and has all labels after it was killed.
func TestServe(t *testing.T) {
	for _, make := range []func(*testing.T) system{native, arm64, windows} {
		s := make(t)
		t.Run(s.name, func(t *testing.T) { serves(t, s) })
	}
}

func serves(t *testing.T, s system) {
	scans := filepath.Join(s.home, "Aufnahmen für Ärzte")
	native(t).run(t, "phantom", scans, "--cases", "2") // quicker than under QEMU
	data := s.path(scans)
	args := []string{"--data", data, "--masks", "ignore", "--initial-size", "3", "--preset", "demo", "--set", "steps=3", "--lockstep", "--query-size", "2", "--threads", "1"}
	first := s.serve(t, args...)
	page, err := http.Get(first.address)
	if err != nil {
		t.Fatal(err)
	}
	html, _ := io.ReadAll(page.Body)
	page.Body.Close()
	if !bytes.Contains(html, []byte("assets/page-")) {
		t.Errorf("the page is not there:\n%.300s", html)
	}
	client, err := script.LogIn(t.Context(), script.HTTP(), first.address, "ana", "")
	if err != nil {
		t.Fatal(err)
	}
	label := func(n int) (items []string) {
		for end := time.Now().Add(2 * time.Minute); len(items) < n; {
			task, err := client.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if task == nil { // a model is trained
				if time.Now().After(end) {
					t.Fatalf("%s: nothing is asked for after %d labels", s.name, len(items))
				}
				time.Sleep(100 * time.Millisecond)
				continue
			}
			mask := bytes.Repeat([]byte{1}, task.Height*task.Width)
			if _, err := client.Save(t.Context(), task.Item, mask, 1, "edited", 0); err != nil {
				t.Fatal(err)
			}
			items = append(items, task.Item)
		}
		return items
	}
	items := label(4) // one beyond the first training

	second := s.start(t.Context(), append([]string{"serve", "--open=false", "--addr", "127.0.0.1:0"}, args...)...)
	out, err := second.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), "another nextslice serves this project") {
		t.Errorf("%s: a second server: %v\n%s", s.name, err, out)
	}

	if err := first.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	first.Wait()
	again := s.serve(t, args...)
	if client, err = script.LogIn(t.Context(), script.HTTP(), again.address, "ana", ""); err != nil {
		t.Fatal(err)
	}
	project, err := client.Project(t.Context())
	if err != nil || project.Labelled != len(items) {
		t.Errorf("%s: %d labels after the kill, want %d, %v", s.name, project.Labelled, len(items), err)
	}
	items = append(items, label(1)...)
	folder := filepath.Join(s.home, "Aufnahmen für Ärzte-annotation")
	name, _, _ := strings.Cut(items[0], "/")
	mask := filepath.Join(folder, "labels", "final", name+".nii.gz")
	for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if _, err := os.Stat(mask); err == nil {
			break
		} else if time.Now().After(end) {
			t.Fatal(err)
		}
	}

	// Ctrl-C ends it in order: then SQLite has put its log into the database, and after a kill not.
	log := filepath.Join(folder, "project.db-wal")
	again.Process.Signal(syscall.SIGKILL)
	again.Wait()
	if _, err := os.Stat(log); err != nil {
		t.Errorf("after a kill: %v", err)
	}
	if err := interrupt(t, s, args); err != nil {
		t.Errorf("%s: Ctrl-C: %v", s.name, err)
	}
	if _, err := os.Stat(log); err == nil {
		t.Errorf("%s: Ctrl-C did not end it in order", s.name)
	}
}

// interrupt starts a server, presses Ctrl-C in its terminal as soon as it serves, and waits for its orderly end.
func interrupt(t *testing.T, s system, args []string) error {
	if !s.console {
		server := s.serve(t, args...)
		if err := server.Process.Signal(os.Interrupt); err != nil {
			return err
		}
		return server.Wait()
	}
	// A key that is pressed in a terminal, which script(1) makes.
	var line strings.Builder
	line.WriteString("exec ") // a shell in between would end by the key itself
	for _, word := range append(append(s.command[:len(s.command):len(s.command)], "serve", "--open=false", "--addr", "127.0.0.1:0"), args...) {
		fmt.Fprintf(&line, "'%s' ", word)
	}
	c := exec.CommandContext(t.Context(), "script", "-qec", line.String(), "/dev/null")
	c.Env, c.Dir = append(os.Environ(), append(s.env, "TERM=xterm", "COLUMNS=200")...), s.home
	keys, err := c.StdinPipe()
	if err != nil {
		return err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	if _, err := pageOf(out); err != nil {
		return err
	}
	go io.Copy(io.Discard, out)
	time.Sleep(time.Second)
	if _, err := keys.Write([]byte{3}); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	select {
	case err := <-done:
		return err
	case <-time.After(30 * time.Second):
		c.Process.Kill()
		return errors.New("it does not end")
	}
}
