package dataset

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

// A thousand cases take the memory of their reports, not that of their voxels, and the unreadable ones among them are
// listed while the others go on.
func TestInspectThousandCases(t *testing.T) {
	const cases = 1000
	dir := t.TempDir()
	g := grid()
	g.Size = [3]int{32, 32, 16} // 64 KiB as float32: 64 MiB for all
	image := writeImage(t, g, 0, dir, "source", "image.nii")
	mask := writeMask(t, g, []uint8{0, 1, 1}, dir, "source", "mask.nii")
	data := filepath.Join(dir, "data")
	link := func(to string, path ...string) {
		t.Helper()
		if err := os.Symlink(to, create(t, path...)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range cases {
		name := fmt.Sprintf("case%04d.nii", i)
		switch i {
		case 10:
			writeText(t, "nothing of the kind", data, "images", name)
			link(mask, data, "labels", name)
		case 500:
			whole, err := os.ReadFile(image)
			if err != nil {
				t.Fatal(err)
			}
			writeText(t, string(whole[:len(whole)/2]), data, "images", name)
			link(mask, data, "labels", name)
		case 700:
			link(filepath.Join(dir, "nowhere"), data, "images", name)
			link(mask, data, "labels", name)
		case 900:
			link(image, data, "images", name)
			writeText(t, "nothing of the kind", data, "labels", name)
		default:
			link(image, data, "images", name)
			link(mask, data, "labels", name)
		}
	}

	var steps []string
	d, err := OpenWith(t.Context(), data, OpenOptions{Progress: func(what string, done, total int) {
		if done == total {
			steps = append(steps, fmt.Sprint(what, " ", total))
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(steps, []string{"headers 1000", "masks 997"}) {
		t.Errorf("progress of opening: %v", steps)
	}
	inUse := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	done, early := 0, uint64(0)
	r, err := Inspect(t.Context(), d, nil, func(n, total int) {
		if done++; done == 50 {
			early = inUse()
		}
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	late := inUse()
	if voxels := uint64(cases * g.Len() * 4); late > early && late-early > voxels/16 {
		t.Errorf("from case 50 to the last the memory in use grew by %d bytes; all voxels are %d", late-early, voxels)
	}
	if done != 997 || r.Totals.Labelled != 997 || r.Totals.ForegroundSlices != 997 {
		t.Errorf("%d cases inspected, totals %+v", done, r.Totals)
	}
	wantProblem(t, r.Problems, "case0010", true, "image cannot be read")
	wantProblem(t, r.Problems, "case0500", false, "cut short") // its header is whole: only reading the voxels tells
	wantProblem(t, r.Problems, "case0700", true, "no such file")
	wantProblem(t, r.Problems, "case0900", true, "mask cannot be read")
	if len(r.Problems) != 4 {
		t.Errorf("problems: %v", r.Problems)
	}
}

func TestOpenWithoutMasks(t *testing.T) {
	d := threeCases(t)
	writeText(t, "damaged", d.Cases[0].Label)
	got, err := OpenWith(t.Context(), d.Dir, OpenOptions{NoMasks: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Cases) != 3 || len(got.Labelled()) != 0 || len(got.Problems) != 0 || got.Classes != nil {
		t.Errorf("%d cases, %d with a mask, classes %v, problems %v", len(got.Cases), len(got.Labelled()), got.Classes, got.Problems)
	}
}

func TestOpenIsCancelled(t *testing.T) {
	d := threeCases(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := OpenWith(ctx, d.Dir, OpenOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
