package releasetest

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/annotate/script"
)

// `go install` of a tagged version gives a program with its page. The repository's address leads to a clone here, which is tagged.
func TestGoInstall(t *testing.T) {
	dist(t)
	const version = "v0.0.1-releasetest"
	dir := t.TempDir()
	clone, gopath := filepath.Join(dir, "clone"), filepath.Join(dir, "go")
	sh := func(in string, env []string, command string) string {
		t.Helper()
		c := exec.Command("bash", "-ec", command)
		c.Dir, c.Env = in, append(os.Environ(), env...)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
		return string(out)
	}
	sh("../..", nil, "git clone -q . "+clone)
	me := []string{"GIT_AUTHOR_NAME=test", "GIT_AUTHOR_EMAIL=test@localhost", "GIT_COMMITTER_NAME=test", "GIT_COMMITTER_EMAIL=test@localhost"}
	sh(clone, me, "printf '\n## 0.0.1-releasetest\n' >>CHANGELOG.md && git commit -qam test && scripts/release/tag.sh "+version)
	if left := sh(clone, nil, "git status --porcelain"); left != "" {
		t.Errorf("tagging changes the tree:\n%s", left)
	}

	t.Cleanup(func() { exec.Command("chmod", "-R", "u+w", gopath).Run() })
	env := []string{"GOPATH=" + gopath, "GOFLAGS=-trimpath", "CGO_ENABLED=0", "GOPRIVATE=github.com/nextslice",
		"GOMODCACHE=" + filepath.Join(gopath, "mod"), "GOBIN=" + filepath.Join(gopath, "bin"),
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url.file://" + clone + ".insteadOf", "GIT_CONFIG_VALUE_0=https://github.com/nextslice/nextslice"}
	modules := strings.TrimSpace(sh(".", nil, "go env GOMODCACHE"))
	env = append(env, "GOPROXY=file://"+modules+"/cache/download,"+strings.TrimSpace(sh(".", nil, "go env GOPROXY"))) // what is there already is not fetched again
	sh(dir, env, "nice go install github.com/nextslice/nextslice/cmd/nextslice@"+version)

	s := system{name: "go install", command: []string{filepath.Join(gopath, "bin", "nextslice")}, home: t.TempDir(), path: func(p string) string { return p }}
	if text := s.run(t, "version"); !strings.Contains(text, "nextslice "+version) {
		t.Error(text)
	}
	s.run(t, "phantom", "data", "--cases", "2")
	served := s.serve(t, "--data", "data", "--no-train")
	if html := get(t, served.address); !bytes.Contains(html, []byte("assets/page-")) {
		t.Errorf("no page: %.300s", html)
	}
	if _, err := script.LogIn(t.Context(), script.HTTP(), served.address, "ana", ""); err != nil {
		t.Error(err)
	}
}

func get(t *testing.T, address string) []byte {
	t.Helper()
	answer, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
