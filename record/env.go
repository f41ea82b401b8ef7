package record

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
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
}

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

// RecordEnv writes env.json. A run that goes on elsewhere keeps that of its first part, and notice is told if its numbers
// may differ in the last bits.
func (f *Folder) RecordEnv(env Env, notice func(string)) error {
	var first Env
	err := readJSON(f.path(EnvFile), &first)
	if errors.Is(err, os.ErrNotExist) {
		return writeJSON(f.path(EnvFile), env)
	}
	if err != nil {
		return err
	}
	if !first.SameBits(env) {
		notice(fmt.Sprintf("This run was begun with %s, threads %d, and goes on with %s, threads %d: its records will not repeat to the last bit.",
			first.EngineText(), first.Threads, env.EngineText(), env.Threads))
	}
	return nil
}
