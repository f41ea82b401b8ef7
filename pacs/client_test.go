package pacs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"
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
