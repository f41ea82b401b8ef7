package volume

// Components numbers the connected components of a class from 1, in the order of their first voxel in memory: number holds
// the component of each voxel, 0 where the class is another, and voxels[n] is the size of component n; voxels[0] is 0. Voxels
// are connected where they share a face, an edge or a corner: 26 neighbours in a volume, 8 in a single slice.
func (m *Mask) Components(class uint8) (number []int32, voxels []int) {
	number, voxels = make([]int32, len(m.Data)), []int{0}
	var stack []int // voxels that are numbered and whose neighbours are not looked at yet
	for first, c := range m.Data {
		if c != class || number[first] != 0 {
			continue
		}
		n := int32(len(voxels))
		voxels = append(voxels, 0)
		number[first], stack = n, append(stack, first)
		for len(stack) > 0 {
			v := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			voxels[n]++
			i, j, k := v%m.Size[0], v/m.Size[0]%m.Size[1], v/m.Size[0]/m.Size[1]
			for z := max(k-1, 0); z <= min(k+1, m.Size[2]-1); z++ {
				for y := max(j-1, 0); y <= min(j+1, m.Size[1]-1); y++ {
					for x := max(i-1, 0); x <= min(i+1, m.Size[0]-1); x++ {
						if w := x + m.Size[0]*(y+m.Size[1]*z); m.Data[w] == class && number[w] == 0 {
							number[w], stack = n, append(stack, w)
						}
					}
				}
			}
		}
	}
	return number, voxels
}
