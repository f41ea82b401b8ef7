package report

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/report/table"
)

// The tables of docs/results.md are those that the report command makes of the committed records. A comment in the page names
// the record and the tables, or records that are joined ("a+b"); of several recipes they are those of all together.
func TestResultsPage(t *testing.T) {
	path := filepath.Join("..", "docs", "results.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile(`(?s)<!-- tables of (\S+): ([^>]*) -->\n.*?<!-- end -->`)
	said := map[string]bool{} // notes that several tables share stand on the page once
	blocks := 0
	want := block.ReplaceAllStringFunc(string(page), func(old string) string {
		blocks++
		parts := block.FindStringSubmatch(old)
		var b strings.Builder
		fmt.Fprintf(&b, "<!-- tables of %s: %s -->\n", parts[1], parts[2])
		for _, one := range tablesOf(t, parts[1], strings.Split(parts[2], ", ")) {
			one.Notes = slices.DeleteFunc(one.Notes, func(note string) bool { return said[note] })
			for _, note := range one.Notes {
				said[note] = true
			}
			if err := one.WriteMarkdown(&b); err != nil {
				t.Fatal(err)
			}
		}
		return b.String() + "<!-- end -->"
	})
	if blocks < 7 {
		t.Fatalf("%d groups of tables: this test has lost sight of them", blocks)
	}
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(page)); diff != "" {
		t.Errorf("the tables are not those of the records (-want +got; rewrite with go test ./report -run ResultsPage -update):\n%s", diff)
	}
}

// tablesOf returns tables of a study, or of several that are joined, by name.
func tablesOf(t *testing.T, study string, names []string) (out []table.Table) {
	t.Helper()
	var dirs []string
	for name := range strings.SplitSeq(study, "+") {
		dirs = append(dirs, filepath.Join("..", "studies", name, "record"))
	}
	sources, err := Read(dirs)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Analyse(sources, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Experiments) != 1 {
		t.Fatalf("%s are %d experiments", study, len(r.Experiments))
	}
	x := r.Experiments[0]
	all := x.Tables(x.Groups[len(x.Groups)-1])
	for _, name := range names {
		i := slices.IndexFunc(all, func(one table.Table) bool { return one.Name == name })
		if i < 0 {
			t.Fatalf("%s has no table %q", study, name)
		}
		out = append(out, all[i])
	}
	return out
}
