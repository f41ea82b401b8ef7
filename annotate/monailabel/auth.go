package monailabel

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nextslice/nextslice/annotate"
)

// auth tells whether people must log in, and shows a dialog for it in Slicer.
func (h *Handler) auth(w http.ResponseWriter, r *http.Request) error {
	guarded, err := h.door.Guarded(r.Context())
	if err != nil {
		return err
	}
	if !guarded {
		return reply(w, http.StatusOK, object{{"enabled", false}})
	}
	return reply(w, http.StatusOK, object{{"enabled", true}, {"client_id", "nextslice"}, {"realm", h.project.Name}})
}

// token logs a person in by the name and the token that they have for the page too.
func (h *Handler) token(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		return problem{http.StatusBadRequest, "send username and password as a form"}
	}
	name := strings.TrimSpace(r.PostForm.Get("username"))
	if !isName(name) {
		return problem{http.StatusUnprocessableEntity, "give your name"}
	}
	token, wait, err := h.door.LogIn(r.Context(), address(r), name, r.PostForm.Get("password"))
	if wait > 0 {
		seconds := fmt.Sprintf("%.0f", math.Ceil(wait.Seconds()))
		w.Header().Set("Retry-After", seconds)
		return problem{http.StatusTooManyRequests, "too many wrong tokens: try again in " + seconds + " seconds"}
	}
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, object{{"access_token", token}, {"token_type", "bearer"}})
}

func (h *Handler) valid(w http.ResponseWriter, r *http.Request) error {
	who, err := h.who(r, "")
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, object{{"username", who.Name}, {"roles", []string{who.Role}}})
}

// Somebody is the name of people whose client gives none, in a project that everybody may enter.
const Somebody = "3D Slicer"

// who is the person that makes a request: by the token of their session, or, where nobody must log in, by the name of their client.
func (h *Handler) who(r *http.Request, client string) (annotate.Person, error) {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(kind, "bearer") && token != "" {
		who, err := h.project.People.LoggedIn(r.Context(), strings.TrimSpace(token))
		if errors.Is(err, annotate.ErrNotFound) {
			return who, problem{http.StatusUnauthorized, "log in again: the session has ended"}
		}
		return who, err
	}
	guarded, err := h.door.Guarded(r.Context())
	if err != nil {
		return annotate.Person{}, err
	}
	if guarded {
		return annotate.Person{}, problem{http.StatusUnauthorized, "log in first"}
	}
	return annotate.Anybody(h.client(address(r), strings.TrimSpace(client))), nil
}

// client is the name of a client that logs in nowhere: that which the request gives, or the last one of its machine.
func (h *Handler) client(address, name string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if isName(name) {
		if len(h.clients) >= mostGrants {
			clear(h.clients)
		}
		h.clients[address] = name
	}
	return cmp.Or(h.clients[address], Somebody)
}

func isName(name string) bool {
	return name != "" && len(name) <= 64 && utf8.ValidString(name) && !strings.ContainsFunc(name, func(c rune) bool { return !unicode.IsPrint(c) })
}

// grant lets a machine load an image.
type grant struct{ address, name string }

// Times and number of grants.
const (
	grantTime  = time.Hour
	mostGrants = 10_000
)

// grantImage lets the machine that a request came from load an image: Slicer does so without the token of its person.
func (h *Handler) grantImage(r *http.Request, name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	if len(h.granted) >= mostGrants {
		for g, until := range h.granted {
			if until.Before(now) {
				delete(h.granted, g)
			}
		}
	}
	if len(h.granted) >= mostGrants {
		clear(h.granted)
	}
	h.granted[grant{address(r), name}] = now.Add(grantTime)
}

// allowImage returns an error unless the person who is logged in, or somebody on the same machine within the last hour, was given the image.
func (h *Handler) allowImage(r *http.Request, name string) error {
	_, err := h.who(r, "")
	if p, ok := errors.AsType[problem](err); !ok || p.status != http.StatusUnauthorized {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.granted[grant{address(r), name}].After(h.now()) {
		return nil
	}
	return problem{http.StatusUnauthorized, "log in first, and ask for a sample: its image can then be loaded from this machine"}
}

func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
