package store

import (
	"context"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// clock is a time that tests move.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func open(t *testing.T) (*Store, *clock) {
	t.Helper()
	c := &clock{time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)}
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "project"), c.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for _, name := range []string{"A", "B"} {
		if err := s.AddCase(t.Context(), Case{Name: name, Slices: 5, Height: 2, Width: 3, Role: Training}, nil); err != nil {
			t.Fatal(err)
		}
	}
	return s, c
}

func mask(v uint8) []uint8 { return slices.Repeat([]uint8{v}, 6) }

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestVersionsAreKept(t *testing.T) {
	s, _ := open(t)
	ctx, item := t.Context(), Item{"A", 3}
	for i := 1; i <= 3; i++ {
		saved := must[Saved](t)(s.Save(ctx, Save{Item: item, Person: "ana", Seconds: 2, Action: ActionEdited, Mask: mask(uint8(i))}))
		if saved.Version != i || !saved.Labelled {
			t.Fatalf("save %d: %+v", i, saved)
		}
	}
	if _, err := s.Restore(ctx, item, 1, "ben", new(2), nil); !errors.Is(err, ErrConflict) {
		t.Errorf("a version that the person has not seen is replaced: %v", err)
	}
	saved := must[Saved](t)(s.Restore(ctx, item, 1, "ben", new(3), nil))
	got, number, err := s.Label(ctx, item)
	if err != nil || number != 4 || saved.Version != 4 || !slices.Equal(got, mask(1)) {
		t.Errorf("restored: version %d, %v, %v", number, got, err)
	}
	versions := must[[]Version](t)(s.Versions(ctx, item))
	if len(versions) != 4 || versions[3].Action != ActionRestored || *versions[3].Restored != 1 || versions[3].Person != "ben" {
		t.Errorf("versions: %+v", versions)
	}
	for i := 1; i <= 3; i++ {
		if got := must[[]uint8](t)(s.VersionMask(ctx, item, i)); !slices.Equal(got, mask(uint8(i))) {
			t.Errorf("version %d: %v", i, got)
		}
	}
	for _, statement := range []string{`UPDATE versions SET person = 'x'`, `DELETE FROM versions`, `DELETE FROM events`, `UPDATE events SET detail = ''`} {
		if _, err := s.db.Exec(statement); err == nil {
			t.Errorf("%s: the database allowed it", statement)
		}
	}
	if _, err := s.Restore(ctx, item, 9, "ben", nil, nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("version 9: %v", err)
	}
	if s := must[float64](t)(s.Seconds(ctx)); s != 6 {
		t.Errorf("%v seconds, want 6", s)
	}
}

func TestSaveRefusesWhatOthersDo(t *testing.T) {
	s, c := open(t)
	ctx, item := t.Context(), Item{"A", 3}
	if err := s.Enqueue(ctx, []QueueRow{{Item: item, Purpose: ForTraining, Kind: KindQuery}}); err != nil {
		t.Fatal(err)
	}
	must[QueueRow](t)(s.Next(ctx, Want{Person: "ana", Lease: time.Minute}))
	save := Save{Item: item, Person: "ben", Action: ActionEdited, Mask: mask(1)}
	if _, err := s.Save(ctx, save); !errors.Is(err, ErrConflict) {
		t.Errorf("ben saves what ana holds: %v", err)
	}
	if _, err := s.Next(ctx, Want{Person: "ben", Lease: time.Minute}); !errors.Is(err, ErrNotFound) {
		t.Errorf("ben is offered what ana holds: %v", err)
	}
	c.t = c.t.Add(2 * time.Minute)
	if q, err := s.Next(ctx, Want{Person: "ben", Lease: time.Minute}); err != nil || q.Item != item {
		t.Errorf("ana's lease has lapsed: %+v, %v", q, err)
	}
	if _, err := s.Save(ctx, save); err != nil {
		t.Error(err)
	}
	zero := 0
	if _, err := s.Save(ctx, Save{Item: item, Person: "ana", Action: ActionEdited, Mask: mask(2), Base: &zero}); !errors.Is(err, ErrConflict) {
		t.Errorf("ana saves on top of a version she has not seen: %v", err)
	}
}

func TestNextGoesThroughTheQueue(t *testing.T) {
	s, _ := open(t)
	ctx := t.Context()
	var rows []QueueRow
	for i := range 4 {
		rows = append(rows, QueueRow{Item: Item{"A", i}, Purpose: ForTraining, Kind: KindQuery})
	}
	if err := s.Enqueue(ctx, append(rows, rows[1])); err != nil {
		t.Fatal(err)
	}
	next := func(person string, after int, refuse ...string) int {
		t.Helper()
		want := Want{Person: person, Lease: time.Minute, Most: 2, Refuse: map[string]bool{}}
		if after >= 0 {
			want.After = &Item{"A", after}
		}
		for _, name := range refuse {
			want.Refuse[name] = true
		}
		q, err := s.Next(ctx, want)
		if errors.Is(err, ErrNotFound) {
			return -1
		}
		if err != nil {
			t.Fatal(err)
		}
		return q.Item.Slice
	}
	for i, step := range []struct {
		person      string
		after, want int
	}{
		{"ana", -1, 0}, {"ana", -1, 0}, // her own lease first
		{"ben", -1, 1}, {"ana", 0, 2}, {"ben", 1, 3}, {"cy", -1, -1},
		{"ana", 2, 0}, // around the end, back to her own
	} {
		if got := next(step.person, step.after); got != step.want {
			t.Fatalf("step %d, %+v: got %d", i, step, got)
		}
	}
	if got := next("dan", -1, "A"); got != -1 {
		t.Errorf("an unreadable case was offered: %d", got)
	}
	if err := s.Skip(ctx, Item{"A", 1}, "ben", "motion", 3, nil); err != nil {
		t.Fatal(err)
	}
	if skipped := must[[]Item](t)(s.Skipped(ctx)); len(skipped) != 1 || skipped[0] != (Item{"A", 1}) {
		t.Errorf("skipped: %v", skipped)
	}
	if queue := must[[]QueueRow](t)(s.Queue(ctx, false)); len(queue) != 3 {
		t.Errorf("%d items wait, want 3", len(queue))
	}
}

func TestDoubleReading(t *testing.T) {
	s, _ := open(t)
	ctx := t.Context()
	agree := func(a, b []uint8) float64 {
		if slices.Equal(a, b) {
			return 1
		}
		return 0.25
	}
	item, other := Item{"A", 0}, Item{"A", 1}
	err := s.Enqueue(ctx, []QueueRow{
		{Item: item, Purpose: ForTraining, Kind: KindQuery, Readings: 2},
		{Item: other, Purpose: ForTraining, Kind: KindQuery, Readings: 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	save := func(item Item, person string, v uint8, adjudicator bool) (Saved, error) {
		return s.Save(ctx, Save{Item: item, Person: person, Action: ActionEdited, Mask: mask(v), Agree: agree, Agreement: 0.8, Adjudicator: adjudicator})
	}
	if saved := must[Saved](t)(save(item, "ana", 1, false)); saved.Labelled {
		t.Error("one reading of two made a label")
	}
	if q := must[QueueRow](t)(s.Next(ctx, Want{Person: "ana", Lease: time.Minute})); q.Item != other {
		t.Errorf("ana is offered %v, which she has read", q.Item)
	}
	if _, _, err := s.Label(ctx, item); !errors.Is(err, ErrNotFound) {
		t.Errorf("label after one reading: %v", err)
	}
	if saved := must[Saved](t)(save(item, "ben", 1, false)); !saved.Labelled || *saved.Agreement != 1 {
		t.Errorf("readings that agree: %+v", saved)
	}
	versions := must[[]Version](t)(s.Versions(ctx, item))
	if last := versions[2]; last.Action != ActionAgreed || last.Person != "ana" || last.Reading != 0 {
		t.Errorf("the label of two readings: %+v", last)
	}

	must[Saved](t)(save(other, "ana", 1, false))
	if saved := must[Saved](t)(save(other, "ben", 2, false)); saved.Labelled || *saved.Agreement != 0.25 {
		t.Errorf("readings that differ: %+v", saved)
	}
	if _, err := save(other, "ben", 2, false); !errors.Is(err, ErrConflict) {
		t.Errorf("a reader decided: %v", err)
	}
	if _, err := s.Next(ctx, Want{Person: "ben", Lease: time.Minute}); !errors.Is(err, ErrNotFound) {
		t.Errorf("a disputed item was offered to a reader: %v", err)
	}
	if q := must[QueueRow](t)(s.Next(ctx, Want{Person: "eva", Adjudicator: true, Lease: time.Minute})); q.Item != other || q.State != Disputed {
		t.Errorf("eva is offered %+v", q)
	}
	if saved := must[Saved](t)(save(other, "eva", 3, true)); !saved.Labelled {
		t.Errorf("adjudicated: %+v", saved)
	}
	if got, _, err := s.Label(ctx, other); err != nil || !slices.Equal(got, mask(3)) {
		t.Errorf("label: %v, %v", got, err)
	}

	// A label can be read a second time later.
	if err := s.AskReading(ctx, item, "eva", nil); err != nil {
		t.Fatal(err)
	}
	if q := must[QueueRow](t)(s.Next(ctx, Want{Person: "cy", Lease: time.Minute})); q.Item != item {
		t.Errorf("cy is offered %+v", q)
	}
	if saved := must[Saved](t)(save(item, "cy", 1, false)); !saved.Labelled {
		t.Errorf("third reading: %+v", saved)
	}
}

func TestAddModelReplacesTheQueue(t *testing.T) {
	s, _ := open(t)
	ctx := t.Context()
	var rows []QueueRow
	for i := range 4 {
		rows = append(rows, QueueRow{Item: Item{"A", i}, Cycle: -1, Purpose: ForTraining, Kind: KindQuery})
	}
	rows[3].Purpose = ForValidation
	if err := s.Enqueue(ctx, rows); err != nil {
		t.Fatal(err)
	}
	must[QueueRow](t)(s.Next(ctx, Want{Person: "ana", Lease: time.Minute}))
	if err := s.SaveDraft(ctx, Item{"A", 1}, "ben", mask(1), 0); err != nil {
		t.Fatal(err)
	}
	score := 0.5
	model := Model{Version: 1, Cycle: 0, Labelled: 10, Adopted: true, Reason: "first", Copies: []Item{{"A/1", 3}, {"A/1", 3}, {"B", 0}}, Saw: map[Item]int{{"A/1", 3}: 2}}
	if saw := must[map[Item]int](t)(s.Saw(ctx, 1)); saw != nil {
		t.Errorf("what a model of an older program saw: %v", saw)
	}
	if err := s.AddModel(ctx, model, []QueueRow{{Item: Item{"B", 0}, Purpose: ForTraining, Kind: KindQuery, Score: &score}}); err != nil {
		t.Fatal(err)
	}
	var waiting []string
	for _, q := range must[[]QueueRow](t)(s.Queue(ctx, false)) {
		waiting = append(waiting, q.Item.String())
	}
	if want := []string{"A/000", "A/001", "A/003", "B/000"}; !slices.Equal(waiting, want) {
		t.Errorf("waiting: %v, want %v: leased, drafted and validation items stay", waiting, want)
	}
	if models := must[[]Model](t)(s.Models(ctx)); len(models) != 1 || models[0].Reason != "first" || !models[0].Adopted || !slices.Equal(models[0].Copies, model.Copies) {
		t.Errorf("models: %+v", models)
	}
	if saw := must[map[Item]int](t)(s.Saw(ctx, 1)); !maps.Equal(saw, model.Saw) {
		t.Errorf("saw %v, want %v", saw, model.Saw)
	}
	if saw := must[map[Item]int](t)(s.Saw(ctx, 2)); saw != nil {
		t.Errorf("what another model than the newest that was noted saw: %v", saw)
	}
}

// A measure that is no number is none: SQLite would keep NaN as NULL, so that the version no longer matched its digest and its label were
// lost, and infinity for ever.
func TestMeasuresThatAreNone(t *testing.T) {
	s, _ := open(t)
	ctx := t.Context()
	for i, none := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		item := Item{"A", i}
		must[Saved](t)(s.Save(ctx, Save{Item: item, Person: "ana", Action: ActionEdited, Mask: mask(1), Dice: &none}))
		if got := must[[]uint8](t)(s.VersionMask(ctx, item, 1)); !slices.Equal(got, mask(1)) {
			t.Errorf("%v: the mask is %v", none, got)
		}
		if v := must[[]Version](t)(s.Versions(ctx, item)); len(v) != 1 || v[0].Dice != nil {
			t.Errorf("%v: the versions are %+v", none, v)
		}
		if err := s.AddModel(ctx, Model{Version: i + 1, Cycle: i, Dice: &none, Previous: &none}, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range must[[]Model](t)(s.Models(ctx)) {
		if m.Dice != nil || m.Previous != nil {
			t.Errorf("model %+v", m)
		}
	}
}

func TestOpenIsExclusive(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "project")
	first, err := Open(t.Context(), dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir, time.Now); !errors.Is(err, ErrLocked) {
		t.Errorf("second server: %v", err)
	}
	first.Close()
	second, err := Open(t.Context(), dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	second.Close()

	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "thesis.tex"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), other, time.Now); err == nil {
		t.Error("a project was made among other files")
	}
}

func TestOpenRefusesNewerFormat(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "project")
	s, err := Open(t.Context(), dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if s, err := Open(t.Context(), dir, time.Now); err == nil {
		s.Close()
		t.Error("a project of a newer program was opened")
	}
}

func TestSessions(t *testing.T) {
	s, c := open(t)
	ctx := context.Background()
	if err := s.StartSession(ctx, "secret", "ana"); err != nil {
		t.Fatal(err)
	}
	if person, err := s.Session(ctx, "secret", time.Hour); err != nil || person != "ana" {
		t.Errorf("%q, %v", person, err)
	}
	c.t = c.t.Add(2 * time.Hour)
	if _, err := s.Session(ctx, "secret", time.Hour); !errors.Is(err, ErrNotFound) {
		t.Errorf("an old session: %v", err)
	}
	if err := s.SetAccounts(ctx, []Account{{Name: "ben", Role: Annotator}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Session(ctx, "secret", 24*time.Hour); !errors.Is(err, ErrNotFound) {
		t.Errorf("the session of a person who is no longer listed: %v", err)
	}
}

func TestParseItem(t *testing.T) {
	for _, item := range []Item{{"Case12", 17}, {"a/b", 0}, {"x", 12345}} {
		if got, err := ParseItem(item.String()); err != nil || got != item {
			t.Errorf("%v: got %v, %v", item, got, err)
		}
	}
	for _, bad := range []string{"", "/", "x", "/001", "x/", "x/-1", "x/a"} {
		if got, err := ParseItem(bad); err == nil {
			t.Errorf("%q: got %v", bad, got)
		}
	}
}

// A clock that is set forward by hours ends nobody's lease, one that is set back makes none last longer, and leases of a clock that was wrong are
// bounded at the next start.
func TestLeasesAndClockJumps(t *testing.T) {
	jump := time.Duration(0)
	now := func() time.Time { return time.Now().Add(jump) }
	dir := filepath.Join(t.TempDir(), "project")
	s, err := Open(t.Context(), dir, now)
	if err != nil {
		t.Fatal(err)
	}
	item := Item{"A", 1}
	if err := errors.Join(s.AddCase(t.Context(), Case{Name: "A", Slices: 5, Height: 2, Width: 3, Role: Training}, nil),
		s.Enqueue(t.Context(), []QueueRow{{Item: item, Purpose: ForTraining, Kind: KindQuery}})); err != nil {
		t.Fatal(err)
	}
	must[QueueRow](t)(s.Next(t.Context(), Want{Person: "ana", Lease: time.Hour, Most: 4}))
	for _, jump = range []time.Duration{5 * time.Hour, -5 * time.Hour, 0} {
		if _, err := s.Next(t.Context(), Want{Person: "ben", Lease: time.Hour, Most: 4}); !errors.Is(err, ErrNotFound) {
			t.Errorf("after a jump of %v ben is offered what ana holds: %v", jump, err)
		}
		if q, err := s.Row(item); err != nil || q.Lease == nil || time.Until(q.Lease.Until) > time.Hour {
			t.Errorf("after a jump of %v: %+v, %v", jump, q.Lease, err)
		}
	}
	if _, err := s.db.Exec(`UPDATE leases SET until = '2099-01-01T00:00:00.000Z'`); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if s, err = Open(t.Context(), dir, now); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Next(t.Context(), Want{Person: "ben", Lease: time.Hour, Most: 4}); err != nil {
		t.Errorf("a lease until 2099: %v", err)
	}
}

// What a save replaces, its person has seen: a draft remembers the version that it began with, and a newer label is not replaced, not even
// the person's own from another window.
func TestNoNewerLabelIsReplaced(t *testing.T) {
	s, _ := open(t)
	ctx, item := t.Context(), Item{"A", 1}
	if err := s.SaveDraft(ctx, item, "ana", mask(1), 0); err != nil {
		t.Fatal(err)
	}
	save := func(person string, value uint8, base int) error {
		_, err := s.Save(ctx, Save{Item: item, Person: person, Action: ActionEdited, Mask: mask(value), Base: &base})
		return err
	}
	if err := save("ben", 2, 0); err != nil {
		t.Fatal(err)
	}
	drafts := must[[]Draft](t)(s.Drafts(ctx))
	if len(drafts) != 1 || drafts[0].Person != "ana" || drafts[0].Base != 0 {
		t.Fatalf("drafts: %+v", drafts)
	}
	if err := save("ana", 1, drafts[0].Base); !errors.Is(err, ErrConflict) {
		t.Errorf("an old draft replaced a newer label: %v", err)
	}
	if err := save("ben", 3, 0); !errors.Is(err, ErrConflict) {
		t.Errorf("another window replaced the person's own newer label: %v", err)
	}
	if err := save("ben", 2, 0); err != nil {
		t.Errorf("an answer that was lost is not given again: %v", err)
	}
	if err := save("ana", 1, 2); err != nil {
		t.Errorf("who has seen the label cannot correct it: %v", err)
	}
	if got, number, err := s.Label(ctx, item); err != nil || number != 3 || !slices.Equal(got, mask(1)) {
		t.Errorf("label: version %d, %v, %v", number, got, err)
	}
}

// Who restores a version sees it next, and not the draft of before; other people's drafts stay.
func TestRestoreEndsTheDraft(t *testing.T) {
	s, _ := open(t)
	ctx, item := t.Context(), Item{"A", 1}
	for v := range uint8(2) {
		must[Saved](t)(s.Save(ctx, Save{Item: item, Person: "ana", Action: ActionEdited, Mask: mask(v)}))
	}
	for _, person := range []string{"ana", "ben"} {
		if err := s.SaveDraft(ctx, item, person, mask(2), 2); err != nil {
			t.Fatal(err)
		}
	}
	must[Saved](t)(s.Restore(ctx, item, 1, "ana", nil, nil))
	if drafts := must[[]Draft](t)(s.Drafts(ctx)); len(drafts) != 1 || drafts[0].Person != "ben" || drafts[0].Base != 2 {
		t.Errorf("drafts: %+v", drafts)
	}
}

// A draft of an older program began with the label that was there when it was kept, not with the one of today.
func TestDraftsOfOlderPrograms(t *testing.T) {
	s, c := open(t)
	ctx, items := t.Context(), []Item{{"A", 0}, {"A", 1}, {"A", 2}}
	label := func(item Item, person string) {
		c.t = c.t.Add(time.Minute)
		must[Saved](t)(s.Save(ctx, Save{Item: item, Person: person, Action: ActionEdited, Mask: mask(1)}))
	}
	label(items[1], "ben")
	for _, item := range items {
		c.t = c.t.Add(time.Minute)
		if err := s.SaveDraft(ctx, item, "ana", mask(2), 0); err != nil {
			t.Fatal(err)
		}
	}
	label(items[1], "ben")
	label(items[2], "ben")
	for _, statement := range []string{`ALTER TABLE drafts DROP COLUMN base`, `DELETE FROM goose_db_version WHERE version_id = 6`} {
		if _, err := s.db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = must[*Store](t)(Open(ctx, s.Dir(), c.now))
	defer s.Close()
	base := map[Item]int{}
	for _, d := range must[[]Draft](t)(s.Drafts(ctx)) {
		base[d.Item] = d.Base
	}
	if want := map[Item]int{items[0]: 0, items[1]: 1, items[2]: 0}; !maps.Equal(base, want) {
		t.Errorf("bases %v, want %v", base, want)
	}
}
