package page_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/evanw/esbuild/pkg/api"
)

// TestUnits runs the unit tests src/**/*.test.ts, one bundle each, with Node.js's test runner.
func TestUnits(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed")
	}
	result := api.Build(api.BuildOptions{
		EntryPoints:  []string{"src/**/*.test.ts"},
		Outdir:       t.TempDir(),
		OutExtension: map[string]string{".js": ".mjs"},
		Bundle:       true,
		Platform:     api.PlatformNode,
		Format:       api.FormatESModule,
		Sourcemap:    api.SourceMapInline,
		Write:        true,
		LogLevel:     api.LogLevelSilent,
	})
	for _, fault := range api.FormatMessages(result.Errors, api.FormatMessagesOptions{Kind: api.ErrorMessage}) {
		t.Fatal(fault)
	}
	arguments := []string{"--test"}
	for _, f := range result.OutputFiles {
		arguments = append(arguments, f.Path)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "node", arguments...).CombinedOutput()
	if err != nil {
		t.Errorf("node --test: %v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// The page's types hold: what bundles it throws them away unread.
func TestTypes(t *testing.T) {
	tsc := filepath.Join("node_modules", "typescript", "bin", "tsc")
	if _, err := os.Stat(tsc); err != nil {
		t.Skip("the page's packages are not installed: make web")
	}
	if out, err := exec.CommandContext(t.Context(), "node", tsc, "--noEmit").CombinedOutput(); err != nil {
		t.Errorf("tsc: %v\n%s", err, out)
	}
}
