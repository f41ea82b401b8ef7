package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/dataset/phantom/phantomtest"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/worklist"
)

// howToCommands returns the command lines of a page, in order, with the file that the output of each goes to, if any.
func howToCommands(t *testing.T, page string) (commands [][]string, outputs []string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", " ")) {
		args, ok := commandLine(line)
		if !ok || !strings.HasPrefix(line, "    ") {
			continue
		}
		_, output, _ := strings.Cut(line, "> ")
		commands, outputs = append(commands, args), append(outputs, strings.TrimSpace(output))
	}
	return commands, outputs
}

// TestLabelElsewhere follows docs/how-to/label-elsewhere.md: every command of the page runs, and between the rounds the slices that were asked for
// are labelled as 3D Slicer would save them. No slice is asked for twice, and the proposals and the last model are of use.
func TestLabelElsewhere(t *testing.T) {
	page, err := filepath.Abs(filepath.Join("..", "..", "docs", "how-to", "label-elsewhere.md"))
	if err != nil {
		t.Fatal(err)
	}
	commands, outputs := howToCommands(t, page)
	if len(commands) != 7 {
		t.Fatalf("the page has %d commands: %q", len(commands), commands)
	}
	t.Chdir(t.TempDir())
	truth := scans(t, 6)

	asked := map[string]int{}
	for n, args := range commands {
		var out, errs bytes.Buffer
		if code := run(t.Context(), nil, &out, &errs, args); code != done {
			t.Fatalf("%v: exit code %d: %s", args, code, errs.String())
		}
		if outputs[n] == "" {
			continue
		}
		if err := os.WriteFile(outputs[n], out.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		items, err := worklist.ReadItems(outputs[n])
		if err != nil || len(items) < 8 {
			t.Fatalf("%s: %d slices, %v", outputs[n], len(items), err)
		}
		for _, one := range items {
			item := one.ID
			if asked[item]++; asked[item] > 1 {
				t.Errorf("%s is asked for twice", item)
			}
			label(t, truth, item)
		}
	}
	for _, file := range []string{"round2", "round3", "masks"} {
		masks, err := filepath.Glob(filepath.Join(file, "*.nrrd"))
		if file == "masks" {
			masks, err = filepath.Glob(filepath.Join(file, "*.nii.gz"))
		}
		if err != nil || len(masks) == 0 || file == "masks" && len(masks) != 6 {
			t.Errorf("%s holds %v, %v", file, masks, err)
		}
	}
	m, err := volume.ReadMask(filepath.Join("masks", "Case01.nii.gz"))
	if err != nil {
		t.Fatal(err)
	}
	both, pred, ref := 0, 0, 0
	for i, v := range m.Data {
		w := truth["Case01"].Data[i]
		if v == 1 {
			pred++
		}
		if w == 1 {
			ref++
		}
		if v == 1 && w == 1 {
			both++
		}
	}
	if dice := 2 * float64(both) / float64(pred+ref); dice < 0.5 {
		t.Errorf("the last model's mask of Case01 has Dice %.2f: it has not learnt from the labels", dice)
	}
}

// scans writes images as 3D Slicer has them to the folder scans, and returns the true masks.
func scans(t *testing.T, cases int) map[string]*volume.Mask {
	t.Helper()
	if err := phantomtest.Write("made", cases, 3); err != nil {
		t.Fatal(err)
	}
	set, err := dataset.Open("made")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("scans", 0o777); err != nil {
		t.Fatal(err)
	}
	truth := map[string]*volume.Mask{}
	for i := range set.Cases {
		name := fmt.Sprintf("Case%02d", i+1)
		v, err := set.Image(i)
		if err != nil {
			t.Fatal(err)
		}
		if truth[name], err = set.Reference(i); err != nil {
			t.Fatal(err)
		}
		if err := volume.WriteVolume(filepath.Join("scans", name+".nrrd"), v); err != nil {
			t.Fatal(err)
		}
	}
	return truth
}

// label draws the true mask of a slice into the segmentation beside its image.
func label(t *testing.T, truth map[string]*volume.Mask, item string) {
	t.Helper()
	name, number, _ := strings.Cut(item, "/")
	var k int
	fmt.Sscan(strings.TrimLeft(number[:len(number)-1], "0")+number[len(number)-1:], &k)
	want := truth[name]
	mask := &volume.Mask{Grid: want.Grid, Data: make([]uint8, want.Len())}
	path := filepath.Join("scans", name+".seg.nrrd")
	if s, err := volume.ReadSegmentation(path); err == nil {
		m, _, err := s.Mask()
		if err == nil {
			mask, err = m.On(want.Grid)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	mask.SetSlice(2, k, want.Slice(2, k))
	if err := volume.WriteSegmentation(path, volume.NewSegmentation(mask, []string{"background", "prostate"})); err != nil {
		t.Fatal(err)
	}
}

// The picks as a table, CSV and JSON say the same.
func TestQueryForms(t *testing.T) {
	t.Chdir(t.TempDir())
	truth := scans(t, 3)
	ask := func(args ...string) string {
		return command(t, append([]string{"query", "--data", "scans", "--strategy", "strided", "--size", "3"}, args...)...)
	}
	if err := os.WriteFile("picks.csv", []byte(ask("--csv")), 0o666); err != nil {
		t.Fatal(err)
	}
	items, err := worklist.ReadItems("picks.csv")
	if err != nil || len(items) != 3 {
		t.Fatalf("%v, %v", items, err)
	}
	table, json := ask(), ask("--json")
	for _, one := range items {
		item := one.ID
		name, number, _ := strings.Cut(item, "/")
		var k int
		fmt.Sscan(strings.TrimLeft(number[:len(number)-1], "0")+number[len(number)-1:], &k)
		position := truth[name].Grid.Slices(2).Position(k)
		if line := fmt.Sprintf("k %d", k); !strings.Contains(table, line) || !strings.Contains(table, fmt.Sprintf("S %.2f mm", position)) {
			t.Errorf("the table does not have %s at %.2f:\n%s", item, position, table)
		}
		if !strings.Contains(json, fmt.Sprintf("%q", item)) {
			t.Errorf("the JSON does not have %s:\n%s", item, json)
		}
	}
	for _, args := range [][]string{
		{"--csv", "--json"}, {"--shard", "1/2"}, {"--strategy", "entrpy"}, {"--size", "0"}, {"--shard", "3/2", "--scores", "x.csv"}, {"--threads", "-1"},
	} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), nil, &out, &errs, append([]string{"query", "--data", "scans"}, args...)); code != misuse || strings.Count(errs.String(), "\n") > 2 {
			t.Errorf("%v: exit code %d: %s", args, code, errs.String())
		}
	}
	if files, _ := filepath.Glob("*.csv"); !slices.Equal(files, []string{"picks.csv"}) {
		t.Errorf("files %v", files)
	}
}
