package dataset

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
)

// maskFolder matches what people call folders of masks.
var maskFolder = regexp.MustCompile(`(?i)^(labels?|masks?|segs?|segmentations?|gt|ground[-_ ]?truths?|annotations?|contours?|predictions?)(tr|ts|val)?([^a-z].*)?$`)

// otherFormats end the names of images in formats that are not read here, otherPictures those of pictures.
var (
	otherFormats  = regexp.MustCompile(`(?i)\.(mgz|mgh|mnc|mif|mif\.gz|gipl|gipl\.gz|vti|par|nii\.(bz2|xz|zst|zip)|dcm\.gz)$`)
	otherPictures = regexp.MustCompile(`(?i)\.(bmp|gif|webp)$`)
	halfOfPair    = regexp.MustCompile(`(?i)\.img(\.gz)?$`)
)

// unread tells what stands beside the cases and is not read, whichever layout was found. This is the one place where that is decided:
//
//   - Left out is what may hold further cases: folders with images or DICOM files, image files beside the folders of a layout, DICOM files beside image files, and files of formats that are not
//     read here. Where dataset.json lists the cases (training) they are told alone, and other image files are what it does not list.
//   - Told, with where masks belong, are files in folders of masks that are called as cases, DICOM masks beside the cases, and images in the folder of a DICOM series; so are folders called as those of
//     masks, folders of segmentations alone, and such files beside the folders of a layout.
//   - Noted are folders whose files are all called as cases, as outputs are, and pictures where no case is one, or fewer beside the folders of a layout than there are cases: they are no scans.
//
// The folders of a layout (imagesTs, labelsTs, labels/original …) mean nothing by being there, and neither do outputs, which whoever opens the data set writes to, nor the folders
// of annotation projects and queries.
func (l *listing) unread(dir string, outputs []string) {
	dir = filepath.Clean(dir)
	root, err := readFolder(dir)
	if err != nil {
		return // it was readable just now
	}
	u := &unread{listing: l, ids: map[string]bool{}}
	var places []string // where images of cases lie, but for the data set's folder
	for _, c := range l.cases {
		u.ids[c.ID] = true
		u.pictures = u.pictures || volume.IsPicture(c.Image)
		for n, path := range append([]string{c.Label, c.Image}, c.files...) {
			if path = filepath.Clean(path); path == "." || path == dir {
				continue
			}
			u.used = append(u.used, path)
			if in := filepath.Dir(path); n > 0 && in != dir && !slices.Contains(places, in) {
				places = append(places, in)
			}
		}
	}
	if l.layout == SequenceFolders {
		for _, name := range l.channels {
			u.used = append(u.used, filepath.Join(dir, name))
		}
	}
	slices.Sort(u.used)
	for _, path := range outputs {
		if abs, err := filepath.Abs(path); err == nil {
			u.outputs = append(u.outputs, abs)
		}
	}
	u.folder(root, "", u.flat())
	if !l.given {
		for _, path := range places {
			if folder, err := readFolder(path); err == nil {
				name, _ := filepath.Rel(dir, path)
				u.folder(folder, filepath.ToSlash(name)+"/", true)
			}
		}
	}
	u.strangers(dir)
}

type unread struct {
	*listing
	ids      map[string]bool
	pictures bool     // whether a case is a picture
	used     []string // paths of images and masks, sorted
	outputs  []string // absolute
}

// uses reports whether something in a folder, or the folder itself, is read.
func (u *unread) uses(path string) bool {
	path = filepath.Clean(path)
	at, found := slices.BinarySearch(u.used, path)
	if found {
		return true
	}
	below := path + string(filepath.Separator)
	for ; at < len(u.used) && u.used[at] < below; at++ {
	}
	return at < len(u.used) && strings.HasPrefix(u.used[at], below)
}

// writes reports whether a folder is one of the outputs, or holds one.
func (u *unread) writes(path string) bool {
	abs, err := filepath.Abs(path)
	return err == nil && slices.ContainsFunc(u.outputs, func(out string) bool {
		return out == abs || strings.HasPrefix(out, abs+string(filepath.Separator))
	})
}

// belongs reports whether a folder of the data set's is one of its layout, or what nextslice pacs push has sent.
func (u *unread) belongs(f *folder, name string) bool {
	switch name {
	case "imagesTr", "imagesTs", "labelsTs":
		return u.layout == Decathlon || u.layout == NNUNet
	case "seg":
		return f.has("pacs.json")
	}
	return name == u.labels && !u.given
}

// folder tells of what stands in a folder. prefix is its name in the data set, "" for the data set's own. ofCases says that its images are the cases.
func (u *unread) folder(f *folder, prefix string, ofCases bool) {
	var images, series, pictures, derived, masks []string
	for _, name := range f.folders {
		path := filepath.Join(f.path, name)
		var found scans
		switch {
		case prefix == "" && name == u.labels && name == "labels":
			if final := filepath.Join(path, "final"); !u.uses(final) {
				u.masks("labels/final", scansIn(final).all())
			}
			continue
		case prefix == "" && u.belongs(f, name), isWork(path), u.writes(path):
			continue
		case prefix == "" && name == "labels" && u.labels == "labels/final": // labels/original and the like are those of programs
			if inner, err := readFolder(path); err == nil {
				found.images = inner.images
			}
		case u.uses(path):
			continue
		default:
			found = scansIn(path)
		}
		files := slices.Concat(found.images, found.dicom)
		if u.pictures {
			files = found.all()
		}
		switch {
		case maskFolder.MatchString(name) && u.masks(prefix+name, found.all()):
		case len(files) == 0 && len(found.pictures) > 0:
			pictures = append(pictures, prefix+name)
		case len(files) == 0:
		case !slices.ContainsFunc(files, func(file string) bool { return !u.called(file) }):
			derived = append(derived, prefix+name)
		case maskFolder.MatchString(name) || found.segments && !(u.pictures && len(found.pictures) > 0):
			masks = append(masks, prefix+name)
		case len(found.images) > 0 || u.pictures && len(found.pictures) > 0:
			images = append(images, prefix+name)
		default:
			series = append(series, prefix+name)
		}
	}
	notUsed := ": not used, since the cases are " + u.casesAre()
	told, left, note := Problem{}, Problem{LeftOut: !u.given}, Problem{Note: true}
	tell := func(what string, names []string, p Problem, text string) {
		if len(names) > 0 {
			p.Text = countNames(what, names) + text
			u.problems = append(u.problems, p)
		}
	}
	tell("folder", images, left, " with images"+notUsed+"; open it by itself, or move its files there")
	tell("folder", series, left, " with DICOM files"+notUsed+"; open it, or the folder above it, by itself")
	tell("folder", pictures, note, " with pictures: not used, since no case is a picture")
	tell("folder", derived, note, " whose files are all called as the cases, such as those of predict: not used")
	tell("folder", masks, told, " with masks of no case: not used; masks belong "+u.where())

	images, pictures, masks = nil, nil, nil
	var others, loose, shown, stray []string
	if !ofCases && !u.given {
		for _, name := range f.images {
			switch {
			case u.uses(filepath.Join(f.path, name)):
			case volume.IsPicture(name) && !u.pictures:
				pictures = append(pictures, prefix+name)
			case u.called(name) || volume.IsSegmentation(filepath.Join(f.path, name)):
				stray = append(stray, prefix+name)
			case volume.IsPicture(name):
				shown = append(shown, prefix+name)
			default:
				images = append(images, prefix+name)
			}
		}
	}
	if len(shown) > 1 && len(shown) >= len(u.cases) {
		images, shown = append(images, shown...), nil
	}
	contents := 200 // of files whose names say nothing
	for _, name := range f.files {
		path := filepath.Join(f.path, name)
		switch {
		case u.uses(path) || strings.EqualFold(name, "DICOMDIR"):
		case otherPictures.MatchString(name) && !u.pictures:
			pictures = append(pictures, prefix+name)
		case otherFormats.MatchString(name), otherPictures.MatchString(name), halfOfPair.MatchString(name) && !f.hasHeader(name):
			others = append(others, prefix+name)
		case notDICOM(name):
		case volume.IsDICOM(name), contents > 0 && dicom.IsFile(path):
			if kind, err := dicom.KindOf(path); err == nil && kind != dicom.Image {
				masks = append(masks, prefix+name)
			} else {
				loose = append(loose, prefix+name)
			}
		default:
			contents--
		}
	}
	tell("image", images, left, notUsed)
	tell("picture", shown, note, notUsed)
	tell("image", stray, told, ", called as a case or a segmentation: not used; masks belong "+u.where())
	tell("picture", pictures, note, ": not used, since no case is a picture")
	tell("file", others, left, " of a format that is not read here: convert to NIfTI, or another one that is read")
	tell("DICOM file", loose, left, notUsed+"; a series needs a folder of its own, beside others of DICOM files")
	if len(masks) > 0 {
		u.maskProblem("", "%s not used: masks belong in %s, under the cases' names", countNames("DICOM segmentation or structure set", masks), u.labels)
	}
}

// hasHeader reports whether the folder holds the header of a pair of which a file has the voxels.
func (f *folder) hasHeader(img string) bool {
	stem := halfOfPair.ReplaceAllString(img, "") + ".hdr"
	return slices.ContainsFunc(f.images, func(name string) bool {
		return len(name) >= len(stem) && strings.EqualFold(name[:len(stem)], stem)
	})
}

// flat reports whether the cases are the image files of the data set's own folder.
func (l *listing) flat() bool {
	return !l.given && l.images == "" && l.layout != DICOM && l.layout != SequenceFolders
}

// casesAre says where the cases of the layout are, as the end of a sentence.
func (l *listing) casesAre() string {
	switch {
	case l.given:
		return "those that dataset.json lists"
	case l.flat():
		return "the image files of the data set's folder"
	case l.layout == DICOM:
		return "the folders with DICOM files"
	case l.layout == SequenceFolders:
		return "those in the folders " + strings.Join(l.channels, ", ")
	}
	return "those in the folder " + l.images
}

// called reports whether a file is called as a case, with an ending of CaseOf or not.
func (u *unread) called(file string) bool {
	id := volume.TrimExt(file)
	of, _ := CaseOf(id)
	return u.ids[id] || u.ids[of] || u.ids[strings.TrimSuffix(of, firstChannel)] || u.ids[of+firstChannel]
}

// where says where masks belong.
func (u *unread) where() string {
	where := "in " + u.labels + ", under the cases' names"
	switch {
	case u.given:
		return "in the list of dataset.json (label)"
	case u.flat():
		where += ", or beside the images as X_seg"
	}
	return where
}

// masks tells of the files of a folder that are called as cases, and reports whether there are any.
func (u *unread) masks(name string, files []string) bool {
	called := slices.DeleteFunc(slices.Clone(files), func(file string) bool { return !u.called(file) })
	if len(called) == 0 {
		return false
	}
	u.maskProblem("", "the folder %s holds %s called as cases, which are not used: masks belong %s", name, countNames("file", called), u.where())
	return true
}

// isWork reports whether a folder is that of an annotation project, or the work folder of a query, which may hold those of shards alone.
func isWork(path string) bool {
	shards, _ := os.ReadDir(path)
	return exists(filepath.Join(path, "project.db")) || exists(filepath.Join(path, queryState)) || slices.ContainsFunc(shards, func(e fs.DirEntry) bool {
		return strings.HasPrefix(e.Name(), "shard-") && exists(filepath.Join(path, e.Name(), queryState))
	})
}

const queryState = "query.json"

// strangers tells of images in the folders of DICOM series.
func (u *unread) strangers(dir string) {
	for _, c := range u.cases {
		if !isFolder(c.Image) {
			continue
		}
		within := []string{c.Image}
		if u.layout == SequenceFolders {
			within = nil
			for _, name := range u.channels {
				within = append(within, filepath.Join(dir, name))
			}
		}
		var names []string
		for _, path := range within {
			_ = filepath.WalkDir(path+string(filepath.Separator), func(path string, e fs.DirEntry, err error) error {
				if err == nil && !e.IsDir() && isVolume(e.Name()) && filepath.Clean(path) != filepath.Clean(c.Label) {
					names = append(names, e.Name())
				}
				return nil
			})
		}
		if len(names) > 0 {
			u.problem(c.ID, false, "its folder holds %s beside the DICOM files: not used; a mask belongs in %s, under the case's name", countNames("image", names), u.labels)
		}
	}
}

// isVolume reports whether a name is that of an image with geometry, also of a format that is not read here.
func isVolume(name string) bool {
	return volume.IsImage(name) && !volume.IsPicture(name) || otherFormats.MatchString(name) && !strings.HasPrefix(name, ".")
}

// scans are the files of a folder, and below, that hold images.
type scans struct {
	images, pictures, dicom []string
	segments                bool // the images and DICOM files are all segmentations or structure sets
}

func (s scans) all() []string { return slices.Concat(s.images, s.pictures, s.dicom) }

// scansIn looks for images in a folder and below, among the first of its files. A folder that is not there has none.
func scansIn(dir string) (found scans) {
	names, contents := 2000, 200
	found.segments = true
	_ = filepath.WalkDir(dir+string(filepath.Separator), func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil
		case e.IsDir() && strings.HasPrefix(e.Name(), ".") && len(path) > len(dir)+1:
			return fs.SkipDir
		case e.IsDir() || strings.HasPrefix(e.Name(), ".") || strings.EqualFold(e.Name(), "DICOMDIR"):
			return nil
		case volume.IsPicture(e.Name()) || otherPictures.MatchString(e.Name()):
			found.pictures = append(found.pictures, e.Name())
		case isVolume(e.Name()):
			found.images = append(found.images, e.Name())
			found.segments = found.segments && volume.IsSegmentation(path)
		case notDICOM(e.Name()):
		case volume.IsDICOM(e.Name()), contents > 0 && dicom.IsFile(path):
			found.dicom = append(found.dicom, e.Name())
			if found.segments {
				kind, err := dicom.KindOf(path)
				found.segments = err == nil && kind != dicom.Image
			}
		default:
			contents--
		}
		if names--; names == 0 {
			return fs.SkipAll
		}
		return nil
	})
	return found
}
