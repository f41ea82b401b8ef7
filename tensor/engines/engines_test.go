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

// An instruction set is chosen by name, and computes by that name; one that is not there is refused.
func TestNewWith(t *testing.T) {
	if _, err := engines.NewWith("ref", 1, "avx2"); err == nil || !strings.Contains(err.Error(), "engine ref has none") {
		t.Errorf("ref with an instruction set: %v", err)
	}
	if !slices.Contains(engines.Names(), "native") {
		return
	}
	if _, err := engines.NewWith("native", 1, "sse9"); err == nil || !strings.Contains(err.Error(), "amx, avx512, avx2 or baseline") {
		t.Errorf("an instruction set that there is not: %v", err)
	}
	for isa, want := range map[string]string{"baseline": "baseline", "avx2": "AVX2", "avx512": "AVX-512", "amx": "AMX"} {
		e, err := engines.NewWith("native", 1, isa)
		if err != nil {
			if isa == "baseline" || !strings.Contains(err.Error(), isa) {
				t.Errorf("%s: %v", isa, err)
			}
			continue // this processor has not got it
		}
		if got := engines.Describe(e).ISA; got != want {
			t.Errorf("%s: got %s, want %s", isa, got, want)
		}
		e.Close()
	}
}
