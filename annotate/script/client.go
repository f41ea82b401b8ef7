// Package script is a client of the annotation server that does by program what a person does on the page. [Annotator]
// labels with masks that are known, to try a server or to measure a strategy through all of it.
package script

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/server"
)

// Client talks to a server as one person.
type Client struct {
	base  string
	http  *http.Client
	token string
}

// Error is an answer that is not a success.
type Error struct {
	Status int
	Detail string
}

func (e *Error) Error() string { return fmt.Sprintf("%s (status %d)", e.Detail, e.Status) }

// LogIn returns a client of the server at an address such as http://127.0.0.1:8470. token may be "".
func LogIn(ctx context.Context, h *http.Client, address, name, token string) (*Client, error) {
	c := &Client{base: strings.TrimRight(address, "/") + "/api/v1", http: h}
	var me server.Me
	if err := c.call(ctx, "POST", "/login", map[string]string{"name": name, "token": token}, &me); err != nil {
		return nil, err
	}
	c.token = me.Token
	return c, nil
}

// Project returns the project's state.
func (c *Client) Project(ctx context.Context) (s annotate.Summary, err error) {
	return s, c.call(ctx, "GET", "/project", nil, &s)
}

// Next leases the next item; nil if nothing waits.
func (c *Client) Next(ctx context.Context) (task *annotate.Task, err error) {
	return task, c.call(ctx, "POST", "/next", nil, &task)
}

// Queue returns all that was ever asked for.
func (c *Client) Queue(ctx context.Context) (q []annotate.QueueEntry, err error) {
	return q, c.call(ctx, "GET", "/queue", nil, &q)
}

// Models returns all models.
func (c *Client) Models(ctx context.Context) (m []annotate.Model, err error) {
	return m, c.call(ctx, "GET", "/models", nil, &m)
}

// Curves returns the quality estimates.
func (c *Client) Curves(ctx context.Context) (q annotate.Curves, err error) {
	return q, c.call(ctx, "GET", "/curves", nil, &q)
}

// Proposal returns the mask of the model in use, and the model's version.
func (c *Client) Proposal(ctx context.Context, item string) (mask []uint8, model int, err error) {
	mask, header, err := c.do(ctx, "GET", "/items/"+url.PathEscape(item)+"/proposal", "", nil)
	if err != nil {
		return nil, 0, err
	}
	model, err = strconv.Atoi(header.Get("X-Model"))
	return mask, model, err
}

// Save stores a label. proposal is the version of the model whose proposal it was compared with, 0 for none.
func (c *Client) Save(ctx context.Context, item string, mask []uint8, seconds float64, action string, proposal int) (saved server.Saved, err error) {
	q := url.Values{"seconds": {strconv.FormatFloat(seconds, 'f', 2, 64)}, "action": {action}}
	if proposal > 0 {
		q.Set("proposal", strconv.Itoa(proposal))
	}
	text, _, err := c.do(ctx, "PUT", "/items/"+url.PathEscape(item)+"/label?"+q.Encode(), "application/octet-stream", mask)
	if err != nil {
		return saved, err
	}
	return saved, json.Unmarshal(text, &saved)
}

// call sends and reads JSON.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	text, _, err := c.do(ctx, method, path, "application/json", body)
	if err != nil || len(text) == 0 {
		return err
	}
	return json.Unmarshal(text, out)
}

func (c *Client) do(ctx context.Context, method, path, kind string, body []byte) ([]byte, http.Header, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	if body != nil {
		r.Header.Set("Content-Type", kind)
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, nil, err
	}
	if answer.StatusCode >= 300 {
		var problem struct{ Title, Detail string }
		if json.Unmarshal(text, &problem) != nil || problem.Detail == "" {
			problem.Detail = answer.Status
		}
		return nil, nil, &Error{answer.StatusCode, problem.Detail}
	}
	return text, answer.Header, nil
}
