package dicom

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/volume"
	"github.com/suyashkumar/dicom/pkg/tag"
	"pgregory.net/rapid"
)

// drawing turns rows of text into a plane: # is the mask.
func drawing(rows ...string) (plane []bool, width, height int) {
	for _, row := range rows {
		for _, c := range row {
			plane = append(plane, c == '#')
		}
	}
	return plane, len(rows[0]), len(rows)
}

// painted paints lines by the even-odd rule for the centres, which is the standard's, or by that of rt-utils: whole pixels, the line too.
func painted(lines [][][2]float64, width, height int, rounded bool) []bool {
	out := make([]bool, width*height)
	for _, l := range lines {
		one := make([]bool, width*height)
		p := polygon{low: [2]float64{math.Inf(1), math.Inf(1)}, high: [2]float64{math.Inf(-1), math.Inf(-1)}}
		for _, x := range l {
			if rounded {
				x = [2]float64{math.Round(x[0]), math.Round(x[1])}
			}
			p.points = append(p.points, x)
			for r := range 2 {
				p.low[r], p.high[r] = min(p.low[r], x[r]), max(p.high[r], x[r])
			}
		}
		p.spans(width, height, func(v int) { one[v] = !one[v] })
		if rounded { // its edges run along axes
			for n, a := range p.points {
				b := p.points[(n+1)%len(p.points)]
				for x := min(a[0], b[0]); x <= max(a[0], b[0]); x++ {
					for y := min(a[1], b[1]); y <= max(a[1], b[1]); y++ {
						one[int(x)+int(y)*width] = true
					}
				}
			}
		}
		for v, in := range one {
			out[v] = out[v] != in
		}
	}
	return out
}

// countParts counts the parts whose pixels share edges.
func countParts(plane []bool, width int) (n int) {
	left := slices.Clone(plane)
	var take func(v int)
	take = func(v int) {
		if v < 0 || v >= len(left) || !left[v] {
			return
		}
		left[v] = false
		take(v - width)
		take(v + width)
		if v%width > 0 {
			take(v - 1)
		}
		if v%width < width-1 {
			take(v + 1)
		}
	}
	for v, in := range plane {
		if in && left[v] {
			n++
			take(v)
		}
	}
	return n
}

func TestOutlines(t *testing.T) {
	for name, c := range map[string]struct {
		rows  []string
		lines int
	}{
		"nothing":           {[]string{"...", "..."}, 0},
		"one pixel":         {[]string{"...", ".#.", "..."}, 1},
		"the whole plane":   {[]string{"##", "##"}, 1},
		"a row":             {[]string{".####."}, 1},
		"two parts":         {[]string{"##.#", "##.#"}, 2},
		"touching corners":  {[]string{"#..", ".#.", "..#"}, 3},
		"a ring":            {[]string{"###", "#.#", "###"}, 1},
		"two holes":         {[]string{"#######", "#.#.#.#", "#######"}, 1},
		"holes that touch":  {[]string{"#####", "#.###", "##.##", "###.#", "#####"}, 1},
		"a part in a hole":  {[]string{"#######", "#.....#", "#.###.#", "#.#.#.#", "#.###.#", "#.....#", "#######"}, 2},
		"holes, one behind": {[]string{"##########", "#.####...#", "#.#..#.#.#", "#...##...#", "##########"}, 2},
	} {
		plane, width, height := drawing(c.rows...)
		lines := outlines(plane, width, height)
		if len(lines) != c.lines {
			t.Errorf("%s: %d lines, want %d: %v", name, len(lines), c.lines, lines)
		}
		if !slices.Equal(painted(lines, width, height, false), plane) {
			t.Errorf("%s: the lines hold other centres: %v", name, lines)
		}
	}
}

// Lines of any mask hold exactly its centres, and nothing outside is painted by programs that paint whole pixels along the line.
func TestOutlinesOfRandomMasks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width, height := rapid.IntRange(1, 12).Draw(t, "width"), rapid.IntRange(1, 12).Draw(t, "height")
		plane := rapid.SliceOfN(rapid.Bool(), width*height, width*height).Draw(t, "plane")
		lines := outlines(plane, width, height)
		if got := painted(lines, width, height, false); !slices.Equal(got, plane) {
			t.Fatalf("%v, want %v: %v", got, plane, lines)
		}
		if n := countParts(plane, width); len(lines) != n {
			t.Fatalf("%d lines of %d parts", len(lines), n)
		}
		for _, l := range lines {
			for v, in := range painted([][][2]float64{l}, width, height, true) {
				if in && !plane[v] {
					t.Fatalf("pixel (%d, %d) is painted: %v", v%width, v/width, l)
				}
			}
		}
	})
}

// A written structure set reads back to the same voxels, with holes, parts in holes, overlapping regions and oblique slices; and dicom3tools takes it for valid.
func TestWriteContoursRoundTrip(t *testing.T) {
	series, s := drawnOn(t)
	random := rand.New(rand.NewPCG(1, 2))
	second := make([]uint8, series.Len())
	for v := range second { // noise, which overlaps the others
		second[v] = uint8(random.IntN(2))
	}
	s.Layers = append(s.Layers, second)
	s.Segments = append(s.Segments, volume.Segment{Name: "noise", Layer: 1, Value: 1, Color: [3]uint8{9, 8, 7}}, volume.Segment{Name: "nothing", Layer: 1, Value: 5})
	path := filepath.Join(t.TempDir(), "contours.dcm")
	if err := WriteContours(path, s, series, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Codes{}); err != nil {
		t.Fatal(err)
	}
	back, warnings, err := ReadContours(path, series)
	if err != nil || len(back.Segments) != 4 {
		t.Fatal(back, err)
	}
	for _, w := range warnings { // parts within holes are contours of their own, as in any drawing
		if !strings.Contains(w, "stay empty") {
			t.Errorf("warning %q", w)
		}
	}
	for i, a := range s.Segments {
		b := back.Segments[i]
		if b.Name != a.Name || b.Color != a.Color {
			t.Errorf("%+v, want %+v", b, a)
		}
		for v := range s.Layers[0] {
			if (s.Layers[a.Layer][v] == a.Value) != (back.Layers[b.Layer][v] == b.Value) {
				t.Fatalf("segment %s differs at voxel %v", a.Name, s.Size.Voxel(v))
			}
		}
	}
	f, err := openFile(path)
	if err != nil {
		t.Fatal(err)
	}
	drawn := f.items(tag.ROIContourSequence)[0].items(tag.ContourSequence)
	if image := drawn[0].inner(tag.ContourImageSequence).text(tag.ReferencedSOPInstanceUID); image != series.slices[1].text(tag.SOPInstanceUID) {
		t.Errorf("the first contour refers to %s", image)
	}
	if n := drawn[0].whole(tag.NumberOfContourPoints, 0); n < 8 || 3*n != len(drawn[0].reals(tag.ContourData)) {
		t.Errorf("%d points", n)
	}
	if found := dciodvfy(t, path); len(found) > 0 {
		t.Errorf("dciodvfy: %q", found)
	}
}

// A contour of more than 64 kB is written whole.
func TestLongContours(t *testing.T) {
	dir := t.TempDir()
	putFile(t, dir, "a.dcm", plane(1, [3]float64{}, values{tag.Rows: []int{200}, tag.Columns: []int{200}, tag.PixelData: pixels(make([]byte, 2*200*200)...)}))
	series, _ := find(t, dir, "")
	m := &volume.Mask{Grid: series.Grid, Data: make([]uint8, series.Len())}
	for v := range m.Data { // a comb
		if x, y := v%200, v/200; y == 0 || x%2 == 0 {
			m.Data[v] = 1
		}
	}
	for k := 1; k < 199; k += 4 { // with teeth that are frayed
		for y := 1; y < 200; y += 2 {
			m.Data[k+y*200] = 1
		}
	}
	path := filepath.Join(dir, "contours.dcm")
	if err := WriteContours(path, volume.NewSegmentation(m, nil), series, time.Time{}, Codes{}); err != nil {
		t.Fatal(err)
	}
	back, _, err := ReadContours(path, series)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(back.Layers[0], m.Data) {
		t.Error("the comb comes back otherwise")
	}
}
