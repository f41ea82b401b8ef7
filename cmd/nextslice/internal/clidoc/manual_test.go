package clidoc

import "testing"

// Roff's own characters come out as they went in.
func TestRoffText(t *testing.T) {
	for in, want := range map[string]string{`.nii`: `\&.nii`, `'a'`: `\&'a'`, `C:\data`: `C:\edata`, "--data": `\-\-data`} {
		if got := text(in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}
