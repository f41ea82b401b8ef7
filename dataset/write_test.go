package dataset

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/volume"
)

// grid is 5 × 4 × 3 voxels of 0.6 × 0.6 × 3.6 mm whose axes run LPS.
func grid() volume.Grid {
	return volume.Grid{
		Size:   [3]int{5, 4, 3},
		Affine: [3][4]float64{{-0.6, 0, 0, 10}, {0, -0.6, 0, 20}, {0, 0, 3.6, -30}},
		Unit:   volume.Millimetre,
	}
}

// writeImage writes an image whose voxels count up from start.
func writeImage(t *testing.T, g volume.Grid, start float32, path ...string) string {
	t.Helper()
	v := &volume.Volume{Grid: g, Data: make([]float32, g.Len()), Stored: "float32"}
	for i := range v.Data {
		v.Data[i] = start + float32(i)
	}
	name := create(t, path...)
	if err := volume.WriteVolume(name, v); err != nil {
		t.Fatal(err)
	}
	return name
}

// writeMask writes a mask whose first voxels have these values.
func writeMask(t *testing.T, g volume.Grid, values []uint8, path ...string) string {
	t.Helper()
	m := &volume.Mask{Grid: g, Data: make([]uint8, g.Len())}
	copy(m.Data, values)
	name := create(t, path...)
	if err := volume.WriteMask(name, m); err != nil {
		t.Fatal(err)
	}
	return name
}

func writeText(t *testing.T, text string, path ...string) {
	t.Helper()
	if err := os.WriteFile(create(t, path...), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// create joins a path and makes the folders on it.
func create(t *testing.T, path ...string) string {
	t.Helper()
	name := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

func open(t *testing.T, dir string) *Dataset {
	t.Helper()
	d, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// ids returns the IDs of the cases, with a star behind those that have a mask.
func ids(d *Dataset) string {
	var names []string
	for _, c := range d.Cases {
		if c.Label != "" {
			c.ID += "*"
		}
		names = append(names, c.ID)
	}
	return strings.Join(names, " ")
}

// wantProblem fails unless exactly one problem of the case holds all the words, and returns it.
func wantProblem(t *testing.T, problems []Problem, id string, leftOut bool, words ...string) {
	t.Helper()
	found := 0
	for _, p := range problems {
		ok := p.Case == id && p.LeftOut == leftOut
		for _, word := range words {
			ok = ok && strings.Contains(p.Text, word)
		}
		if ok {
			found++
		}
	}
	if found != 1 {
		t.Errorf("want one problem of %q with %q, left out %v, got %v", id, words, leftOut, problems)
	}
}

// shared returns a folder of the data kept beside the repository, and skips the test where it is absent.
func shared(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join("..", "..", "shared", "data", name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("needs the data set %s in ../shared/data beside the repository", name)
	}
	return dir
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, create(t, to)); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, name string) {
	t.Helper()
	if err := os.Symlink(to, create(t, name)); err != nil {
		t.Skip("no symbolic links here:", err)
	}
}
