package volume

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestComponents(t *testing.T) {
	// Two slices of 5 x 3: a pair that touches at a corner, one voxel alone, and one across the slices.
	m := &Mask{Grid: Grid{Size: [3]int{5, 3, 2}}, Data: []uint8{
		1, 0, 0, 0, 1,
		0, 1, 0, 0, 0,
		0, 0, 0, 2, 0,

		0, 0, 0, 0, 0,
		0, 0, 0, 0, 0,
		0, 0, 1, 0, 0,
	}}
	number, voxels := m.Components(1)
	want := make([]int32, 30)
	want[0], want[4], want[6], want[27] = 1, 2, 1, 1
	if !slices.Equal(number, want) || !slices.Equal(voxels, []int{0, 3, 1}) {
		t.Errorf("got %v, %v", number, voxels)
	}
	if number, voxels := m.Components(3); slices.Max(number) != 0 || len(voxels) != 1 {
		t.Errorf("a class without voxels: got %v, %v", number, voxels)
	}
}

// Against the definition: the smallest voxel that can be reached, spread from neighbour to neighbour until nothing changes.
func TestComponentsAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var size [3]int
		for d := range size {
			size[d] = rapid.SampledFrom([]int{1, 1, 2, 3, 5, 7}).Draw(t, "size")
		}
		m := &Mask{Grid: Grid{Size: size}}
		for range m.Len() {
			m.Data = append(m.Data, rapid.SampledFrom([]uint8{0, 0, 0, 1, 2}).Draw(t, "class"))
		}
		at := func(v int) [3]int { return [3]int{v % size[0], v / size[0] % size[1], v / size[0] / size[1]} }
		first := make([]int, m.Len())
		for v := range first {
			first[v] = v
		}
		for changed := true; changed; {
			changed = false
			for v, c := range m.Data {
				for w := range m.Data {
					touch := c == 1 && m.Data[w] == 1
					for d := range size {
						touch = touch && max(at(v)[d]-at(w)[d], at(w)[d]-at(v)[d]) <= 1
					}
					if touch && first[w] < first[v] {
						first[v], changed = first[w], true
					}
				}
			}
		}
		var roots []int
		sizes := []int{0}
		number, voxels := m.Components(1)
		for v, c := range m.Data {
			if c != 1 {
				if number[v] != 0 {
					t.Fatalf("voxel %v is of class %d and has number %d", at(v), c, number[v])
				}
				continue
			}
			if first[v] == v {
				roots, sizes = append(roots, v), append(sizes, 0)
			}
			n := slices.Index(roots, first[v]) + 1
			sizes[n]++
			if int(number[v]) != n {
				t.Fatalf("voxel %v: number %d, want %d", at(v), number[v], n)
			}
		}
		if !slices.Equal(voxels, sizes) {
			t.Fatalf("sizes %v, want %v", voxels, sizes)
		}
	})
}
