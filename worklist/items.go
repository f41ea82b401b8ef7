package worklist

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/nextslice/nextslice/internal/cell"
	"github.com/nextslice/nextslice/volume"
)

// Item is a slice in a list.
type Item struct {
	ID       string // CASE/SLICE, as Pick.ID
	Axis     int    // index axis of the case's file that the slice counts along: 0, 1 or 2, or volume.AutoAxis where the list does not say
	Rejected bool   // a reviewer has rejected its label
}

// ReadItems reads a list of slices: CSV with the columns case and slice, or id as "CASE/SLICE", among any others, as the picks of a query are
// written; or without a heading one column of ids, or two of cases and slices. Slices count from 0 along the axis in the column axis (i, j or k), or where
// there is none or its cell is empty along the one that they are cut across. A column review says what a reviewer has said of a label, as in the labelled.csv of serve. It is read as
// cell.NewReader has it. A list without a slice is an error.
func ReadItems(file string) (items []Item, err error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	r := cell.NewReader(in, "id", "case", "slice", "axis", "review")
	r.FieldsPerRecord = -1
	id, name, slice, along, review := -1, -1, -1, -1, -1
	for first := true; ; first = false {
		row, err := r.Read()
		if errors.Is(err, io.EOF) && len(items) == 0 {
			return nil, fmt.Errorf("%s names no slice: leave the list out if all slices of cases with masks are labelled", file)
		}
		if errors.Is(err, io.EOF) {
			return items, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		line, _ := r.FieldPos(0)
		if first {
			for at, of := range map[string]*int{"id": &id, "case": &name, "slice": &slice, "axis": &along, "review": &review} {
				if *of, err = cell.Column(row, at); err != nil {
					return nil, fmt.Errorf("%s: line %d: %w", file, line, err)
				}
			}
			if id >= 0 || name >= 0 && slice >= 0 {
				continue
			}
			if id, along, review = 0, -1, -1; len(row) == 2 {
				id, name, slice = -1, 0, 1
			}
		}
		if len(row) <= max(id, name, slice, along, review) {
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
			return nil, fmt.Errorf("%s: line %d: %q is no slice: want CASE/SLICE, such as Case07/012, or the columns case and slice under a heading; %s", file, line, text, cell.Separators)
		}
		axis := volume.AutoAxis
		if along >= 0 && strings.TrimSpace(row[along]) != "" {
			if axis, err = volume.ParseAxis(strings.ToLower(strings.TrimSpace(row[along]))); err != nil || axis == volume.AutoAxis {
				return nil, fmt.Errorf("%s: line %d: axis %q: want i, j or k", file, line, row[along])
			}
		}
		rejected := review >= 0 && strings.EqualFold(strings.TrimSpace(row[review]), "rejected")
		items = append(items, Item{itemName(strings.TrimSpace(text[:at]), number), axis, rejected})
	}
}

// itemName names a slice of a case as the data set does.
func itemName(id string, slice int) string { return fmt.Sprintf("%s/%03d", id, slice) }

// checkAxis returns an error unless the slices of a case that lists name are numbered along the axis of its file that the case is cut along now.
func (q *run) checkAxis(id string, now int) error {
	for _, l := range q.lists {
		at := slices.IndexFunc(l.items, func(i Item) bool { return caseOf(i.ID) == id && i.Axis != volume.AutoAxis && i.Axis != now })
		if at < 0 {
			continue
		}
		was, now := volume.AxisName(l.items[at].Axis), volume.AxisName(now)
		if q.Model != "" {
			return fmt.Errorf("%s lists slices of %s along %s, and the model %s cuts it along %s: take a model that cuts along %s, or leave --model out and give --axis %s",
				l.file, id, was, q.Model, now, was, was)
		}
		return fmt.Errorf("%s lists slices of %s along %s, and this query cuts it along %s: give --axis %s, or only lists of slices along %s", l.file, id, was, now, was, now)
	}
	return nil
}

// caseOf returns the case of CASE/SLICE.
func caseOf(item string) string { return item[:strings.LastIndexByte(item, '/')] }

// outlined reports whether a mask on the canvas has a class.
func outlined(mask []uint8) bool {
	return slices.ContainsFunc(mask, func(v uint8) bool { return v != 0 && v != volume.Ignored })
}

// matches reports whether one of some patterns matches the case, or the slice as CASE/SLICE. In a pattern * stands for any letters of a name.
func matches(patterns []string, id, item string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		one, _ := path.Match(pattern, id)
		other, _ := path.Match(pattern, item)
		return one || other
	})
}
