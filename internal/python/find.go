package python

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Variable names the Python to use, where no flag does.
const Variable = "NEXTSLICE_PYTHON"

// Module is what a Python must have.
type Module struct {
	Name  string // as it is imported, and installed by pip
	Title string // as people call it
	Flag  string // by which a Python is named beside Variable, such as "--python"; "" is none
}

// Find returns the path of a Python that has a module: the named one, or that of the variable NEXTSLICE_PYTHON, of the active virtual
// environment, of conda's, python3, python. One that is named must have it. The module is not loaded.
func Find(ctx context.Context, m Module, named string) (string, error) {
	if named == "" {
		named = os.Getenv(Variable)
	}
	if named != "" {
		return m.in(ctx, named)
	}
	var looked []string
	for _, candidate := range candidates() {
		path, err := m.in(ctx, candidate)
		if err == nil {
			return path, nil
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		looked = append(looked, candidate)
	}
	return "", fmt.Errorf("no Python with %s was found (looked at %s): make one with `python3 -m venv ~/%[3]s && ~/%[3]s/bin/pip install %[3]s` and name its bin/python with %[4]s",
		m.Title, strings.Join(looked, ", "), m.Name, m.by())
}

// by says how a Python is named.
func (m Module) by() string {
	if m.Flag != "" {
		return m.Flag + " or " + Variable
	}
	return "the environment variable " + Variable
}

func candidates() (list []string) {
	bin, name := "bin", "python"
	if runtime.GOOS == "windows" {
		bin, name = "Scripts", "python.exe"
	}
	if dir := os.Getenv("VIRTUAL_ENV"); dir != "" {
		list = append(list, filepath.Join(dir, bin, name))
	}
	if dir := os.Getenv("CONDA_PREFIX"); dir != "" {
		if runtime.GOOS == "windows" {
			bin = ""
		}
		list = append(list, filepath.Join(dir, bin, name))
	}
	list = append(list, "python3", "python")
	if runtime.GOOS != "windows" {
		list = append(list, "/usr/bin/python3") // of the system, where another one comes first
	}
	return list
}

// in returns the absolute path of a Python if it has the module.
func (m Module) in(ctx context.Context, python string) (string, error) {
	if rest, ok := strings.CutPrefix(python, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			python = filepath.Join(home, rest)
		}
	}
	path, err := exec.LookPath(python)
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return "", fmt.Errorf("the Python %s: there is no such program: name one that has %s with %s", python, m.Title, m.by())
	}
	if path, err = filepath.Abs(path); err != nil { // without following links: what a link is called says which environment it is
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, path, "-c", "import os, importlib.util as u; os.write(1, b'nextslice: found %d' % (u.find_spec('"+m.Name+"') is not None))")
	c.Dir = root()
	apart(c)
	c.WaitDelay = time.Second
	var stderr tail
	c.Stderr = &stderr
	out, _ := c.Output()                               // what went wrong is seen from the answer
	switch answer := strings.TrimSpace(string(out)); { // anything may have been printed before
	case strings.Contains(answer, "nextslice: found 1"):
		return path, nil
	case strings.Contains(answer, "nextslice: found 0"):
		return "", fmt.Errorf("the Python %s has no %s: install it with `%s -m pip install %s`, or name another Python with %s", python, m.Title, python, m.Name, m.by())
	case ctx.Err() != nil:
		return "", fmt.Errorf("the Python %s: no answer within 30 s: %w", python, ctx.Err())
	case stderr.last() != "":
		return "", fmt.Errorf("the Python %s does not work: %s", python, stderr.last())
	default:
		return "", fmt.Errorf("%s is not a Python: name one with %s", python, m.by())
	}
}
