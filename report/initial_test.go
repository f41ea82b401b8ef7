package report

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A folder whose initial sets were chosen in another way is joined: its strategies are named by that, stand in no family, and are compared with
// random and with the same strategy from the usual sets.
func TestJoinInitial(t *testing.T) {
	usual := filepath.Join("testdata", "phantom")
	other := filepath.Join(t.TempDir(), "phantom")
	if err := os.CopyFS(other, os.DirFS(usual)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(other, "config.yaml")
	config, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	config = bytes.Replace(config, []byte("initial-size:"), []byte("initial: typiclust\ninitial-size:"), 1)
	if err := os.WriteFile(path, config, 0o666); err != nil {
		t.Fatal(err)
	}
	sources, err := Read([]string{usual, other})
	if err != nil {
		t.Fatal(err)
	}
	if len(sources) != 1 {
		t.Fatalf("%d experiments, want 1", len(sources))
	}
	alone, err := Read([]string{usual})
	if err != nil {
		t.Fatal(err)
	}
	s := sources[0]
	if got, want := len(s.Runs), 2*len(alone[0].Runs); got != want {
		t.Errorf("%d runs, want %d", got, want)
	}
	r, err := Analyse(sources, Options{Draws: 200})
	if err != nil {
		t.Fatal(err)
	}
	g := r.Experiments[0].Groups[len(r.Experiments[0].Groups)-1]
	i := slices.IndexFunc(g.Comparisons, func(c Comparisons) bool { return c.Question == QuestionInitial && c.main() })
	if i < 0 {
		t.Fatal("no comparison of the choices")
	}
	for _, row := range g.Comparisons[i].Rows {
		if row.A != row.B+" from typiclust" || row.Difference.Mean != 0 || len(row.Sets) == 0 { // the runs are the same
			t.Errorf("%s − %s: %v in %d sets", row.A, row.B, row.Difference.Mean, len(row.Sets))
		}
	}
	if got, want := len(g.Comparisons[i].Rows), len(alone[0].Settings.Strategies); got != want {
		t.Errorf("%d rows, want %d", got, want)
	}
	for _, f := range families(g.names()) {
		for _, name := range f.members {
			if strings.Contains(name, from) && f.name != "" {
				t.Errorf("%s stands in the family %q", name, f.name)
			}
		}
	}
	table := r.Experiments[0].comparisonTable(g, g.Comparisons[i])
	if table.Name != "compare-initial-aulc-dice_3d" || !strings.Contains(strings.Join(table.Notes, " "), "of the same number") {
		t.Errorf("table %s: %q", table.Name, table.Notes)
	}
	if err := s.Export(t.TempDir()); err == nil || !strings.Contains(err.Error(), "each of them by itself") {
		t.Errorf("exported as one: %v", err)
	}
}
