// Package scores reads the scores that other programs, or the shards of a query, gave to items, joins them, and picks by them.
package scores

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/nextslice/nextslice/internal/cell"
	"github.com/nextslice/nextslice/query"
)

// List holds the scores of items that were computed elsewhere, in the order of their file.
type List struct {
	IDs    []string
	Values []float64 // higher = label sooner
	Parts  []Part    // different ones that the scores say they are of, in the order of the file; see Join
}

// Pick is one selected item of a [List].
type Pick struct {
	ID    string  `json:"id"`
	Score float64 `json:"score"`
}

// Pool returns the scores as a pool: item i is IDs[i]. It has no features, positions or masks.
func (s *List) Pool() query.Pool {
	return query.Pool{N: len(s.IDs), Score: func(items []int) ([]float64, error) {
		scores := make([]float64, len(items))
		for i, item := range items {
			scores[i] = s.Values[item]
		}
		return scores, nil
	}}
}

// Select picks size items with a strategy that needs nothing but scores, such as one of [query.ParseSelector].
func (s *List) Select(strategy query.Strategy, size int, rng *rand.Rand) ([]Pick, error) {
	selection, err := strategy.Select(s.Pool(), size, rng)
	if err != nil {
		return nil, err
	}
	picks := make([]Pick, len(selection.Items))
	for i, item := range selection.Items {
		picks[i] = Pick{ID: s.IDs[item], Score: s.Values[item]}
	}
	return picks, nil
}

// Read reads scores from CSV or JSON, whichever the text turns out to be: JSON begins with [ or {. See
// [ReadCSV] and [ReadJSON].
func Read(r io.Reader) (*List, error) {
	in := cell.UTF8(r)
	start, err := in.Peek(512)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("read scores: %w", err)
	}
	if text := strings.TrimLeft(string(start), " \t\r\n"); text != "" && strings.ContainsAny(text[:1], "[{") {
		return ReadJSON(in)
	}
	return ReadCSV(in)
}

// ReadCSV reads scores as CSV, as cell.NewReader has it: either with a header that names the columns id and score, in any order
// and among other columns, or two columns id,score without one. IDs are kept as they stand, without surrounding
// spaces and the apostrophe that guards them from spreadsheets (=x is written as '=x). Empty lines are skipped. Where the header has both the columns
// shard and query, they are the Part of each score.
//
// A line with a score that is no finite number, an empty id, an id that stood before or a wrong number of fields is
// an error that names the line.
func ReadCSV(r io.Reader) (*List, error) {
	reader := cell.NewReader(r, "id", "score")
	reader.ReuseRecord = true
	list := newScoreList()
	idColumn, scoreColumn, shardColumn, queryColumn := 0, 1, -1, -1
	for first := true; ; first = false {
		record, err := reader.Read()
		if err == io.EOF {
			return list.done()
		}
		if err != nil {
			// A csv.ParseError names the line itself.
			return nil, fmt.Errorf("read scores: %w", err)
		}
		line, _ := reader.FieldPos(0)
		if first {
			var columns [4]int
			for n, name := range []string{"id", "score", "shard", "query"} {
				if columns[n], err = cell.Column(record, name); err != nil {
					return nil, fmt.Errorf("read scores: line %d: %w", line, err)
				}
			}
			if columns[0] >= 0 && columns[1] >= 0 {
				idColumn, scoreColumn, shardColumn, queryColumn = columns[0], columns[1], columns[2], columns[3]
				continue
			}
			if len(record) != 2 {
				return nil, fmt.Errorf("read scores: line %d: want a header with the columns id and score, or two columns "+
					"id,score; got %d columns: %s; %s", line, len(record), strings.Join(record, ","), cell.Separators)
			}
			if _, err := strconv.ParseFloat(strings.TrimSpace(record[1]), 64); err != nil {
				return nil, fmt.Errorf("read scores: line %d: %q is neither a header with the columns id and score nor an "+
					"id and a number; %s", line, strings.Join(record, ","), cell.Separators)
			}
		}
		if err := list.add(line, cell.Parse(strings.TrimSpace(record[idColumn])), record[scoreColumn]); err != nil {
			return nil, err
		}
		var part Part
		if shardColumn >= 0 && queryColumn >= 0 {
			if part, err = parsePart(record[shardColumn], strings.Clone(record[queryColumn])); err != nil {
				return nil, fmt.Errorf("read scores: line %d: %w", line, err)
			}
		}
		if !slices.Contains(list.scores.Parts, part) {
			list.scores.Parts = append(list.scores.Parts, part)
		}
	}
}

// ReadJSON reads scores as an array of objects [{"id": "a", "score": 0.5}, ...], where other members are
// ignored, or as one object {"a": 0.5, ...}. An id may be a string or a number.
//
// A score that is no finite number, a missing, empty or repeated id and malformed JSON are errors that name the line.
func ReadJSON(r io.Reader) (*List, error) {
	text, err := io.ReadAll(cell.UTF8(r))
	if err != nil {
		return nil, fmt.Errorf("read scores: %w", err)
	}
	d := jsonScores{text: text, decoder: json.NewDecoder(bytes.NewReader(text)), list: newScoreList()}
	d.decoder.UseNumber()
	if err := d.read(); err != nil {
		return nil, err
	}
	return d.list.done()
}

type jsonScores struct {
	text    []byte
	decoder *json.Decoder
	list    *scoreList

	counted int64 // line is that of this offset
	newline int
}

func (d *jsonScores) read() error {
	start, err := d.decoder.Token()
	if err != nil {
		return d.fault(err)
	}
	switch start {
	case json.Delim('['):
		for d.decoder.More() {
			var item struct {
				ID    any `json:"id"`
				Score any `json:"score"`
			}
			if err := d.decoder.Decode(&item); err != nil {
				return d.fault(err)
			}
			if err := d.add(item.ID, item.Score); err != nil {
				return err
			}
		}
	case json.Delim('{'):
		for d.decoder.More() {
			id, err := d.decoder.Token()
			if err != nil {
				return d.fault(err)
			}
			var score any
			if err := d.decoder.Decode(&score); err != nil {
				return d.fault(err)
			}
			if err := d.add(id, score); err != nil {
				return err
			}
		}
	default:
		return d.fault(errors.New("want an array of objects with id and score, or an object of id: score"))
	}
	if _, err := d.decoder.Token(); err != nil { // the closing bracket
		return d.fault(err)
	}
	if _, err := d.decoder.Token(); err != io.EOF {
		return d.fault(errors.New("there is more text after the end of the JSON value"))
	}
	return nil
}

func (d *jsonScores) add(id, score any) error {
	var name string
	switch id := id.(type) {
	case string:
		name = id
	case json.Number:
		name = id.String()
	default:
		return d.fault(fmt.Errorf("the id must be a string or a number, not %s", jsonText(id)))
	}
	number, ok := score.(json.Number)
	if !ok {
		return d.fault(fmt.Errorf("the score of %q must be a number, not %s", name, jsonText(score)))
	}
	return d.list.add(d.line(d.decoder.InputOffset()), name, number.String())
}

func jsonText(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}

// line returns the line of an offset that is not before the last one asked for.
func (d *jsonScores) line(offset int64) int {
	d.newline += bytes.Count(d.text[d.counted:offset], []byte{'\n'})
	d.counted = offset
	return d.newline + 1
}

func (d *jsonScores) fault(err error) error {
	offset := d.decoder.InputOffset()
	// Where the text is no JSON, a parse of the whole tells the place more exactly than the decoder does.
	var syntax *json.SyntaxError
	if errors.As(json.Unmarshal(d.text, new(json.RawMessage)), &syntax) {
		offset, err = max(offset, syntax.Offset), syntax
	}
	return fmt.Errorf("read scores: line %d: %w", d.line(offset), err)
}

// scoreList collects scores and refuses what a strategy could not rank or a person could not tell apart.
type scoreList struct {
	scores List
	lines  map[string]int
}

func newScoreList() *scoreList { return &scoreList{lines: map[string]int{}} }

func (l *scoreList) add(line int, id, score string) error {
	id = strings.TrimSpace(id)
	if id == "" {
		return fmt.Errorf("read scores: line %d: the id is empty", line)
	}
	value, err := strconv.ParseFloat(strings.TrimSpace(score), 64)
	if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
		return fmt.Errorf("read scores: line %d: the score of %q is %q; want a finite number", line, id, score)
	}
	if before, twice := l.lines[id]; twice {
		return fmt.Errorf("read scores: line %d: the id %q already stands on line %d", line, id, before)
	}
	l.scores.IDs = append(l.scores.IDs, strings.Clone(id)) // the reader's record is one string: do not keep it alive
	l.scores.Values = append(l.scores.Values, value)
	l.lines[l.scores.IDs[len(l.scores.IDs)-1]] = line
	return nil
}

func (l *scoreList) done() (*List, error) {
	if len(l.scores.IDs) == 0 {
		return nil, errors.New("read scores: there is no score in it")
	}
	if len(l.scores.Parts) == 0 { // JSON
		l.scores.Parts = []Part{{}}
	}
	return &l.scores, nil
}
