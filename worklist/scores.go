package worklist

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/nextslice/nextslice/internal/atomicfile"
	"github.com/nextslice/nextslice/internal/cell"
)

// scoreFile keeps rows of numbers of items, in a CSV file that grows by a case at a time: id,score, and further columns where an item has several
// numbers. nextslice select reads it.
type scoreFile struct {
	file  *os.File
	rows  map[string][]float64
	names func(i item) string
}

// openScores opens or begins the file. What a crash left of an unfinished case is cut off: its last line says how many belong together.
func openScores(path string, names func(i item) string) (*scoreFile, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	s := &scoreFile{file: file, rows: map[string][]float64{}, names: names}
	size, err := s.read()
	if err == nil {
		err = file.Truncate(size)
	}
	if err == nil {
		_, err = file.Seek(size, io.SeekStart)
	}
	if err == nil && size == 0 {
		_, err = io.WriteString(file, scoreHeading)
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// The heading of the first columns; of a case's rows the last has their number in the column case_rows, the others nothing.
const scoreHeading = "id,score,case_rows,more\n"

// read reads the rows of whole cases and returns how many bytes they take.
func (s *scoreFile) read() (size int64, err error) {
	lines := bufio.NewReader(s.file)
	at := int64(0)
	part := map[string][]float64{}
	for first := true; ; first = false {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return size, nil
		}
		if err != nil {
			return 0, err
		}
		at += int64(len(line))
		if first {
			if line != scoreHeading {
				return 0, errors.New("this is no file of scores")
			}
			size = at
			continue
		}
		fields := strings.Split(strings.TrimSuffix(line, "\n"), ",")
		if len(fields) < 4 {
			return size, nil
		}
		n := len(fields)
		id := strings.Join(fields[:n-3], ",") // which may hold a comma
		var row []float64
		for _, text := range slices.Concat(fields[n-3:n-2], strings.Fields(fields[n-1])) {
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return size, nil
			}
			row = append(row, v)
		}
		part[cell.Parse(unquote(id))] = row
		if fields[n-2] == "" {
			continue
		}
		if fields[n-2] == strconv.Itoa(len(part)) {
			for id, row := range part {
				s.rows[id] = row
			}
			size = at
		}
		part = map[string][]float64{}
	}
}

// row returns that of an item, if it is there.
func (s *scoreFile) row(id string) ([]float64, bool) {
	if s == nil {
		return nil, false
	}
	row, ok := s.rows[id]
	return row, ok
}

// add writes the rows of the items of a case, to the disk.
func (s *scoreFile) add(items []item, rows [][]float64) error {
	if s == nil {
		return nil
	}
	var text strings.Builder
	for i, row := range rows {
		count, more := "", make([]string, 0, len(row))
		if i == len(rows)-1 {
			count = strconv.Itoa(len(rows))
		}
		for _, v := range row[1:] {
			more = append(more, strconv.FormatFloat(v, 'g', -1, 64))
		}
		fmt.Fprintf(&text, "%s,%s,%s,%s\n", quote(cell.Text(s.names(items[i]))), strconv.FormatFloat(row[0], 'g', -1, 64), count, strings.Join(more, " "))
	}
	if _, err := io.WriteString(s.file, text.String()); err != nil {
		return err
	}
	return s.file.Sync()
}

func (s *scoreFile) close() error { return s.file.Close() }

// quote writes a field of CSV, unquote reads it.
func quote(field string) string {
	if !strings.ContainsAny(field, "\",\n") {
		return field
	}
	return `"` + strings.ReplaceAll(field, `"`, `""`) + `"`
}

func unquote(field string) string {
	if len(field) < 2 || field[0] != '"' {
		return field
	}
	return strings.ReplaceAll(field[1:len(field)-1], `""`, `"`)
}

// WriteScores writes the scores of a query to a file of their own for nextslice select: id and score, and of a shard which one it is and of which query
// (see query/scores.Part). It replaces a file that is there.
func (r *Result) WriteScores(to string) error {
	s, err := openScores(r.Scores, nil)
	if err != nil {
		return err
	}
	defer s.close()
	heading, end := "id,score\n", "\n"
	if r.shard.Of > 0 {
		heading, end = "id,score,shard,query\n", fmt.Sprintf(",%d/%d,%s\n", r.shard.Part, r.shard.Of, r.query)
	}
	var text strings.Builder
	text.WriteString(heading)
	for _, id := range slices.Sorted(maps.Keys(s.rows)) {
		fmt.Fprintf(&text, "%s,%s%s", quote(cell.Text(id)), strconv.FormatFloat(s.rows[id][0], 'g', -1, 64), end)
	}
	return atomicfile.Write(to, []byte(text.String()), 0o600)
}
