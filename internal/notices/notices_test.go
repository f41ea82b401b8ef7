package notices

import (
	"os/exec"
	"strings"
	"testing"
)

// Every module that the program is made of has its licence here, in the version that is compiled.
func TestEveryModule(t *testing.T) {
	var text strings.Builder
	if err := Write(&text); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}", "../../cmd/nextslice").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, module := range strings.Fields(strings.ReplaceAll(string(out), " ", "@")) {
		name := strings.Replace(module, "@", " ", 1)
		if seen++; !strings.Contains(text.String(), "\n"+name+": ") {
			t.Errorf("the licence of %s is missing: run go generate ./internal/notices", name)
		}
	}
	if seen == 0 || !strings.Contains(text.String(), "Apache License") || !strings.Contains(text.String(), "\nGo ") {
		t.Errorf("%d packages looked at", seen)
	}
}
