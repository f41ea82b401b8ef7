package page_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
)

// BenchmarkHint measures the processor time of a hint at 512² by Node.js, which has Chromium's engine: without a network the first one and one more, on a smooth
// picture, and with a network. For a profile of where it goes, which lies in the folder that NEXTSLICE_CPUPROFILE names:
//
//	go test -run '^$' -bench Hint -benchtime 30x ./annotate/page
func BenchmarkHint(b *testing.B) {
	if _, err := exec.LookPath("node"); err != nil {
		b.Skip("node is not installed")
	}
	file := filepath.Join(b.TempDir(), "hints.mjs")
	result := api.Build(api.BuildOptions{EntryPoints: []string{"src/editor/hints.bench.ts"}, Outfile: file, Bundle: true, Platform: api.PlatformNode, Format: api.FormatESModule, Write: true})
	if len(result.Errors) > 0 {
		b.Fatal(result.Errors[0].Text)
	}
	arguments := []string{file, "512", fmt.Sprint(max(10, b.N))}
	if dir := os.Getenv("NEXTSLICE_CPUPROFILE"); dir != "" {
		arguments = append([]string{"--cpu-prof", "--cpu-prof-dir=" + dir}, arguments...)
	}
	out, err := exec.CommandContext(b.Context(), "node", arguments...).CombinedOutput()
	if err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		var name string
		var least, median float64
		if _, err := fmt.Sscan(line, &name, &least, &median); err != nil {
			b.Fatalf("%q: %v", line, err)
		}
		b.ReportMetric(least, name+"-least-cpu-ms")
		b.ReportMetric(median, name+"-cpu-ms")
	}
}
