package record

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Pseudo-labels are read as they were written; those of the cycle before the last go.
func TestPseudo(t *testing.T) {
	f, u := &Folder{Dir: t.TempDir()}, Unit{Set: 1, Strategy: "ceal"}
	want := Pseudo{Names: []string{"a/001", "a/002"}, Masks: [][]uint8{{0, 0, 255, 255, 255, 1}, {1, 0, 1, 0, 1, 0}}}
	for cycle := 1; cycle <= 3; cycle++ {
		if err := f.RecordPseudo(u, cycle, want); err != nil {
			t.Fatal(err)
		}
		got, err := f.Pseudo(u, cycle, 6)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("cycle %d: %v, (-want +got):\n%s", cycle, err, diff)
		}
	}
	files, _ := filepath.Glob(filepath.Join(f.Dir, "units", u.Name(), "pseudo-*"))
	if len(files) != 2 {
		t.Errorf("files %v, want those of cycles 2 and 3", files)
	}
	if _, err := f.Pseudo(u, 3, 7); err == nil {
		t.Error("masks of another size are taken")
	}
	if _, err := f.Pseudo(u, 1, 6); err == nil {
		t.Error("what is not there is read")
	}
	if err := f.RecordPseudo(u, 4, Pseudo{}); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Pseudo(u, 4, 6); err != nil || len(got.Names) != 0 {
		t.Errorf("of none: %v, %v", got, err)
	}
	text := `{"items":[{"name":"x","runs":[0,99999999999]}]}`
	if err := os.WriteFile(f.pseudo(u, 4), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Pseudo(u, 4, 6); err == nil {
		t.Error("a run beyond the mask is taken")
	}
	if got := runLengths([]uint8{3, 3, 0}); !slices.Equal(got, []int{3, 2, 0, 1}) {
		t.Errorf("runs %v", got)
	}
}
