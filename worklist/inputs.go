package worklist

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/internal/inputs"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
)

// networks are the files of networks that queries without --model leave in their work folder.
var networks = regexp.MustCompile(`^(model|module|member-\d+|teacher-\d+)\.safetensors$`)

// computed are the files of what a query has computed of each case, which serve that query alone.
var computed = []string{scoresFile, termsFile, featuresFile, disagreementFile}

// written are all files that a query writes there, beside networks.
var written = append([]string{stateFile, copiesFile, numberFile}, computed...)

// CheckOutput refuses a file for an output that is an input of the query, the model, a list or a file of the data set, or what the query keeps in its work folder, and one that the
// data set would take for an image or a mask. No input is ever removed or written by a query, wherever it lies.
func (o *Query) CheckOutput(path string) error {
	q := o.run
	if file, is := inputs.Among(path, q.files()); is {
		return fmt.Errorf("%s is an input of this query (%s): give the output another name", path, file)
	}
	for _, name := range written {
		if _, is := inputs.Among(path, []string{filepath.Join(q.folder(), name)}); is {
			return fmt.Errorf("%s is what the query itself keeps in its work folder: give the output another name", path)
		}
	}
	if file, is := inputs.Among(path, q.dataFiles(path)); is {
		return fmt.Errorf("%s is a file of the data set (%s): give the output another name", path, file)
	}
	if where := q.looksIn(filepath.Dir(path)); where != "" && (volume.IsImage(path) || volume.IsDICOM(path)) {
		return fmt.Errorf("%s would be taken for an image or a mask of the data set, which has them in %s: give the output another name", path, where)
	}
	return nil
}

// checkProposals refuses a folder for proposals in which the data set looks for its images and masks: the next query would take proposals for these.
func (q *run) checkProposals() error {
	if q.Proposals == "" {
		return nil
	}
	where := q.looksIn(q.Proposals)
	if where == "" && q.set.Layout == dataset.SequenceFolders && samePlace(filepath.Dir(absolute(q.Proposals)), q.set.Dir) {
		where = q.Proposals // any folder with images there is a sequence
	}
	if where != "" {
		return fmt.Errorf("--proposals %s: the data set has its images and masks in %s, and would take the proposals for such: choose another folder", q.Proposals, where)
	}
	return nil
}

// looksIn returns the folder of the data set that a folder is, where images and masks are looked for in it: the data set's own, those of the layouts, those that its files lie
// in, and those of DICOM series with all below. It is "" for other folders. Neither need be there.
func (q *run) looksIn(folder string) string {
	places := map[string]bool{q.set.Dir: true}
	for _, name := range []string{"images", "labels", "labels/final", "imagesTr", "labelsTr"} {
		places[filepath.Join(q.set.Dir, filepath.FromSlash(name))] = true
	}
	for _, path := range q.dataPaths() {
		places[filepath.Dir(path)] = true
		if isFolder(path) && within(folder, path) {
			return path
		}
	}
	for _, place := range slices.Sorted(maps.Keys(places)) {
		if samePlace(folder, place) {
			return place
		}
	}
	return ""
}

// dataFiles returns the files of the data set, as far as the one at a path may be among them: those of images and masks, with the files that their headers name, that one where it
// is a DICOM file of a series, and dataset.json.
func (q *run) dataFiles(path string) []string {
	if _, err := os.Stat(path); err != nil {
		return nil
	}
	files := []string{filepath.Join(q.set.Dir, "dataset.json")}
	for _, image := range q.dataPaths() {
		if isFolder(image) {
			if within(path, image) && dicom.IsFile(path) {
				files = append(files, path)
			}
			continue
		}
		files = append(files, image)
		if all, err := volume.Files(image); err == nil { // else its header cannot be read
			files = append(files, all...)
		}
	}
	return files
}

// dataPaths returns the paths of all images and masks of the data set: files, and folders of DICOM series.
func (q *run) dataPaths() (paths []string) {
	for _, one := range q.set.Cases {
		images, label := one.Files()
		paths = append(paths, images...)
		if label != "" {
			paths = append(paths, label)
		}
	}
	return paths
}

// samePlace reports whether two paths lead to one place, whatever of them is there.
func samePlace(a, b string) bool {
	thereA, restA := existing(a)
	thereB, restB := existing(b)
	_, same := inputs.Among(thereA, []string{thereB})
	return same && strings.EqualFold(restA, restB) // as file systems may have it
}

// existing divides a path into what is there of it, and the rest.
func existing(path string) (there, rest string) {
	if _, err := os.Stat(path); err == nil { // as it is spelled: .. behind a link is not the folder before it
		return path, ""
	}
	for there = absolute(path); filepath.Dir(there) != there; there = filepath.Dir(there) {
		if _, err := os.Stat(there); err == nil {
			break
		}
		rest = filepath.Join(filepath.Base(there), rest)
	}
	return there, rest
}

// within reports whether a path is a folder, or lies in it or below.
func within(path, folder string) bool {
	for at := absolute(path); ; at = filepath.Dir(at) {
		if samePlace(at, folder) {
			return true
		}
		if at == filepath.Dir(at) {
			return false
		}
	}
}

func absolute(path string) string {
	if all, err := filepath.Abs(path); err == nil {
		return all
	}
	return filepath.Clean(path)
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// files are the inputs that the configuration names, but for the data set.
func (c Config) files() []string {
	files := append([]string(nil), c.Labelled...)
	if c.Model != "" {
		files = append(files, model.Files(c.Model)...)
	}
	return files
}

// checkInputs refuses inputs that the query would write over in its work folder.
func (q *run) checkInputs() error {
	for _, name := range written {
		if file, is := inputs.Among(filepath.Join(q.dir, name), q.files()); is {
			return fmt.Errorf("%s is an input, and the query writes a file of its own there: give it another name, or choose another folder with --work", file)
		}
	}
	return nil
}
