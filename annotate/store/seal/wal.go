package seal

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
)

// place is a commit in the log: whoever has a log with this commit at this place has all that was committed before it. The sums are
// over all of the log until then. The zero place is an empty log.
type place struct{ Salt1, Salt2, Frames, Sum1, Sum2 uint32 }

// pageSum is the beginning of a page's SHA-256.
type pageSum [16]byte

func sumOf(page []byte) pageSum {
	sum := sha256.Sum256(page)
	return pageSum(sum[:16])
}

// wal is what SQLite's log (project.db-wal) holds up to its last commit. Source of the format: sqlite.org/fileformat2.html, section 4.
type wal struct {
	place
	pageSize int
	size     uint32             // pages of the database after that commit
	pages    map[uint32]pageSum // that it holds, by number from 1, as the last commit left them
}

const walHeader, frameHeader = 32, 24

// read goes on behind the last commit that it knows, or begins anew in a log that was begun anew, and calls seen with every further commit. It
// ends, as SQLite does, at the first frame that is not what its sum says.
func (w *wal) read(log io.ReaderAt, seen func(place)) {
	var head [walHeader]byte
	if _, err := log.ReadAt(head[:], 0); err != nil {
		return
	}
	magic := binary.BigEndian.Uint32(head[:])
	order := binary.ByteOrder(binary.LittleEndian)
	if magic&1 == 1 {
		order = binary.BigEndian
	}
	sum1, sum2 := walSum(order, 0, 0, head[:24])
	word := func(i int) uint32 { return binary.BigEndian.Uint32(head[4*i:]) }
	size := int(word(2))
	if magic&^1 != 0x377f0682 || sum1 != word(6) || sum2 != word(7) || size < 512 || size > 65536 || size&(size-1) != 0 {
		return
	}
	if w.pages == nil || w.Salt1 != word(4) || w.Salt2 != word(5) {
		*w = wal{place{word(4), word(5), 0, sum1, sum2}, size, 0, map[uint32]pageSum{}}
	}
	now := w.place
	pages := map[uint32]pageSum{} // of the transaction
	frame := make([]byte, frameHeader+size)
	for {
		if _, err := log.ReadAt(frame, walHeader+int64(now.Frames)*int64(len(frame))); err != nil {
			return
		}
		word := func(i int) uint32 { return binary.BigEndian.Uint32(frame[4*i:]) }
		now.Sum1, now.Sum2 = walSum(order, now.Sum1, now.Sum2, frame[:8])
		now.Sum1, now.Sum2 = walSum(order, now.Sum1, now.Sum2, frame[frameHeader:])
		if word(0) == 0 || word(2) != now.Salt1 || word(3) != now.Salt2 || word(4) != now.Sum1 || word(5) != now.Sum2 {
			return
		}
		now.Frames++
		pages[word(0)] = sumOf(frame[frameHeader:])
		if word(1) == 0 {
			continue
		}
		for number, sum := range pages {
			w.pages[number] = sum
		}
		clear(pages)
		w.place, w.size = now, word(1)
		if seen != nil {
			seen(now)
		}
	}
}

// walSum goes on with the sum of a log over words of 8 bytes.
func walSum(order binary.ByteOrder, s1, s2 uint32, data []byte) (uint32, uint32) {
	if order == binary.LittleEndian { // without a call for each word
		for ; len(data) >= 8; data = data[8:] {
			s1 += binary.LittleEndian.Uint32(data) + s2
			s2 += binary.LittleEndian.Uint32(data[4:]) + s1
		}
		return s1, s2
	}
	for ; len(data) >= 8; data = data[8:] {
		s1 += binary.BigEndian.Uint32(data) + s2
		s2 += binary.BigEndian.Uint32(data[4:]) + s1
	}
	return s1, s2
}
