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
	"math"
	"slices"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

// slack is how many bytes beyond the voxels that its header declares a file may hold. Some writers leave a few; more
// means that the header and the voxels do not belong together. Packed MetaImage and NRRD payloads must be exact: there a
// surplus comes from a header that forgets to skip what stands before the voxels.
const slack = 4096

// deflateRatio bounds how far deflate can shrink data (a 258-byte match in two bits).
const deflateRatio = 1032

// codec says how a payload is packed.
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
	offset int64  // bytes of the file before the packed payload
	skip   int64  // bytes of the unpacked payload before the first voxel
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
		return 0, fmt.Errorf("it holds %d channels: choose one, 0 to %d", n, n-1)
	case choice < 0 || choice >= n:
		return 0, fmt.Errorf("there is no channel %d: it holds %d, counted from 0", choice, n)
	}
	return choice, nil
}

// voxels reads the image's voxels in order and hands them to each, some thousands at a time. The slice is reused.
// It never reads further than slack behind the declared size, so a small file cannot unpack into a large one.
func (m image) voxels(fsys fs.FS, each func([]float64) error) error {
	if m.picture != nil {
		return m.picture(fsys, each)
	}
	r, close, err := m.start(fsys)
	if err != nil {
		return err
	}
	defer close()
	if m.ascii {
		return m.asciiVoxels(r, each)
	}
	values := make([]float64, chunk)
	return binaryVoxels(m, r, func(n int) []float64 { return values[:n] }, func(values []float64) error { return m.hand(values, each) })
}

// start opens the unpacked payload at its first voxel.
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

// payload opens the unpacked payload, of which want bytes are to be read. A file that cannot hold as many is an error.
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

// chunk is how many voxels are read at a time.
const chunk = 1 << 15

// binaryVoxels reads the stored numbers, without scaling, to where room says, and hands them on. The next ones are unpacked
// meanwhile.
func binaryVoxels[F float32 | float64](m image, r io.Reader, room func(n int) []F, each func([]F) error) error {
	n, size := m.count(), m.stored.size()
	type piece struct {
		raw []byte
		err error
	}
	pieces, stop := make(chan piece, 1), make(chan struct{})
	var reader sync.WaitGroup
	defer func() {
		close(stop)
		reader.Wait()
	}()
	reader.Go(func() {
		defer close(pieces)
		var buffers [3][]byte // one is being filled, one waits, one is read
		for i, done := 0, 0; done < n; i, done = (i+1)%3, done+chunk {
			if buffers[i] == nil {
				buffers[i] = make([]byte, min(chunk, n)*size)
			}
			raw := buffers[i][:min(chunk, n-done)*size]
			got, err := io.ReadFull(r, raw)
			select {
			case pieces <- piece{raw[:got], err}:
			case <-stop:
				return
			}
			if err != nil {
				return
			}
		}
	})
	done := 0
	for p := range pieces {
		if p.err != nil {
			return m.cut(done+len(p.raw)/size, p.err)
		}
		values := room(len(p.raw) / size)
		decode(m.stored, values, p.raw, m.bigEndian)
		if err := each(values); err != nil {
			return err
		}
		done += len(values)
	}
	// Reading on to the end also makes gzip and zlib compare their checksums.
	allowed := int64(slack)
	if m.exact {
		allowed = 0
	}
	rest, err := io.Copy(io.Discard, io.LimitReader(r, allowed+1))
	if err != nil && !errors.Is(err, gzip.ErrHeader) { // bytes that are no further gzip member are only slack
		return m.cut(n, err)
	}
	if rest > allowed {
		return fmt.Errorf("%s holds more than %d bytes beyond the %d x %d x %d voxels of %s that its header declares",
			m.file, allowed, m.grid.Size[0], m.grid.Size[1], m.grid.Size[2], m.stored)
	}
	return nil
}

// hand scales values in place and passes them on.
func (m image) hand(values []float64, each func([]float64) error) error {
	if m.slope != 0 {
		for i, v := range values {
			values[i] = m.slope*v + m.inter
		}
	}
	return each(values)
}

// cut names the voxel where a payload ended or broke.
func (m image) cut(voxel int, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s is cut short: it ends at voxel %d of %d", m.file, voxel, m.count())
	}
	return fmt.Errorf("%s is damaged at voxel %d of %d: %w", m.file, voxel, m.count(), err)
}

// open returns the unpacked bytes of r.
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
		return nil, 0, fmt.Errorf("%s is no file: %v", name, info.Mode().Type())
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, 0, bare(err)
	}
	return f, info.Size(), nil
}

// bare drops the operation from a file system's error and keeps the file's name and the reason.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return fmt.Errorf("%s: %w", p.Path, p.Err)
	}
	return err
}

// head returns up to n bytes from the start of a file, unpacked if it is a gzip file.
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

// read returns the voxels of one of the image's channels as float32.
func (m image) read(fsys fs.FS, choice int) ([]float32, error) {
	if m.layers > 1 {
		return nil, fmt.Errorf("a segmentation of %d layers, not an image", m.layers)
	}
	channel, err := m.channel(choice)
	if err != nil {
		return nil, err
	}
	n, seen := m.grid.Len(), 0
	var out []float32
	if m.picture == nil && !m.ascii && m.channels < 2 && m.slope == 0 && m.stored.size() <= 2 {
		return m.readSmall(fsys) // the most usual case, in half the time
	}
	err = m.voxels(fsys, func(values []float64) error {
		if out == nil { // only now is it known that the file can hold as much as the header says
			out = make([]float32, 0, m.capacity()/max(1, m.channels))
		}
		switch {
		case m.channels < 2:
		case m.interleaved:
			chosen := values[:0]
			for i, v := range values {
				if (seen+i)%m.channels == channel {
					chosen = append(chosen, v)
				}
			}
			seen, values = seen+len(values), chosen
		default:
			from, to := channel*n-seen, (channel+1)*n-seen
			seen += len(values)
			values = values[min(max(from, 0), len(values)):min(max(to, 0), len(values))]
		}
		done := len(out)
		out = slices.Grow(out, len(values))[:done+len(values)]
		for i, to := 0, out[done:]; i < len(to); i++ {
			to[i] = float32(values[i])
		}
		return nil
	})
	return out, err
}

// readSmall is read for numbers of up to 16 bits that are not scaled: a float32 holds them as they are.
func (m image) readSmall(fsys fs.FS) ([]float32, error) {
	r, close, err := m.start(fsys)
	if err != nil {
		return nil, err
	}
	defer close()
	var out []float32
	err = binaryVoxels(m, r, func(n int) []float32 {
		if out == nil { // only now is it known that the file can hold as much as the header says
			out = make([]float32, 0, m.capacity())
		}
		done := len(out)
		out = slices.Grow(out, n)[:done+n]
		return out[done:]
	}, func([]float32) error { return nil })
	return out, err
}

// integerTolerance is how far a class index may lie from a whole number: scaling by a float32 slope leaves that much.
const integerTolerance = 1e-4

// readClasses returns the image's voxels as class indices, the layers of a segmentation fastest.
func (m image) readClasses(fsys fs.FS) ([]uint8, error) {
	if m.channels > 1 {
		return nil, fmt.Errorf("not a mask: it holds %d channels", m.channels)
	}
	var out []uint8
	err := m.voxels(fsys, func(values []float64) error {
		if out == nil {
			out = make([]uint8, 0, m.capacity())
		}
		for _, v := range values {
			class := math.Round(v)
			var fault string
			switch {
			case math.IsNaN(v) || math.Abs(v-class) > integerTolerance:
				fault = "is no whole number; is this an image or a probability map?"
			case class < 0:
				fault = "is negative"
			case class > math.MaxUint8:
				fault = "is above 255"
			default:
				out = append(out, uint8(class))
				continue
			}
			n, s := len(out)/max(1, m.layers), m.grid.Size
			return fmt.Errorf("not a mask: the value %v of voxel (%d, %d, %d) %s", v, n%s[0], n/s[0]%s[1], n/s[0]/s[1], fault)
		}
		return nil
	})
	return out, err
}

// capacity is how many values to make room for before any was read. A plain file was found to hold them all. A packed one
// could promise a thousand times its size and break off: beyond 256 MiB of float32 room grows with what comes. bzip2 has no
// bound on its ratio at all.
func (m image) capacity() int {
	switch m.codec {
	case plain, hexed:
		return m.count()
	case bzipped:
		return min(m.count(), 1<<20)
	}
	return min(m.count(), 1<<26)
}
