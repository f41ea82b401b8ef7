package experiment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/tensor/engines"
)

// prepared returns an experiment of 2 strategies × 2 sets that is prepared, and the records of a plain run of it.
func prepared(t *testing.T) (c record.Config, dir string, want map[string]string) {
	t.Helper()
	c = smallConfig(t, 4)
	c.Train.Steps, c.Train.Width, c.InitialSets, c.QuerySize, c.Canvas = 3, 2, 2, 4, []int{16, 16}
	plain := filepath.Join(t.TempDir(), "plain")
	if err := Run(t.Context(), c, Options{Out: plain, Threads: 1, ISA: someISA(t)}); err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(t.TempDir(), "run")
	c, _, err := Prepare(t.Context(), c, Options{Out: dir, Threads: 1, ISA: someISA(t)})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"config.yaml", "data.json", "initial.json", "env.json"} {
		a, err := os.ReadFile(filepath.Join(plain, name))
		b, err2 := os.ReadFile(filepath.Join(dir, name))
		if err != nil || err2 != nil || string(a) != string(b) {
			t.Errorf("%s: %v %v\n%s", name, err, err2, cmp.Diff(string(a), string(b)))
		}
	}
	return c, dir, records(t, plain)
}

// someISA is an instruction set that is not the default where there is a choice.
func someISA(t *testing.T) string {
	t.Helper()
	if engines.Names()[0] == "ref" {
		return ""
	}
	return "baseline"
}

func task(t *testing.T, units []record.Unit, restart int) Task {
	a := record.NewAttempt(0)
	a.Restart = restart
	return Task{
		Units: units, Attempt: a, Start: func(_ context.Context, _ record.Unit, train func() error) error { return train() },
		Failed: func(u record.Unit, err error) { t.Errorf("%s: %v", u, err) },
	}
}

// Tasks side by side leave the records of a plain run, each unit with what it was run with.
func TestTasks(t *testing.T) {
	c, dir, want := prepared(t)
	units := c.Units()
	options := Options{Out: dir, Threads: 1, ISA: someISA(t)}
	var both sync.WaitGroup
	for _, part := range [][]record.Unit{units[:2], units[2:]} { // both need both starts
		both.Go(func() {
			if err := RunTask(t.Context(), c, task(t, part, 0), options); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if diff := cmp.Diff(want, records(t, dir)); diff != "" {
		t.Errorf("(-plain +tasks):\n%s", diff)
	}
	for _, u := range units {
		for _, file := range []string{filepath.Join("units", u.Name(), "env.json"), filepath.Join("initial", u.Start().Name()+".env.json")} {
			if text, err := os.ReadFile(filepath.Join(dir, file)); err != nil || !strings.Contains(string(text), `"engine": "`) {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	// What is finished is not begun again: no data are read.
	again := options
	again.Progress = func(e Event) { t.Errorf("ran again: %v", e) }
	if err := RunTask(t.Context(), c, task(t, units, 1), again); err != nil {
		t.Error(err)
	}
}

// A unit that cannot be run is told of, and the rest of the task goes on; a start that fails is no reason to run its units.
func TestTaskGoesOnAfterAFailure(t *testing.T) {
	c, dir, want := prepared(t)
	units := c.Units()
	unit := filepath.Join(dir, "units", units[0].Name())
	if err := os.MkdirAll(unit, 0o777); err != nil {
		t.Fatal(err)
	}
	another := `{"cycle":0,"labelled":99,"query":["x/000"],"measures":{}}` + "\n"
	if err := os.WriteFile(filepath.Join(unit, "cycles.jsonl"), []byte(another), 0o666); err != nil {
		t.Fatal(err)
	}
	failed := map[string]string{}
	one := task(t, units[:3], 0)
	one.Failed = func(u record.Unit, err error) { failed[u.String()] += err.Error() }
	one.Start = func(_ context.Context, start record.Unit, train func() error) error {
		if start.Set == 2 {
			return errors.New("the node has no disk")
		}
		return train()
	}
	if err := RunTask(t.Context(), c, one, Options{Out: dir, Threads: 1, ISA: someISA(t)}); err != nil {
		t.Fatal(err)
	}
	for unit, why := range map[string]string{"random, set 1": "recorded cycle 0 with 99", "initial set 2": "no disk", "random, set 2": "initial set 2 failed"} {
		if !strings.Contains(failed[unit], why) {
			t.Errorf("%s: %q, want %q", unit, failed[unit], why)
		}
	}
	if len(failed) != 3 {
		t.Errorf("failed: %v", failed)
	}
	name := filepath.Join("units", units[2].Name(), "cycles.jsonl")
	got, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil || string(got) != want[name] {
		t.Errorf("%s was not run as it should: %v", units[2], err)
	}
}

// A disk that fails would fail the next unit too: the task ends with its error, and no unit is said to be at fault.
func TestTaskEndsWithTheDisk(t *testing.T) {
	c, dir, _ := prepared(t)
	units := c.Units()
	unit := filepath.Join(dir, "units", units[0].Name())
	for file, make := range map[string]func(name string) error{
		"last":         func(name string) error { return os.WriteFile(name, nil, 0o666) }, // met when the unit is evaluated
		"cycles.jsonl": func(name string) error { return os.Mkdir(name, 0o777) },          // met when the task begins
	} {
		if err := errors.Join(os.MkdirAll(unit, 0o777), make(filepath.Join(unit, file))); err != nil {
			t.Fatal(err)
		}
		err := RunTask(t.Context(), c, task(t, units, 0), Options{Out: dir, Threads: 1, ISA: someISA(t)})
		if path := (*os.PathError)(nil); !errors.As(err, &path) {
			t.Errorf("%s: %v", file, err)
		}
		if err := os.RemoveAll(unit); err != nil {
			t.Fatal(err)
		}
		if n := finished(t, dir); n != 0 {
			t.Errorf("%s: %d units were run all the same", file, n)
		}
	}
}

// An attempt that was given up while it lives stops when the next one has begun, and the records are those of one.
func TestTaskTakenOver(t *testing.T) {
	c, dir, want := prepared(t)
	units := c.Units()[:2]
	options := Options{Out: dir, Threads: 1, ISA: someISA(t)}
	second := make(chan error, 1)
	first := options
	var begin sync.Once
	first.Progress = func(e Event) {
		if e.Recorded == nil || e.Earlier() || e.Cycle != 1 {
			return
		}
		begin.Do(func() { // in the middle of the first unit
			go func() { second <- RunTask(t.Context(), c, task(t, units, 1), options) }()
			for a := (record.Attempt{}); a.Restart != 1; {
				a, _, _ = (&record.Folder{Dir: dir}).Attempt(units[0])
			}
		})
	}
	var taken *record.TakenError
	if err := RunTask(t.Context(), c, task(t, units, 0), first); !errors.As(err, &taken) || taken.By.Restart != 1 {
		t.Errorf("the first attempt ended with %v", err)
	}
	if err := <-second; err != nil {
		t.Errorf("the second attempt: %v", err)
	}
	got := records(t, dir)
	for _, u := range units {
		if name := filepath.Join("units", u.Name(), "cycles.jsonl"); got[name] != want[name] {
			t.Errorf("%s differs from that of a plain run", name)
		}
	}
}

// A planned instruction set is recorded as an engine of it would be; a processor need not have it.
func TestPrepareNamesTheEngine(t *testing.T) {
	if engines.Names()[0] == "ref" {
		t.Skip("there is nothing to choose in this build")
	}
	c := smallConfig(t, 4)
	for isa, want := range map[string]string{"avx2": "AVX2", "avx512": "AVX-512"} {
		dir := filepath.Join(t.TempDir(), fmt.Sprint("run-", isa))
		if _, _, err := Prepare(t.Context(), c, Options{Out: dir, Threads: 3, ISA: isa}); err != nil {
			t.Fatal(err)
		}
		x, err := record.Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{`"instruction_set": "` + want + `"`, `"threads": 3`, `"engine": "native"`} {
			if !strings.Contains(string(x.Env), text) {
				t.Errorf("%s: %s is not in\n%s", isa, text, x.Env)
			}
		}
	}
}
