package record

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/metrics"
)

// A run folder that an earlier program wrote, before this package was there: testdata/run is that of commit d476615.
func TestOldRunFolder(t *testing.T) {
	dir := filepath.Join("testdata", "run")
	folder, c, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	if !folder.holds(c) {
		t.Errorf("its configuration would be written otherwise:\n%s", c.YAML())
	}
	if recorded, err := CheckFolder(dir, c, true); !recorded || err != nil {
		t.Errorf("it cannot be gone on with: %v, %v", recorded, err)
	}
	for _, u := range c.Units() {
		cycles, err := folder.Cycles(u)
		if err != nil || !active.Finished(cycles, c.Cycles) || !folder.HoldsInitial(u.Start()) {
			t.Fatalf("%s: %d cycles, %v", u, len(cycles), err)
		}
		first, err := folder.InitialMeasures(u.Start())
		if err != nil || first.Mean.Dice3D.Value != cycles[0].Measures.Mean.Dice3D.Value {
			t.Errorf("%s: cycle 0 has Dice %v, its shared evaluation %v, %v", u, cycles[0].Measures.Mean.Dice3D, first.Mean.Dice3D, err)
		}
		for _, one := range cycles[1].Measures.PerCase {
			if _, err := folder.Prediction(u, one.ID); err != nil {
				t.Error(err)
			}
		}
	}
	x, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Runs) != 2 || len(x.Runs[0].Cycles[0].Initial) != 3 || math.IsNaN(metrics.ECE(x.Runs[1].Cycles[1].Calibration)) {
		t.Errorf("%d runs: %+v", len(x.Runs), x.Runs)
	}
	var data Data
	if err := readJSON(filepath.Join(dir, DataFile), &data); err != nil || len(data.Test) != 2 {
		t.Errorf("%+v, %v", data, err)
	}
	var env Env
	if err := readJSON(filepath.Join(dir, EnvFile), &env); err != nil || env.Engine != "onednn" {
		t.Errorf("%+v, %v", env, err)
	}
}
