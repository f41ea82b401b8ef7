package syserr

import (
	"io"
	"io/fs"
	"net"
	"os"
	"testing"
)

// The errors are those that this system really returns.
func TestErrors(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := net.Listen("tcp", l.Addr().String()); !AddressInUse(err) {
		t.Errorf("two listeners: %v", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	if _, err := w.Write([]byte("x")); !BrokenPipe(err) {
		t.Errorf("nobody reads: %v", err)
	}
	for _, err := range []error{nil, io.EOF, fs.ErrNotExist, fs.ErrPermission} {
		if DiskFull(err) || ReadOnly(err) || AddressInUse(err) || BrokenPipe(err) || NoLocks(err) {
			t.Errorf("%v is taken for another error", err)
		}
	}
	if full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0); err == nil {
		defer full.Close()
		if _, err := full.Write([]byte("x")); !DiskFull(err) {
			t.Errorf("no room: %v", err)
		}
	}
}
