package server

import (
	"fmt"
	"testing"
	"time"
)

func TestAttempts(t *testing.T) {
	now := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	a := attempts{now: func() time.Time { return now }, wrong: map[string]*guesses{}}
	for i := range freeAttempts + 1 {
		if wait := a.begin("1.2.3.4", "ana"); wait != 0 {
			t.Fatalf("attempt %d waits %v", i, wait)
		}
	}
	if wait := a.begin("1.2.3.4", "ana"); wait != firstDelay {
		t.Errorf("the next waits %v", wait)
	}
	if wait := a.begin("1.2.3.4", "ben"); wait == 0 {
		t.Error("another name from the same address does not wait")
	}
	if wait := a.begin("5.6.7.8", "ana"); wait == 0 {
		t.Error("the same name from another address does not wait")
	}
	if wait := a.begin("5.6.7.8", "ben"); wait != 0 {
		t.Error("somebody else waits")
	}
	now = now.Add(firstDelay)
	if wait := a.begin("1.2.3.4", "ana"); wait != 0 {
		t.Errorf("after the delay: %v", wait)
	}
	if wait := a.begin("1.2.3.4", "ana"); wait != 2*firstDelay {
		t.Errorf("and then: %v", wait)
	}
	for range 50 {
		now = now.Add(addressDelay)
		a.begin("1.2.3.4", "ana")
	}
	if wait := a.begin("9.9.9.9", "ana"); wait > nameDelay {
		t.Errorf("a name is locked for %v", wait)
	}
	if wait := a.begin("1.2.3.4", "x"); wait > addressDelay {
		t.Errorf("an address is locked for %v", wait)
	}
	now = now.Add(addressDelay)
	a.succeed("1.2.3.4", "ana")
	if wait := a.begin("1.2.3.4", "ana"); wait != 0 {
		t.Errorf("after the right token: %v", wait)
	}
	for i := range 3 * mostGuessers {
		a.begin(fmt.Sprint(i), fmt.Sprint(i))
	}
	if len(a.wrong) > mostGuessers+2 {
		t.Errorf("%d are kept", len(a.wrong))
	}
}
