//go:build unix

package releasetest

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate/script"
)

// The package goes into a Debian that has nothing but manual pages, and from there to the first label is under a minute.
func TestDebian(t *testing.T) {
	packages, err := filepath.Glob(filepath.Join(dist(t), "nextslice_*_"+runtime.GOARCH+".deb"))
	if err != nil || len(packages) != 1 {
		t.Fatalf("packages %v, %v", packages, err)
	}
	if os.Getuid() != 0 {
		t.Skip("debootstrap needs root")
	}
	root := filepath.Join(t.TempDir(), "debian")
	mirror, suite := archive(t)
	begin := time.Now()
	if out, err := exec.Command("debootstrap", "--variant=minbase", "--include=man-db", suite, root, mirror).CombinedOutput(); err != nil {
		t.Fatalf("debootstrap: %v\n%s", err, out[max(0, len(out)-2000):])
	}
	t.Logf("a Debian %s in %.0f s", suite, time.Since(begin).Seconds())
	data, err := os.ReadFile(packages[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "root", "nextslice.deb"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	inside := func(command string) string {
		t.Helper()
		c := exec.Command("chroot", root, "/bin/sh", "-ec", command)
		c.Env = []string{"PATH=/usr/bin:/usr/sbin:/bin:/sbin", "HOME=/root", "LC_ALL=C.UTF-8", "MANWIDTH=100"}
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
		return string(out)
	}

	begin = time.Now()
	inside("dpkg -i /root/nextslice.deb")
	s := system{name: "package", command: []string{"chroot", "--userspec=1000:1000", root, "/usr/bin/nextslice"}, env: []string{"HOME=/tmp"}, home: "/", path: func(p string) string { return p }}
	inside("mkdir /tmp/Übung && chown 1000:1000 /tmp/Übung")
	s.command = []string{"chroot", "--userspec=1000:1000", root, "/bin/sh", "-ec", `cd /tmp/Übung && exec nextslice "$@"`, "nextslice"}
	served := s.serve(t, "--demo")
	client, err := script.LogIn(t.Context(), script.HTTP(), served.address, "ana", "")
	if err != nil {
		t.Fatal(err)
	}
	task, err := client.Next(t.Context())
	if err != nil || task == nil {
		t.Fatal(task, err)
	}
	if _, err := client.Save(t.Context(), task.Item, bytes.Repeat([]byte{1}, task.Height*task.Width), 1, "edited", 0); err != nil {
		t.Fatal(err)
	}
	taken := time.Since(begin)
	t.Logf("from dpkg -i to the first label: %.1f s", taken.Seconds())
	if taken > time.Minute {
		t.Errorf("the first label after %v", taken)
	}
	if html := get(t, served.address); !bytes.Contains(html, []byte("assets/page-")) {
		t.Errorf("no page: %.300s", html)
	}
	served.Process.Signal(os.Interrupt)
	served.Wait()

	if err := os.WriteFile(filepath.Join(root, "tmp", "Übung", "small.yaml"), []byte(strings.Replace(small, "data: data", "data: nextslice-demo-data", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if table := s.run(t, "simulate", "small.yaml", "--out", "run"); !strings.Contains(table, "AULC") {
		t.Error(table)
	}
	for page, want := range map[string]string{"nextslice": "nextslice-serve(1)", "nextslice-serve": "--double-reading", "nextslice-project": "PROJECT CHECK"} {
		if text := inside("man " + page); !strings.Contains(text, want) {
			t.Errorf("man %s: %s is missing:\n%.2000s", page, want, text)
		}
	}
	if text := inside(`bash -c 'source /usr/share/bash-completion/completions/nextslice; COMP_WORDS=(nextslice ser); COMP_CWORD=1; _nextslice; echo ${COMPREPLY[*]}'`); strings.TrimSpace(text) != "serve" {
		t.Errorf("completion: %q", text)
	}
	for _, file := range []string{"usr/lib/systemd/user/nextslice@.service", "usr/share/doc/nextslice/copyright", "usr/share/zsh/vendor-completions/_nextslice", "usr/share/fish/vendor_completions.d/nextslice.fish"} {
		if _, err := os.Stat(filepath.Join(root, file)); err != nil {
			t.Error(err)
		}
	}
	if data, err := os.ReadFile("/etc/resolv.conf"); err == nil { // as debootstrap has it, but for a later change
		_ = os.WriteFile(filepath.Join(root, "etc", "resolv.conf"), data, 0o644)
	}
	t.Run("PACS", func(t *testing.T) { followPacs(t, root) })
	inside("dpkg -r nextslice")
	if _, err := os.Stat(filepath.Join(root, "usr/bin/nextslice")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it stays after its removal: %v", err)
	}
}

// archive returns where this machine gets its Debian packages from, and which Debian it is.
func archive(t *testing.T) (mirror, suite string) {
	out, err := exec.Command("apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages").Output()
	if err != nil {
		t.Skip("no apt: ", err)
	}
	release, err := os.ReadFile("/etc/os-release")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(release)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "VERSION_CODENAME="); ok {
			suite = name
		}
	}
	for line := range strings.Lines(string(out)) {
		if uri, name, _ := strings.Cut(strings.TrimSpace(line), " "); name == suite {
			return uri, suite
		}
	}
	t.Skipf("apt has no source of %s", suite)
	return "", ""
}
