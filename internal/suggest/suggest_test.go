package suggest

import "testing"

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"entrpy", "entropy", 1}, {"same", "same", 0}, {"ab", "ba", 2},
	} {
		if got, back := distance(c.a, c.b), distance(c.b, c.a); got != c.want || back != c.want {
			t.Errorf("%q to %q: %d edits, back %d, want %d", c.a, c.b, got, back, c.want)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"margin", "entropy", "dropout"}
	for _, c := range []struct {
		word  string
		edits int
		want  string
	}{
		{"entrpy", 2, "entropy"}, {"entropy", 0, "entropy"}, {"entrpy", 0, ""}, {"xyz", 2, ""}, {"entropies", 3, "entropy"}, {"entropies", 2, ""},
	} {
		if got := Nearest(c.word, known, c.edits); got != c.want {
			t.Errorf("%q within %d edits: %q, want %q", c.word, c.edits, got, c.want)
		}
	}
	if got := Nearest("cat", []string{"hat", "bat"}, 2); got != "hat" {
		t.Errorf("of two equally near words: %q, want the first", got)
	}
}
