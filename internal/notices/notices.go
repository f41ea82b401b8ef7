// Package notices holds the licences of what is compiled into the program. They ask to be passed on with it.
package notices

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
)

//go:generate go run ./gather

//go:embed notices.txt.gz
var packed []byte

// Write writes the licences: of nextslice, of the Go modules that it is made of, of Go itself, and of the C++ runtime. Those of
// the annotation page's packages are part of the page, in assets/licenses.txt.
func Write(w io.Writer) error {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return err
}
