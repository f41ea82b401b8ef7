// Package seal keeps project.seal, which tells at the next start whether project.db and its log are what was written, every bit of them, also after a kill:
//
//   - It holds a hash of each page of project.db as it is when everything is copied into it that the log holds up to a place. It is replaced
//     and synced before any of that is copied (SQLite's checkpoint), so it holds whether a kill comes before, in the middle or behind.
//   - After every commit the commit's place in the log is written into it, not synced: a kill loses nothing of that, and a power loss at
//     most the newest places, which are then looked for in vain nowhere.
//
// A page that the log holds is guarded by the log's own sums, which run over all of it, and the place tells that it was not cut. On a network
// file system, where there is no such log, there is a seal only while nobody has the project open.
package seal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nextslice/nextslice/internal/atomicfile"
)

// sealed is the part of a seal that is replaced as a whole.
type sealed struct {
	closed   uint32 // 1 where the project was closed in order: there is no log
	covers   place
	pageSize uint32
	pages    []pageSum
}

// Layout: magic, hash of all but itself and the marks, two marks, closed, covers, page size, number of pages, pages.
const (
	sealMagic = "nextslice seal1\n"
	markSize  = 32
	marksAt   = len(sealMagic) + sha256.Size
	sealBody  = marksAt + 2*markSize
)

// Database returns the path of the database of a folder.
func Database(dir string) string { return filepath.Join(dir, "project.db") }

// Path returns the path of the seal of a folder.
func Path(dir string) string { return filepath.Join(dir, "project.seal") }

func (s sealed) encode() []byte {
	var body bytes.Buffer
	binary.Write(&body, binary.BigEndian, s.closed)
	binary.Write(&body, binary.BigEndian, s.covers)
	binary.Write(&body, binary.BigEndian, s.pageSize)
	binary.Write(&body, binary.BigEndian, uint32(len(s.pages)))
	for _, p := range s.pages {
		body.Write(p[:])
	}
	sum := sha256.Sum256(body.Bytes())
	text := append([]byte(sealMagic), sum[:]...)
	text = append(text, mark(s.covers, 0)...)
	text = append(text, mark(s.covers, 1)...)
	return append(text, body.Bytes()...)
}

// mark is the place of a commit as it is written into a seal. Two take turns, so that one is always whole; the one with the higher number counts.
func mark(at place, number uint32) []byte {
	var b bytes.Buffer
	binary.Write(&b, binary.BigEndian, at)
	binary.Write(&b, binary.BigEndian, number)
	sum := sha256.Sum256(b.Bytes())
	return append(b.Bytes(), sum[:markSize-b.Len()]...)
}

// Errors that callers tell apart: of a database that is not what was written, of a seal that is not, and of a log that does not belong to the database.
var (
	ErrLog     = errors.New("project.db was closed in order, and beside it lies a log of changes that is not its own: put the project.db-wal aside; see nextslice project check")
	ErrDamaged = errors.New("what is stored is damaged: see nextslice project check, and project repair")
	ErrSeal    = errors.New("project.seal, which tells whether project.db is as it was written, is damaged itself: see nextslice project check, and project repair")
)

// readSeal returns the seal of a folder and the place of the last commit that it knows, fs.ErrNotExist, or ErrSeal.
func readSeal(dir string) (s sealed, last place, err error) {
	text, err := os.ReadFile(Path(dir))
	if err != nil {
		return s, last, err
	}
	if len(text) < sealBody+32 || string(text[:len(sealMagic)]) != sealMagic {
		return s, last, ErrSeal
	}
	body := text[sealBody:]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], text[len(sealMagic):marksAt]) {
		return s, last, ErrSeal
	}
	r := bytes.NewReader(body)
	var n uint32
	binary.Read(r, binary.BigEndian, &s.closed)
	binary.Read(r, binary.BigEndian, &s.covers)
	binary.Read(r, binary.BigEndian, &s.pageSize)
	binary.Read(r, binary.BigEndian, &n)
	s.pages = make([]pageSum, r.Len()/len(pageSum{}))
	for i := range s.pages {
		_, _ = r.Read(s.pages[i][:])
	}
	newest := -1
	for i := range 2 {
		b := text[marksAt+i*markSize:][:markSize]
		var at place
		var number uint32
		binary.Read(bytes.NewReader(b), binary.BigEndian, &at)
		binary.Read(bytes.NewReader(b[20:]), binary.BigEndian, &number)
		if bytes.Equal(b, mark(at, number)) && int(number) > newest {
			last, newest = at, int(number)
		}
	}
	if newest < 0 || int(n) != len(s.pages) {
		return s, last, ErrSeal
	}
	return s, last, nil
}

// Check compares a database that nobody has open with its seal; one without a seal, as older programs left it, passes.
func Check(dir string) error {
	s, last, err := readSeal(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	damaged := func(what string) error {
		return fmt.Errorf("%w (%s: bits have flipped, or another program has changed it)", ErrDamaged, what)
	}
	var w wal
	found := last == s.covers
	log, err := os.Open(Database(dir) + "-wal")
	if err == nil {
		defer log.Close()
		if info, err := log.Stat(); err == nil && info.Size() > 0 && s.closed == 1 {
			return ErrLog
		}
		inIt := last.Frames == 0
		w.read(log, func(at place) { inIt = inIt || at == last })
		if w.Salt1 == last.Salt1 && w.Salt2 == last.Salt2 {
			found = inIt
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !found {
		return damaged("the log of project.db is not as it was written, and lacks what was saved last")
	}
	main, err := os.Open(Database(dir))
	if err != nil {
		return err
	}
	defer main.Close()
	pages, err := pageSums(main, int(s.pageSize))
	if err != nil {
		return err
	}
	size := uint32(len(s.pages))
	if w.Frames > 0 {
		size = w.size
	} else if len(pages) != len(s.pages) {
		return damaged("project.db is not as long as it was")
	}
	wrong := 0
	for number := uint32(1); number <= size; number++ {
		if _, logged := w.pages[number]; logged {
			continue
		}
		if int(number) > min(len(pages), len(s.pages)) || pages[number-1] != s.pages[number-1] {
			wrong++
		}
	}
	if wrong > 0 {
		return damaged(fmt.Sprintf("%d of %d pages of project.db are not as they were written", wrong, size))
	}
	return nil
}

// pageSums returns the hash of each page of a database. A last one that is cut counts as well.
func pageSums(file io.ReaderAt, size int) (pages []pageSum, err error) {
	page := make([]byte, size)
	in := io.NewSectionReader(file, 0, 1<<62)
	for {
		n, err := io.ReadFull(in, page)
		switch {
		case err == io.EOF:
			return pages, nil
		case err == nil, err == io.ErrUnexpectedEOF:
			pages = append(pages, sumOf(page[:n]))
		default:
			return nil, err
		}
	}
}

// Undisturbed reads the files of a database, again where it failed while a server wrote to them: a checkpoint changes one after the other.
func Undisturbed(dir string, read func() error) (err error) {
	state := func() string {
		seal, _ := os.ReadFile(Path(dir))
		head := make([]byte, walHeader)
		info, err := os.Stat(Database(dir) + "-wal")
		if log, err := os.Open(Database(dir) + "-wal"); err == nil {
			_, _ = log.ReadAt(head, 0)
			log.Close()
		}
		if err != nil {
			return string(seal)
		}
		return fmt.Sprint(info.Size(), info.ModTime(), head, seal)
	}
	for range 20 {
		before := state()
		if err = read(); err == nil || before == state() {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("a server writes to the project all the time, so that it cannot be read as it is at one moment: try again later (%v)", err) // which says nothing about the files
}

// Keeper keeps the seal of an open database.
type Keeper struct {
	dir  string
	main *os.File // stays open: closing it would give up SQLite's locks on the file

	mu     sync.Mutex
	on     bool
	log    wal
	state  sealed
	file   *os.File // the seal
	number uint32   // of the last mark
}

// checkpointEvery is after how many pages of the log it is copied into the database, as SQLite does by itself.
const checkpointEvery = 1000

// Begin seals the database as it is now, which db has open.
func (s *Keeper) Begin(ctx context.Context, db *sql.DB) error {
	var mode string
	if err := db.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return Remove(s.dir)
	}
	var size uint32
	if err := db.QueryRowContext(ctx, `PRAGMA page_size`).Scan(&size); err != nil {
		return err
	}
	pages, err := pageSums(s.main, int(size))
	if err != nil {
		return err
	}
	s.state = sealed{pageSize: size, pages: pages}
	s.on = true
	return s.Checkpoint(ctx, db)
}

// Remove takes the seal of a folder away, if there is one.
func Remove(dir string) error {
	if err := os.Remove(Path(dir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// readLog goes on in the log.
func (s *Keeper) readLog() {
	log, err := os.Open(Database(s.dir) + "-wal")
	if err != nil {
		return
	}
	defer log.Close()
	s.log.read(log, nil)
}

// Checkpoint seals what the log holds, and lets SQLite copy as much of it into the database as nobody reads there.
func (s *Keeper) Checkpoint(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx) // the only one that writes
	if err != nil {
		return err
	}
	defer conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.replace(); err != nil {
		return err
	}
	var busy, frames, copied int
	return conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(PASSIVE)`).Scan(&busy, &frames, &copied)
}

// replace writes a seal of the database with all that the log holds. The caller holds s.mu, and nobody writes to the database.
func (s *Keeper) replace() error {
	s.readLog()
	if n := int(s.log.size); n > 0 {
		pages := make([]pageSum, n)
		copy(pages, s.state.pages)
		for number, sum := range s.log.pages {
			if int(number) <= n {
				pages[number-1] = sum
			}
		}
		s.state.pages = pages
	}
	s.state.covers = s.log.place
	if s.file != nil { // before it is replaced: some systems do not replace a file that is open
		s.file.Close()
		s.file = nil
	}
	if err := atomicfile.Write(Path(s.dir), s.state.encode(), 0o600); err != nil {
		return err
	}
	clear(s.log.pages) // the seal has them
	var err error
	s.file, err = os.OpenFile(Path(s.dir), os.O_RDWR, 0)
	s.number = 1
	return err
}

// Note marks the last commit, and tells whether it is time for a checkpoint. What cannot be written makes the seal say less, not wrong.
func (s *Keeper) Note() (due bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.on || s.file == nil {
		return false
	}
	s.readLog()
	s.number++
	_, _ = s.file.WriteAt(mark(s.log.place, s.number), int64(marksAt)+int64(s.number%2)*markSize)
	frames := s.log.Frames
	if s.log.Salt1 == s.state.covers.Salt1 && s.log.Salt2 == s.state.covers.Salt2 {
		frames -= s.state.covers.Frames
	}
	return frames >= checkpointEvery
}

// Opening says that the database is about to be opened, and opens its file.
func (s *Keeper) Opening(dir string) (err error) {
	s.dir = dir
	if s.main, err = os.Open(Database(dir)); err != nil {
		return err
	}
	seal, _, err := readSeal(dir)
	if err != nil || seal.closed == 0 {
		return nil
	}
	seal.closed = 0
	return atomicfile.Write(Path(dir), seal.encode(), 0o600)
}

// Closing seals the database before it is closed, which copies the rest of the log. Without a seal the next start looks for less.
func (s *Keeper) Closing(db *sql.DB) error {
	if !s.on {
		return nil
	}
	if err := s.Checkpoint(context.Background(), db); err != nil {
		return errors.Join(err, Remove(s.dir))
	}
	return nil
}

// Closed lets go of the files, and seals a database that was closed in order.
func (s *Keeper) Closed(inOrder bool) (err error) {
	if s.main == nil {
		return nil
	}
	defer s.main.Close()
	if s.file != nil {
		s.file.Close()
	}
	if info, err := os.Stat(Database(s.dir) + "-wal"); !inOrder || err == nil && info.Size() > 0 { // another program has it open
		return nil
	}
	if !s.on {
		s.state.pageSize = 4096 // of what is compared, whatever SQLite's is
		if s.state.pages, err = pageSums(s.main, int(s.state.pageSize)); err != nil {
			return err
		}
	}
	s.state.covers, s.state.closed = place{}, 1
	return atomicfile.Write(Path(s.dir), s.state.encode(), 0o600)
}
