package dataset

import (
	"fmt"
	"slices"

	"github.com/nextslice/nextslice/volume"
)

// greyValues makes classes of the values of picture masks, which are often greys such as 0 and 255: the values in
// increasing order stand for the classes 0, 1, 2 … It does nothing where a mask is not a picture,
// where the values leave no gap, or where there are so many that these cannot be masks or were compressed with losses.
func (d *Dataset) greyValues(all [256]bool) bool {
	const most = 16
	var values []uint8
	gap := false
	for v := 1; v < len(all); v++ {
		if all[v] {
			gap = gap || v > 1 && !all[v-1]
			values = append(values, uint8(v))
		}
	}
	if !gap || len(values) > most {
		return false
	}
	for _, c := range d.Cases {
		if c.Label != "" && !volume.IsPicture(c.Label) {
			return false
		}
	}
	d.Classes = []string{"background"}
	for _, v := range values {
		d.Classes = append(d.Classes, fmt.Sprintf("value %d", v))
	}
	for i := range d.Cases {
		d.Cases[i].Values = values
	}
	return true
}

// number turns the values of a mask into classes, and that of ignored voxels into volume.Ignored.
func (c *Case) number(m *volume.Mask) error {
	if c.ignore > 0 && c.ignore != volume.Ignored {
		if slices.Contains(m.Data, volume.Ignored) {
			return fmt.Errorf("label value %d has no class, and the value to ignore is %d", volume.Ignored, c.ignore)
		}
		for i, v := range m.Data {
			if v == c.ignore {
				m.Data[i] = volume.Ignored
			}
		}
	}
	if c.Values == nil {
		return nil
	}
	for i, v := range m.Data {
		if v == 0 || c.ignored(v) {
			continue
		}
		class := slices.Index(c.Values, v)
		if class < 0 {
			return fmt.Errorf("the value %d is not among those of the classes, %v", v, c.Values)
		}
		m.Data[i] = uint8(class + 1)
	}
	return nil
}

// ignored reports whether v, in a mask that was read, stands for ignored voxels.
func (c *Case) ignored(v uint8) bool { return c.ignore > 0 && v == volume.Ignored }
