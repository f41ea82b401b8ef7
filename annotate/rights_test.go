package annotate

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate/store"
)

// What everybody may do with an item in every state: yes, hidden (not found), conflict (somebody's turn), or no (forbidden).
func TestMay(t *testing.T) {
	item := Item{Case: "c1", Slice: 2}
	row := func(readings int, state store.State) *store.QueueRow {
		return &store.QueueRow{Item: item, Purpose: store.ForTraining, Readings: readings, State: state}
	}
	label := &store.Version{Item: item, Version: 1, Person: "ana", Action: store.ActionEdited}
	lease := &store.Lease{Person: "ana", Until: time.Now().Add(time.Hour)}
	states := map[string]store.ItemState{
		"unasked":    {},
		"waiting":    {Row: row(1, store.Waiting)},
		"held":       {Row: row(1, store.Waiting), Lease: lease}, // by ana
		"labelled":   {Label: label},
		"to-be-read": {Row: row(2, store.Waiting)},
		"read":       {Row: row(2, store.Waiting), Readers: []string{"ana"}},
		"read-again": {Row: row(2, store.Waiting), Readers: []string{"ana"}, Label: label}, // asked for later
		"disputed":   {Row: row(2, store.Disputed), Readers: []string{"ana", "ben"}},
		"sent-back":  {Row: &store.QueueRow{Item: item, Purpose: store.ForCorrection, Readings: 1, State: store.Waiting}, Label: label},
		"decided":    {Label: &store.Version{Item: item, Version: 3, Person: "eva", Action: store.ActionAdjudicated}, Decided: true},
	}
	people := map[string]Person{
		"uma": {Name: "uma", Role: Annotator}, // who has nothing to do with it
		"ana": {Name: "ana", Role: Annotator}, // who holds, labelled or read it
		"eva": {Name: "eva", Role: Adjudicator, Adjudicator: true},
		"any": {Name: "any", Role: Annotator, Adjudicator: true}, // in a project without a list of people
	}
	const table = `
deed                      state       uma       ana       eva       any
see the label             unasked     yes       yes       yes       yes
see the label             waiting     yes       yes       yes       yes
see the label             held        yes       yes       yes       yes
see the label             labelled    yes       yes       yes       yes
see the label             to-be-read  hidden    hidden    hidden    hidden
see the label             read        hidden    hidden    hidden    hidden
see the label             read-again  hidden    hidden    hidden    hidden
see the label             disputed    hidden    hidden    yes       yes
see the label             sent-back   yes       yes       yes       yes
see the label             decided     yes       yes       yes       yes
save a label              unasked     yes       yes       yes       yes
save a label              waiting     yes       yes       yes       yes
save a label              held        conflict  yes       conflict  conflict
save a label              labelled    yes       yes       yes       yes
save a label              to-be-read  yes       yes       yes       yes
save a label              read        yes       yes       yes       yes
save a label              read-again  yes       yes       yes       yes
save a label              disputed    conflict  conflict  yes       yes
save a label              sent-back   yes       yes       yes       yes
save a label              decided     no        no        yes       yes
keep a draft              unasked     yes       yes       yes       yes
keep a draft              waiting     yes       yes       yes       yes
keep a draft              held        conflict  yes       conflict  conflict
keep a draft              labelled    yes       yes       yes       yes
keep a draft              to-be-read  yes       yes       yes       yes
keep a draft              read        yes       yes       yes       yes
keep a draft              read-again  yes       yes       yes       yes
keep a draft              disputed    yes       yes       yes       yes
keep a draft              sent-back   yes       yes       yes       yes
keep a draft              decided     yes       yes       yes       yes
hold                      unasked     yes       yes       yes       yes
hold                      waiting     yes       yes       yes       yes
hold                      held        conflict  yes       conflict  conflict
hold                      labelled    yes       yes       yes       yes
hold                      to-be-read  yes       yes       yes       yes
hold                      read        yes       yes       yes       yes
hold                      read-again  yes       yes       yes       yes
hold                      disputed    conflict  conflict  yes       yes
hold                      sent-back   yes       yes       yes       yes
hold                      decided     no        no        yes       yes
skip                      unasked     yes       yes       yes       yes
skip                      waiting     yes       yes       yes       yes
skip                      held        conflict  yes       conflict  conflict
skip                      labelled    conflict  conflict  conflict  conflict
skip                      to-be-read  yes       yes       yes       yes
skip                      read        no        yes       yes       yes
skip                      read-again  no        conflict  conflict  conflict
skip                      disputed    no        no        yes       yes
skip                      sent-back   conflict  conflict  conflict  conflict
skip                      decided     no        no        conflict  conflict
release                   unasked     yes       yes       yes       yes
release                   waiting     yes       yes       yes       yes
release                   held        no        yes       yes       yes
release                   labelled    yes       yes       yes       yes
release                   to-be-read  yes       yes       yes       yes
release                   read        yes       yes       yes       yes
release                   read-again  yes       yes       yes       yes
release                   disputed    yes       yes       yes       yes
release                   sent-back   yes       yes       yes       yes
release                   decided     yes       yes       yes       yes
restore a version         unasked     yes       yes       yes       yes
restore a version         waiting     yes       yes       yes       yes
restore a version         held        conflict  yes       conflict  conflict
restore a version         labelled    yes       yes       yes       yes
restore a version         to-be-read  conflict  conflict  conflict  conflict
restore a version         read        conflict  conflict  conflict  conflict
restore a version         read-again  conflict  conflict  conflict  conflict
restore a version         disputed    conflict  conflict  conflict  conflict
restore a version         sent-back   yes       yes       yes       yes
restore a version         decided     no        no        yes       yes
ask for a second reading  unasked     yes       yes       yes       yes
ask for a second reading  waiting     yes       yes       yes       yes
ask for a second reading  held        conflict  yes       conflict  conflict
ask for a second reading  labelled    yes       yes       yes       yes
ask for a second reading  to-be-read  conflict  conflict  yes       yes
ask for a second reading  read        conflict  conflict  yes       yes
ask for a second reading  read-again  conflict  conflict  yes       yes
ask for a second reading  disputed    conflict  conflict  yes       yes
ask for a second reading  sent-back   yes       yes       yes       yes
ask for a second reading  decided     no        no        yes       yes
review a label            unasked     no        no        conflict  conflict
review a label            waiting     no        no        conflict  conflict
review a label            held        conflict  no        conflict  conflict
review a label            labelled    no        no        yes       yes
review a label            to-be-read  no        no        conflict  conflict
review a label            read        no        no        conflict  conflict
review a label            read-again  no        no        conflict  conflict
review a label            disputed    no        no        conflict  conflict
review a label            sent-back   no        no        yes       yes
review a label            decided     no        no        yes       yes`
	lines := strings.Split(strings.TrimSpace(table), "\n")
	head := strings.Fields(lines[0])
	seen := map[string]bool{}
	for _, line := range lines[1:] {
		fields := strings.Fields(line)
		n := len(fields) - 5
		do, state := strings.Join(fields[:n], " "), fields[n]
		seen[do+state] = true
		s, ok := states[state]
		if !ok {
			t.Fatalf("no state %q", state)
		}
		for i, name := range head[2:] {
			for _, role := range []store.Role{store.Training, store.Validation} {
				if got := verdict(may(people[name], deed(do), item, role, s)); got != fields[n+1+i] {
					t.Errorf("%s, %s, %s, %s: %s, want %s", name, do, state, role, got, fields[n+1+i])
				}
			}
		}
	}
	for _, do := range []deed{seeLabel, saveLabel, keepDraft, holdItem, skipItem, release, restore, askReading, review} {
		for state := range states {
			if !seen[string(do)+state] {
				t.Errorf("the table lacks %s, %s", do, state)
			}
		}
	}
	for name, who := range people {
		if got, want := verdict(may(who, stopTraining, Item{}, "", store.ItemState{})), map[bool]string{true: "yes", false: "no"}[who.Adjudicator]; got != want {
			t.Errorf("%s, stop a training: %s, want %s", name, got, want)
		}
		if got := verdict(may(who, startTraining, Item{}, "", store.ItemState{})); got != "yes" {
			t.Errorf("%s, train: %s", name, got)
		}
		for state, s := range states {
			if got := verdict(may(who, seeProposal, item, store.Training, s)); got != "yes" {
				t.Errorf("%s, proposal of a training item, %s: %s", name, state, got)
			}
			if got := verdict(may(who, seeProposal, item, store.Validation, s)); got != "hidden" {
				t.Errorf("%s, proposal of a validation item, %s: %s", name, state, got)
			}
		}
	}
}

func verdict(err error) string {
	switch {
	case err == nil:
		return "yes"
	case errors.Is(err, ErrNotFound):
		return "hidden"
	case errors.Is(err, ErrConflict):
		return "conflict"
	case errors.Is(err, ErrForbidden):
		return "no"
	}
	return err.Error()
}
