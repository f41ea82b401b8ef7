package server_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate/server"
)

// schemathesis returns the program, which scripts/deps.sh test installs, "" where it is not there.
func schemathesis() string {
	if path, err := filepath.Abs(filepath.Join("..", "..", ".venv", "bin", "schemathesis")); err == nil {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	path, err := exec.LookPath("schemathesis")
	if err != nil {
		return ""
	}
	return path
}

// What openapi.json says is what the server does, for requests that it allows and for those that it does not: no answer is one that it does
// not name, and none is a fault of the server.
func TestOpenAPIIsTrue(t *testing.T) {
	program := schemathesis()
	if program == "" {
		t.Skip("schemathesis is not installed: make test-deps does it")
	}
	s := start(t, server.Options{}, nil, nil)
	ana := s.logIn("ana", "")
	for _, item := range []string{"c1/000", "c1/001"} {
		s.want(200, s.do("PUT", path(item)+"/label", string(make([]byte, 120)), ana...))
	}
	spec, err := s.handler.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "openapi.json") // with examples that there are
	if err := os.WriteFile(file, []byte(strings.NewReplacer("Case12/017", "c1/002", `"Case12"`, `"c1"`).Replace(string(spec))), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, program, "run", file, "--url", s.url, "--header", ana[0]+": "+ana[1],
		"--exclude-path", "/api/v1/events", "--exclude-path", "/api/v1/logout", "--exclude-path", "/api/v1/login", // a stream, what ends the session, and what makes one wait
		"--phases", "examples,coverage,fuzzing", "--max-examples", "8", "--seed", "1", "--generation-deterministic", "--workers", "1", // Python 3.11 parses wrongly in two threads (its issue 106905)
		"--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance",
		"--request-timeout", "30", "--no-color")
	c.Env = append(os.Environ(), "HYPOTHESIS_STORAGE_DIRECTORY="+t.TempDir())
	c.Dir = t.TempDir()
	out, err := c.CombinedOutput()
	text := string(out)
	if err != nil {
		if at := strings.Index(text, "= FAILURES ="); at > 0 {
			text = text[at:]
		}
		t.Errorf("%v\n%s", err, text[:min(len(text), 20_000)])
	}
}
