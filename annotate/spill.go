package annotate

import (
	"os"
	"path/filepath"
	"sync"
	"unsafe"

	"github.com/nextslice/nextslice/internal/atomicfile"
)

// spill keeps slices of the data: so many bytes of them in memory, and the others in a file without a name that is mapped into memory, of which
// the system keeps there what it has room for. The file goes with the process; the mapping does as well, for whoever has a slice may look at it
// at any time.
type spill struct {
	dir  string // of the file: the project's, for the system's own may be in memory
	most int    // bytes in memory

	mu    sync.Mutex
	bytes int // in memory
	file  *os.File
	end   int64
}

// keep returns the slices where they stay. Where the file cannot be written, that is in memory.
func (s *spill) keep(images [][]float32) [][]float32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	size := 0
	for _, image := range images {
		size += 4 * len(image)
	}
	if s.bytes+size > s.most && size > 0 {
		if kept, err := s.write(images, size); err == nil {
			return kept
		}
	}
	s.bytes += size
	return images
}

func (s *spill) write(images [][]float32, size int) (kept [][]float32, err error) {
	if s.file == nil {
		file, err := atomicfile.Create(filepath.Join(s.dir, "slices"), 0o600) // of which a kill leaves nothing that is not swept
		if err != nil {
			return nil, err
		}
		if err := os.Remove(file.Name()); err != nil {
			file.Discard()
			return nil, err
		}
		s.file = file.File
	}
	at := s.end
	for _, image := range images {
		if len(image) == 0 {
			continue
		}
		text := unsafe.Slice((*byte)(unsafe.Pointer(&image[0])), 4*len(image))
		if _, err := s.file.WriteAt(text, at); err != nil {
			return nil, err
		}
		at += int64(len(text))
	}
	text, err := mapFile(s.file, s.end, size)
	if err != nil {
		return nil, err
	}
	page := int64(os.Getpagesize())
	s.end = (at + page - 1) / page * page
	kept = make([][]float32, len(images))
	for i, image := range images {
		if n := len(image); n > 0 {
			kept[i] = unsafe.Slice((*float32)(unsafe.Pointer(&text[0])), n)
			text = text[4*n:]
		}
	}
	return kept, nil
}
