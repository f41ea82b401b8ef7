package record

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// old is what a run of before this release recorded of its engine.
const old = `{"engine": "onednn", "engine_detail": "oneDNN 2.6.3, AVX-512", "threads": 1}`

func TestEngineText(t *testing.T) {
	var env Env
	if err := json.Unmarshal([]byte(old), &env); err != nil {
		t.Fatal(err)
	}
	for want, e := range map[string]Env{
		"onednn (oneDNN 2.6.3, AVX-512)": env,
		"native (AVX2, g++ 12.2.0)":      {Engine: "native", InstructionSet: "AVX2", Compiler: "g++ 12.2.0"},
		"ref":                            {Engine: "ref"},
	} {
		if got := e.EngineText(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Who goes on with a run is told when the engine computes other last bits, and not when it has only another name.
func TestNoticeOfAnotherEngine(t *testing.T) {
	now := Env{Engine: "native", InstructionSet: "AVX-512", Compiler: "g++ 12.2.0", Threads: 1}
	other := func(change func(*Env)) Env { e := now; change(&e); return e }
	for name, c := range map[string]struct {
		first  any
		now    Env
		notice bool
	}{
		"the same":            {now, now, false},
		"old record":          {json.RawMessage(old), now, false},
		"old record, AVX2":    {json.RawMessage(old), other(func(e *Env) { e.InstructionSet = "AVX2" }), true},
		"old record, threads": {json.RawMessage(old), other(func(e *Env) { e.Threads = 2 }), true},
		"old record, ref":     {json.RawMessage(old), Env{Engine: "ref", Threads: 1}, true},
		"instruction set":     {now, other(func(e *Env) { e.InstructionSet = "AVX2" }), true},
		"compiler":            {now, other(func(e *Env) { e.Compiler = "g++ 14.1.0" }), true},
		"threads":             {now, other(func(e *Env) { e.Threads = 2 }), true},
		"machine":             {now, other(func(e *Env) { e.CPU = "another" }), false},
	} {
		f, told := &Folder{Dir: t.TempDir()}, ""
		text, err := json.Marshal(c.first)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(f.Dir, "env.json"), text, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := f.RecordEnv(c.now, func(text string) { told = text }); err != nil {
			t.Fatal(err)
		}
		if (told != "") != c.notice || c.notice && !strings.Contains(told, c.now.EngineText()) {
			t.Errorf("%s: notice %q, want one: %v", name, told, c.notice)
		}
	}
}

// A folder that another build or machine goes on with, takes runs over from, or has units of, names all of them once, and so does its record.
func TestAllEnvironments(t *testing.T) {
	begun := Env{Version: "v1", Commit: "aaa", CPU: "one", Cores: 2}
	goesOn, node, taken := begun, begun, begun
	goesOn.Commit, node.CPU, taken.CPU = "bbb", "of a node", "of a record"
	c := parse(t, "strategies: [random]\ninitial-sets: 2")
	f, err := CreateFolder(filepath.Join(t.TempDir(), "run"), c, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var told []string
	for _, env := range []Env{begun, begun, goesOn, goesOn} {
		if err := f.RecordEnv(env, func(text string) { told = append(told, text) }); err != nil {
			t.Fatal(err)
		}
	}
	if len(told) != 2 || !strings.Contains(told[0], "begun by nextslice aaa and goes on with bbb") {
		t.Errorf("told: %q", told)
	}
	record, err := taken.JSON()
	if err != nil {
		t.Fatal(err)
	}
	units := c.Units()
	told = nil
	tell := func(text string) { told = append(told, text) }
	requeued, trainer := node, node
	requeued.Commit, trainer.CPU = "ccc", "that trained cycle 0"
	if err := errors.Join(f.RecordStartEnv(units[0].Start(), trainer), f.RecordUnitEnv(units[0], node, tell)); err != nil || told != nil {
		t.Fatal(err, told)
	}
	for range 2 {
		if err := f.RecordUnitEnv(units[0], requeued, tell); err != nil { // does not put itself in the place of the other
			t.Fatal(err)
		}
	}
	if len(told) != 2 || told[0] != "random, set 1 was begun by nextslice aaa and goes on with ccc: where training or picking has changed between them, its cycles cannot be compared." {
		t.Errorf("told: %q", told)
	}
	// Nor do the first cycle and the next ones of a unit come from two builds untold.
	told = nil
	if err := errors.Join(f.RecordStartEnv(units[1].Start(), goesOn), f.RecordStartEnv(units[1].Start(), trainer), f.RecordUnitEnv(units[1], requeued, tell)); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || !strings.HasPrefix(told[0], "random, set 2 was begun by nextslice aaa") { // goesOn was interrupted, and has left nothing
		t.Errorf("told: %q", told)
	}
	if err := f.TakeOver(units[1], Run{Unit: units[1], Cycles: []Cycle{{}}}, record); err != nil {
		t.Fatal(err)
	}
	x, err := Read(f.Dir)
	if err != nil {
		t.Fatal(err)
	}
	var all Env
	if err := json.Unmarshal(x.Env, &all); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Env{begun, goesOn, taken, trainer, node, requeued}, all.All()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Runs of a folder start from the initial sets that it has.
func TestInitialSetsStay(t *testing.T) {
	f := &Folder{Dir: t.TempDir()}
	for _, step := range []struct {
		sets    map[int][]string
		refused bool
	}{
		{map[int][]string{1: {"a/0", "b/1"}}, false},
		{map[int][]string{1: {"a/0", "b/1"}, 2: {"c/2"}}, false},
		{map[int][]string{1: {"a/0", "b/2"}, 2: {"c/2"}}, true},
	} {
		if err := f.RecordInitial(step.sets); (err != nil) != step.refused || err != nil && !strings.Contains(err.Error(), "initial set 1 of") {
			t.Errorf("%v: %v", step.sets, err)
		}
	}
}
