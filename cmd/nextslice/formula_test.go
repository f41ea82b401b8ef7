package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/dataset/phantom/phantomtest"
	"github.com/nextslice/nextslice/query/scores"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/worklist"
)

// named writes a data set of three cases whose names begin as given.
func named(t *testing.T, dir string, names ...string) {
	t.Helper()
	if err := phantomtest.Write(dir, len(names), 1); err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "dataset.json")
	text, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		before, after := fmt.Sprintf("phantom_%03d", i), fmt.Sprintf("%s%03d", name, i)
		text = bytes.ReplaceAll(text, []byte("/"+before), []byte("/"+after))
		for _, sub := range []string{"imagesTr", "labelsTr"} {
			if err := os.Rename(filepath.Join(dir, sub, before+".nii.gz"), filepath.Join(dir, sub, after+".nii.gz")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(list, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// No CSV file that a command writes has a cell that a spreadsheet would compute, whatever cases are called; and what is read back is called as before.
func TestNoFormulas(t *testing.T) {
	t.Chdir(t.TempDir())
	named(t, "data", "=1+2_", "+A1_", "@SUM_")
	command := func(file string, args ...string) {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(t.Context(), nil, &out, &errs, args); code != done {
			t.Fatalf("%v: exit code %d: %s", args, code, errs.String())
		}
		if file != "" {
			if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	tiny := []string{"--preset", "demo", "--set", "steps=4", "--set", "width=2"}
	command("", append([]string{"train", "--out", "m.safetensors", "--data", "data"}, tiny...)...)
	for _, name := range []string{"labelsTr", "dataset.json"} {
		if err := os.RemoveAll(filepath.Join("data", name)); err != nil {
			t.Fatal(err)
		}
	}
	command("picks.csv", "query", "--data", "data", "--model", "m.safetensors", "--size", "30", "--csv", "--scores", "scores.csv")
	command("picks.json", "query", "--data", "data", "--model", "m.safetensors", "--size", "30", "--json")
	command("selected.csv", "select", "--scores", "scores.csv", "--size", "30")
	picks, err := worklist.ReadItems("picks.csv")
	if err != nil || len(picks) != 30 {
		t.Fatal(picks, err)
	}
	text, err := os.ReadFile("picks.json")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[byte]bool{}
	for _, pick := range picks {
		id := pick.ID
		kinds[id[0]] = true
		if !strings.Contains(string(text), `"`+id+`"`) {
			t.Errorf("%s is not called so in JSON", id)
		}
	}
	if len(kinds) != 3 {
		t.Errorf("picks of some cases only: %v", picks)
	}
	for _, name := range []string{"scores.csv", "selected.csv"} {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		list, err := scores.Read(file)
		file.Close()
		if err != nil || !slices.ContainsFunc(list.IDs, func(id string) bool { return id[0] == '=' }) {
			t.Errorf("%s: %v, %v", name, list, err)
		}
	}
	named(t, "whole", "=phantom_", "=phantom_", "=phantom_")
	config := "data: whole\npreset: demo\nstrategies: [random]\ninitial-sets: 1\ninitial-size: 2\nquery-size: 2\ncycles: 2\ntrain: {steps: 4, width: 2}\n"
	if err := os.WriteFile("tiny.yaml", []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	command("", "simulate", "tiny.yaml", "--out", "run")
	command("", "report", "run", "--out", "report")
	command("", "report", "run", "--export", "record")
	file, err := os.Open(filepath.Join("record", record.CyclesFile))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	runs, err := record.ReadRuns(file)
	if err != nil || len(runs) != 1 || len(runs[0].Cycles) < 2 {
		t.Fatalf("read back: %+v, %v", runs, err)
	}
	if first := runs[0].Cycles[0]; len(first.Query) == 0 || slices.ContainsFunc(first.Query, func(id string) bool { return !strings.HasPrefix(id, "=phantom_") }) {
		t.Errorf("read back: %+v", first)
	}

	files := 0
	err = filepath.WalkDir(".", func(path string, e os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".csv" {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		r := csv.NewReader(bytes.NewReader(text))
		r.FieldsPerRecord, r.LazyQuotes = -1, true
		rows, err := r.ReadAll()
		for _, row := range rows {
			for _, cell := range row {
				if cell != "" && strings.ContainsRune("=+@\t\r", rune(cell[0])) || strings.HasPrefix(cell, "-") && strings.Trim(cell, "0123456789 .,;:()[]e%+-–±") != "" {
					t.Errorf("%s: a spreadsheet computes %q", path, cell)
				}
			}
		}
		return err
	})
	if err != nil || files < 6 {
		t.Errorf("%d files of CSV, %v", files, err)
	}
}
