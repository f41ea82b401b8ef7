//go:build cgo && onednn

package native

import (
	"strings"
	"testing"
)

func init() { kernels["library"] = Options{Kernels: Library} }

func TestLibrarySaysWhatItIs(t *testing.T) {
	e, err := NewWith(1, Options{Kernels: Library})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if got := e.Library(); !strings.HasPrefix(got, "oneDNN ") {
		t.Errorf("the library calls itself %q", got)
	}
}
