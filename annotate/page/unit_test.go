package page_test

import (
	"context"
	"os/exec"
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
