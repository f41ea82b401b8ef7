package compare

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/source"
)

// ErrPaths says that the two paths do not go together.
var ErrPaths = errors.New("want two files, two folders, or a predicted file and a folder of references")

// maskPair is a case: the paths of its two masks.
type maskPair struct{ name, pred, ref string }

// read reads both masks on one grid. Segments with names have the values of names. Segments whose names mean ignore have the value to ignore in the reference (0 stands for 255), and are background in the prediction; ignore
// says whether the reference has some. The notes say what is doubtful.
func (p maskPair) read(byIndex bool, value uint8, names segmentNames) (pred, ref *volume.Mask, ignore bool, notes []string, err error) {
	for _, m := range []struct {
		path string
		mask **volume.Mask
	}{{p.pred, &pred}, {p.ref, &ref}} {
		var has bool
		if *m.mask, has, err = readNamed(m.path, m.mask == &ref, cmp.Or(value, volume.Ignored), names); err != nil {
			return nil, nil, false, nil, err
		}
		ignore = ignore || has
		for _, w := range (*m.mask).Warnings() {
			notes = append(notes, m.path+": "+w)
		}
		if n := (*m.mask).Rounded; n > 0 {
			notes = append(notes, fmt.Sprintf("%s: the values of %d voxels are not whole numbers (by less than 0.01): read as the nearest", m.path, n))
		}
	}
	located := func(m *volume.Mask) bool { return m.Unit == volume.Millimetre }
	if !byIndex && located(pred) && located(ref) {
		pred, ref, err = onOneGrid(pred, ref)
		if err != nil {
			err = fmt.Errorf("%s cannot be compared with %s: %w; resample it to the reference, or compare --by-index", p.pred, p.ref, err)
		}
		return pred, ref, ignore, notes, err
	}
	if pred.Size != ref.Size {
		return nil, nil, false, nil, fmt.Errorf("%s has %s voxels, its reference %s %s: without a place in space for both they cannot be compared",
			p.pred, sizeText(pred.Size), p.ref, sizeText(ref.Size))
	}
	if located(pred) != located(ref) {
		if !byIndex {
			notes = append(notes, fmt.Sprintf("%s and %s: only one of them has a place in space; they are compared voxel by voxel, with its spacing", p.pred, p.ref))
		}
		if located(pred) {
			ref.Grid = pred.Grid
		}
	}
	return pred, ref, ignore, notes, nil
}

// readNamed reads a mask. Segments whose names mean ignore have the given value in a reference, which is told, and are background in a
// prediction; other names decide the values.
func readNamed(path string, reference bool, ignored uint8, known segmentNames) (m *volume.Mask, ignore bool, err error) {
	if !namesSegments(path) {
		m, err := source.ReadMask(path)
		return m, false, err
	}
	s, _, err := source.ReadSegmentation(path, nil)
	if err != nil {
		return nil, false, err
	}
	m, names, err := s.Mask()
	if err != nil {
		return nil, false, fmt.Errorf("read %s: %w", path, err)
	}
	var to [256]uint8
	taken := map[uint8]string{}
	for v := 1; v < len(names); v++ {
		switch {
		case dataset.MeansIgnore(names[v]) && known[foldName(names[v])] == 0:
			if ignore = reference; reference {
				to[v] = ignored
			}
			continue
		case !slices.ContainsFunc(s.Segments, func(s volume.Segment) bool { return s.Name == names[v] }):
			continue // a number without a segment
		}
		if to[v], err = known.value(path, names[v], uint8(v)); err != nil {
			return nil, false, err
		}
		if other, ok := taken[to[v]]; ok {
			return nil, false, fmt.Errorf("%s: the segments %q and %q are one class: rename one of them", path, other, names[v])
		}
		taken[to[v]] = names[v]
	}
	for n, v := range m.Data {
		m.Data[n] = to[v]
	}
	return m, ignore, nil
}

func sizeText(size [3]int) string { return fmt.Sprintf("%d x %d x %d", size[0], size[1], size[2]) }

// onOneGrid brings masks whose voxels coincide to one grid: the reference's, or where it does not hold all of the prediction the
// one of its axes that does.
func onOneGrid(pred, ref *volume.Mask) (p, r *volume.Mask, err error) {
	if p, err = pred.On(ref.Grid); err == nil {
		return p, ref, nil
	}
	both, err := ref.Cover(pred.Grid)
	if err != nil {
		return nil, nil, err
	}
	if p, err = pred.On(both); err != nil {
		return nil, nil, err
	}
	r, err = ref.On(both)
	return p, r, err
}

// maskPairs returns the masks to compare: two files, those of the same name in two folders, or a file and that of its name in
// the reference's folder. Predictions without a reference are noted; missing are the references without a prediction.
func maskPairs(pred, ref string, note func(text string)) (pairs []maskPair, missing []dataset.Problem, err error) {
	predInfo, err := os.Stat(pred)
	if err != nil {
		return nil, nil, err
	}
	refInfo, err := os.Stat(ref)
	if err != nil {
		return nil, nil, err
	}
	if !predInfo.IsDir() && !refInfo.IsDir() {
		return []maskPair{{volume.TrimExt(filepath.Base(pred)), pred, ref}}, nil, nil
	}
	if !refInfo.IsDir() {
		return nil, nil, ErrPaths
	}
	refs, err := masksIn(ref)
	if err != nil {
		return nil, nil, err
	}
	if !predInfo.IsDir() {
		name, _ := dataset.CaseOf(volume.TrimExt(filepath.Base(pred)))
		if refs[name] == "" {
			return nil, nil, fmt.Errorf("%s holds no reference named %s", ref, name)
		}
		return []maskPair{{name, pred, refs[name]}}, nil, nil
	}
	preds, err := masksIn(pred)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		if preds[name] == "" {
			missing = append(missing, dataset.Problem{Case: name, Text: fmt.Sprintf("%s holds no prediction of it", pred), LeftOut: true})
			continue
		}
		pairs = append(pairs, maskPair{name, preds[name], refs[name]})
	}
	switch {
	case len(refs) == 0:
		return nil, nil, fmt.Errorf("%s holds no masks", ref)
	case len(pairs) == 0:
		return nil, nil, fmt.Errorf("%s holds no prediction of %s", pred, strings.Join(slices.Sorted(maps.Keys(refs)), ", "))
	}
	if more := len(preds) - len(pairs); more > 0 {
		note(fmt.Sprintf("%s: %d masks have no reference and are left out", pred, more))
	}
	return pairs, missing, nil
}

// caseName returns the name of a case of a data set, as predict names its mask, without an ending that marks one.
func caseName(id string) string {
	name, _ := dataset.CaseOf(strings.ReplaceAll(id, "/", "_"))
	return name
}

// masksIn returns the paths of a folder's masks by the names of their cases: those of a data set, or else the files of the
// folder. Of X and X_seg the latter is the mask.
func masksIn(dir string) (map[string]string, error) {
	masks := map[string]string{}
	add := func(id, path string) error {
		if masks[id] != "" {
			return fmt.Errorf("%s holds two masks of %s: %s and %s", dir, id, filepath.Base(masks[id]), filepath.Base(path))
		}
		masks[id] = path
		return nil
	}
	inSet, unknown := dataset.Masks(dir)
	for _, id := range slices.Sorted(maps.Keys(inSet)) {
		if err := add(caseName(id), inSet[id]); err != nil {
			return nil, err
		}
	}
	if len(masks) > 0 {
		return masks, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	files := map[bool][]string{} // by whether the name is marked as that of a mask
	for _, e := range entries {
		if !e.IsDir() && (volume.IsImage(e.Name()) || volume.IsDICOM(e.Name())) {
			_, marked := dataset.CaseOf(volume.TrimExt(e.Name()))
			files[marked] = append(files[marked], e.Name())
		}
	}
	marked := map[string]bool{}
	for _, file := range files[true] {
		id, _ := dataset.CaseOf(volume.TrimExt(file))
		marked[id] = true
		if err := add(id, filepath.Join(dir, file)); err != nil {
			return nil, err
		}
	}
	for _, file := range files[false] {
		if id := volume.TrimExt(file); !marked[id] {
			if err := add(id, filepath.Join(dir, file)); err != nil {
				return nil, err
			}
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, "dataset.json")); len(masks) == 0 && unknown != nil && err == nil {
		return nil, unknown
	}
	return masks, nil
}
