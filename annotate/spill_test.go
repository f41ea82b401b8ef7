package annotate

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Slices are what they were wherever they stay, and those beyond the bound stay in a file that nobody else can see.
func TestSpill(t *testing.T) {
	made := func(n int) [][]float32 {
		images := make([][]float32, 5)
		for i := range images {
			images[i] = make([]float32, 1000+n)
			for j := range images[i] {
				images[i][j] = float32(n*i) + 1/float32(j+1)
			}
		}
		images[3] = nil // no slice
		return images
	}
	dir := t.TempDir()
	s := spill{dir: dir, most: 3 * 4 * 4100}
	var kept [][][]float32
	for n := range 50 {
		kept = append(kept, s.keep(made(n)))
	}
	if s.bytes > s.most || s.file == nil {
		t.Errorf("%d bytes of %d in memory, file %v", s.bytes, s.most, s.file)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
	unwritable := spill{dir: filepath.Join(dir, "none")}
	kept = append(kept, unwritable.keep(made(50)))
	for n, images := range kept {
		for i, want := range made(n) {
			if !slices.Equal(images[i], want) {
				t.Fatalf("case %d, slice %d is another one", n, i)
			}
		}
	}
}
