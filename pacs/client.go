package pacs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

const (
	answerWithin = 5 * time.Minute // archives that fetch from a tape are slow to begin
	maxJSON      = 64 << 20
	tries        = 3

	dicomJSON = "application/dicom+json"
)

var stalledAfter = 2 * time.Minute // without a byte; a test need not wait so long

// errStalled is what ends an answer that stopped coming; another try may do better.
var errStalled = errors.New("the server stopped sending in the middle of its answer")

// Client talks to one server.
type Client struct {
	root   *url.URL
	access Access
	http   *http.Client
	// Wait pauses before another try; nil waits 2 and then 8 seconds. A test need not wait.
	Wait func(ctx context.Context, try int) error
}

// New returns a client of the server with this root address.
func New(address string, access Access) (*Client, error) {
	root, err := access.root(address)
	if err != nil {
		return nil, err
	}
	client, err := access.transport()
	if err != nil {
		return nil, err
	}
	return &Client{root: root, access: access, http: client}, nil
}

// Address returns the server's root.
func (c *Client) Address() string { return c.root.String() }

// statusError is an answer that is no success.
type statusError struct {
	code int
	text string
}

func (e statusError) Error() string { return e.text }

// status returns the code of an error that is an answer, else 0.
func status(err error) int {
	if e, ok := errors.AsType[statusError](err); ok {
		return e.code
	}
	return 0
}

// again reports whether another try may do better: after a cut connection, or an error of the server's own.
func again(err error) bool {
	var file *fs.PathError // of this machine's disk
	if errors.Is(err, context.Canceled) || errors.As(err, &file) {
		return false
	}
	code := status(err)
	return code == 0 && !errors.Is(err, errFinal) || code >= 500 || code == http.StatusTooManyRequests
}

// errFinal marks errors that another try cannot mend.
var errFinal = errors.New("")

// final marks an error so.
func final(err error) error { return finalError{err} }

type finalError struct{ error }

func (e finalError) Unwrap() []error { return []error{e.error, errFinal} }

// try calls f until it succeeds, three times at most, with growing waits.
func (c *Client) try(ctx context.Context, f func() error) error {
	for n := 1; ; n++ {
		err := f()
		if err == nil || n == tries || ctx.Err() != nil || !again(err) {
			return err
		}
		wait := c.Wait
		if wait == nil {
			wait = pause
		}
		if err := wait(ctx, n); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, try int) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(2 * time.Second << (2 * (try - 1))):
		return nil
	}
}

// request is one of ours.
type request struct {
	method, path, query string // path below the root; query as it is sent, with nothing percent-encoded
	accept, contentType string
	body                func() (io.ReadCloser, int64, error) // its length too; may be nil
}

// do sends a request. The answer is a success; close its body. Its context ends with the body, and when nothing comes for two minutes.
func (c *Client) do(ctx context.Context, q request) (*http.Response, error) {
	u := *c.root
	u.Path += "/" + q.path
	u.RawQuery = q.query
	parent := ctx
	ctx, cancel := context.WithCancel(ctx)
	r, err := http.NewRequestWithContext(ctx, q.method, u.String(), nil)
	if err != nil {
		cancel()
		return nil, reason(err)
	}
	if q.body != nil {
		if r.Body, r.ContentLength, err = q.body(); err != nil {
			cancel()
			return nil, final(err)
		}
		r.Header.Set("Content-Type", q.contentType)
	}
	r.Header.Set("Accept", q.accept)
	r.Header.Set("User-Agent", "nextslice")
	c.access.authorise(r)
	answer, err := c.http.Do(r)
	if err != nil {
		cancel()
		if parent.Err() != nil {
			return nil, parent.Err()
		}
		return nil, fmt.Errorf("the server %s cannot be reached: %w", c.root.Host, reason(err))
	}
	answer.Body = newWatched(answer.Body, cancel)
	if answer.StatusCode/100 == 2 {
		return answer, nil
	}
	return answer, statusError{answer.StatusCode, c.sentence(answer)}
}

// sentence says what an answer that is no success means. What the server wrote is not repeated: it may quote a patient.
func (c *Client) sentence(a *http.Response) string {
	switch code := a.StatusCode; {
	case code == http.StatusUnauthorized && !c.access.given():
		return "the server asks who you are (401): set NEXTSLICE_PACS_USER and NEXTSLICE_PACS_PASSWORD, or NEXTSLICE_PACS_TOKEN, or name a file with --credentials"
	case code == http.StatusUnauthorized && c.access.Token != "":
		return "the server does not take the token (401): get a new one"
	case code == http.StatusUnauthorized:
		return "the server does not know this user with this password (401): check NEXTSLICE_PACS_USER and NEXTSLICE_PACS_PASSWORD"
	case code == http.StatusForbidden:
		return "the server forbids this (403): ask its administrator for the right to do it"
	case code == http.StatusNotFound:
		return "the server has nothing there (404): if no study is found at all, the root may be wrong; it often ends in /dicom-web (Orthanc), /dicomweb or /rs (dcm4chee)"
	case code/100 == 3:
		to := "elsewhere"
		if u, err := a.Location(); err == nil && u.User == nil {
			to = "to " + u.Scheme + "://" + u.Host
		}
		return fmt.Sprintf("the server redirects %s (%d), where no password is sent: give the address that it redirects to", to, code)
	default:
		return fmt.Sprintf("the server answered %d %s", code, http.StatusText(code))
	}
}

// getJSON asks for objects of DICOM JSON. Nothing found is no error: 200 with an empty list, or 204.
func (c *Client) getJSON(ctx context.Context, path, query string) (objects []object, err error) {
	err = c.try(ctx, func() error {
		answer, err := c.do(ctx, request{method: "GET", path: path, query: query, accept: dicomJSON})
		if answer != nil {
			defer answer.Body.Close()
		}
		if err != nil {
			return err
		}
		if answer.StatusCode == http.StatusNoContent {
			objects = nil
			return nil
		}
		if kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type")); strings.Contains(kind, "html") {
			return final(errors.New("a web page came instead of an answer: the root is wrong, or a login stands before the server; the root often ends in /dicom-web or /rs"))
		}
		objects, err = decodeObjects(io.LimitReader(answer.Body, maxJSON))
		return err
	})
	return objects, err
}

// watched is a body that is given up when nothing comes for a while.
type watched struct {
	body    io.ReadCloser
	timer   *time.Timer
	cancel  context.CancelFunc
	stalled *atomic.Bool
}

func newWatched(body io.ReadCloser, cancel context.CancelFunc) *watched {
	stalled := &atomic.Bool{}
	return &watched{body, time.AfterFunc(stalledAfter, func() { stalled.Store(true); cancel() }), cancel, stalled}
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	if n > 0 {
		w.timer.Reset(stalledAfter)
	}
	if err != nil && err != io.EOF && w.stalled.Load() {
		err = errStalled
	}
	return n, err
}

func (w *watched) Close() error {
	w.timer.Stop()
	defer w.cancel()
	return w.body.Close()
}
