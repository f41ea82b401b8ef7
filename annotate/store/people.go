package store

import (
	"bytes"
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

// SetAccounts replaces the list of accounts. One without a token keeps the token that it had. With an empty list everybody may log in
// under any name. People who are no longer listed, or have another token now, are logged out.
func (s *Store) SetAccounts(ctx context.Context, accounts []Account) error {
	return s.write(ctx, "store accounts", func(tx *sql.Tx) error {
		rows, err := tx.Query(`SELECT name, role, token FROM people`)
		list, err := collect(rows, err, "list accounts", scanListed)
		if err != nil {
			return err
		}
		before := map[string][]byte{}
		for _, p := range list {
			before[p.Name] = p.Token
		}
		if _, err := tx.Exec(`DELETE FROM people`); err != nil {
			return err
		}
		for _, p := range accounts {
			hash := before[p.Name]
			if p.Token != "" {
				hash = Hash(p.Token)
			}
			if _, err := tx.Exec(`INSERT INTO people (name, role, token) VALUES (?, ?, ?)`, p.Name, p.Role, hash); err != nil {
				return err
			}
			if !bytes.Equal(hash, before[p.Name]) {
				if _, err := tx.Exec(`DELETE FROM sessions WHERE person = ?`, p.Name); err != nil {
					return err
				}
			}
		}
		if len(accounts) > 0 {
			_, err := tx.Exec(`DELETE FROM sessions WHERE person NOT IN (SELECT name FROM people)`)
			return err
		}
		return nil
	})
}

// ForgetTokens takes the tokens of some people, who are logged out.
func (s *Store) ForgetTokens(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return nil
	}
	return s.write(ctx, "forget tokens", func(tx *sql.Tx) error {
		for _, name := range names {
			for _, statement := range []string{`UPDATE people SET token = NULL WHERE name = ?`, `DELETE FROM sessions WHERE person = ?`} {
				if _, err := tx.Exec(statement, name); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// SetSecret notes the secret that all share, "" for none. When it is another one than before, everybody is logged out who has no token of
// their own.
func (s *Store) SetSecret(ctx context.Context, secret string) error {
	return s.write(ctx, "store the shared token", func(tx *sql.Tx) error {
		var before []byte
		err := tx.QueryRow(`SELECT value FROM notes WHERE name = 'token'`).Scan(&before)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		hash := Hash(secret)
		if bytes.Equal(hash, before) {
			return nil
		}
		if _, err := tx.Exec(`DELETE FROM sessions WHERE person NOT IN (SELECT name FROM people WHERE token IS NOT NULL)`); err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT OR REPLACE INTO notes (name, value) VALUES ('token', ?)`, hash)
		return err
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
	return collect(rows, err, "list accounts", scanListed)
}

func scanListed(scan scanner) (p Listed, err error) { return p, scan(&p.Name, &p.Role, &p.Token) }

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
	rows, err := s.reads.QueryContext(ctx, `SELECT person, count(*), sum(min(seconds, ?)) FROM versions
		WHERE action IN ('edited', 'accepted', 'empty', 'adjudicated') GROUP BY person`, mostWork)
	list, err := collect(rows, err, "sum up the labels", func(scan scanner) (r row, err error) {
		return r, scan(&r.name, &r.Labels, &r.Seconds)
	})
	totals := map[string]Total{}
	for _, r := range list {
		totals[r.name] = r.Total
	}
	return totals, err
}
