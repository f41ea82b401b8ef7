//go:build unix

package releasetest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate/script"
)

// step is a command of a page, with the output that the page shows.
type step struct{ command, output string }

// steps returns the commands of a page that begin with "$ ", with what follows them up to the next or an empty line.
func steps(t *testing.T, page string) (all []step) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "how-to", page))
	if err != nil {
		t.Fatal(err)
	}
	begun := false
	for line := range strings.Lines(string(text)) {
		code, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "    ")
		command, is := strings.CutPrefix(code, "$ ")
		switch {
		case !ok:
			begun = false
		case is:
			all, begun = append(all, step{command: command}), true
		case begun && strings.HasSuffix(all[len(all)-1].command, `\`):
			all[len(all)-1].command += "\n" + code
		case begun:
			all[len(all)-1].output += code + "\n"
		}
	}
	return all
}

var (
	madeUID = regexp.MustCompile(`2\.25\.\d+`)
	loss    = regexp.MustCompile(`loss \d+\.\d+`)
)

// followPacs does what the how-to on the PACS says in a Debian that has nothing but our package, command by command, and compares what is printed. What made UIDs
// are, in which order a server lists series, and a loss to the last bit are left open.
func followPacs(t *testing.T, root string) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	var servers []*exec.Cmd
	defer func() {
		for _, s := range servers {
			syscall.Kill(-s.Process.Pid, syscall.SIGINT)
			s.Wait()
		}
	}()
	shell := func(command string) *exec.Cmd {
		c := exec.CommandContext(ctx, "chroot", root, "/bin/sh", "-ec", "mkdir -p /root/pacs; cd /root/pacs; "+command)
		c.Env = []string{"PATH=/usr/bin:/usr/sbin:/bin:/sbin", "HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"}
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		c.WaitDelay = 5 * time.Second
		return c
	}
	var done []string
	for _, s := range steps(t, "pacs.md") {
		begin := time.Now()
		command, serves := strings.CutPrefix(s.command, "sudo apt-get install ")
		switch {
		case serves:
			command = "apt-get -q update && apt-get -qy install --no-install-recommends " + command
			serves = false
		default:
			serves = strings.Contains(command, " pacs demo") || strings.Contains(command, " serve ")
		}
		out := &bytes.Buffer{}
		c := shell(command)
		var err error
		if serves {
			path := filepath.Join(t.TempDir(), "out")
			file, fault := os.Create(path)
			if fault != nil {
				t.Fatal(fault)
			}
			c.Stdout, c.Stderr = file, file
			if err = c.Start(); err == nil {
				servers = append(servers, c)
				for ctx.Err() == nil && strings.Count(out.String(), "\n") < strings.Count(s.output, "\n") {
					time.Sleep(100 * time.Millisecond)
					text, _ := os.ReadFile(path)
					out = bytes.NewBuffer(text)
				}
			}
			file.Close()
		} else {
			var all []byte
			all, err = c.CombinedOutput()
			out.Write(all)
		}
		if err != nil || ctx.Err() != nil {
			t.Fatalf("$ %s\n%s%v", command, out, errors.Join(err, ctx.Err()))
		}
		if got, want := settled(out.String()), settled(s.output); got != want && s.output != "" {
			t.Errorf("$ %s\n%swant\n%s", command, got, want)
		}
		t.Logf("%.1f s: %s", time.Since(begin).Seconds(), s.command)
		done = append(done, command)
		if strings.Contains(command, " serve ") {
			labelTwo(t, "http://127.0.0.1:8470")
		}
	}
	if all := strings.Join(done, "\n"); len(done) < 13 || !strings.Contains(all, "push prostates --masks masks") {
		t.Errorf("%d commands:\n%s", len(done), all)
	}
}

// settled leaves out what differs from time to time: progress on a terminal's other stream, made UIDs, losses.
func settled(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if strings.Contains(line, "% case ") || strings.Contains(line, "% step ") || strings.Contains(line, ", about ") {
			continue
		}
		lines = append(lines, loss.ReplaceAllString(madeUID.ReplaceAllString(line, "2.25.N"), "loss N"))
	}
	return strings.Join(lines, "")
}

// labelTwo labels two slices of the first case, as a person would on the page.
func labelTwo(t *testing.T, address string) {
	t.Helper()
	client, err := script.LogIn(t.Context(), script.HTTP(), address, "ana", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range []string{"P001/010", "P001/011"} {
		mask := make([]byte, 128*128)
		for i := range 900 {
			mask[128*(50+i/30)+50+i%30] = 1
		}
		if _, err := client.Save(t.Context(), item, mask, 1, "edited", 0); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(5 * time.Second) // files follow labels within seconds
}
