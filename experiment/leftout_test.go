package experiment

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/tensor/engines"
)

// Cases whose voxels cannot be used are left out of the pool and of the test, which is told and recorded; a run whose left-out cases
// have changed is not gone on with.
func TestRunLeavesOutBadCases(t *testing.T) {
	c := smallConfig(t, 6)
	c.Train.Steps, c.Cycles = 1, 0
	c.Split.TestCases = []string{"phantom_000", "phantom_001"}
	whole := map[string][]byte{}
	mask := func(id string) string { return filepath.Join(c.Data, "labelsTr", id+".nii.gz") }
	write := func(path string, data []byte) {
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	spoil := func(id string) {
		data, err := os.ReadFile(mask(id))
		if err != nil {
			t.Fatal(err)
		}
		whole[id] = data
		write(mask(id), data[:len(data)/2])
	}
	dir := filepath.Join(t.TempDir(), "run")
	run := func(resume bool) (string, error) {
		var notices []string
		err := Run(t.Context(), c, Options{Out: dir, Threads: 1, Resume: resume, Notice: func(text string) { notices = append(notices, text) }})
		return strings.Join(notices, "\n"), err
	}
	// In the pool is what the split left there.
	spoil("phantom_000")
	spoil("phantom_004")
	c.Split.Validation = 0
	told, err := run(false)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"data: phantom_000: read labelsTr/phantom_000.nii.gz", "data: phantom_004: ", "(left out)",
		"warning: left out: 2 of 6 cases; used are 1 for the test, 0 for validation, 3 in the pool",
		"split: test phantom_001; validation none; pool phantom_002, phantom_003, phantom_005",
	} {
		if !strings.Contains(told, want) {
			t.Errorf("%q was not told:\n%s", want, told)
		}
	}
	var data record.Data
	text, err := os.ReadFile(filepath.Join(dir, record.DataFile))
	if err == nil {
		err = json.Unmarshal(text, &data)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(data.Test, []string{"phantom_001"}) || !slices.Equal(data.Pool, []string{"phantom_002", "phantom_003", "phantom_005"}) ||
		len(data.LeftOut) != 2 || data.LeftOut[0].Case != "phantom_004" || data.LeftOut[1].Case != "phantom_000" || strings.Contains(string(text), c.Data) {
		t.Errorf("recorded: %s", text)
	}
	if _, err := run(true); err != nil {
		t.Errorf("the same cases are left out: %v", err)
	}
	spoil("phantom_003")
	if _, err := run(true); err == nil || !strings.Contains(err.Error(), "now left out: phantom_003") {
		t.Errorf("a further case is left out: %v", err)
	}
	write(mask("phantom_003"), whole["phantom_003"])
	write(mask("phantom_000"), whole["phantom_000"])
	if _, err := run(true); err == nil || !strings.Contains(err.Error(), "no longer left out: phantom_000") {
		t.Errorf("a case was mended: %v", err)
	}
	spoil("phantom_000")
	spoil("phantom_001")
	if _, err := run(true); err == nil || !strings.Contains(err.Error(), "no case of 2 can be used") {
		t.Errorf("no case is left for the test: %v", err)
	}
}

func TestTrainLeavesOutBadCases(t *testing.T) {
	c := smallConfig(t, 3)
	c.Train.Steps = 1
	if err := os.WriteFile(filepath.Join(c.Data, "labelsTr", "phantom_001.nii.gz"), []byte("no mask"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(c.Data, "imagesTr", "phantom_002.nii.gz"), 2000); err != nil {
		t.Fatal(err)
	}
	e, err := engines.New("", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var told []string
	m, err := TrainModel(t.Context(), e, c, nil, func(text string) { told = append(told, text) })
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"phantom_001", "phantom_002"}; m.Cases != 1 || !slices.Equal(m.LeftOut, want) {
		t.Errorf("%d cases, without %v", m.Cases, m.LeftOut)
	}
	if all := strings.Join(told, "\n"); !strings.Contains(all, "warning: left out: 2 of 3 cases (phantom_001, phantom_002)") {
		t.Errorf("told: %s", all)
	}
}
