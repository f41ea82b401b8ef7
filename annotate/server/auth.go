package server

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/fault"
)

// cookieName is that of the session: servers of several projects on one machine share the browser's cookies.
func (s *Server) cookieName() string {
	id := s.project.ID()
	return "nextslice-" + strings.ToLower(id[:min(8, len(id))])
}

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
	name := strings.TrimSpace(in.Body.Name)
	if name == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return nil, refusal(http.StatusUnprocessableEntity, "give your name", fault.Say(fault.NameMissing))
	}
	address, _ := ctx.Value(addressKey{}).(string)
	who, token, wait, err := s.enter(ctx, address, name, in.Body.Token)
	if wait > 0 {
		return nil, huma.ErrorWithHeaders(refusal(http.StatusTooManyRequests, fmt.Sprintf("too many wrong tokens: try again in %.0f seconds", math.Ceil(wait.Seconds())), fault.Say(fault.Attempts, "seconds", math.Ceil(wait.Seconds()))),
			http.Header{"Retry-After": {fmt.Sprint(math.Ceil(wait.Seconds()))}})
	}
	if err != nil {
		return nil, err
	}
	return &loginOutput{Cookie: s.cookie(token, int(annotate.SessionAge.Seconds())), Body: Me{who.Name, who.Role, token}}, nil
}

// enter starts a session. wait is positive where there were too many wrong tokens before.
func (s *Server) enter(ctx context.Context, address, name, secret string) (who annotate.Person, token string, wait time.Duration, err error) {
	if wait = s.login.begin(address, name); wait > 0 {
		return who, "", wait, nil
	}
	if who, token, err = s.project.People.LogIn(ctx, name, s.options.Token, secret); err == nil {
		s.login.succeed(address, name)
	}
	return who, token, 0, err
}

// door lets the clients of package monailabel in by the same sessions.
type door struct{ *Server }

func (d door) Guarded(ctx context.Context) (bool, error) {
	listed, err := d.project.People.Guarded(ctx)
	return listed || d.options.Token != "", err
}

func (d door) LogIn(ctx context.Context, address, name, secret string) (token string, wait time.Duration, err error) {
	_, token, wait, err = d.enter(ctx, address, name, secret)
	return token, wait, err
}

type addressKey struct{}

// withAddress tells logIn where a request comes from.
func withAddress(ctx huma.Context, next func(huma.Context)) {
	address, _, err := net.SplitHostPort(ctx.RemoteAddr())
	if err != nil {
		address = ctx.RemoteAddr()
	}
	next(huma.WithValue(ctx, addressKey{}, address))
}

func (s *Server) cookie(value string, age int) http.Cookie {
	return http.Cookie{Name: s.cookieName(), Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: s.options.Secure, SameSite: http.SameSiteStrictMode}
}

type personKey struct{}

type session struct {
	annotate.Person
	token string
}

// person is who made a request that passed authenticate.
func person(ctx context.Context) annotate.Person { return ctx.Value(personKey{}).(session).Person }

// Query parameters of any request: the project and the person that it is meant for. The page names both in all that it asks: it stays open while the server
// of another project comes to its address, with cases of the same names, or somebody else logs in in its browser.
const (
	forProject = "for_project"
	forPerson  = "for_person"
)

// meant lets requests pass that are meant for this project, or name none. It comes before authenticate: who is not logged in here is not asked to.
func (s *Server) meant(ctx huma.Context, next func(huma.Context)) {
	if id := ctx.Query(forProject); id != "" && id != s.project.ID() {
		s.refuse(ctx, refusal(http.StatusPreconditionFailed, "this is the server of another project: load the page anew", fault.Say(fault.OtherProject)))
		return
	}
	next(ctx)
}

// refuse answers a request before it reaches an operation.
func (s *Server) refuse(ctx huma.Context, why huma.StatusError) {
	ctx.SetHeader("Content-Type", "application/problem+json")
	ctx.SetStatus(why.GetStatus())
	_ = s.api.Marshal(ctx.BodyWriter(), "application/json", why) // or else the client is gone
}

// authenticate lets requests of people who are logged in pass, and of those the ones that are meant for them, or name nobody.
func (s *Server) authenticate(ctx huma.Context, next func(huma.Context)) {
	token, bearer := strings.CutPrefix(ctx.Header("Authorization"), "Bearer ")
	if !bearer {
		if c, err := huma.ReadCookie(ctx, s.cookieName()); err == nil {
			token = c.Value
		}
	}
	who, err := s.project.People.LoggedIn(ctx.Context(), token)
	switch {
	case errors.Is(err, annotate.ErrNotFound):
		huma.WriteErr(s.api, ctx, http.StatusUnauthorized, "log in first")
	case err != nil:
		huma.WriteErr(s.api, ctx, http.StatusInternalServerError, err.Error())
	case ctx.Query(forPerson) != "" && ctx.Query(forPerson) != who.Name:
		s.refuse(ctx, refusal(http.StatusPreconditionFailed, who.Name+" is logged in by now: load the page anew", fault.Say(fault.OtherPerson, "who", who.Name)))
	default:
		next(huma.WithValue(ctx, personKey{}, session{who, token}))
	}
}

type meOutput struct{ Body Me }

func (s *Server) me(ctx context.Context, _ *struct{}) (*meOutput, error) {
	who := person(ctx)
	return &meOutput{Me{Name: who.Name, Role: who.Role}}, nil
}

type logoutOutput struct {
	Cookie http.Cookie `header:"Set-Cookie"`
}

func (s *Server) logOut(ctx context.Context, _ *struct{}) (*logoutOutput, error) {
	err := s.project.People.LogOut(ctx, person(ctx), ctx.Value(personKey{}).(session).token)
	return &logoutOutput{s.cookie("", -1)}, err
}
