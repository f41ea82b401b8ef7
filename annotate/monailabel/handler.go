package monailabel

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nextslice/nextslice/annotate"
)

// Door is where people log in.
type Door interface {
	// Guarded reports whether people must log in.
	Guarded(ctx context.Context) (bool, error)
	// LogIn starts a session and returns its token. wait is positive where there were too many wrong tokens before.
	LogIn(ctx context.Context, address, name, secret string) (token string, wait time.Duration, err error)
}

// Model is the name by which the model in use, and its training, are offered.
const Model = "unet"

// Handler answers the requests of one project's clients. Close it.
type Handler struct {
	project *annotate.Project
	door    Door
	images  *images
	turns   chan struct{} // holds an element for each mask or prediction in work
	now     func() time.Time

	mu      sync.Mutex
	samples map[string]map[string]*sample // by person and case
	current map[string]string             // the case that a person was given last and has not submitted
	granted map[grant]time.Time           // see allowImage
	clients map[string]string             // the last name of a client, by its machine
	shown   map[shown]map[string]int      // the versions of the labels that were loaded last, by item
}

// sample is what a person was given.
type sample struct {
	*annotate.Sample
	all bool // a mask counts for all slices
}

// shown is a case whose labels a person has loaded who is logged in, or, where nobody must log in, somebody on a machine.
type shown struct{ person, address, name string }

// Masks and predictions in work at the same time.
const mostTurns = 2

// New returns the handler of a project. A request's path begins where it is mounted.
func New(p *annotate.Project, door Door) *Handler {
	return &Handler{
		project: p, door: door, images: newImages(p.Cases), turns: make(chan struct{}, mostTurns), now: time.Now,
		samples: map[string]map[string]*sample{}, current: map[string]string{}, granted: map[grant]time.Time{}, clients: map[string]string{}, shown: map[shown]map[string]int{},
	}
}

// Close removes temporary files.
func (h *Handler) Close() { h.images.close() }

// Times that a request may take to come in, and an answer to go out, on slow lines.
const (
	uploadTime = 10 * time.Minute
	answerTime = 30 * time.Minute
)

// ServeHTTP answers a request. Paths are the same with and without a slash at the end: clients follow no redirects.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Connection", "close") // net/http would wait for the body that a stale Content-Length announces
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(uploadTime)) // what cannot be set keeps the server's
	_ = control.SetWriteDeadline(time.Now().Add(answerTime))
	if r.Method != http.MethodPut && r.Method != http.MethodPost {
		defer func() { _ = control.SetReadDeadline(time.Now()) }() // nor does it wait for that body to end the connection
	}
	err := h.route(w, r)
	if err == nil {
		return
	}
	if r.Method == http.MethodPut || r.Method == http.MethodPost {
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, 64<<20)) // a client that is still sending does not read why
	}
	status, text := explain(err)
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	_ = reply(w, status, map[string]string{"detail": text}) // a text is always JSON
}

// route finds what a request asks for: the table of contents of this package.
func (h *Handler) route(w http.ResponseWriter, r *http.Request) error {
	segments := strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/")
	for i, s := range segments {
		decoded, err := url.QueryUnescape(s) // clients send + for a space in paths too
		if err != nil {
			return errNoPath
		}
		segments[i] = decoded
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	name := ""
	if len(segments) == 2 && (segments[0] == "activelearning" || segments[0] == "infer" || segments[0] == "train" || segments[0] == "session") {
		name, segments[1] = segments[1], "*"
	}
	switch route := method + " /" + strings.Join(segments, "/"); route {
	case "GET /":
		return h.root(w)
	case "GET /auth":
		return h.auth(w, r)
	case "POST /auth/token":
		return h.token(w, r)
	case "GET /auth/token/valid":
		return h.valid(w, r)
	case "GET /info":
		return h.info(w, r)
	case "POST /activelearning/*":
		return h.next(w, r, name)
	case "GET /datastore":
		return h.datastore(w, r)
	case "GET /datastore/image":
		return h.image(w, r)
	case "GET /datastore/image/info":
		return h.imageInfo(w, r)
	case "GET /datastore/label":
		return h.label(w, r)
	case "GET /datastore/label/info":
		return h.labelInfo(w, r)
	case "PUT /datastore/label":
		return h.submit(w, r)
	case "PUT /datastore/updatelabelinfo":
		return h.review(w, r)
	case "POST /infer/*":
		return h.infer(w, r, name)
	case "POST /train/*":
		return h.train(w, r, name)
	case "POST /train":
		return h.train(w, r, Model)
	case "GET /train", "GET /train/*":
		return h.training(w, r)
	case "DELETE /train", "DELETE /train/*":
		return h.stop(w, r)
	case "PUT /session":
		return problem{http.StatusNotAcceptable, "only images of the data folder are segmented: sessions are off"}
	case "GET /session/*", "DELETE /session/*":
		return problem{http.StatusNotFound, "there is no such session"}
	case "PUT /datastore", "PUT /datastore/image", "DELETE /datastore":
		return problem{http.StatusForbidden, "images are added to the data folder, and taken from it, by the person who runs the server"}
	case "DELETE /datastore/label":
		return problem{http.StatusForbidden, "saved labels are never deleted: save another one"}
	default:
		return errNoPath
	}
}

// problem is an answer that says what is wrong.
type problem struct {
	status int
	text   string
}

func (p problem) Error() string { return p.text }

var errNoPath = problem{http.StatusNotFound, "there is nothing here: see the MONAI Label protocol"}

// explain turns an error into a status and a sentence, which Slicer shows as it is.
func explain(err error) (int, string) {
	if p, ok := errors.AsType[problem](err); ok {
		return p.status, p.text
	}
	status := http.StatusInternalServerError
	for _, known := range []struct {
		err    error
		status int
	}{
		{annotate.ErrNotFound, http.StatusNotFound}, {annotate.ErrForbidden, http.StatusForbidden}, {annotate.ErrConflict, http.StatusConflict},
		{annotate.ErrInvalid, http.StatusUnprocessableEntity}, {annotate.ErrRefused, http.StatusUnauthorized}, {annotate.ErrGone, http.StatusGone},
		{annotate.ErrFull, http.StatusInsufficientStorage}, {annotate.ErrReadOnly, http.StatusInsufficientStorage}, {annotate.ErrLost, http.StatusInsufficientStorage},
		{context.Canceled, http.StatusServiceUnavailable},
	} {
		if errors.Is(err, known.err) {
			status = known.status
			break
		}
	}
	return status, err.Error()
}

// reply answers with JSON, in one piece and with its length.
func reply(w http.ResponseWriter, status int, body any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(text.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // a client that has gone is nobody's fault
	return nil
}

func (h *Handler) root(w http.ResponseWriter) error {
	return reply(w, http.StatusOK, object{{"name", "nextslice"}, {"description", "an annotation project by the MONAI Label protocol"}})
}

// turn waits until there is a place for heavy work.
func (h *Handler) turn(ctx context.Context) (done func(), err error) {
	select {
	case h.turns <- struct{}{}:
		return func() { <-h.turns }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// object is a JSON object whose fields keep their order: clients number segments by it.
type object []field

type field struct {
	name  string
	value any
}

// MarshalJSON writes the fields in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var text bytes.Buffer
	text.WriteByte('{')
	for i, f := range o {
		if i > 0 {
			text.WriteByte(',')
		}
		name, err := json.Marshal(f.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(f.value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		text.Write(name)
		text.WriteByte(':')
		text.Write(value)
	}
	text.WriteByte('}')
	return text.Bytes(), nil
}
