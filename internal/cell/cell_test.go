package cell

import "testing"

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "ana": "ana", "=1+1": "'=1+1", "+49": "'+49", "-x": "'-x", "@SUM(A1)": "'@SUM(A1)", "\tx": "'\tx", "\r=x": "'\r=x", "a=b": "a=b", "'ana": "'ana",
	} {
		got := Text(text)
		if got != want || Parse(got) != text {
			t.Errorf("%q: %q, read back %q", text, got, Parse(got))
		}
	}
}
