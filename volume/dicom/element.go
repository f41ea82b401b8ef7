package dicom

import (
	"cmp"
	"slices"

	lib "github.com/suyashkumar/dicom"
)

// sortElements puts elements into the order of their tags, in which a data set is written.
func sortElements(elements []*lib.Element) {
	slices.SortFunc(elements, func(a, b *lib.Element) int {
		return cmp.Or(cmp.Compare(a.Tag.Group, b.Tag.Group), cmp.Compare(a.Tag.Element, b.Tag.Element))
	})
}
