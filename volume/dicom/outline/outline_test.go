package outline

import (
	"math"
	"slices"
	"testing"

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
		var points [][2]float64
		for _, x := range l {
			if rounded {
				x = [2]float64{math.Round(x[0]), math.Round(x[1])}
			}
			points = append(points, x)
		}
		p := newPolygon(points)
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
		lines := Of(plane, width, height)
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
		lines := Of(plane, width, height)
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
