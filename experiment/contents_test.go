package experiment_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/dataset/phantom/phantomtest"
	"github.com/nextslice/nextslice/experiment"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/volume"
)

// A run goes on with data of the same bytes only, wherever they lie and whatever their times are: an image or a mask that was replaced is
// named, also one of the same size. A run folder without hashes, of an older program, gets them.
func TestResumeTrustsContents(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if err := phantomtest.Write(data, 4, 1); err != nil {
		t.Fatal(err)
	}
	c, err := record.ReadConfig("", func(c *record.Config) {
		c.Data, c.Preset, c.Strategies = data, "demo", []string{"random"}
		c.InitialSets, c.InitialSize, c.QuerySize, c.Cycles = 1, 2, 2, 1
		c.Train.Steps, c.Train.Width = 2, 2
	})
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "run")
	var told string
	run := func(resume bool) error {
		told = ""
		return experiment.Run(t.Context(), c, experiment.Options{Out: out, Threads: 1, Resume: resume, Notice: func(text string) { told += text + "\n" }})
	}
	if err := run(false); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(out, "data.json")
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var d record.Data
	if err := json.Unmarshal(written, &d); err != nil || len(d.Files) != 4 {
		t.Fatalf("%d cases with hashes, %v", len(d.Files), err)
	}
	for _, pattern := range []string{"images*", "labels*"} {
		paths, err := filepath.Glob(filepath.Join(data, pattern, "*.nii.gz"))
		if err != nil || len(paths) != 4 {
			t.Fatal(paths, err)
		}
		kept, err := os.ReadFile(paths[1])
		if err != nil {
			t.Fatal(err)
		}
		if err := changeVoxel(paths[1], pattern == "labels*"); err != nil {
			t.Fatal(err)
		}
		id := strings.TrimSuffix(filepath.Base(paths[1]), ".nii.gz")
		kind := map[string]string{"images*": "(image)", "labels*": "(mask)"}[pattern]
		if err := run(true); err == nil || !strings.Contains(err.Error(), id+" "+kind) {
			t.Errorf("%s replaced: %v", paths[1], err)
		}
		if err := os.WriteFile(paths[1], kept, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(true); err != nil {
		t.Errorf("the same bytes again: %v", err)
	}
	if told != "" {
		t.Errorf("told: %s", told)
	}

	// A folder without hashes cannot say whether the bytes are the same. Of masks slices.csv tells.
	d.Files = nil
	old, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	forget := func() {
		t.Helper()
		if err := os.WriteFile(file, append(old, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const unchecked = " has no hashes of the files it was made of, so that it was not checked whether images and masks are the same"
	forget()
	if err := run(true); err != nil || told != out+unchecked+"; the number of outlined pixels on each slice of the pool is the same\n" {
		t.Errorf("a folder without hashes: %v, told %q", err, told)
	}
	if now, err := os.ReadFile(file); err != nil || string(now) != string(written) {
		t.Errorf("it did not get them: %v", err)
	}
	forget()
	if err := changeVoxel(filepath.Join(data, "labelsTr", d.Pool[1]+".nii.gz"), true); err != nil {
		t.Fatal(err)
	}
	if err := run(true); err == nil || !strings.Contains(err.Error(), "masks have changed: what there is to outline in "+d.Pool[1]+" is not what slices.csv says") {
		t.Errorf("a folder without hashes, and a mask was replaced: %v", err)
	}
	if now, err := os.ReadFile(file); err != nil || string(now) != string(old)+"\n" {
		t.Errorf("it got hashes of other masks: %v", err)
	}
	if err := os.Remove(filepath.Join(out, "slices.csv")); err != nil {
		t.Fatal(err)
	}
	if err := run(true); err != nil || told != out+unchecked+"\n" {
		t.Errorf("a folder without hashes and slices.csv, and a mask was replaced: %v, told %q", err, told)
	}
}

// changeVoxel changes one voxel of a file.
func changeVoxel(path string, mask bool) error {
	if mask {
		m, err := volume.ReadMask(path)
		if err != nil {
			return err
		}
		m.Data[len(m.Data)/2] ^= 1
		return volume.WriteMask(path, m)
	}
	v, err := volume.Read(path)
	if err != nil {
		return err
	}
	v.Data[len(v.Data)/2]++
	return volume.WriteVolume(path, v)
}
