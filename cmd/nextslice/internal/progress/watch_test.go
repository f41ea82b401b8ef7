package progress

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/experiment"
	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/record"
)

// screen is what a terminal shows after text that goes back by whole lines only.
func screen(t *testing.T, text string) (lines []string) {
	t.Helper()
	up := regexp.MustCompile(`^\r\x1b\[(\d+)A\x1b\[J`)
	for text != "" {
		if m := up.FindStringSubmatch(text); m != nil {
			n, _ := strconv.Atoi(m[1])
			if n > len(lines) {
				t.Fatalf("%d lines erased of %d", n, len(lines))
			}
			lines, text = lines[:len(lines)-n], text[len(m[0]):]
			continue
		}
		line, rest, ok := strings.Cut(text, "\n")
		if !ok || strings.Contains(line, "\x1b") {
			t.Fatalf("%q is no whole line", line)
		}
		lines, text = append(lines, line), rest
	}
	return lines
}

func TestLiveTable(t *testing.T) {
	c := record.Config{Strategies: []string{"random", "entropy+sb"}, InitialSets: 2, InitialSize: 10, QuerySize: 5, Cycles: 2}
	units := c.Units()
	width, height := 60, 24
	var out strings.Builder
	table := newLiveTable(&out, c, func() (int, int) { return width, height })
	cycle := func(u record.Unit, n int, dice float64, phase string) experiment.Event {
		r := &active.Cycle{Cycle: n, Labelled: 10 + 5*n, Query: []string{"case/1"}}
		if n == c.Cycles {
			r.Query = nil
		}
		r.Measures.Mean.Dice3D = metrics.Measure{Value: dice}
		return experiment.Event{Unit: u.String(), Run: u, Cycle: n, Phase: phase, Done: 1, Of: 1, Recorded: r, Fraction: 0.5}
	}
	table.Event(experiment.Event{Phase: "load", Done: 1, Of: 2})
	for n, dice := range []float64{0.5, 0.6, 0.7} {
		table.Event(cycle(units[0], n, dice, "load")) // by an earlier run
	}
	table.Notice("3 finished runs taken from a record")
	table.Event(experiment.Event{Phase: "load", Done: 2, Of: 2})
	table.Event(cycle(units[1], 0, 0.7, "score"))
	table.Event(cycle(units[1], 1, math.NaN(), "score"))
	table.Event(cycle(units[2], 0, 0.25, "score"))
	table.Event(experiment.Event{Unit: units[1].String(), Run: units[1], Cycle: 2, Phase: "train", Done: 30, Of: 80, Loss: 0.25, Fraction: 0.25})
	table.Event(experiment.Event{Unit: units[2].String(), Run: units[2], Cycle: 1, Phase: "evaluate", Done: 3, Of: 5, Fraction: 0.5})
	table.last = time.Time{}
	table.Event(experiment.Event{Unit: units[2].String(), Run: units[2], Cycle: 1, Phase: "evaluate", Done: 4, Of: 5, Fraction: 0.5})
	want := []string{
		"3 finished runs taken from a record",
		"dice_3d on the test cases, mean of the runs so far",
		"labelled        10      15      20   runs",
		"random       0.600   0.600   0.700    1/2",
		"entropy+sb   0.250       ·       ·    0/2",
		"  entropy+sb, set 1, cycle 1: evaluate 4/5",
		"  random, set 2, cycle 2: train 30/80, loss 0.250",
		" 50% ━━━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌",
	}
	if diff := cmp.Diff(want, screen(t, out.String())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	width, height = 36, 7 // one row and the later columns
	table.last = time.Time{}
	table.Event(experiment.Event{Unit: units[2].String(), Run: units[2], Cycle: 1, Phase: "evaluate", Done: 5, Of: 5, Fraction: 0.5})
	small := screen(t, out.String())[1:]
	if len(small) > height-1 || !strings.HasPrefix(small[2], "entropy+sb ") || !strings.Contains(small[1], "20") || strings.Contains(small[1], "10") {
		t.Errorf("on a small terminal:\n%s", strings.Join(small, "\n"))
	}
	for _, line := range small {
		if len([]rune(line)) >= width {
			t.Errorf("%q wraps", line)
		}
	}

	table.End()
	table.End()
	if diff := cmp.Diff(want[:1], screen(t, out.String())); diff != "" {
		t.Errorf("what stays (-want +got):\n%s", diff)
	}
}
