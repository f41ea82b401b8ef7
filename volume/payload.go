package volume

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

// slack is how many bytes a file may hold beyond the voxels that its header declares. Some writers leave a few; more
// means that the header and the voxels do not belong together. Compressed MetaImage and NRRD payloads must be exact: there
// a surplus comes from a header that forgets to skip what stands before the voxels.
const slack = 4096

// deflateRatio bounds how far deflate can shrink data (a 258-byte match in two bits).
const deflateRatio = 1032

// codec says how a payload is compressed or encoded.
type codec string

const (
	plain   codec = ""
	gzipped codec = "gzip"
	deflate codec = "zlib" // zlib or gzip, told apart by the first bytes
	bzipped codec = "bzip2"
	hexed   codec = "hex" // two hexadecimal digits a byte, white space anywhere
)

// image is what the parser of a format finds out from a header: everything needed to read the voxels.
type image struct {
	grid      Grid
	stored    scalar
	bigEndian bool
	// A voxel's value is slope*stored + inter. Slope 0 stands for none.
	slope, inter float64

	file   string // in the header's folder
	offset int64  // bytes of the file before the payload
	skip   int64  // bytes of the decompressed payload before the first voxel
	codec  codec
	ascii  bool // numbers as text, separated by white space
	exact  bool // no byte may follow the voxels; else up to slack may

	layers int // values per voxel of a segmentation, fastest in the file; 0 and 1 are the same
	// channels are the values per voxel of an image, 0 and 1 being the same: image by image in the file, or, interleaved,
	// voxel by voxel.
	channels    int
	interleaved bool

	keys map[string]string // key/value pairs of an NRRD header
	// picture stands for all of the above where a decoder of its own reads the file.
	picture func(fsys fs.FS, each func([]float64) error) error
}

// count returns the number of stored values: one a voxel, or one a voxel and layer or channel.
func (m image) count() int { return m.grid.Len() * max(1, m.layers) * max(1, m.channels) }

// channel checks the choice of a channel, OnlyChannel being none.
func (m image) channel(choice int) (int, error) {
	switch n := max(1, m.channels); {
	case choice == OnlyChannel && n == 1:
		return 0, nil
	case choice == OnlyChannel:
		several := &ChoiceError{Of: "channels", Text: fmt.Sprintf("it holds %d channels: choose one, 0 to %d", n, n-1)}
		for c := range n {
			several.Choices = append(several.Choices, fmt.Sprint(c))
		}
		return 0, several
	case choice < 0 || choice >= n:
		return 0, fmt.Errorf("there is no channel %d: it holds %d, counted from 0", choice, n)
	}
	return choice, nil
}

// start opens the decompressed payload at its first voxel.
func (m image) start(fsys fs.FS) (r io.Reader, close func() error, err error) {
	want := m.skip + int64(m.count())*int64(m.stored.size())
	if m.ascii {
		want = m.skip + 2*int64(m.count()) - 1 // a digit each and something between them
	}
	if r, close, err = m.payload(fsys, want); err != nil {
		return nil, nil, err
	}
	if _, err := io.CopyN(io.Discard, r, m.skip); err != nil {
		close()
		return nil, nil, m.cut(0, err)
	}
	return r, close, nil
}

// payload opens the decompressed payload, of which want bytes are to be read. A file that cannot hold as many is an error.
func (m image) payload(fsys fs.FS, want int64) (r io.Reader, close func() error, err error) {
	f, size, err := openRegular(fsys, m.file)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	held := size - m.offset
	if held < 0 || m.codec == plain && held < want || m.codec == hexed && held/2 < want || m.codec != bzipped && held < want/deflateRatio {
		return nil, nil, fmt.Errorf("%s is cut short: it holds %d bytes after byte %d, the header promises %d", m.file, max(held, 0), m.offset, want)
	}
	if _, err := io.CopyN(io.Discard, f, m.offset); err != nil {
		return nil, nil, fmt.Errorf("skip to byte %d of %s: %w", m.offset, m.file, err)
	}
	if r, err = m.codec.open(f); err != nil {
		return nil, nil, fmt.Errorf("%s at byte %d: %w", m.file, m.offset, err)
	}
	return r, f.Close, nil
}

// cut names the voxel where a payload ended or broke.
func (m image) cut(voxel int, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s is cut short: it ends at voxel %d of %d", m.file, voxel, m.count())
	}
	return fmt.Errorf("%s is damaged at voxel %d of %d: %w", m.file, voxel, m.count(), err)
}

// open returns the decompressed bytes of r.
func (c codec) open(r io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(r, 1<<16)
	first, _ := b.Peek(2)
	switch {
	case c == plain:
		return b, nil
	case c == bzipped:
		return bzip2.NewReader(b), nil
	case c == hexed:
		return hex.NewDecoder(withoutSpace{b}), nil
	case c == gzipped, bytes.Equal(first, gzipMagic):
		return gzip.NewReader(b)
	}
	return zlib.NewReader(b)
}

var gzipMagic = []byte{0x1f, 0x8b}

// openRegular opens a file of a folder and returns its size. Folders, pipes and devices are refused.
func openRegular(fsys fs.FS, name string) (fs.File, int64, error) {
	info, err := fs.Stat(fsys, name) // before opening: opening a pipe would wait for its writer
	if err != nil {
		return nil, 0, bare(err)
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s is not a regular file: %v", name, info.Mode().Type())
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, 0, bare(err)
	}
	return f, info.Size(), nil
}

// bare strips the operation from a file system's error: the file's name and the reason remain.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return fmt.Errorf("%s: %w", p.Path, p.Err)
	}
	return err
}

// head returns up to n bytes from the start of a file, decompressed if it is a gzip file.
func head(fsys fs.FS, name string, n int64) (data []byte, packed bool, err error) {
	f, _, err := openRegular(fsys, name)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	b := bufio.NewReader(f)
	var r io.Reader = b
	if first, _ := b.Peek(2); bytes.Equal(first, gzipMagic) {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, true, fmt.Errorf("%s: %w", name, err)
		}
		r, packed = z, true
	}
	data, err = io.ReadAll(io.LimitReader(r, n))
	if err != nil && len(data) == 0 { // what comes before the damage may be all that the caller needs
		return nil, packed, fmt.Errorf("%s is damaged at byte %d: %w", name, len(data), err)
	}
	return data, packed, nil
}
