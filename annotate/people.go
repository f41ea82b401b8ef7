package annotate

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nextslice/nextslice/annotate/store"
)

// Account is what somebody may log in by.
type Account = store.Account

// Roles of people.
const (
	Annotator   = store.Annotator
	Adjudicator = store.Adjudicator // also decides between two readings that differ
)

// Person is who asks.
type Person struct {
	Name, Role  string
	Adjudicator bool // may decide between two readings that differ; without a list of people everybody may
}

// ErrRefused says that somebody may not log in.
var ErrRefused = errors.New("wrong name or token; ask the person who started the server")

// SessionAge is how long somebody stays logged in.
const SessionAge = 30 * 24 * time.Hour

// People are those who may log in, and their sessions.
type People struct{ store *store.Store }

// Set replaces the list of people, who are logged out if they are not on the new one. With an empty list everybody may
// log in under any name.
func (p *People) Set(ctx context.Context, accounts []Account) error {
	return p.store.SetAccounts(ctx, accounts)
}

// LogIn starts a session and returns its token, or ErrRefused. secret is the server's; the token of an account takes its place.
func (p *People) LogIn(ctx context.Context, name, secret, given string) (who Person, token string, err error) {
	accounts, err := p.store.Accounts(ctx)
	if err != nil {
		return who, "", err
	}
	who = personOf(name, accounts)
	var want []byte
	if secret != "" {
		want = store.Hash(secret)
	}
	i := slices.IndexFunc(accounts, func(a store.Listed) bool { return a.Name == name })
	if i >= 0 && accounts[i].Token != nil {
		want = accounts[i].Token
	}
	if len(accounts) > 0 && i < 0 || want != nil && subtle.ConstantTimeCompare(want, store.Hash(given)) == 0 {
		if err := p.store.Log(ctx, store.Event{Person: name, Event: "login refused"}); err != nil {
			return who, "", err
		}
		return who, "", ErrRefused
	}
	token = rand.Text()
	return who, token, p.store.StartSession(ctx, token, name)
}

// LoggedIn returns who holds a session's token, or ErrNotFound.
func (p *People) LoggedIn(ctx context.Context, token string) (Person, error) {
	name, err := p.store.Session(ctx, token, SessionAge)
	if err != nil {
		return Person{}, err
	}
	accounts, err := p.store.Accounts(ctx)
	return personOf(name, accounts), err
}

// LogOut ends a session.
func (p *People) LogOut(ctx context.Context, who Person, token string) error {
	return p.store.EndSession(ctx, token, who.Name)
}

func personOf(name string, accounts []store.Listed) Person {
	who := Person{Name: name, Role: Annotator, Adjudicator: len(accounts) == 0}
	for _, a := range accounts {
		if a.Name == name {
			who.Role, who.Adjudicator = a.Role, a.Role == Adjudicator
		}
	}
	return who
}

// rights say what people may see.
type rights struct {
	cases *Cases
	store *store.Store
}

// seesProposal reports whether people see the model's proposal of an item. Of validation items they do not: a label
// that began as the model's answer would flatter it.
func (r rights) seesProposal(item Item) bool { return r.cases.roles[item.Case] == store.Training }

// seesLabel reports whether a person may see the label of an item with this row in the queue, nil for none: not while it
// is read a second time, by somebody who does not decide.
func (r rights) seesLabel(who Person, row *store.QueueRow) bool {
	return row == nil || row.Readings < 2 || row.State == store.Disputed && who.Adjudicator
}

// checkLabel returns ErrNotFound unless a person may see the label of an item.
func (r rights) checkLabel(who Person, item Item) error {
	row, err := r.store.Row(item)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err == nil && !r.seesLabel(who, &row) {
		return fmt.Errorf("%s is read independently: %w", item, ErrNotFound)
	}
	return err
}
