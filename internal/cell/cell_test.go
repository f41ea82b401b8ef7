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
	for _, text := range []string{"-0.012", "+1.5e-3", "-0.01 (-0.02, 0.01)", "+3.72*", "-1.35*†", "-0.45 to +0.32", "+0.15 to +2", "-3.2 or more", "+1.2 [-0.3, +2.1]*", "-12.5 ± 3.0", "-5%", "-5 %", "-0.5 (n = 12)",
		"-0.45 to +0.32 (n = 3)", "case", "", "12 of 15", "a-b"} {
		if got := Mixed(text); got != text {
			t.Errorf("%q: %q, want it as it is", text, got)
		}
	}
	for _, text := range []string{"-2+3+cmd|' /C calc'!A0", "=SUM(1)", "+e1", "-e1:e9", "-1+2", "+(1)", "-1*2", "+1.2.3", "-0.1 to e5", "@SUM(A1)", "+", "-", "+1 to", "-1-1", "\t1", "+49 170 1234", "-1 [e1, e2]", "-2 (n = e3)"} {
		if got := Mixed(text); got != "'"+text {
			t.Errorf("%q: %q, want an apostrophe", text, got)
		}
	}
}
