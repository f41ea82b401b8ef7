package worklist

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/nextslice/nextslice/query"
)

// disagreementFile keeps what query.Pool.Disagreement is of each case, a line of JSON for each in the order of the cases. The networks are the same for all
// cases, so that a query which is interrupted goes on behind the last whole line.
const disagreementFile = "disagreement.jsonl"

// caseDisagreement is what networks disagree on over some slices of a case.
type caseDisagreement struct {
	Items []string           `json:"items"`
	Of    query.Disagreement `json:"disagreement"`
}

// disagreement returns that of some items, which stand in increasing order. What the file has of them from the first case on is not computed again.
func (s *stream) disagreement(ctx context.Context, items []int) (d query.Disagreement, err error) {
	add := func(part query.Disagreement) {
		if d.Sum == nil {
			d.Sum, d.Width, d.Networks, d.Classes = make([]float64, len(part.Sum)), part.Width, part.Networks, part.Classes
		}
		d.Scores = append(d.Scores, part.Scores...)
		for i, v := range part.Sum {
			d.Sum[i] += v
		}
	}
	keep := func(caseDisagreement) error { return nil }
	if s.dir != "" {
		file, err := os.OpenFile(filepath.Join(s.dir, disagreementFile), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return d, err
		}
		defer file.Close()
		kept, end, err := s.kept(file, items, add)
		if err == nil {
			err = file.Truncate(end)
		}
		if err == nil {
			_, err = file.Seek(end, io.SeekStart)
		}
		if err != nil {
			return d, err
		}
		items = items[kept:]
		keep = func(c caseDisagreement) error {
			text, err := json.Marshal(c)
			if err == nil {
				_, err = file.Write(append(text, '\n'))
			}
			return errors.Join(err, file.Sync())
		}
	}
	err = s.each(ctx, items, func(p query.Pool, some []int) error {
		part, err := p.Disagreement(some)
		if err != nil {
			return err
		}
		add(part)
		c := caseDisagreement{s.namesOf(items[:len(some)]), part}
		items = items[len(some):]
		return keep(c)
	})
	return d, err
}

// kept takes what a file has of the first cases of items: of how many items, and where it ends.
func (s *stream) kept(file io.Reader, items []int, add func(query.Disagreement)) (taken int, end int64, err error) {
	lines := bufio.NewReader(file)
	for taken < len(items) {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, 0, err
		}
		var c caseDisagreement
		if json.Unmarshal(line, &c) != nil || len(c.Items) == 0 || len(c.Of.Scores) != len(c.Items) || taken+len(c.Items) > len(items) {
			break
		}
		next := taken + len(c.Items)
		whole := next == len(items) || s.items[items[next]].index != s.items[items[taken]].index
		if !whole || !slices.Equal(c.Items, s.namesOf(items[taken:next])) {
			break
		}
		add(c.Of)
		taken, end = next, end+int64(len(line))
	}
	return taken, end, nil
}

func (s *stream) namesOf(items []int) (names []string) {
	for _, i := range items {
		names = append(names, s.names(s.items[i]))
	}
	return names
}
