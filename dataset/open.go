package dataset

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/nextslice/nextslice/internal/parallel"
	"github.com/nextslice/nextslice/volume"
)

// Open recognises the layout of a folder (layout.go lists them), pairs images with masks and reads all their headers.
// Voxels are read only of masks whose files name their segments, and where no dataset.json names the classes: then those of all masks are,
// to find the label values.
//
// What is wrong with a case becomes a Problem; a case that cannot be used is left out. The error is that of a folder that
// cannot be read, has none of the layouts, or holds no usable case.
func Open(dir string) (*Dataset, error) { return OpenWith(context.Background(), dir, OpenOptions{}) }

// OpenOptions say how a folder is opened. The zero value is what Open does.
type OpenOptions struct {
	// NoMasks ignores all masks: cases are opened as if they had none.
	NoMasks bool
	// WholeMasks opens cases in which some classes are not annotated as if they had no mask.
	WholeMasks bool
	// Ignore is Dataset.Ignore; 0 stands for the label named "ignore" in dataset.json, as nnU-Net has it, and Learn for none: that
	// label is then a class.
	Ignore int
	// Channels are the names of the channels, by number, where no dataset.json gives any.
	Channels []string
	// Outputs are folders that are written to: if they lie in the data set's, what is in them is not told as images that are not used.
	Outputs []string
	// Progress, which may be nil, is called after each header and then after each mask that is read, by one goroutine at a
	// time; what is "headers" or "masks".
	Progress func(what string, done, total int)
}

// Learn is the value of OpenOptions.Ignore with which nothing is ignored.
const Learn = -1

// OpenWith is Open with options. A cancelled ctx is an error.
func OpenWith(ctx context.Context, dir string, o OpenOptions) (*Dataset, error) {
	found, err := list(dir, o.NoMasks)
	if err != nil {
		return nil, err
	}
	found.unread(dir, o.Outputs)
	if o.NoMasks {
		for i := range found.cases {
			found.cases[i].Label = ""
		}
	}
	if len(found.channels) == 0 {
		found.channels = o.Channels
	}
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	d := &Dataset{Name: found.name, Dir: dir, Layout: found.layout, Classes: found.classes, Problems: found.problems, channelNames: found.channels}
	if d.Name == "" {
		d.Name = filepath.Base(filepath.Clean(dir))
	}
	if err := d.ignore(found, o.Ignore); err != nil {
		return nil, fmt.Errorf("open data set %s: %w", dir, err)
	}
	d.add(ctx, found.cases, o.Progress)
	if !o.NoMasks {
		if found.values != nil {
			d.useValues(found.values)
		}
		d.readNamed(ctx, o.Ignore == Learn, o.Progress)
		if found.classes == nil {
			d.findClasses(ctx, o.Progress)
		}
		d.useAnnotations(found.annotated)
		for i := range d.Cases {
			if c := &d.Cases[i]; o.WholeMasks && c.Unannotated != nil {
				c.Label, c.Unannotated = "", nil
				d.problem(c.ID, false, "not all classes are annotated in its mask, which is not used here")
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open data set %s: %w", dir, err)
	}
	d.compareOrientations()
	d.noteChannels()
	d.guessPatients()
	if len(d.Cases) == 0 {
		return nil, fmt.Errorf("open data set %s (layout %s): no usable case%s", dir, d.Layout, d.firstProblems(3))
	}
	return d, nil
}

// ignore sets the value to ignore: the given one, or if that is 0 the one of dataset.json. A class of that value is none any more.
func (d *Dataset) ignore(found *listing, value int) error {
	switch {
	case value == Learn && found.values != nil && found.ignore > 0: // values with gaps, see useValues
		d.Classes, found.values = append(d.Classes, ignoreClass), append(found.values, found.ignore)
		return nil
	case value == Learn:
		for found.ignore > 0 && len(d.Classes) <= int(found.ignore) {
			d.Classes = append(d.Classes, fmt.Sprintf("class %d", len(d.Classes)))
		}
		if found.ignore > 0 {
			d.Classes[found.ignore] = ignoreClass
		}
		return nil
	case value < 0 || value > 255:
		return fmt.Errorf("ignore: want a label value from 1 to 255, got %d", value)
	case value > 0 && found.ignore > 0 && value != int(found.ignore):
		return fmt.Errorf("ignore: dataset.json says %d, not %d", found.ignore, value)
	case value > 0 && len(d.Classes) > 1:
		last := len(d.Classes) - 1
		largest := last
		if found.values != nil {
			largest = int(found.values[last-1])
		}
		if value < largest {
			return fmt.Errorf("ignore: %d is below the value of a class, %q (%d): want a value above those of all classes", value, d.Classes[last], largest)
		}
		if value == largest {
			d.Classes = d.Classes[:last]
			if found.values != nil {
				found.values = found.values[:last-1]
			}
			if n := len(found.values); n == 0 || int(found.values[n-1]) == n { // no gap is left
				found.values = nil
			}
		}
	}
	d.Ignore = max(found.ignore, uint8(value))
	for i := range found.cases {
		found.cases[i].ignore = d.Ignore
	}
	return nil
}

func (d *Dataset) problem(id string, leftOut bool, format string, args ...any) {
	d.Problems = append(d.Problems, Problem{Case: id, Text: fmt.Sprintf(format, args...), LeftOut: leftOut})
}

// note is problem for what is only told.
func (d *Dataset) note(id, format string, args ...any) {
	d.Problems = append(d.Problems, Problem{Case: id, Text: fmt.Sprintf(format, args...), Note: true})
}

// firstProblems returns up to n problems as the end of a sentence.
func (d *Dataset) firstProblems(n int) string { return firstProblems(d.Problems, n) }

func firstProblems(problems []Problem, n int) string {
	if len(problems) == 0 {
		return ""
	}
	var lines []string
	for _, p := range problems[:min(n, len(problems))] {
		lines = append(lines, p.String())
	}
	if more := len(problems) - n; more > 0 {
		lines = append(lines, "and "+count(more, "more problem"))
	}
	return "; " + strings.Join(lines, "; ")
}

// add reads the headers of the cases and keeps those that can be used, sorted by ID.
func (d *Dataset) add(ctx context.Context, cases []Case, progress func(what string, done, total int)) {
	slices.SortStableFunc(cases, func(a, b Case) int { return strings.Compare(a.ID, b.ID) })
	problems := make([][]Problem, len(cases))
	folders := numberedCases(cases)
	done := counter(len(cases), "headers", progress)
	parallel.For(len(cases), parallel.All, func(i int) {
		if ctx.Err() == nil {
			problems[i] = cases[i].readHeaders(d.channelNames, folders)
			done()
		}
	})
	seen, folded := make(map[string]Case), make(map[string]string)
	for i, c := range cases {
		if first, ok := seen[c.ID]; ok {
			d.problem(c.ID, false, "%s and %s have the same name: the second is not used",
				filepath.Base(first.Image), filepath.Base(c.Image))
			continue
		}
		seen[c.ID] = c
		name := volume.FoldName(c.ID)
		if first, ok := folded[name]; ok {
			d.problem(c.ID, false, "its name and %s differ in letter case alone: files that are called after both would be one on macOS and Windows; rename one of them", first)
		}
		folded[name] = c.ID
		d.Problems = append(d.Problems, problems[i]...)
		if !slices.ContainsFunc(problems[i], func(p Problem) bool { return p.LeftOut }) {
			d.Cases = append(d.Cases, c)
		}
	}
}

// compareOrientations reports cases whose axes run in other directions than those of most: slices are cut along the index
// axes as they are stored, so theirs would be mirrored or turned. Nothing is known of cases without geometry.
func (d *Dataset) compareOrientations() {
	votes := make(map[string]int)
	most := ""
	for _, c := range d.Cases {
		if c.Grid.Unit == volume.Millimetre {
			o := c.Grid.Orientation()
			if votes[o]++; votes[o] > votes[most] {
				most = o
			}
		}
	}
	for _, c := range d.Cases {
		if o := c.Grid.Orientation(); c.Grid.Unit == volume.Millimetre && o != most {
			d.problem(c.ID, false, "its axes run %s, those of most cases %s, so its slices would be mirrored or turned: reorient it", o, most)
		}
	}
}

// findClasses reads all masks of numbers, and those whose segments are all without a name, and names the values in them, unless the segments of other masks have done so. Values with
// gaps are classes too, see gapValues; where there are too many the cases with values beyond the gap are left out.
func (d *Dataset) findClasses(ctx context.Context, progress func(what string, done, total int)) {
	values := make([][256]bool, len(d.Cases))
	faults := make([]error, len(d.Cases))
	done := counter(len(d.Cases), "masks", progress)
	parallel.For(len(d.Cases), parallel.All, func(i int) {
		if ctx.Err() != nil {
			return
		}
		defer done()
		if d.Cases[i].Label == "" || d.Classes != nil && d.Cases[i].named() {
			return
		}
		m, err := d.Cases[i].readMask(nil)
		if err != nil {
			faults[i] = err
			return
		}
		for _, v := range m.Data {
			values[i][v] = true
		}
		if d.Cases[i].ignore > 0 {
			values[i][volume.Ignored] = false
		}
	})
	var all [256]bool
	for i := range values {
		for v, is := range values[i] {
			all[v] = all[v] || is
		}
	}
	fromNames := d.Classes != nil
	mapped := !fromNames && d.gapValues(values, all)
	n := 1
	for n < 256 && (all[n] || n < len(d.Classes)) {
		n++
	}
	if fromNames {
		n = len(d.Classes)
	}
	var kept []Case
	masks := 0
	for i, c := range d.Cases {
		if c.Label != "" {
			masks++
		}
		if faults[i] != nil {
			d.problem(c.ID, true, "%s", unreadable("mask", c.Label, faults[i]))
			continue
		}
		if stray := slices.Index(values[i][n:], true); stray >= 0 && !mapped {
			if fromNames {
				d.problem(c.ID, true, "label value %d has no name among those of the other masks: %s", n+stray, strings.Join(d.Classes[1:], ", "))
				continue
			}
			d.problem(c.ID, true, "label value %d comes after a gap (the masks hold the values %s): renumber them 0, 1, 2 …, or name them in a dataset.json",
				n+stray, valuesText(all))
			continue
		}
		kept = append(kept, c)
	}
	d.Cases = kept
	if masks == 0 || mapped || fromNames {
		return
	}
	d.Classes = []string{background}
	for v := 1; v < n; v++ {
		d.Classes = append(d.Classes, d.numberName("class", v))
	}
	if n == 1 {
		d.problem("", false, "all masks are empty: they hold nothing but background")
	}
}

func valuesText(values [256]bool) string {
	var list []string
	for v, is := range values {
		if is {
			list = append(list, fmt.Sprint(v))
		}
	}
	if len(list) > 10 {
		list = append(list[:9], fmt.Sprintf("… %s (%d values)", list[len(list)-1], len(list)))
	}
	return strings.Join(list, ", ")
}

// counter returns a function that counts its calls, from any goroutine, and reports each.
func counter(total int, what string, progress func(what string, done, total int)) func() {
	var mutex sync.Mutex
	done := 0
	return func() {
		mutex.Lock()
		defer mutex.Unlock()
		done++
		progress(what, done, total)
	}
}
