package engines_test

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/tensor/engines"
)

func TestNew(t *testing.T) {
	names := engines.Names()
	for _, c := range []struct {
		name, want    string
		threads, have int
	}{
		{"", names[0], 0, runtime.GOMAXPROCS(0)},
		{"ref", "ref", 3, 3},
		{"ref", "ref", 0, runtime.GOMAXPROCS(0)},
		{"native", "native", 2, 2},
		{"onednn", "native", 2, 2},
	} {
		if !slices.Contains(names, c.want) {
			_, err := engines.New(c.name, c.threads)
			if err == nil || !strings.Contains(err.Error(), "CGO_ENABLED=1") {
				t.Errorf("%q in a build without it: error %v, want one that says how to get it", c.name, err)
			}
			continue
		}
		e, err := engines.New(c.name, c.threads)
		if err != nil {
			t.Errorf("%q: %v", c.name, err)
			continue
		}
		defer e.Close()
		d := engines.Describe(e)
		if d.Engine != c.want || d.Threads != c.have || (d.ISA != "") != (c.want == "native") || (d.Compiler != "") != (c.want == "native") {
			t.Errorf("%q, %d threads: got %+v", c.name, c.threads, d)
		}
	}
	if _, err := engines.New("cuda", 1); err == nil || !strings.Contains(err.Error(), strings.Join(names, " or ")) {
		t.Errorf("an engine that there is not: error %v, want the names", err)
	}
}
