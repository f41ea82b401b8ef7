package main

import (
	"strings"
	"testing"
)

// The former name of the native engine is taken, with a line that tells the new one.
func TestEngineFlag(t *testing.T) {
	for given, want := range map[string]string{"": "", "ref": "ref", "native": "native", "onednn": "native"} {
		var errs strings.Builder
		if got := (engineFlag{Engine: given}).name(streams{err: &errs}); got != want {
			t.Errorf("%q: got %q, want %q", given, got, want)
		}
		if told := errs.String(); (told != "") != (given == "onednn") || strings.Count(told, "\n") > 1 {
			t.Errorf("%q: told %q", given, told)
		}
	}
}
