//go:build !windows

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/script"
	"github.com/nextslice/nextslice/annotate/server"
	"github.com/nextslice/nextslice/dataset/phantom"
	"github.com/nextslice/nextslice/internal/torture"
)

// tormented returns until when a torture goes on, by the time that NEXTSLICE_TORTURE gives, and a source of chance, whose seed it logs.
func tormented(t *testing.T) (end time.Time, rng *rand.Rand) {
	t.Helper()
	given := os.Getenv("NEXTSLICE_TORTURE")
	if given == "" {
		t.Skip("takes the time that NEXTSLICE_TORTURE gives: make torture")
	}
	limit, err := time.ParseDuration(given)
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return time.Now().Add(limit), rand.New(rand.NewPCG(seed, 0))
}

// total adds what a torture has done to the file that NEXTSLICE_TOTALS names: docs/torture.csv, from which scripts/totals.sh adds it up.
func total(t *testing.T, what string, tried, acknowledged, lost int) {
	t.Helper()
	t.Logf("%s: %d, labels acknowledged: %d, lost or wrong: %d", what, tried, acknowledged, lost)
	path := os.Getenv("NEXTSLICE_TOTALS")
	if path == "" {
		return
	}
	if t.Failed() {
		lost = max(1, lost)
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	commit, _ := exec.Command("git", "describe", "--always", "--dirty").Output() // unknown where there is none
	if _, err := fmt.Fprintf(file, "%s,%s,%s,%s,%d,%d,%d\n", time.Now().UTC().Format("2006-01-02"), bytes.TrimSpace(commit), what, os.Getenv("NEXTSLICE_TORTURE"), tried, acknowledged, lost); err != nil {
		t.Fatal(err)
	}
}

// saved are the labels that a server has acknowledged; several people add to them.
type saved struct {
	mu      sync.Mutex
	labels  []acknowledged
	checked int // so many of them after an earlier kill
}

type acknowledged struct {
	item    string
	version int
	mask    []byte
}

// work saves labels until the server is gone.
func (s *saved) work(ctx context.Context, address, name string, rng *rand.Rand) {
	client, err := script.LogIn(ctx, script.HTTP(), address, name, "")
	for err == nil {
		var task *annotate.Task
		if task, err = client.Next(ctx); err != nil {
			return
		}
		item, size := fmt.Sprintf("phantom_%03d/%03d", rng.IntN(3), rng.IntN(12)), 128*128
		if task != nil {
			item, size = task.Item, task.Height*task.Width
		}
		mask := make([]byte, size)
		for range 50 {
			mask[rng.IntN(size)] = 1
		}
		var answer server.Saved
		answer, err = client.Save(ctx, item, mask, 1, "edited", 0)
		if refused, ok := errors.AsType[*script.Error](err); ok && refused.Status < 500 { // somebody else has it
			err = nil
			continue
		}
		if err != nil {
			return
		}
		s.mu.Lock()
		s.labels = append(s.labels, acknowledged{item, answer.Version, mask})
		s.mu.Unlock()
	}
}

// check looks for the labels that were acknowledged since the last check, or for all of them, and returns how many a server does not have.
func (s *saved) check(t *testing.T, address string, all bool) (lost int) {
	t.Helper()
	if all {
		s.checked = 0
	}
	for _, a := range s.labels[s.checked:] {
		if got := get(t, address, a.item, fmt.Sprintf("versions/%d/mask", a.version)); !bytes.Equal(got, a.mask) {
			lost++
			t.Errorf("%s: version %d, which was acknowledged, is not there", a.item, a.version)
		}
	}
	s.checked = len(s.labels)
	return lost
}

func tortureData(t *testing.T) string {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	if err := phantom.Write(t.Context(), data, 3, 1, nil); err != nil {
		t.Fatal(err)
	}
	return data
}

// TestTortureServer kills a server again and again while four people save, and finds every label that was acknowledged.
func TestTortureServer(t *testing.T) {
	end, rng := tormented(t)
	data := tortureData(t)
	args := []string{"serve", "--data", data, "--masks", "ignore", "--no-train", "--open=false", "--addr", "127.0.0.1:0"}
	s := &saved{}
	kills, lost := 0, 0
	for time.Now().Before(end) {
		process, address := child(t, args...)
		lost += s.check(t, address, false)
		var people sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		for n := range 4 {
			one := rand.New(rand.NewPCG(rng.Uint64(), 1))
			people.Go(func() { s.work(ctx, address, fmt.Sprint("person", n), one) })
		}
		time.Sleep(time.Duration(rng.IntN(600)) * time.Millisecond)
		process.Process.Kill()
		process.Wait()
		cancel()
		people.Wait()
		kills++
	}
	_, address := child(t, args...)
	lost += s.check(t, address, true)
	total(t, "kills of a server", kills, len(s.labels), lost)
}

// durable is what a power loss would leave of the files of a folder: of each what it held when it was last synced. Names are taken to be
// as they are: a rename is not undone.
type durable map[uint64][]byte // by inode

func (d durable) sync(path string) {
	info, err := os.Stat(path)
	if err != nil {
		return
	}
	if text, err := os.ReadFile(path); err == nil {
		d[info.Sys().(*syscall.Stat_t).Ino] = text
	}
}

// lose makes a folder what a power loss leaves of it; of each file that was changed since its last sync, by chance, nothing of that or all.
func (d durable) lose(dir string, rng *rand.Rand) (files int, err error) {
	err = filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		if strings.HasSuffix(path, "-shm") {
			return os.Remove(path) // SQLite makes it anew
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		now, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if then := d[info.Sys().(*syscall.Stat_t).Ino]; !bytes.Equal(now, then) && rng.IntN(3) > 0 {
			files++
			return os.WriteFile(path, then, 0o600)
		}
		return nil
	})
	return files, err
}

// TestTorturePower stops a server inside a system call while two people save, takes away what it had not synced, and finds every label that was
// acknowledged.
func TestTorturePower(t *testing.T) {
	end, rng := tormented(t)
	if !torture.Supported {
		t.Skip("Linux on amd64 only")
	}
	data := tortureData(t)
	project := data + "-annotation"
	s := &saved{}
	losses, changed, lost := 0, 0, 0
	for time.Now().Before(end) {
		c := exec.Command("nextslice", "serve", "--data", data, "--masks", "ignore", "--no-train", "--open=false", "--addr", "127.0.0.1:0")
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var people sync.WaitGroup
		seeds := []uint64{rng.Uint64(), rng.Uint64()}
		people.Go(func() {
			address := ""
			for lines := bufio.NewScanner(out); lines.Scan() && address == ""; {
				if a, ok := strings.CutPrefix(lines.Text(), "page"); ok {
					address = strings.TrimSpace(a)
				}
			}
			if address == "" {
				return
			}
			for n, seed := range seeds {
				people.Go(func() { s.work(ctx, address, fmt.Sprint("person", n), rand.New(rand.NewPCG(seed, 2))) })
			}
			io.Copy(io.Discard, out)
		})
		d := durable{}
		filepath.WalkDir(project, func(path string, e os.DirEntry, err error) error { // what is there is synced
			if err == nil && e.Type().IsRegular() {
				d.sync(path)
			}
			return nil
		})
		last := 100 + rng.IntN(1500)
		_, _, err = torture.Run(c, func(call torture.Call) bool {
			if !call.Entry && call.Name == "fsync" && strings.HasPrefix(call.Path, project) {
				d.sync(call.Path)
			}
			return call.N >= last
		})
		cancel()
		people.Wait()
		if err != nil {
			t.Fatalf("the server ended: %v", err)
		}
		n, err := d.lose(project, rng)
		if err != nil {
			t.Fatal(err)
		}
		losses++
		changed += n
		process, address := child(t, "serve", "--data", data, "--masks", "ignore", "--no-train", "--open=false", "--addr", "127.0.0.1:0")
		lost += s.check(t, address, false)
		process.Process.Kill()
		process.Wait()
	}
	t.Logf("%d files lost what was not synced", changed)
	total(t, "power losses", losses, len(s.labels), lost)
}

// TestTortureWrites kills every writing command inside a write, a sync, a rename or a removal, runs it again as it stands, and finds the same files
// as without.
func TestTortureWrites(t *testing.T) {
	end, rng := tormented(t)
	if !torture.Supported {
		t.Skip("Linux on amd64 only")
	}
	data := tortureData(t)
	base := t.TempDir()
	image := filepath.Join(data, "imagesTr", "phantom_000.nii.gz")
	net := filepath.Join(base, "model.safetensors")
	tiny := []string{"--preset", "demo", "--set", "steps=4", "--set", "width=2"}
	config := filepath.Join(base, "tiny.yaml")
	text := "data: " + data + "\npreset: demo\nstrategies: [random, entropy+sb]\ninitial-sets: 1\ninitial-size: 2\nquery-size: 2\ncycles: 2\ntrain: {steps: 4, width: 2}\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	finished := filepath.Join(base, "finished")
	for _, args := range [][]string{append([]string{"train", "--out", net, "--data", data}, tiny...), {"simulate", config, "--out", finished, "--threads", "1"}} {
		if out, err := exec.Command("nextslice", args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	commands := []struct {
		name  string
		args  func(dir string) []string
		again []string // what the second call has more
	}{
		{"phantom", func(dir string) []string { return []string{"phantom", filepath.Join(dir, "data"), "--cases", "2"} }, nil},
		{"convert", func(dir string) []string { return []string{"convert", image, filepath.Join(dir, "out.nrrd")} }, nil},
		{"train", func(dir string) []string {
			return append([]string{"train", "--out", filepath.Join(dir, "model.safetensors"), "--data", data, "--threads", "1"}, tiny...)
		}, nil},
		{"predict", func(dir string) []string {
			return []string{"predict", net, image, filepath.Join(dir, "mask.nii.gz"), "--uncertainty", filepath.Join(dir, "map.nii.gz"), "--threads", "1"}
		}, nil},
		{"predict folder", func(dir string) []string {
			return []string{"predict", net, data, filepath.Join(dir, "masks"), "--uncertainty", filepath.Join(dir, "maps"), "--threads", "1"}
		}, nil},
		{"simulate", func(dir string) []string {
			return []string{"simulate", config, "--out", filepath.Join(dir, "run"), "--threads", "1"}
		}, []string{"--resume"}},
		{"report", func(dir string) []string { return []string{"report", finished, "--out", filepath.Join(dir, "report")} }, nil},
		{"report export", func(dir string) []string {
			return []string{"report", finished, "--export", filepath.Join(dir, "record")}
		}, nil},
	}
	type known struct {
		calls int
		files map[string]string
	}
	wanted := map[string]known{}
	kills := map[string]int{}
	for round := 0; time.Now().Before(end); round++ {
		c := commands[round%len(commands)]
		want, ok := wanted[c.name]
		dir := filepath.Join(base, fmt.Sprint("round", round))
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if !ok { // once without a kill
			n, _, err := torture.Run(exec.Command("nextslice", c.args(dir)...), func(torture.Call) bool { return false })
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			wanted[c.name] = known{n, contentsOf(t, dir)}
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
			continue
		}
		at, entry := 1+rng.IntN(want.calls), rng.IntN(2) == 0
		name := ""
		_, killed, err := torture.Run(exec.Command("nextslice", c.args(dir)...), func(call torture.Call) bool {
			name = call.Name
			return call.N == at && call.Entry == entry
		})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if killed {
			kills[c.name]++
			again := append(c.args(dir), c.again...)
			out, err := exec.Command("nextslice", again...).CombinedOutput()
			if err != nil && (strings.Contains(string(out), "exists: choose another name") || strings.Contains(string(out), "holds a model")) {
				err = nil // it was finished
			}
			if err != nil {
				t.Errorf("%s, killed at call %d (%s, before it %v), cannot be run again: %v\n%s", c.name, at, name, entry, err, out)
			}
		}
		got := contentsOf(t, dir)
		for file, text := range want.files {
			if got[file] != text {
				t.Errorf("%s, killed at call %d (%s, before it %v): %s is not what it would have been", c.name, at, name, entry, file)
			}
		}
		for file := range got {
			if _, there := want.files[file]; !there {
				t.Errorf("%s, killed at call %d (%s, before it %v): %s is left over", c.name, at, name, entry, file)
			}
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	sum := 0
	for _, n := range kills {
		sum += n
	}
	t.Logf("%v", kills)
	total(t, "kills of writing commands", sum, 0, 0)
}

// contentsOf returns the files below a folder, but for those that tell times or where they lie.
func contentsOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		switch filepath.Base(path) {
		case "timings.jsonl", "env.json", ".contents.json", ".lock", "index.html", "report.json":
			text = nil
		}
		files[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestTortureSoak asks one server for all that a page asks for, and draws a curve of its memory, which must not rise.
func TestTortureSoak(t *testing.T) {
	end, rng := tormented(t)
	data := tortureData(t)
	process, address := child(t, "serve", "--data", data, "--no-train", "--open=false", "--addr", "127.0.0.1:0", "--cache", "64")
	client := script.HTTP()
	defer client.CloseIdleConnections()
	begin, requests := time.Now(), 0
	every := max(time.Second, time.Until(end)/60)
	next := begin
	var curve []float64
	mask := make([]byte, 128*128)
	person, err := script.LogIn(t.Context(), client, address, "ana", "")
	if err != nil {
		t.Fatal(err)
	}
	for time.Now().Before(end) {
		item := fmt.Sprintf("phantom_%03d/%03d", rng.IntN(3), rng.IntN(12))
		switch rng.IntN(5) {
		case 0:
			task, err := person.Next(t.Context())
			if err == nil && task != nil {
				_, err = person.Save(t.Context(), task.Item, make([]byte, task.Height*task.Width), 1, "empty", 0)
			} else if err == nil {
				_, err = person.Save(t.Context(), item, mask, 1, "empty", 0)
			}
			if refused, ok := errors.AsType[*script.Error](err); err != nil && (!ok || refused.Status >= 500) {
				t.Fatal(err)
			}
		case 1:
			if _, err := person.Project(t.Context()); err != nil {
				t.Fatal(err)
			}
		case 2:
			if _, err := person.Queue(t.Context()); err != nil {
				t.Fatal(err)
			}
		case 3:
			get(t, address, item, "versions")
		case 4:
			if _, err := person.Curves(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		requests++
		if time.Now().After(next) {
			next = next.Add(every)
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", process.Process.Pid))
			if err != nil {
				t.Skip("there is no /proc here")
			}
			var all, resident, shared int
			if _, err := fmt.Sscan(string(text), &all, &resident, &shared); err != nil {
				t.Fatal(err)
			}
			mb := func(pages int) float64 { return float64(pages*os.Getpagesize()) / (1 << 20) }
			curve = append(curve, mb(resident))
			t.Logf("%5.0f s  %7d requests  %4.0f MB, of which %.0f MB are of files", time.Since(begin).Seconds(), requests, mb(resident), mb(shared))
		}
	}
	if n := len(curve) / 3; n > 2 {
		mean := func(v []float64) (m float64) {
			for _, x := range v {
				m += x / float64(len(v))
			}
			return m
		}
		if middle, last := mean(curve[n:2*n]), mean(curve[2*n:]); last > 1.1*middle+10 {
			t.Errorf("memory rose from %.0f to %.0f MB", middle, last)
		}
	}
	total(t, "requests of a soak", requests, 0, 0)
}
