package store

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever people do in whatever order, the store remembers what a plain model of it does: every version, which of them
// is the label, who holds what, and what waits.
func TestStoreAgainstModel(t *testing.T) {
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		c := &clock{time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)}
		s, err := Open(t.Context(), filepath.Join(dir, fmt.Sprint(round)), c.now)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if _, err := s.db.Exec(`PRAGMA synchronous = OFF`); err != nil { // nothing is killed here
			t.Fatal(err)
		}
		if err := s.AddCase(t.Context(), Case{Name: "A", Slices: 6, Height: 2, Width: 3, Role: Training}, nil); err != nil {
			t.Fatal(err)
		}
		m := &plainStore{versions: map[Item][]uint8{}, labels: map[Item]uint8{}, leases: map[Item]Lease{}, waiting: map[Item]bool{}, skipped: map[Item]bool{}}
		person := rapid.SampledFrom([]string{"ana", "ben", "cy"})
		item := rapid.Custom(func(t *rapid.T) Item { return Item{"A", rapid.IntRange(0, 5).Draw(t, "slice")} })
		free := func(i Item, who string) bool {
			l, ok := m.leases[i]
			return !ok || l.Person == who || !l.Until.After(c.t)
		}
		agrees := func(t *rapid.T, what string, err error, allowed bool) {
			if allowed && err != nil || !allowed && !errors.Is(err, ErrConflict) {
				t.Fatalf("%s: %v, allowed %v", what, err, allowed)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"queue": func(t *rapid.T) {
				i := item.Draw(t, "item")
				if err := s.Enqueue(t.Context(), []QueueRow{{Item: i, Purpose: ForTraining, Kind: KindQuery}}); err != nil {
					t.Fatal(err)
				}
				if _, labelled := m.labels[i]; !labelled && !m.skipped[i] {
					m.waiting[i] = true
				}
			},
			"next": func(t *rapid.T) {
				who := person.Draw(t, "person")
				q, err := s.Next(t.Context(), Want{Person: who, Lease: 10 * time.Minute, Most: 9})
				offered := slices.ContainsFunc(slices.Collect(maps.Keys(m.waiting)), func(i Item) bool { return free(i, who) })
				if offered != (err == nil) {
					t.Fatalf("next for %s: %v, something waits: %v", who, err, offered)
				}
				if err == nil {
					if !m.waiting[q.Item] || !free(q.Item, who) {
						t.Fatalf("%s is offered %v", who, q.Item)
					}
					m.leases[q.Item] = Lease{who, c.t.Add(10 * time.Minute)}
				}
			},
			"save": func(t *rapid.T) {
				i, who, v := item.Draw(t, "item"), person.Draw(t, "person"), rapid.Uint8().Draw(t, "mask")
				_, err := s.Save(t.Context(), Save{Item: i, Person: who, Action: ActionEdited, Mask: mask(v)})
				agrees(t, "save", err, free(i, who))
				if err == nil {
					m.label(i, v)
				}
			},
			"restore": func(t *rapid.T) {
				i, who := item.Draw(t, "item"), person.Draw(t, "person")
				if len(m.versions[i]) == 0 {
					t.Skip("nothing to restore")
				}
				n := rapid.IntRange(1, len(m.versions[i])).Draw(t, "version")
				_, err := s.Restore(t.Context(), i, n, who, nil, nil)
				agrees(t, "restore", err, free(i, who))
				if err == nil {
					lease, held := m.leases[i]
					m.label(i, m.versions[i][n-1])
					if held { // restoring does not end somebody's own work
						m.leases[i] = lease
					}
				}
			},
			"skip": func(t *rapid.T) {
				i, who := item.Draw(t, "item"), person.Draw(t, "person")
				err := s.Skip(t.Context(), i, who, "motion", 1, nil)
				agrees(t, "skip", err, free(i, who))
				if err == nil {
					delete(m.waiting, i)
					delete(m.leases, i)
					if _, labelled := m.labels[i]; !labelled { // which annotate does not let be skipped
						m.skipped[i] = true
					}
				}
			},
			"release": func(t *rapid.T) {
				i, who := item.Draw(t, "item"), person.Draw(t, "person")
				own := func(state ItemState) error {
					if state.Lease != nil && state.Lease.Person != who {
						return ErrConflict
					}
					return nil
				}
				if err := s.Release(t.Context(), i, who, own); err != nil && !errors.Is(err, ErrConflict) {
					t.Fatal(err)
				}
				if m.leases[i].Person == who {
					delete(m.leases, i)
				}
			},
			"time passes": func(t *rapid.T) {
				c.t = c.t.Add(time.Duration(rapid.IntRange(1, 8).Draw(t, "minutes")) * time.Minute)
			},
			"": func(t *rapid.T) { m.check(t, s) },
		})
	})
}

// plainStore is what the store must remember, in maps.
type plainStore struct {
	versions map[Item][]uint8 // the mask's value of versions 1, 2 …
	labels   map[Item]uint8
	leases   map[Item]Lease
	waiting  map[Item]bool
	skipped  map[Item]bool
}

func (m *plainStore) label(i Item, v uint8) {
	m.versions[i] = append(m.versions[i], v)
	m.labels[i] = v
	delete(m.waiting, i)
	delete(m.leases, i)
	delete(m.skipped, i)
}

func (m *plainStore) check(t *rapid.T, s *Store) {
	labels, err := s.Labels(t.Context(), "")
	if err != nil || len(labels) != len(m.labels) {
		t.Fatalf("%d labels, want %d: %v", len(labels), len(m.labels), err)
	}
	for _, l := range labels {
		got, err := l.Mask()
		if err != nil || !slices.Equal(got, mask(m.labels[l.Item])) || l.Version.Version != len(m.versions[l.Item]) {
			t.Fatalf("%v: %v, version %d, %v", l.Item, got, l.Version.Version, err)
		}
	}
	for i, versions := range m.versions {
		for n, v := range versions {
			if got, err := s.VersionMask(t.Context(), i, n+1); err != nil || !slices.Equal(got, mask(v)) {
				t.Fatalf("%v, version %d: %v, %v", i, n+1, got, err)
			}
		}
	}
	queue, err := s.Queue(t.Context(), false)
	if err != nil || len(queue) != len(m.waiting) {
		t.Fatalf("%d items wait, want %d: %v", len(queue), len(m.waiting), err)
	}
	for _, q := range queue {
		if !m.waiting[q.Item] {
			t.Fatalf("%v waits", q.Item)
		}
	}
	skipped, err := s.Skipped(t.Context())
	if err != nil || len(skipped) != len(m.skipped) {
		t.Fatalf("skipped: %v, want %v: %v", skipped, m.skipped, err)
	}
}
