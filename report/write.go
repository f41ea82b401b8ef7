package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/internal/atomicfile"
	"github.com/nextslice/nextslice/report/figure"
	"github.com/nextslice/nextslice/report/table"
)

// jsonFile marks a folder as a report, which a newer report may replace.
const jsonFile = "report.json"

// WriteText writes the tables that answer the first questions, for a terminal: per experiment the paper's table and the
// comparisons of the 3D Dice; of several recipes those of all together.
func (r Report) WriteText(w io.Writer) error {
	for i, x := range r.Experiments {
		if i > 0 {
			fmt.Fprintln(w)
		}
		g := x.Groups[len(x.Groups)-1]
		said := map[string]bool{} // notes that several tables share are printed once
		for j, t := range x.mainTables(g) {
			if j > 0 {
				fmt.Fprintln(w)
			}
			t.Notes = slices.DeleteFunc(t.Notes, func(note string) bool { return said[note] })
			for _, note := range t.Notes {
				said[note] = true
			}
			if err := t.WriteText(w); err != nil {
				return err
			}
		}
	}
	return nil
}

// WriteJSON writes the whole report as JSON.
func (r Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// writeTables writes all tables of the report, one after the other, in one format.
func (r Report) writeTables(w io.Writer, write func(table.Table, io.Writer) error) error {
	for _, x := range r.Experiments {
		for _, g := range x.Groups {
			for _, t := range x.Tables(g) {
				if err := write(t, w); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// prefix begins the names of an experiment's files, and of a group's.
func (r Report) prefix(x Experiment, g Group, group bool) string {
	var elements []string
	if len(r.Experiments) > 1 {
		elements = append(elements, x.Name)
	}
	if group {
		name := g.Grid
		if g.Pooled {
			name = "all-recipes"
		}
		elements = append(elements, name)
	}
	clean := strings.Map(func(c rune) rune {
		if strings.ContainsRune(`/\:*?"<>|=,() `, c) {
			return '_'
		}
		return c
	}, strings.Join(elements, "-"))
	if clean != "" {
		clean += "-"
	}
	return clean
}

// Write writes the report's files to a folder:
//
//	index.html              the page; needs no other file and no network
//	tables.md, tables.tex   all tables
//	tables/*.csv            each table
//	figures/*.png, *.svg    each figure
//	report.json             all numbers
//
// An older report in the folder is replaced; a folder with anything else in it is refused.
func (r Report) Write(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return atomicfile.IsTemporary(e.Name()) }) // of a report that was killed
	if _, err := os.Stat(filepath.Join(dir, jsonFile)); len(entries) > 0 && err != nil {
		return fmt.Errorf("%s is not empty and holds no report: choose another folder with --out", dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	atomicfile.Sweep(dir)
	written := map[string]bool{}
	save := func(name string, write func(io.Writer) error) error {
		written[name] = true
		return save(dir, name, write)
	}
	// First the file that says whose folder it is: a report that was interrupted can be written again.
	if err := save(jsonFile, r.WriteJSON); err != nil {
		return err
	}
	for _, sub := range []string{"tables", "figures"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return err
		}
	}
	if err := save("index.html", r.WriteHTML); err != nil {
		return err
	}
	if err := save("tables.md", func(w io.Writer) error { return r.writeTables(w, table.Table.WriteMarkdown) }); err != nil {
		return err
	}
	if err := save("tables.tex", func(w io.Writer) error { return r.writeTables(w, table.Table.WriteLaTeX) }); err != nil {
		return err
	}
	for _, x := range r.Experiments {
		if len(x.Cases) > 0 {
			if err := save(filepath.Join("tables", r.prefix(x, Group{}, false)+"cases.csv"), x.casesTable().WriteCSV); err != nil {
				return err
			}
		}
		for _, g := range x.Groups {
			prefix := r.prefix(x, g, len(x.Groups) > 1)
			for _, t := range x.Tables(g) {
				if err := save(filepath.Join("tables", prefix+t.Name+".csv"), t.WriteCSV); err != nil {
					return err
				}
			}
			for _, f := range x.figures(g) {
				if err := saveFigure(filepath.Join("figures", prefix+f.Name), f, save); err != nil {
					return err
				}
			}
		}
	}
	return removeOlder(dir, written)
}

// removeOlder removes the tables and figures of an older report that this one does not have: their numbers are no longer those of the records.
func removeOlder(dir string, written map[string]bool) error {
	kinds := map[string][]string{"tables": {".csv"}, "figures": {".png", ".svg"}}
	for sub, extensions := range kinds {
		entries, err := os.ReadDir(filepath.Join(dir, sub))
		if err != nil {
			return err
		}
		for _, e := range entries {
			name := filepath.Join(sub, e.Name())
			if written[name] || !slices.Contains(extensions, filepath.Ext(name)) {
				continue
			}
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// save writes a file of a folder: in full or, after an error, not at all.
func save(dir, name string, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return atomicfile.Write(filepath.Join(dir, name), b.Bytes(), 0o600)
}

// saveFigure saves a figure as name.png and name.svg.
func saveFigure(name string, f figure.Figure, save func(string, func(io.Writer) error) error) error {
	for _, format := range []string{"png", "svg"} {
		if err := save(name+"."+format, func(w io.Writer) error { return f.Write(w, format) }); err != nil {
			return err
		}
	}
	return nil
}
