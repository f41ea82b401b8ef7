package dataset

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/volume"
)

// folder is what a folder holds, in the order of the names.
type folder struct {
	path    string
	images  []string // files with the extension of an image format
	files   []string // other files
	folders []string
}

func readFolder(path string) (*folder, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	f := &folder{path: path}
	for _, e := range entries {
		switch {
		case strings.HasPrefix(e.Name(), "."):
		case isFolder(filepath.Join(path, e.Name())): // also where it is a link to one
			f.folders = append(f.folders, e.Name())
		case volume.IsImage(e.Name()):
			f.images = append(f.images, e.Name())
		default:
			f.files = append(f.files, e.Name())
		}
	}
	return f, nil
}

func (f *folder) has(name string) bool { return slices.Contains(f.files, name) }

// ofImages reports whether image files are what the folder is of. Pictures beside folders with DICOM files are where one has a mask, beside it or in labels/final, or where there are more of
// them than of these folders; unread then tells of the folders. Else they are logos and the like, as source.KindOf has it of those beside the slices.
func (f *folder) ofImages() bool {
	if slices.ContainsFunc(f.images, func(name string) bool { return !volume.IsPicture(name) }) {
		return true
	}
	pictures := map[string]bool{} // without masks
	for _, name := range f.images {
		if of, marked := CaseOf(volume.TrimExt(name)); !marked {
			pictures[of] = true
		}
	}
	if len(f.images) == 0 || maskOf(pictures, filepath.Join(f.path, "labels", "final")) {
		return len(f.images) > 0
	}
	if slices.ContainsFunc(f.images, func(name string) bool {
		of, marked := CaseOf(volume.TrimExt(name))
		return marked && pictures[of]
	}) {
		return true
	}
	series := 0
	for _, name := range f.folders {
		if maskFolder.MatchString(name) || isWork(filepath.Join(f.path, name)) {
			continue
		}
		if found, _ := holdsDICOM(filepath.Join(f.path, name)); found {
			series++
		}
	}
	return series == 0 || len(pictures) > series
}

// hasFolder also answers yes to a link that leads nowhere: reading it then says what is wrong.
func (f *folder) hasFolder(name string) bool {
	return slices.Contains(f.folders, name) || f.has(name)
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// unrecognised says what a folder holds that is not a data set, and which of its folders is one.
func unrecognised(f *folder) error {
	var found []string
	if len(f.folders) > 0 {
		found = append(found, countNames("folder", f.folders))
	}
	if len(f.files) > 0 {
		found = append(found, countNames("file", f.files))
	}
	if len(found) == 0 {
		found = []string{"nothing"}
	}
	hint := ""
	for _, name := range f.folders[:min(20, len(f.folders))] {
		inner, err := readFolder(filepath.Join(f.path, name))
		if err == nil && (inner.has("dataset.json") || inner.hasFolder("imagesTr") || len(inner.images) > 0) {
			hint = fmt.Sprintf("; try %s", filepath.Join(f.path, name))
			break
		}
	}
	if found, err := holdsDICOM(f.path); hint == "" && err != nil {
		hint = fmt.Sprintf("; not all of it can be read: %v", err)
	} else if hint == "" && found {
		hint = "; where each DICOM series has a folder of its own, name the folder above them"
	}
	return fmt.Errorf("open data set %s: the layout is not recognised: found %s%s; %s", f.path, strings.Join(found, " and "), hint, understood)
}

// countNames says how many names there are and gives the first.
func countNames(what string, names []string) string {
	if len(names) != 1 {
		what += "s"
	}
	first, more := names, ""
	if len(names) > 4 {
		first, more = names[:3], " …"
	}
	return fmt.Sprintf("%d %s (%s%s)", len(names), what, strings.Join(first, ", "), more)
}
