package worklist

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/nextslice/nextslice/internal/cell"
)

// ReadItems reads a list of slices: CSV with the columns case and slice, or id as "CASE/SLICE", among any others, as the picks of a query are
// written; or without a heading one column of ids, or two of cases and slices. Slices count from 0 along the axis that they are cut across.
func ReadItems(file string) (items []string, err error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	r := csv.NewReader(in)
	r.TrimLeadingSpace, r.FieldsPerRecord = true, -1
	id, name, slice := -1, -1, -1
	for first := true; ; first = false {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return items, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		line, _ := r.FieldPos(0)
		if first {
			row[0] = strings.TrimPrefix(row[0], "\ufeff")
			column := func(name string) int {
				return slices.IndexFunc(row, func(s string) bool { return strings.EqualFold(strings.TrimSpace(s), name) })
			}
			id, name, slice = column("id"), column("case"), column("slice")
			if id >= 0 || name >= 0 && slice >= 0 {
				continue
			}
			if id = 0; len(row) == 2 {
				id, name, slice = -1, 0, 1
			}
		}
		if len(row) <= max(id, name, slice) {
			return nil, fmt.Errorf("%s: line %d has %d columns", file, line, len(row))
		}
		var text string
		if id >= 0 {
			text = cell.Parse(row[id])
		} else {
			text = cell.Parse(row[name]) + "/" + row[slice]
		}
		at := strings.LastIndexByte(text, '/')
		number, err := strconv.Atoi(strings.TrimSpace(text[at+1:]))
		if at < 1 || err != nil || number < 0 {
			return nil, fmt.Errorf("%s: line %d: %q is no slice: want CASE/SLICE, such as Case07/012", file, line, text)
		}
		items = append(items, itemName(strings.TrimSpace(text[:at]), number))
	}
}

// itemName names a slice of a case as the data set does.
func itemName(id string, slice int) string { return fmt.Sprintf("%s/%03d", id, slice) }

// matches reports whether one of some patterns matches the case, or the slice as CASE/SLICE. In a pattern * stands for any letters of a name.
func matches(patterns []string, id, item string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		one, _ := path.Match(pattern, id)
		other, _ := path.Match(pattern, item)
		return one || other
	})
}
