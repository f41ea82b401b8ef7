package dicom

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/nextslice/nextslice/internal/tempdir"
)

const (
	gdcmTime      = 2 * time.Minute // for one file
	gdcmProcesses = 2
)

// gdcmTurns lets two files be unpacked at a time.
var gdcmTurns = make(chan struct{}, gdcmProcesses)

// isForeign reports whether pixels of a transfer syntax are unpacked by the program gdcmconv: JPEG 2000, and JPEG of 12 bits. There is no decoder of these in
// Go that is exact and holds to bounds of memory, and none in C is linked.
func isForeign(syntax string) bool {
	switch syntax {
	case jpegExtended, jpeg2000Lossless, jpeg2000, jpeg2000Parts + "2", jpeg2000Parts + "3":
		return true
	}
	return false
}

// gdcm returns the path of gdcmconv, or an error that says how to install it.
func gdcm(syntax string) (string, error) {
	if path, err := exec.LookPath("gdcmconv"); err == nil {
		return path, nil
	}
	return "", fmt.Errorf("the pixels are packed with %s (transfer syntax %s), which the program gdcmconv unpacks: install it with \"apt-get install libgdcm-tools\" or \"brew install gdcm\"",
		Packing(syntax), syntax)
}

// checkForeign compares the size that each frame's stream states with that of the header: programs make something of both that looks like an image.
func (f *file) checkForeign(r io.ReaderAt, rows, columns, frames int) error {
	spans, err := f.frameSpans(frames)
	if err != nil {
		return err
	}
	for n, s := range spans {
		head := make([]byte, min(s[0].length, 4096))
		if _, err := r.ReadAt(head, s[0].at); err != nil && err != io.EOF {
			return err
		}
		c, r, ok := streamSize(head)
		if !ok {
			return fmt.Errorf("frame %d: no stream of %s", n+1, Packing(f.syntax))
		}
		if c != columns || r != rows {
			return fmt.Errorf("frame %d: %s of %d x %d pixels: want %d x %d", n+1, Packing(f.syntax), c, r, columns, rows)
		}
	}
	return nil
}

// streamSize returns the size that a stream of JPEG 2000 (SIZ, T.800 A.5.1) or JPEG (SOF0 to SOF2, T.81 B.2.2) states.
func streamSize(head []byte) (columns, rows int, ok bool) {
	be := binary.BigEndian
	switch {
	case len(head) > 24 && string(head[:4]) == "\xff\x4f\xff\x51":
		return int(be.Uint32(head[8:])) - int(be.Uint32(head[16:])), int(be.Uint32(head[12:])) - int(be.Uint32(head[20:])), true
	case len(head) > 2 && string(head[:2]) == "\xff\xd8":
		for at := 2; at+9 <= len(head) && head[at] == 0xff; at += 2 + int(be.Uint16(head[at+2:])) {
			if marker := head[at+1]; marker >= 0xc0 && marker <= 0xc2 {
				return int(be.Uint16(head[at+7:])), int(be.Uint16(head[at+5:])), true
			}
		}
	}
	return 0, 0, false
}

// foreign unpacks the pixels of a file into another in a temporary folder, and returns that.
func (f *file) foreign(rows, columns int) (unpacked *file, remove func(), err error) {
	program, err := gdcm(f.syntax)
	if err != nil {
		return nil, nil, err
	}
	r := f.memory
	if r == nil {
		opened, err := os.Open(f.name)
		if err != nil {
			return nil, nil, err
		}
		defer opened.Close()
		r = opened
	}
	if err := f.checkForeign(r, rows, columns, f.whole(tag.NumberOfFrames, 1)); err != nil {
		return nil, nil, err
	}
	dir, remove, err := tempdir.Make("gdcm")
	if err != nil {
		return nil, nil, err
	}
	unpacked, err = f.foreignIn(dir, program)
	if err != nil {
		remove()
		return nil, nil, err
	}
	return unpacked, remove, nil
}

func (f *file) foreignIn(dir, program string) (*file, error) {
	in, out := f.name, filepath.Join(dir, "out.dcm")
	if f.memory != nil {
		in = filepath.Join(dir, "in.dcm")
		data := make([]byte, f.size)
		if _, err := f.memory.ReadAt(data, 0); err != nil {
			return nil, err
		}
		if err := os.WriteFile(in, data, 0o600); err != nil {
			return nil, err
		}
	}
	in, err := filepath.Abs(in) // no name is taken for a flag
	if err != nil {
		return nil, err
	}
	gdcmTurns <- struct{}{}
	defer func() { <-gdcmTurns }()
	ctx, cancel := context.WithTimeout(context.Background(), gdcmTime)
	defer cancel()
	var said bytes.Buffer
	child := exec.CommandContext(ctx, program, "--raw", in, out)
	child.Dir, child.Stderr, child.WaitDelay = dir, &said, time.Second
	if err := child.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("gdcmconv needs more than %v for it", gdcmTime)
		}
		return nil, fmt.Errorf("gdcmconv cannot unpack the pixels (%s): damaged, or a form that it does not know", printable(strings.TrimSpace(strings.Join(strings.Fields(said.String()), " "))))
	}
	unpacked, err := openFile(out)
	if err != nil {
		return nil, fmt.Errorf("what gdcmconv made of it: %w", err)
	}
	if unpacked.syntax != explicitLittle && unpacked.syntax != implicitLittle && unpacked.syntax != explicitBig {
		return nil, errors.New("gdcmconv left the pixels packed")
	}
	return unpacked, nil
}
