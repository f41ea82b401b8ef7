package record

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/nextslice/nextslice/internal/cell"
)

// timingsFile has a line per cycle.
const timingsFile = "timings.jsonl"

// Timings returns what the cycles of a unit cost, as far as they were recorded, to milliseconds and megabytes, as a record has them. What a crash left of an unfinished line is passed over, and of two
// lines of a cycle the last counts.
func (f *Folder) Timings(u Unit) (out []Timing, err error) {
	text, err := os.ReadFile(f.path("units", u.Name(), timingsFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for line := range bytes.Lines(text) {
		var t Timing
		if json.Unmarshal(line, &t) != nil {
			continue
		}
		for _, s := range []*float64{&t.Train, &t.Evaluate, &t.Members, &t.Score, &t.Query} {
			*s = math.Round(*s*1000) / 1000
		}
		t.PeakMB = math.Round(t.PeakMB)
		i := slices.IndexFunc(out, func(o Timing) bool { return o.Cycle == t.Cycle })
		if i < 0 {
			out = append(out, t)
			continue
		}
		out[i] = t
	}
	return out, nil
}

// openTimings opens such a file for further lines. What a crash left of an unfinished one is cut off: a line behind it would be lost with it.
func openTimings(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) // not to append: on Windows that is no right to cut off
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(file)
	end := int64(bytes.LastIndexByte(text, '\n') + 1)
	if err == nil {
		err = file.Truncate(end)
	}
	if err == nil {
		_, err = file.Seek(end, io.SeekStart)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

var timingColumns = []string{"grid", "strategy", "set", "cycle", "train_s", "evaluate_s", "members_s", "score_s", "query_s", "passes", "peak_mb"}

// writeTimings writes those of runs; nil if no run has any.
func writeTimings(runs []Run) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write(timingColumns) // errors are kept until Error
	empty := true
	for _, r := range runs {
		for _, t := range r.Timings {
			empty = false
			row := []string{cell.Text(r.Grid), cell.Text(r.Strategy), strconv.Itoa(r.Set), strconv.Itoa(t.Cycle)}
			for _, s := range []float64{t.Train, t.Evaluate, t.Members, t.Score, t.Query} {
				row = append(row, strconv.FormatFloat(s, 'f', 3, 64))
			}
			w.Write(append(row, strconv.Itoa(t.Passes), strconv.FormatFloat(t.PeakMB, 'f', 0, 64)))
		}
	}
	w.Flush()
	if empty {
		return nil, w.Error()
	}
	return b.Bytes(), w.Error()
}

// readTimings reads what writeTimings wrote and gives it to the runs. Those of a run that is not there are an error.
func readTimings(in io.Reader, runs []Run) error {
	table := csv.NewReader(in)
	head, err := table.Read()
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("want a heading, got an empty file")
	}
	if err != nil {
		return err
	}
	if !slices.Equal(head, timingColumns) {
		return fmt.Errorf("want the columns of timings: %s", strings.Join(headFaults(timingColumns, head), ", "))
	}
	for {
		cells, err := table.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		line, _ := table.FieldPos(0)
		p := row{cells: cells, head: head}
		u := Unit{Grid: cell.Parse(p.text()), Strategy: cell.Parse(p.text()), Set: p.count()}
		t := Timing{Cycle: p.count()}
		for _, s := range []*float64{&t.Train, &t.Evaluate, &t.Members, &t.Score, &t.Query} {
			*s = p.seconds()
		}
		t.Passes = p.count()
		t.PeakMB = p.seconds()
		i := slices.IndexFunc(runs, func(r Run) bool { return r.Unit == u })
		if p.err == nil && i < 0 {
			p.fail("there is no run %s", u)
		}
		if p.err != nil {
			return fmt.Errorf("line %d: %w", line, p.err)
		}
		runs[i].Timings = append(runs[i].Timings, t)
	}
}

// seconds takes a number of 0 or more.
func (p *row) seconds() float64 {
	text := p.text()
	v := p.float(text)
	if !(v >= 0) {
		p.fail("want a number, 0 or more, got %q", text)
	}
	return v
}
