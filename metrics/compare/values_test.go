package compare

import (
	"slices"
	"strings"
	"testing"
)

func TestLabelValues(t *testing.T) {
	seen := func(values ...uint8) (s [256]bool) {
		s[0] = true
		for _, v := range values {
			s[v] = true
		}
		return s
	}
	for _, c := range []struct {
		name       string
		pred, ref  [256]bool
		values     []uint8 // of the classes
		predValues []uint8 // of the classes in the predictions; 0 for what is compared with nothing
		note       string
	}{
		{"equal", seen(1, 2), seen(1, 2), []uint8{1, 2}, []uint8{1, 2}, ""},
		{"gaps", seen(1, 2, 4), seen(1, 2, 4), []uint8{1, 2, 4}, []uint8{1, 2, 4}, ""},
		{"one missing", seen(4), seen(1, 2, 4), []uint8{1, 2, 4}, []uint8{1, 2, 4}, ""},
		{"extra", seen(1, 3), seen(1, 4), []uint8{1, 3, 4}, []uint8{1, 3, 4}, "compared with nothing"},
		{"white", seen(255), seen(255), []uint8{255}, []uint8{255}, ""},
		{"white for 1", seen(255), seen(1), []uint8{1}, []uint8{255}, "255 of the predictions stand for 1 of"},
		{"1 for white", seen(1), seen(255), []uint8{255}, []uint8{1}, "1 of the predictions stand for 255 of"},
		{"greys", seen(1, 3), seen(85, 170, 255), []uint8{85, 170, 255}, []uint8{1, 2, 3}, "1, 3 of the predictions stand for 85, 170, 255"},
		{"greys predicted", seen(85, 170, 255), seen(2), []uint8{1, 2, 3}, []uint8{85, 170, 255}, "stand for 2 of"},
		{"too many", seen(1, 2), seen(255), []uint8{1, 2, 255}, []uint8{1, 2, 255}, "compared with nothing"},
		{"other gaps", seen(1), seen(26), []uint8{1, 26}, []uint8{1, 26}, "compared with nothing"},
		{"other class", seen(2), seen(1), []uint8{1, 2}, []uint8{1, 2}, "compared with nothing"},
		{"no prediction", seen(), seen(3), []uint8{3}, []uint8{3}, ""},
		{"no reference", seen(3), seen(), []uint8{3}, []uint8{3}, ""},
		{"nothing", seen(), seen(), []uint8{1}, []uint8{1}, ""},
	} {
		classes, notes := (&valuesSeen{pred: c.pred, ref: c.ref}).classes(classNames{})
		if !slices.Equal(classes.values[1:], c.values) || len(classes.names) != len(classes.values) {
			t.Errorf("%s: classes %v, want %v", c.name, classes.values[1:], c.values)
		}
		for n, v := range c.predValues {
			if n >= len(c.values) || classes.pred[v] != uint8(n+1) || classes.ref[c.values[n]] != uint8(n+1) {
				t.Errorf("%s: class %d: value %d of predictions is %d", c.name, n+1, v, classes.pred[v])
			}
		}
		if note := strings.Join(notes, "; "); !strings.Contains(note, c.note) || (note == "") != (c.note == "") {
			t.Errorf("%s: noted %q, want %q", c.name, note, c.note)
		}
	}
}
