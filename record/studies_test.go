package record

import (
	"path/filepath"
	"testing"
)

// Every study's experiment file describes the record beside it: with simulate --from nothing would be left to train.
func TestStudies(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join("..", "studies", "*", "record"))
	if err != nil || len(dirs) < 7 {
		t.Fatal(dirs, err)
	}
	for _, dir := range dirs {
		c, err := ReadConfig(filepath.Join(dir, "..", "experiment.yaml"), nil)
		if err != nil {
			t.Error(err)
			continue
		}
		c.Strategies = Canonical(c.Strategies)
		x, err := ReadExport(dir)
		if err != nil {
			t.Error(err)
			continue
		}
		recorded, err := ReadConfig(filepath.Join(dir, ConfigFile), nil)
		if err == nil {
			err = SameExperiment(recorded, c)
		}
		if err != nil {
			t.Errorf("%s: %v", dir, err)
			continue
		}
		for _, u := range c.Units() {
			if _, ok := x.Finished(recorded, c, u); !ok {
				t.Errorf("%s: %s is not there as a whole", dir, u)
			}
		}
		if missing := recorded.missingFrom(c); len(missing) > 0 {
			t.Errorf("%s: the record holds what the experiment file does not name: %q", dir, missing)
		}
	}
}
