package main

import (
	"fmt"
	"strings"
	"testing"
)

// Two selections of one seed, with the first picks labelled in between, draw independently of each other; of the same ids they are the same.
func TestSelectionsAreIndependent(t *testing.T) {
	choose := func(seed, without int, args ...string) (id int) {
		t.Helper()
		var in strings.Builder
		for i := range 100 {
			if i != without {
				fmt.Fprintf(&in, "%d,%d\n", i, i%7)
			}
		}
		var out, errs strings.Builder
		args = append([]string{"select", "--scores", "-", "--size", "1", "--seed", fmt.Sprint(seed)}, args...)
		if code := run(t.Context(), strings.NewReader(in.String()), &out, &errs, args); code != done {
			t.Fatal(errs.String())
		}
		_, line, _ := strings.Cut(out.String(), "\n")
		if _, err := fmt.Sscanf(line, "%d,", &id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	near, moved := 0, 0
	for seed := range 40 {
		first := choose(seed, -1, "--strategy", "random")
		second := choose(seed, first, "--strategy", "random")
		if choose(seed, first, "--strategy", "random") != second {
			t.Error("the same ids give other picks")
		}
		if max(first-second, second-first) <= 2 {
			near++
		}
		moved = max(moved, second-first, first-second)
	}
	if near > 10 || moved < 20 { // 4 in a hundred by chance
		t.Errorf("%d of 40 picks are next to the one before, the farthest is %d away", near, moved)
	}
}
