package experiment

import (
	"bufio"
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
