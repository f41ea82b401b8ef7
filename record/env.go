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
	Engine  string `json:"engine,omitempty"`        // ref or onednn
	Detail  string `json:"engine_detail,omitempty"` // library version and instruction set
	Threads int    `json:"threads,omitempty"`       // of each engine; results of other thread counts differ in the last bits
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
	if first.Engine != env.Engine || first.Detail != env.Detail || first.Threads != env.Threads {
		notice(fmt.Sprintf("This run was begun with %s (%s), threads %d, and goes on with %s (%s), threads %d: its records will not repeat to the last bit.",
			first.Engine, first.Detail, first.Threads, env.Engine, env.Detail, env.Threads))
	}
	return nil
}
