package dataset

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/volume"
)

// mostValues is how many values with gaps are taken as classes: more are no masks, or pictures compressed with losses.
const mostValues, mostGreys = 64, 16

// gapValues makes classes of values that leave gaps, such as 0 and 255 or 0, 1, 2 and 4: in increasing order they stand for the classes
// 0, 1, 2 …, each called after its value (see numberName), and the mapping is reported. It does nothing where there is no gap, or too many values.
func (d *Dataset) gapValues(cases [][256]bool, all [256]bool) bool {
	var values []uint8
	gap := false
	for v := 1; v < len(all); v++ {
		if all[v] {
			gap = gap || v > 1 && !all[v-1]
			values = append(values, uint8(v))
		}
	}
	most := mostValues
	if d.pictureMasks() {
		most = mostGreys
	}
	if !gap || len(values) > most {
		return false
	}
	d.Classes = []string{background}
	for _, v := range values {
		d.Classes = append(d.Classes, d.numberName("value", int(v)))
	}
	d.useValues(values)
	if len(values) == 1 {
		return true // nothing to confuse
	}
	if white := values[len(values)-1] == 255; white && !slices.ContainsFunc(cases, func(held [256]bool) bool { return trues(held[1:]) > 1 }) {
		d.problem("", false, "no mask holds two of the label values %s: if they mean the same class in masks of different programs, renumber them, for now they are classes of their own", valuesText(all))
	}
	for _, v := range values {
		var in []string
		for i, held := range cases {
			if held[v] {
				in = append(in, d.Cases[i].ID)
			}
		}
		if len(in) == 1 && len(d.Labelled()) > 2 {
			d.problem(in[0], false, "it is the only case with the label value %d, which became a class: is it meant?", v)
		}
	}
	return true
}

// numberName returns the name of a class that has none but a number: Segment_1, as their files call it, where all masks are segments, else the number behind a word.
func (d *Dataset) numberName(word string, number int) string {
	if slices.ContainsFunc(d.Cases, func(c Case) bool { return c.Label != "" && !c.named() }) {
		return fmt.Sprint(word, " ", number)
	}
	return fmt.Sprintf("Segment_%d", number)
}

// trues counts what is true.
func trues(held []bool) (n int) {
	for _, is := range held {
		if is {
			n++
		}
	}
	return n
}

// useValues lets values of the masks stand for the classes 1, 2 …, and reports it where they are not greys of pictures.
func (d *Dataset) useValues(values []uint8) {
	pictures := d.pictureMasks()
	var text []string
	for i, v := range values {
		text = append(text, fmt.Sprintf("%d is class %d (%s)", v, i+1, d.Classes[i+1]))
	}
	if !pictures { // whose greys are seldom 1, 2 …
		d.problem("", false, "label values with gaps: %s", strings.Join(text, ", "))
	}
	for i := range d.Cases {
		d.Cases[i].Values = values
	}
}

// Values returns the values in the masks of numbers that stand for the classes 1, 2 …; nil if these are the values.
func (d *Dataset) Values() (values []int) {
	for _, c := range d.Cases {
		if c.Values != nil {
			for _, v := range c.Values {
				values = append(values, int(v))
			}
			return values
		}
	}
	return nil
}

// pictureMasks reports whether a mask is a picture.
func (d *Dataset) pictureMasks() bool {
	return slices.ContainsFunc(d.Cases, func(c Case) bool { return volume.IsPicture(c.Label) })
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
