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

// MinToken is the fewest characters of any token.
const MinToken = 16

// Set replaces the list of people, who are logged out if they are not on the new one or have another token. With an empty list everybody
// may log in under any name. One without a token keeps the token that the project knows.
func (p *People) Set(ctx context.Context, accounts []Account) error {
	for _, a := range accounts {
		if a.Token != "" && len(a.Token) < MinToken {
			return &ConfigError{fmt.Errorf("the token of %s is too short to be a secret: give at least %d characters", a.Name, MinToken)}
		}
	}
	return p.store.SetAccounts(ctx, accounts)
}

// GiveTokens gives a token to everybody on the list who has none, and returns those that are new: nobody can tell them again.
func (p *People) GiveTokens(ctx context.Context) (given []Account, err error) {
	listed, err := p.store.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Account, len(listed))
	for i, l := range listed {
		all[i] = Account{Name: l.Name, Role: l.Role}
		if l.Token == nil {
			all[i].Token = rand.Text()
			given = append(given, all[i])
		}
	}
	if len(given) == 0 {
		return nil, nil
	}
	return given, p.store.SetAccounts(ctx, all)
}

// ForgetTokens takes the tokens of people on the list, for GiveTokens to give new ones.
func (p *People) ForgetTokens(ctx context.Context, names []string) error {
	accounts, err := p.store.Accounts(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !slices.ContainsFunc(accounts, func(a store.Listed) bool { return a.Name == name }) {
			return fmt.Errorf("%s is not on the list of people", name)
		}
	}
	return p.store.ForgetTokens(ctx, names)
}

// SetSecret tells the project the server's token, "" for none. When it has changed, all sessions that began with the old one end.
func (p *People) SetSecret(ctx context.Context, secret string) error {
	return p.store.SetSecret(ctx, secret)
}

// LogIn starts a session and returns its token, or ErrRefused. secret is the server's. Where there is a list of people, everybody on it
// logs in with the token that is theirs: with a secret that all know, anybody could be anybody. Without a secret, as on a server for this
// machine alone, those who have no token of their own need none.
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
	nobody := len(accounts) > 0 && (i < 0 || secret != "" && accounts[i].Token == nil)
	if nobody || want != nil && subtle.ConstantTimeCompare(want, store.Hash(given)) == 0 {
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

// Guarded reports whether there is a list of people.
func (p *People) Guarded(ctx context.Context) (bool, error) {
	accounts, err := p.store.Accounts(ctx)
	return len(accounts) > 0, err
}

// Anybody returns somebody in a project without a list of people.
func Anybody(name string) Person { return personOf(name, nil) }

func personOf(name string, accounts []store.Listed) Person {
	who := Person{Name: name, Role: Annotator, Adjudicator: len(accounts) == 0}
	for _, a := range accounts {
		if a.Name == name {
			who.Role, who.Adjudicator = a.Role, a.Role == Adjudicator
		}
	}
	return who
}
