package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Roles of people.
const (
	Annotator   = "annotator"
	Adjudicator = "adjudicator" // also decides between two readings that differ
)

// Account is what somebody may log in by.
type Account struct {
	Name  string `yaml:"name"`
	Role  string `yaml:"role"`
	Token string `yaml:"token"` // the person's secret, "" for none; only its hash is stored
}

// SetAccounts replaces the list of accounts. With an empty list everybody may log in under any name.
func (s *Store) SetAccounts(ctx context.Context, accounts []Account) error {
	return s.write(ctx, "store accounts", func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM people`); err != nil {
			return err
		}
		for _, p := range accounts {
			var hash []byte
			if p.Token != "" {
				hash = Hash(p.Token)
			}
			if _, err := tx.Exec(`INSERT INTO people (name, role, token) VALUES (?, ?, ?)`, p.Name, p.Role, hash); err != nil {
				return err
			}
		}
		// A person who was taken off the list is logged out.
		if len(accounts) > 0 {
			_, err := tx.Exec(`DELETE FROM sessions WHERE person NOT IN (SELECT name FROM people)`)
			return err
		}
		return nil
	})
}

// Listed is an account of the list with the hash of its token, nil if there is none.
type Listed struct {
	Name, Role string
	Token      []byte
}

// Accounts returns the list of accounts by name.
func (s *Store) Accounts(ctx context.Context) ([]Listed, error) {
	rows, err := s.reads.QueryContext(ctx, `SELECT name, role, token FROM people ORDER BY name`)
	return collect(rows, err, "list accounts", func(scan scanner) (p Listed, err error) {
		return p, scan(&p.Name, &p.Role, &p.Token)
	})
}

// Hash returns the SHA-256 of a token.
func Hash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// StartSession stores that the holder of this token is a person.
func (s *Store) StartSession(ctx context.Context, token, person string) error {
	return s.write(ctx, "log in", func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT INTO sessions (hash, person, at) VALUES (?, ?, ?)`, Hash(token), person, s.stamp()); err != nil {
			return err
		}
		return s.log(tx, Event{Person: person, Event: "login"})
	})
}

// EndSession forgets a token.
func (s *Store) EndSession(ctx context.Context, token, person string) error {
	return s.write(ctx, "log out", func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM sessions WHERE hash = ?`, Hash(token)); err != nil {
			return err
		}
		return s.log(tx, Event{Person: person, Event: "logout"})
	})
}

// Session returns the person who holds a token, or ErrNotFound if nobody does or the session is older than age.
func (s *Store) Session(ctx context.Context, token string, age time.Duration) (person string, err error) {
	err = s.reads.QueryRowContext(ctx, `SELECT person FROM sessions WHERE hash = ? AND at > ?`, Hash(token), formatTime(s.now().Add(-age))).Scan(&person)
	if errors.Is(err, sql.ErrNoRows) {
		return "", ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("read session: %w", plain(err))
	}
	return person, nil
}

// Total is what a person has done.
type Total struct {
	Labels  int // saved masks
	Seconds float64
}

// Totals returns what everybody has done, by name.
func (s *Store) Totals(ctx context.Context) (map[string]Total, error) {
	type row struct {
		name string
		Total
	}
	rows, err := s.reads.QueryContext(ctx, `SELECT person, count(*), sum(seconds) FROM versions
		WHERE action IN ('edited', 'accepted', 'empty', 'adjudicated') GROUP BY person`)
	list, err := collect(rows, err, "sum up the labels", func(scan scanner) (r row, err error) {
		return r, scan(&r.name, &r.Labels, &r.Seconds)
	})
	totals := map[string]Total{}
	for _, r := range list {
		totals[r.name] = r.Total
	}
	return totals, err
}
