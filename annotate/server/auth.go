package server

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/store"
)

const (
	cookieName = "nextslice"
	sessionAge = 30 * 24 * time.Hour
	wrongDelay = 500 * time.Millisecond // after a wrong token, with all other attempts waiting
)

type loginInput struct {
	Body struct {
		Name  string `json:"name" maxLength:"64" doc:"The person's name; one of the list, where there is one."`
		Token string `json:"token,omitempty" maxLength:"256" doc:"The server's or the person's secret, where there is one."`
	}
}

// Me is who is logged in.
type Me struct {
	Name  string `json:"name"`
	Role  string `json:"role"`
	Token string `json:"token,omitempty" doc:"For scripts: send it as Authorization: Bearer."`
}

type loginOutput struct {
	Cookie http.Cookie `header:"Set-Cookie"`
	Body   Me
}

func (s *Server) logIn(ctx context.Context, in *loginInput) (*loginOutput, error) {
	s.login.Lock()
	defer s.login.Unlock()
	name := strings.TrimSpace(in.Body.Name)
	if name == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return nil, huma.Error422UnprocessableEntity("give your name")
	}
	role, err := s.admit(ctx, name, in.Body.Token)
	if errors.Is(err, errRefused) {
		if err := s.project.Store().Log(ctx, store.Event{Person: name, Event: "login refused"}); err != nil {
			return nil, problem(err)
		}
		time.Sleep(wrongDelay)
		return nil, huma.Error401Unauthorized("the name or the token is not right; whoever started the server knows them")
	}
	if err != nil {
		return nil, problem(err)
	}
	token := rand.Text()
	if err := s.project.Store().StartSession(ctx, token, name); err != nil {
		return nil, problem(err)
	}
	return &loginOutput{Cookie: s.cookie(token, int(sessionAge.Seconds())), Body: Me{name, role, token}}, nil
}

var errRefused = errors.New("refused")

// admit returns the role of a person who may log in. A person's own token takes the place of the server's.
func (s *Server) admit(ctx context.Context, name, token string) (role string, err error) {
	people, err := s.project.Store().People(ctx)
	if err != nil {
		return "", err
	}
	role, want := store.Annotator, []byte(nil)
	if s.options.Token != "" {
		want = store.Hash(s.options.Token)
	}
	if len(people) > 0 {
		i := slices.IndexFunc(people, func(p store.Listed) bool { return p.Name == name })
		if i < 0 {
			return "", errRefused
		}
		role = people[i].Role
		if people[i].Token != nil {
			want = people[i].Token
		}
	}
	if want != nil && subtle.ConstantTimeCompare(want, store.Hash(token)) == 0 {
		return "", errRefused
	}
	return role, nil
}

func (s *Server) cookie(value string, age int) http.Cookie {
	return http.Cookie{Name: cookieName, Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: s.options.Secure, SameSite: http.SameSiteStrictMode}
}

type personKey struct{}

type session struct {
	Me
	annotate.Person
}

// person is who made a request that passed authenticate.
func person(ctx context.Context) annotate.Person { return ctx.Value(personKey{}).(session).Person }

// authenticate lets requests of people who are logged in pass.
func (s *Server) authenticate(ctx huma.Context, next func(huma.Context)) {
	token, bearer := strings.CutPrefix(ctx.Header("Authorization"), "Bearer ")
	if !bearer {
		if c, err := huma.ReadCookie(ctx, cookieName); err == nil {
			token = c.Value
		}
	}
	name, err := s.project.Store().Session(ctx.Context(), token, sessionAge)
	if errors.Is(err, store.ErrNotFound) {
		huma.WriteErr(s.api, ctx, http.StatusUnauthorized, "log in first")
		return
	}
	var people []store.Listed
	if err == nil {
		people, err = s.project.Store().People(ctx.Context())
	}
	if err != nil {
		huma.WriteErr(s.api, ctx, http.StatusInternalServerError, err.Error())
		return
	}
	role := store.Annotator
	for _, p := range people {
		if p.Name == name {
			role = p.Role
		}
	}
	who := session{Me{Name: name, Role: role, Token: token}, annotate.Person{
		Name: name,
		// Without a list everybody may do everything.
		Adjudicator: role == store.Adjudicator || len(people) == 0,
	}}
	next(huma.WithValue(ctx, personKey{}, who))
}

type meOutput struct{ Body Me }

func (s *Server) me(ctx context.Context, _ *struct{}) (*meOutput, error) {
	me := ctx.Value(personKey{}).(session).Me
	me.Token = ""
	return &meOutput{me}, nil
}

type logoutOutput struct {
	Cookie http.Cookie `header:"Set-Cookie"`
}

func (s *Server) logOut(ctx context.Context, _ *struct{}) (*logoutOutput, error) {
	me := ctx.Value(personKey{}).(session).Me
	if err := s.project.Store().EndSession(ctx, me.Token, me.Name); err != nil {
		return nil, problem(err)
	}
	return &logoutOutput{s.cookie("", -1)}, nil
}
