package dicom

import (
	"cmp"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// samePlace is the distance in mm below which two planes are at one place.
const samePlace = 1e-3

// stack is the planes of one series UID, size and orientation, or a part of them.
type stack struct {
	slices   []slice
	part     string  // what tells it apart from others of its UID
	repeated []slice // left out: others lie at their places
	joined   bool    // of slices with a series UID each
}

// group sorts planes into series. Series whose grid is not sound are problems.
func group(all []slice) ([]*Series, []Problem) {
	var out []*Series
	var problems []Problem
	for _, whole := range join(stacks(all)) {
		for _, part := range separate(whole.slices) {
			part.joined = whole.joined
			if whole.slices[0].localiser() {
				part.part = strings.TrimSuffix("localiser, "+part.part, ", ")
			}
			s, err := newSeries(part)
			if err != nil {
				problems = append(problems, Problem{part.slices[0].name, err.Error()})
				continue
			}
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b *Series) int {
		return cmp.Or(-cmp.Compare(a.Len(), b.Len()), cmp.Compare(a.UID, b.UID), cmp.Compare(a.slices[0].name, b.slices[0].name),
			cmp.Compare(a.slices[0].frame, b.slices[0].frame))
	})
	count, seen := map[string]int{}, map[string]int{}
	for _, s := range out {
		count[s.UID]++
	}
	for _, s := range out {
		s.ID = s.UID
		if seen[s.UID]++; count[s.UID] > 1 {
			s.ID = fmt.Sprintf("%s#%d", s.UID, seen[s.UID])
		}
	}
	slices.SortFunc(problems, func(a, b Problem) int { return cmp.Compare(a.File, b.File) })
	return out, problems
}

// stacks sorts planes by series UID, size and direction, in the order in which they come.
func stacks(all []slice) []stack {
	var out []stack
	found := map[string][]int{} // in out
	for _, s := range all {
		key := fmt.Sprintf("%s %dx%d %v %v", s.text(tag.SeriesInstanceUID), s.columns, s.rows, s.placed, s.localiser())
		// Directions within one stack agree much better than to a hundredth, stacks of a localiser differ more.
		at := slices.IndexFunc(found[key], func(i int) bool { return s.parallel(out[i].slices[0]) })
		if at < 0 {
			at = len(found[key])
			found[key] = append(found[key], len(out))
			out = append(out, stack{})
		}
		i := found[key][at]
		out[i].slices = append(out[i].slices, s)
	}
	return out
}

// join makes one stack of files with one slice each that differ only in place and series UID, which some scanners give to every slice:
// they have a series number in common, or are at least three, evenly spaced.
func join(all []stack) []stack {
	groups := map[string][]int{}
	for i, st := range all {
		s := st.slices[0]
		if len(st.slices) > 1 || !s.placed || s.localiser() || s.text(tag.FrameOfReferenceUID) == "" {
			continue
		}
		key := fmt.Sprintf("%dx%d %v %v %v %.2f", s.columns, s.rows, s.spacing, s.thickness, s.text(tag.ImageType), positive(s.normal()))
		for _, t := range []tag.Tag{tag.StudyInstanceUID, tag.FrameOfReferenceUID, tag.PatientID, tag.Modality, tag.SeriesDescription} {
			key += "\x00" + s.text(t)
		}
		groups[key] = append(groups[key], i)
	}
	gone := make([]bool, len(all))
	for _, members := range groups {
		var joined []slice
		numbers := map[string]bool{}
		for _, i := range members {
			joined = append(joined, all[i].slices[0])
			numbers[all[i].slices[0].text(tag.SeriesNumber)] = true
		}
		sortStack(joined)
		if len(joined) < 2 || !distinct(joined) || !joined[0].parallel(joined[len(joined)-1]) ||
			(len(numbers) > 1 || numbers[""]) && !even(joined) {
			continue
		}
		for _, i := range members[1:] {
			gone[i] = true
		}
		all[members[0]] = stack{slices: joined, joined: true}
	}
	var out []stack
	for i, st := range all {
		if !gone[i] {
			out = append(out, st)
		}
	}
	return out
}

// even reports whether a sorted stack has at least three planes with the same distances.
func even(stack []slice) bool {
	step := (stack[len(stack)-1].at - stack[0].at) / float64(len(stack)-1)
	for i := range stack[1:] {
		if math.Abs(stack[i+1].at-stack[i].at-step) > 0.02*step {
			return false
		}
	}
	return len(stack) > 2
}

// positive replaces -0 by 0 after rounding to two digits, so that both print alike.
func positive(v [3]float64) [3]float64 {
	for i := range v {
		v[i] = math.Round(v[i]*100)/100 + 0
	}
	return v
}

// sortStack sorts planes along the normal of the first; planes without a place by instance number.
func sortStack(stack []slice) {
	normal := stack[0].normal() // one for all: cosines are rounded in the files, and 0.001 at 500 mm is half a slice
	for i := range stack {
		stack[i].at = dot(stack[i].position, normal)
	}
	slices.SortFunc(stack, func(a, b slice) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.instance, b.instance), cmp.Compare(a.name, b.name), cmp.Compare(a.frame, b.frame))
	})
}

// separate splits a stack in which several planes lie at one place.
//
// A trait (echo time, time point ...) tells stacks apart where it has as many values as there are planes at a place, no two planes of a
// value lie at one place, and one of the values has all places or most places are taken several times. A trait whose every value has all
// places divides the stack and others may divide the parts. Without such a trait the planes are taken in their order, the first of every
// place, the second ...; but where fewer than half of the places are taken several times (slices acquired again) there is one stack, of the
// first.
func separate(planes []slice) []stack {
	sortStack(planes)
	if !planes[0].placed || distinct(planes) {
		return []stack{{slices: planes}}
	}
	places := byPlace(planes)
	most, repeated := 0, 0
	for _, p := range places {
		most = max(most, len(p))
		if len(p) > 1 {
			repeated++
		}
	}
	for t := range planes[0].traits {
		var values []string
		parts := map[string][]slice{}
		for _, s := range planes {
			if parts[s.traits[t]] == nil {
				values = append(values, s.traits[t])
			}
			parts[s.traits[t]] = append(parts[s.traits[t]], s)
		}
		if len(values) < 2 {
			continue
		}
		apart, some, all := len(values) == most, 2*repeated >= len(places), true
		for _, p := range parts {
			apart = apart && distinct(p)
			n := len(byPlace(p))
			some = some || n == len(places)
			all = all && n == len(places)
		}
		if !all && !(apart && some) {
			continue
		}
		var out []stack
		for _, v := range values {
			for _, st := range separate(parts[v]) {
				st.part = strings.TrimSuffix(traitName(t)+" "+v+", "+st.part, ", ")
				out = append(out, st)
			}
		}
		return out
	}
	again := 2*repeated < len(places)
	out := make([]stack, most)
	for _, p := range places {
		slices.SortStableFunc(p, func(a, b slice) int { return cmp.Compare(a.instance, b.instance) })
		if at := slices.IndexFunc(p, func(s slice) bool { return s.preferred }); again && at > 0 {
			p[0], p[at] = p[at], p[0]
		}
		for n, s := range p {
			out[n].slices = append(out[n].slices, s)
			out[n].part = fmt.Sprintf("image %d of every place", n+1)
		}
	}
	if !again {
		return out
	}
	one := stack{slices: out[0].slices}
	for _, st := range out[1:] {
		one.repeated = append(one.repeated, st.slices...)
	}
	return []stack{one}
}

// traitName names a trait: "echo time".
func traitName(t int) string {
	info, err := tag.Find(traitTags[t])
	if err != nil {
		return ""
	}
	return strings.ToLower(info.Name)
}

// byPlace divides a sorted stack into the planes of each place.
func byPlace(stack []slice) [][]slice {
	var out [][]slice
	for i, s := range stack {
		if i == 0 || s.at-stack[i-1].at > samePlace {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], s)
	}
	return out
}

// distinct reports whether no two planes of a sorted stack lie at one place.
func distinct(stack []slice) bool { return len(byPlace(stack)) == len(stack) }

// newSeries makes a sorted stack a series.
func newSeries(from stack) (*Series, error) {
	s := &Series{slices: from.slices, Part: from.part}
	if err := s.describe(); err != nil {
		return nil, err
	}
	s.Grid, s.Warnings = stackGrid(from.slices)
	warn := func(format string, v ...any) { s.Warnings = append(s.Warnings, fmt.Sprintf(format, v...)) }
	if from.joined {
		warn("each of %d slices has a series UID of its own: they are joined", len(from.slices))
	}
	for i, r := range from.repeated {
		if i == 3 {
			warn("%d more such images", len(from.repeated)-i)
			break
		}
		used := from.slices[slices.IndexFunc(from.slices, func(s slice) bool { return math.Abs(s.at-r.at) <= 2*samePlace })]
		warn("%s and %s lie at the same place: the first is used; to use the other, name its file", used.label(), r.label())
	}
	turned := 0
	images := map[string]string{}
	for _, x := range s.slices {
		if x.turned {
			turned++
		}
		uid := x.text(tag.SOPInstanceUID)
		if other := images[uid]; uid != "" && other != "" && other != x.name {
			warn("%s and %s have the same SOP instance UID and are different slices", filepath.Base(other), filepath.Base(x.name))
		}
		images[uid] = x.name
	}
	if turned > 0 {
		warn("%d of %d slices are MONOCHROME1, where the least value is white: their values are turned around, so that bright is high", turned, len(s.slices))
	}
	if at := slices.IndexFunc(from.slices, slice.lossy); at >= 0 {
		warn("the pixels were packed with %s: grey values are not exactly those of the scanner", cmp.Or(Packing(from.slices[at].syntax), "a lossy method"))
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	return s, nil
}
