package volume

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// asciiVoxels reads voxels written as text, separated by white space or commas.
func (m image) asciiVoxels(r io.Reader, each func([]float64) error) error {
	words := bufio.NewScanner(r)
	words.Buffer(make([]byte, 4096), 4096)
	words.Split(scanNumbers)
	values := make([]float64, 0, 4096)
	n := m.count()
	for done := 0; done < n; done++ {
		if !words.Scan() {
			if err := words.Err(); err != nil {
				return m.cut(done, err)
			}
			return m.cut(done, io.EOF)
		}
		v, err := strconv.ParseFloat(words.Text(), 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return fmt.Errorf("%s: voxel %d is %q, want a number", m.file, done, words.Text())
		}
		values = append(values, v)
		if len(values) == cap(values) || done == n-1 {
			if err := m.hand(values, each); err != nil {
				return err
			}
			values = values[:0]
		}
	}
	if words.Scan() {
		return fmt.Errorf("%s holds more numbers than the %d that its header declares", m.file, n)
	}
	return nil
}

// scanNumbers is a bufio.SplitFunc for words between white space and commas.
func scanNumbers(data []byte, atEOF bool) (advance int, token []byte, err error) {
	between := func(b byte) bool { return b <= ' ' || b == ',' }
	start := 0
	for start < len(data) && between(data[start]) {
		start++
	}
	for end := start; end < len(data); end++ {
		if between(data[end]) {
			return end + 1, data[start:end], nil
		}
	}
	if atEOF && start < len(data) {
		return len(data), data[start:], nil
	}
	return start, nil, nil
}

// numbers parses the numbers of a header's field. Want 0 stands for any count.
func numbers(field, text string, want int) ([]float64, error) {
	words := strings.Fields(text)
	if want > 0 && len(words) != want {
		return nil, fmt.Errorf("%s = %q has %d numbers, want %d", field, shorten(text), len(words), want)
	}
	out := make([]float64, len(words))
	for i, w := range words {
		v, err := strconv.ParseFloat(w, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%s = %q: %q is not a finite number", field, shorten(text), shorten(w))
		}
		out[i] = v
	}
	return out, nil
}

// whole parses the whole numbers of a header's field, each at least low.
func whole(field, text string, low int64) ([]int, error) {
	var out []int
	for _, w := range strings.Fields(text) {
		v, err := strconv.ParseInt(w, 10, 64)
		if err != nil || v < low || v > 1<<40 {
			return nil, fmt.Errorf("%s = %q: %q is not a whole number from %d to 2^40", field, shorten(text), shorten(w), low)
		}
		out = append(out, int(v))
	}
	return out, nil
}

// shorten keeps the quotation of a hostile header within one line.
func shorten(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}

// firstLine returns the first line of data without its end, and how many bytes it took with it. ok is false where data
// holds no end of line.
func firstLine(data []byte) (line string, length int, ok bool) {
	for i, b := range data {
		if b == '\n' {
			return strings.TrimRight(string(data[:i]), "\r"), i + 1, true
		}
	}
	return strings.TrimRight(string(data), "\r"), len(data), false
}

// withoutSpace drops white space from what it reads.
type withoutSpace struct{ r io.Reader }

func (w withoutSpace) Read(p []byte) (int, error) {
	for {
		n, err := w.r.Read(p)
		kept := 0
		for _, b := range p[:n] {
			if b > ' ' {
				p[kept] = b
				kept++
			}
		}
		if kept > 0 || err != nil || len(p) == 0 {
			return kept, err
		}
	}
}
