package record

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// Env is what a run was made with. Together with the configuration it says how to make the same records again.
type Env struct {
	Version string `json:"version"`          // of nextslice
	Commit  string `json:"commit,omitempty"` // of its source, with +dirty after changes that were not committed
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	CPU     string `json:"cpu,omitempty"`
	Cores   int    `json:"cores"`

	// What computed. Results of another engine, instruction set, compiler or number of threads differ in the last bits.
	Engine         string `json:"engine,omitempty"`          // native, ref or torch; onednn in old records, where it is native
	InstructionSet string `json:"instruction_set,omitempty"` // of the native engine, such as AVX-512
	Compiler       string `json:"compiler,omitempty"`        // of the native engine, such as "g++ 12.2.0"
	Threads        int    `json:"threads,omitempty"`         // of each engine
	Detail         string `json:"engine_detail,omitempty"`   // of torch: "PyTorch 2.15.0 on NVIDIA H200, tf32"; in old records: library and instruction set, such as "oneDNN 2.6.3, AVX-512"

	// Also are the others where runs of the same folder or record were made: after it was gone on with by another build or on another machine.
	Also []Env `json:"also,omitempty"`
}

// All returns the environments that e stands for: itself, and the others.
func (e Env) All() []Env {
	all := append([]Env{e}, e.Also...)
	all[0].Also = nil
	return all
}

// With returns e with others that it does not have yet behind it.
func (e Env) With(other Env) Env {
	e.Also = slices.Clone(e.Also)
	for _, o := range other.All() {
		if !slices.ContainsFunc(e.All(), func(mine Env) bool { return reflect.DeepEqual(mine, o) }) {
			e.Also = append(e.Also, o)
		}
	}
	return e
}

// JSON returns e as env.json has it.
func (e Env) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(e, "", "  ")
	return append(text, '\n'), err
}

// build names the program.
func (e Env) build() string { return cmp.Or(e.Commit, e.Version) }

// EngineText says in a line what computed, such as "native (AVX-512, g++ 12.2.0)".
func (e Env) EngineText() string {
	var details []string
	for _, text := range []string{e.InstructionSet, e.Compiler, e.Detail} {
		if text != "" {
			details = append(details, text)
		}
	}
	if details == nil {
		return e.Engine
	}
	return e.Engine + " (" + strings.Join(details, ", ") + ")"
}

// SameBits reports whether the engines of two environments compute the same numbers to the last bit, as far as the
// records tell: an old one names no compiler.
func (e Env) SameBits(other Env) bool {
	e, other = e.modern(), other.modern()
	if e.Engine == "torch" && e.Detail != other.Detail {
		return false
	}
	return e.Engine == other.Engine && e.InstructionSet == other.InstructionSet && e.Threads == other.Threads &&
		(e.Compiler == other.Compiler || e.Compiler == "" || other.Compiler == "")
}

// modern returns e as a record of today would have it.
func (e Env) modern() Env {
	if e.Engine == "onednn" {
		e.Engine = "native"
		e.InstructionSet = e.Detail[strings.LastIndex(e.Detail, " ")+1:]
	}
	return e
}

// Environment describes this program and machine. It names no user, host or path.
func Environment() Env {
	e := Env{Version: "(devel)", Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: processor(), Cores: runtime.NumCPU()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return e
	}
	if info.Main.Version != "" {
		e.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			e.Commit = s.Value + e.Commit
		case s.Key == "vcs.modified" && s.Value == "true":
			e.Commit += "+dirty"
		}
	}
	return e
}

// processor returns the processor's name as Linux knows it, "" elsewhere.
func processor() string {
	file, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// RecordEnv writes in env.json what goes on to compute. That of the run's first part, or of a record that it began with, stays before it, and notice
// is told if numbers may differ in the last bits, or more.
func (f *Folder) RecordEnv(env Env, notice func(string)) error {
	return recordEnv(f.path(EnvFile), "This run", "its runs", env, notice)
}

// RecordUnitEnv is RecordEnv for a unit, in a folder whose units run on several machines. A unit without an environment is begun by that of its start.
func (f *Folder) RecordUnitEnv(u Unit, env Env, notice func(string)) error {
	if err := os.MkdirAll(f.path("units", u.Name()), 0o700); err != nil {
		return err
	}
	if _, err := os.Stat(f.unitEnv(u)); errors.Is(err, os.ErrNotExist) {
		var begun Env
		if err := readJSON(f.startEnv(u.Start()), &begun); err == nil {
			tellEnv(begun, env, u.String(), "its cycles", notice)
		} else if !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return recordEnv(f.unitEnv(u), u.String(), "its cycles", env, notice)
}

// RecordStartEnv writes what a training of cycle 0, see Unit.Start, is made with in such a folder. It takes the place of one that was interrupted: such a training
// leaves nothing, and begins again.
func (f *Folder) RecordStartEnv(start Unit, env Env) error {
	if err := os.MkdirAll(f.path("initial"), 0o700); err != nil {
		return err
	}
	return writeJSON(f.startEnv(start), env)
}

func (f *Folder) unitEnv(u Unit) string      { return f.path("units", u.Name(), EnvFile) }
func (f *Folder) startEnv(start Unit) string { return f.path("initial", start.Name()+"."+EnvFile) }

// recordEnv adds what goes on to compute to a file, and tells how it differs from what was begun with.
func recordEnv(path, what, parts string, env Env, notice func(string)) error {
	first, err := addEnv(path, env)
	if err == nil {
		tellEnv(first, env, what, parts, notice)
	}
	return err
}

// tellEnv says how what goes on to compute differs from what was begun with.
func tellEnv(first, env Env, what, parts string, notice func(string)) {
	if !first.SameBits(env) {
		notice(fmt.Sprintf("%s was begun with %s, threads %d, and goes on with %s, threads %d: its records will not repeat to the last bit.",
			what, first.EngineText(), first.Threads, env.EngineText(), env.Threads))
	}
	if first.build() != "" && first.build() != env.build() {
		notice(fmt.Sprintf("%s was begun by nextslice %s and goes on with %s: where training or picking has changed between them, %s cannot be compared.",
			what, first.build(), env.build(), parts))
	}
}

// addEnv adds to an env.json what it does not have yet. It returns what was begun with.
func addEnv(path string, env Env) (first Env, err error) {
	err = readJSON(path, &first)
	if errors.Is(err, os.ErrNotExist) {
		return env, writeJSON(path, env)
	}
	if err != nil {
		return Env{}, err
	}
	if more := first.With(env); len(more.Also) > len(first.Also) {
		return first, writeJSON(path, more)
	}
	return first, nil
}
