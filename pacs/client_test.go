package pacs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Only what may go otherwise is tried again: cut connections and failures of the server, not of this machine.
func TestAgain(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{errors.New("the connection ended"), true}, {statusError{503, ""}, true}, {statusError{429, ""}, true}, {statusError{404, ""}, false}, {statusError{401, ""}, false},
		{final(errors.New("of another series")), false}, {context.Canceled, false}, {fmt.Errorf("write: %w", &fs.PathError{Op: "write", Path: "0001.dcm", Err: syscall.ENOSPC}), false},
	} {
		if got := again(c.err); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}

// An answer that stops coming is given up and asked for again; it is no interruption by the person, and not another kind of answer.
func TestStalled(t *testing.T) {
	before := stalledAfter
	stalledAfter = 50 * time.Millisecond
	defer func() { stalledAfter = before }()
	asked, stall := 0, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("Content-Type", dicomJSON)
		io.WriteString(w, `[{"0020000D":`)
		if asked <= stall {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return
		}
		io.WriteString(w, `{"vr":"UI","Value":["1.2"]}}]`)
	}))
	defer server.Close()
	c, err := New(server.URL, Access{})
	if err != nil {
		t.Fatal(err)
	}
	c.Wait = func(context.Context, int) error { return nil }
	for stall = range 4 {
		asked = 0
		got, err := c.getJSON(t.Context(), "studies", "")
		if stall < tries && (err != nil || len(got) != 1 || asked != stall+1) {
			t.Errorf("stalled %d times: %v, %v after %d requests", stall, got, err, asked)
		}
		if stall == tries && (err == nil || errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "stopped sending")) {
			t.Errorf("stalled each time: %v", err)
		}
	}
}
