package compare

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
)

// ErrPaths says that the two paths do not go together.
var ErrPaths = errors.New("want two files, two folders, or a predicted file and a folder of references")

// maskPair is a case: the paths of its two masks.
type maskPair struct{ name, pred, ref string }

// refName is the case's name as that of the reference tells it.
func (p maskPair) refName() string {
	name, _ := dataset.CaseOf(volume.TrimExt(filepath.Base(p.ref)))
	return name
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
		if !e.IsDir() && (volume.IsImage(e.Name()) || dicom.IsFile(filepath.Join(dir, e.Name()))) {
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
