package releasetest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// dist returns the folder of the release.
func dist(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("NEXTSLICE_RELEASE")
	if dir == "" {
		t.Skip("for make release-test")
	}
	if _, err := os.Stat(filepath.Join(dir, "checksums.txt")); err != nil {
		t.Fatalf("%v: run make release first", err)
	}
	return dir
}

// system is a program of the release and what runs it here.
type system struct {
	name    string
	command []string
	env     []string
	home    string                   // a folder, as this machine calls it
	path    func(host string) string // of a file, as the program calls it
	console bool                     // a key is how it is interrupted
}

// native is the program for this machine, what the others are compared with.
func native(t *testing.T) system {
	return system{name: "linux-" + runtime.GOARCH, command: []string{filepath.Join(dist(t), "nextslice-linux-"+runtime.GOARCH)}, home: t.TempDir(), path: func(p string) string { return p }}
}

func arm64(t *testing.T) system {
	return system{name: "linux-arm64", command: []string{"qemu-aarch64-static", filepath.Join(dist(t), "nextslice-linux-arm64")}, home: t.TempDir(), path: func(p string) string { return p }}
}

// windows is the program for Windows, in a fresh folder of Wine's, its program and files under names of a German secretary's making.
func windows(t *testing.T) system {
	t.Helper()
	wine := "/usr/lib/wine/wine64"
	prefix := t.TempDir()
	s := system{name: "windows", env: []string{"WINEPREFIX=" + prefix, "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=", "DISPLAY=",
		"LC_ALL=C.UTF-8"}, console: true} // Wine reads the names of files by the locale
	drive := filepath.Join(prefix, "drive_c")
	s.home = filepath.Join(drive, "Prüfung mit Lücke")
	s.path = func(p string) string { return `C:` + strings.ReplaceAll(strings.TrimPrefix(p, drive), "/", `\`) }
	boot := exec.Command(wine, "wineboot", "--init")
	boot.Env = append(os.Environ(), s.env...)
	if out, err := boot.CombinedOutput(); err != nil {
		t.Fatalf("wineboot: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		end := exec.Command("/usr/lib/wine/wineserver64", "-k")
		end.Env = append(os.Environ(), s.env...)
		end.Run()
	})
	// Wine before 8.21 lacks a library of Windows that Go asks for random numbers.
	shim := exec.Command("x86_64-w64-mingw32-gcc", "-shared", "-O1", "-o", filepath.Join(drive, "windows", "system32", "bcryptprimitives.dll"), "testdata/bcryptprimitives.c", "-ladvapi32")
	if out, err := shim.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.MkdirAll(s.home, 0o755); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(s.home, "nextslice Ü.exe")
	data, err := os.ReadFile(filepath.Join(dist(t), "nextslice.exe"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, data, 0o755); err != nil {
		t.Fatal(err)
	}
	s.command = []string{wine, program}
	return s
}

func (s system) start(ctx context.Context, args ...string) *exec.Cmd {
	all := append(s.command[:len(s.command):len(s.command)], args...)
	c := exec.CommandContext(ctx, all[0], all[1:]...)
	c.Env = append(os.Environ(), s.env...)
	c.Dir = s.home
	return c
}

// run returns what a command prints.
func (s system) run(t *testing.T, args ...string) string {
	t.Helper()
	begin := time.Now()
	c := s.start(t.Context(), args...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		t.Fatalf("%s: nextslice %s: %v\n%s", s.name, strings.Join(args, " "), err, errs.String())
	}
	t.Logf("%s: nextslice %s: %.1f s", s.name, args[0], time.Since(begin).Seconds())
	return out.String()
}

// server is a `nextslice serve` under way.
type server struct {
	*exec.Cmd
	address string
}

// serve starts a server and waits for its page.
func (s system) serve(t *testing.T, args ...string) *server {
	t.Helper()
	c := s.start(context.Background(), append([]string{"serve", "--open=false", "--addr", "127.0.0.1:0"}, args...)...)
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	address, err := pageOf(out)
	if err != nil {
		c.Wait()
		t.Fatalf("%s: serve: %v\n%s", s.name, err, errs.String())
	}
	return &server{Cmd: c, address: address}
}

// pageOf reads on until the page's address.
func pageOf(out io.Reader) (string, error) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), "page     "); ok {
			address, _, _ = strings.Cut(address, "\x1b") // of a console
			return strings.TrimSpace(address), nil
		}
	}
	return "", fmt.Errorf("the output ended without a page (%v)", lines.Err())
}
