package pacstest

import (
	"net"
	"testing"

	"github.com/nextslice/nextslice/pacs/demo"
)

// User and password of the Orthanc of tests.
const (
	OrthancUser     = demo.User
	OrthancPassword = demo.Password
)

// Orthanc starts an Orthanc with its DICOMweb plugin on a free port of this machine and returns its root. It keeps everything in a temporary
// folder and ends with the test, which is skipped where Orthanc is not installed.
func Orthanc(t testing.TB) (root string) {
	t.Helper()
	if missing := demo.Missing(); missing != "" {
		t.Skip(missing)
	}
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	number := port.Addr().(*net.TCPAddr).Port
	port.Close()
	root, stop, err := demo.Start(t.TempDir(), number)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return root
}
