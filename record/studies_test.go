package record

import (
	"path/filepath"
	"testing"
)

// begun are the studies that are long enough for their records to be committed initial set by initial set.
var begun = map[string]bool{"table1-promise12-long": true}

// Every study's experiment file describes the record beside it: with simulate --from nothing would be left to train, or of a study that is begun
// only whole initial sets, so that no strategy is compared on sets that others lack.
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
		held, missing := map[int]int{}, []Unit{}
		for _, u := range c.Units() {
			if _, ok := x.Finished(recorded, c, u); ok {
				held[u.Set]++
			} else {
				missing = append(missing, u)
			}
		}
		for _, u := range missing {
			if study := filepath.Base(filepath.Dir(dir)); !begun[study] || held[u.Set] > 0 || len(held) == 0 {
				t.Errorf("%s: %s is not there as a whole", dir, u)
			}
		}
		if more := recorded.missingFrom(c); len(more) > 0 {
			t.Errorf("%s: the record holds what the experiment file does not name: %q", dir, more)
		}
	}
}
