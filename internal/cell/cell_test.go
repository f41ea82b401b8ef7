package cell

import "testing"

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "ana": "ana", "=1+1": "'=1+1", "+49": "'+49", "-x": "'-x", "@SUM(A1)": "'@SUM(A1)", "\tx": "'\tx", "\r=x": "'\r=x", "a=b": "a=b", "'ana": "'ana", "'=x": "''=x", "''": "''", "'": "'",
	} {
		got := Text(text)
		if got != want || Parse(got) != text {
			t.Errorf("%q: %q, read back %q", text, got, Parse(got))
		}
	}
}

func TestMixed(t *testing.T) {
	for text, want := range map[string]string{
		"-0.012": "-0.012", "+1.5e-3": "+1.5e-3", "-0.01 (-0.02, 0.01)": "-0.01 (-0.02, 0.01)", "-2+3+cmd|' /C calc'!A0": "'-2+3+cmd|' /C calc'!A0",
		"=SUM(1)": "'=SUM(1)", "case": "case", "": "",
	} {
		if got := Mixed(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
