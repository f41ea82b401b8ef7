package dataset

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/internal/parallel"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
)

// The layouts, by the names that people know them under.
const (
	// Decathlon: imagesTr/X and labelsTr/X as listed in dataset.json (Medical Segmentation Decathlon).
	Decathlon = "Decathlon"
	// NNUNet: imagesTr/X_0000 and labelsTr/X; the labels in dataset.json are name: value (nnU-Net version 2).
	NNUNet = "nnU-Net"
	// MONAILabel: images in the folder itself, final masks under the same names in labels/final; else those beside, as in Beside.
	MONAILabel = "MONAI Label"
	// Plain: images/X and labels/X. With images X_0000 and a mask X it is NNUNet.
	Plain = "images and labels"
	// Promise12: X and X_segmentation side by side in the folder itself.
	Promise12 = "PROMISE12"
	// Slicer: X and X.seg.nrrd, or another NRRD file that names segments, side by side in the folder itself (3D Slicer).
	Slicer = "3D Slicer"
	// Beside: X and its mask side by side in the folder itself, told by another ending of CaseOf: X-label, X_seg, X_mask …
	Beside = "masks beside images"
	// DICOM: a folder per case with one series; masks under the folder's name in labels/final or labels, else the one in the folder itself.
	DICOM = "DICOM"
	// SequenceFolders: T2/X and ADC/X, or T2/*.dcm and ADC/*.dcm of one patient, see sequenceFolders; masks in labels/final or labels.
	SequenceFolders = "a folder for each sequence"
	// ImagesOnly: images in the folder itself, without masks.
	ImagesOnly = "images only"
)

const understood = `understood are:
  Decathlon          dataset.json, imagesTr/X.nii.gz, labelsTr/X.nii.gz
  nnU-Net            dataset.json, imagesTr/X_0000.nii.gz, labelsTr/X.nii.gz
  PROMISE12          X.mhd, X_segmentation.mhd
  3D Slicer          X.nrrd, X.seg.nrrd
  beside images      X.nii.gz, X-label.nii.gz (or _seg, _mask, _gt …)
  MONAI Label        X.nii.gz, labels/final/X.nii.gz
  images and labels  images/X.nii.gz (or X_0000.nii.gz), labels/X.nii.gz
  DICOM              X/*.dcm (one series), labels/X.nii.gz
  sequences          T2/X.nii.gz, ADC/X.nii.gz, labels/X.nii.gz (or T2/*.dcm, ADC/*.dcm of one patient)
  images only        X.nii.gz
NIfTI, MetaImage, NRRD, PNG, JPEG and TIFF may stand for each other, in images and imagesTr also folders with a DICOM
series; masks may be missing`

// listing is what the file names in a folder tell: cases whose grids are not known yet.
type listing struct {
	name, layout string
	classes      []string
	values       []uint8 // of the classes from 1 on in masks of numbers, nil if these are 1, 2 …
	ignore       uint8   // see Dataset.Ignore
	channels     []string
	cases        []Case
	annotated    map[string]annotation // by case, where dataset.json says so
	given        bool                  // dataset.json lists the cases
	images       string                // the folder of the cases' images in the data set's; "" where it is that folder itself, or there are several
	labels       string                // where masks belong, in the data set's folder
	noMasks      bool                  // nothing but images counts
	problems     []Problem
}

func (l *listing) problem(id string, leftOut bool, format string, args ...any) {
	l.problems = append(l.problems, Problem{Case: id, Text: fmt.Sprintf(format, args...), LeftOut: leftOut})
}

// maskProblem is problem for what concerns masks alone.
func (l *listing) maskProblem(id string, format string, args ...any) {
	if !l.noMasks {
		l.problem(id, false, format, args...)
	}
}

// list recognises the layout of a folder and lists its cases. With noMasks nothing is told that concerns masks alone.
func list(dir string, noMasks bool) (*listing, error) {
	folder, err := readFolder(dir)
	if err != nil {
		return nil, fmt.Errorf("open data set: %w", err)
	}
	l := &listing{labels: "labels", noMasks: noMasks}
	var j *jsonFile
	if folder.has("dataset.json") {
		if j, err = readJSON(filepath.Join(dir, "dataset.json")); err != nil {
			return nil, err
		}
		l.name, l.classes, l.values, l.ignore, l.channels = j.Name, j.classes, j.values, j.ignore, j.channels()
		for _, p := range j.problems {
			l.maskProblem("", "%s", p.Text)
		}
		l.annotated = j.Annotated
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	switch {
	case j != nil && len(j.Training) > 0:
		l.layout, l.given, l.labels = Decathlon, true, "labelsTr"
		err = l.listed(dir, j)
	case folder.hasFolder("imagesTr"):
		l.images, l.labels = "imagesTr", "labelsTr"
		err = l.imagesTr(at("imagesTr"), at("labelsTr"), j)
	case folder.hasFolder("images"):
		l.images = "images"
		err = l.plain(at("images"), at("labels"))
	case isFolder(at("labels/final")) && folder.ofImages():
		l.labels = "labels/final"
		l.partners(l.beside(folder), false)
		l.layout = MONAILabel
		err = l.pairMasks(at("labels/final"))
	case folder.ofImages():
		l.labels = "labels/final"
		l.sideBySide(folder)
	case l.sequenceFolders(dir, folder), l.series(folder):
		if isFolder(at("labels/final")) {
			l.labels = "labels/final"
		}
		l.layout = cmp.Or(l.layout, DICOM)
		l.withoutFirst()
		err = l.pairMasks(at(l.labels))
		l.maskFirst(j)
	default:
		err = unrecognised(folder)
	}
	if err != nil {
		return nil, err
	}
	for _, id := range slices.Sorted(maps.Keys(l.annotated)) {
		switch {
		case l.annotated[id] == nil: // null
			delete(l.annotated, id)
		case !slices.ContainsFunc(l.cases, func(c Case) bool { return c.ID == id }):
			l.maskProblem("", "dataset.json: annotated: there is no case %q", id)
		}
	}
	return l, nil
}

// imagesTr lists a Decathlon or nnU-Net folder by its files.
func (l *listing) imagesTr(images, labels string, j *jsonFile) error {
	folder, err := readFolder(images)
	if err != nil {
		return fmt.Errorf("open data set: %w", err)
	}
	first, ok := channelsIn(folder, labels)
	if !ok {
		l.layout = Decathlon
		l.series(folder)
		return l.pairFolders(images, labels, 0, nil)
	}
	return l.numbered(folder, labels, first)
}

// plain lists the folders images and labels; the images may be named as nnU-Net's where a mask X says so.
func (l *listing) plain(images, labels string) error {
	if folder, err := readFolder(images); err == nil {
		if first, ok := channelsIn(folder, labels); ok && maskOf(first, labels) {
			return l.numbered(folder, labels, first)
		}
	}
	l.layout = Plain
	l.seriesIn(images)
	return l.pairFolders(images, labels, 0, nil)
}

// maskOf reports whether a folder holds a mask of one of the cases.
func maskOf(cases map[string]bool, labels string) bool {
	folder, err := readFolder(labels)
	return err == nil && slices.ContainsFunc(append(folder.images, folder.files...), func(name string) bool {
		of, _ := CaseOf(volume.TrimExt(name))
		return cases[of]
	})
}

// listed lists the training cases that dataset.json names. The first version of nnU-Net omits _0000 there.
func (l *listing) listed(dir string, j *jsonFile) error {
	named := make(map[string]bool)
	ids := j.ids()
	several := 0
	for n, t := range j.Training {
		several += min(t.more, 1)
		image, label := within(dir, t.Image), within(dir, t.Label)
		id := ids[n]
		if !filepath.IsLocal(image) || label != "" && !filepath.IsLocal(label) {
			l.problem(id, true, "dataset.json: entry %d of training lies outside the data set's folder", n+1)
			continue
		}
		c := Case{ID: id, Image: filepath.Join(dir, image)}
		if _, err := os.Lstat(c.Image); err != nil {
			ext := c.Image[len(volume.TrimExt(c.Image)):]
			if channel := volume.TrimExt(c.Image) + firstChannel + ext; exists(channel) {
				c.Image, l.layout = channel, NNUNet
			}
		}
		if label != "" {
			c.Label = filepath.Join(dir, label)
		}
		if t.Annotated != nil {
			if l.annotated == nil {
				l.annotated = map[string]annotation{}
			}
			l.annotated[id] = t.Annotated
		}
		named[filepath.Clean(c.Image)] = true
		l.cases = append(l.cases, c)
	}
	if several > 0 {
		l.problem("", false, "dataset.json: %s with a list of images: the first of each is read", count(several, "case"))
	}
	folder, err := readFolder(filepath.Join(dir, "imagesTr"))
	if err != nil || len(l.cases) > 0 && several > 0 {
		return nil // the list may name other folders
	}
	var unnamed []string
	for _, name := range folder.images {
		if !named[filepath.Join(dir, "imagesTr", name)] && (l.layout != NNUNet || strings.HasSuffix(volume.TrimExt(name), firstChannel)) {
			unnamed = append(unnamed, name)
		}
	}
	if len(unnamed) > 0 {
		l.problem("", false, "%s in imagesTr not used: not in the training list of dataset.json", countNames("image", unnamed))
	}
	return nil
}

// within returns a path of a dataset.json relative to its folder, also where it is an absolute one into the folder.
func within(dir, path string) string {
	path = filepath.FromSlash(path)
	if !filepath.IsAbs(path) {
		if there := filepath.FromSlash(strings.ReplaceAll(path, `\`, "/")); !exists(filepath.Join(dir, path)) && exists(filepath.Join(dir, there)) {
			return there // written on Windows
		}
		return path
	}
	for _, base := range []func(string) (string, error){filepath.Abs, filepath.EvalSymlinks} {
		if root, err := base(dir); err == nil {
			if root, err = filepath.Abs(root); err == nil {
				if rel, err := filepath.Rel(root, path); err == nil && filepath.IsLocal(rel) {
					return rel
				}
			}
		}
	}
	return path
}

// pairFolders takes the images of a folder, those that keep accepts, as cases, and pairs them with the masks of another
// folder. IDs are the names without extension and without their last cut bytes.
func (l *listing) pairFolders(images, labels string, cut int, keep func(string) bool) error {
	folder, err := readFolder(images)
	if err != nil {
		return fmt.Errorf("open data set: %w", err)
	}
	for _, name := range folder.images {
		if keep == nil || keep(name) {
			id := volume.TrimExt(name)
			l.cases = append(l.cases, Case{ID: id[:len(id)-cut], Image: filepath.Join(images, name)})
		}
	}
	return l.pairMasks(labels)
}

// series takes the folders with DICOM files as cases, and reports whether there are any. Where there are, the other folders are told: one that cannot be
// read is a case that is left out.
func (l *listing) series(folder *folder) bool {
	var others []string
	told := &listing{noMasks: l.noMasks}
	for _, name := range folder.folders {
		if name == "labels" || name == "seg" && folder.has("pacs.json") { // what nextslice pacs push has sent
			continue
		}
		path := filepath.Join(folder.path, name)
		switch found, err := holdsDICOM(path); {
		case isWork(path):
		case found:
			l.cases = append(l.cases, Case{ID: name, Image: path})
		case err != nil:
			told.problem(name, true, "its folder cannot be read: %v", err)
		default:
			others = append(others, name)
		}
	}
	if len(l.cases) == 0 {
		return false
	}
	l.problems = append(l.problems, told.problems...)
	l.noCases(folder.path, others)
	return true
}

// noCases tells of folders beside those of DICOM series that hold none, and no other images either: unread tells of these.
func (l *listing) noCases(dir string, folders []string) {
	folders = slices.DeleteFunc(folders, func(name string) bool {
		path := filepath.Join(dir, name)
		return isWork(path) || len(scansIn(path).all()) > 0
	})
	if len(folders) > 0 {
		l.problem("", false, "%s without DICOM files: not used", countNames("folder", folders))
	}
}

// seriesIn is series for a folder that may be unreadable: whoever lists its files says so.
func (l *listing) seriesIn(path string) {
	if folder, err := readFolder(path); err == nil {
		l.series(folder)
	}
}

// pairMasks gives the cases the masks of a folder that have their names; they go before masks that cases have beside their images. The folder may be missing.
func (l *listing) pairMasks(labels string) error {
	masks := map[string]string{}
	channels := l.areChannels()
	if exists(labels) {
		folder, err := readFolder(labels)
		if err != nil {
			return fmt.Errorf("open data set: %w", err)
		}
		names := folder.images
		for _, name := range folder.files {
			if volume.IsDICOM(name) || dicom.IsFile(filepath.Join(labels, name)) {
				names = append(names, name)
			}
		}
		known, numbered := map[string]bool{}, map[string]bool{} // folders X_0000 of DICOM files, and channels
		for _, c := range l.cases {
			known[c.ID], numbered[c.ID] = true, strings.HasSuffix(c.ID, firstChannel) && (channels || isFolder(c.Image))
		}
		for _, name := range names {
			id := volume.TrimExt(name)
			of, _ := CaseOf(id)
			for _, of := range []string{of, strings.TrimSuffix(of, firstChannel)} {
				if !known[id] && known[of] {
					id = of
				}
			}
			if !known[id] && numbered[id+firstChannel] {
				id += firstChannel
			}
			if first, ok := masks[id]; ok {
				l.maskProblem(id, "it has two masks, %s and %s: the second is not used", filepath.Base(first), name)
				continue
			}
			masks[id] = filepath.Join(labels, name)
		}
	}
	inside := make([][]string, len(l.cases))
	parallel.For(len(l.cases), parallel.All, func(i int) {
		if c := l.cases[i]; masks[c.ID] == "" && isFolder(c.Image) {
			inside[i] = segmentationsIn(c.Image)
		}
	})
	for i := range l.cases {
		c := &l.cases[i]
		if mask := masks[c.ID]; mask != "" {
			if c.Label != "" {
				l.maskProblem(c.ID, "it has two masks, %s and %s: the second is not used", filepath.Join(filepath.Base(labels), filepath.Base(mask)), filepath.Base(c.Label))
			}
			c.Label = mask
		}
		switch len(inside[i]) {
		case 0:
		case 1:
			c.Label = inside[i][0]
			masks[c.ID] = c.Label
		default:
			l.maskProblem(c.ID, "its folder holds %d segmentations or structure sets (%s, %s …), none of which is used: put the one that is meant in %s, under the case's name",
				len(inside[i]), filepath.Base(inside[i][0]), filepath.Base(inside[i][1]), filepath.Base(labels))
		}
	}
	// Where people label, it is normal that some images wait for their masks.
	want := len(masks) > 0 && (l.layout == Decathlon || l.layout == NNUNet)
	if channels {
		l.groupChannels(masks)
	}
	l.partners(masks, want)
	return nil
}

// segmentationsIn returns the DICOM segmentations and structure sets among the files of a series' folder and below.
func segmentationsIn(dir string) (found []string) {
	_ = filepath.WalkDir(dir+string(filepath.Separator), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !dicom.IsFile(path) {
			return nil // whoever reads the series says so
		}
		if kind, err := dicom.KindOf(path); err == nil && kind != dicom.Image {
			found = append(found, filepath.Clean(path))
		}
		return nil
	})
	return found
}

// imageEndings end the names that people give to the image of X beside its mask.
var imageEndings = []string{"_image", "-image", "_img", "-img", firstChannel}

// sideBySide lists images that have their masks beside them, if any.
func (l *listing) sideBySide(folder *folder) {
	masks := l.beside(folder)
	if l.areChannels() {
		l.groupChannels(masks)
	}
	l.partners(masks, len(masks) > 0)
}

// beside pairs X with X_segmentation, X.seg.nrrd and the other names of CaseOf, and returns the masks by case. Beside images a name with such an
// ending is a mask's even where there is no X.
func (l *listing) beside(folder *folder) (masks map[string]string) {
	l.layout = ImagesOnly
	images, segments := map[string]bool{}, map[string]bool{}
	for _, name := range folder.images {
		if segments[name] = volume.IsSegmentation(filepath.Join(folder.path, name)); !segments[name] {
			images[volume.TrimExt(name)] = true
		}
	}
	masks = map[string]string{}
	for _, name := range folder.images {
		id := volume.TrimExt(name)
		of, marked := CaseOf(id)
		switch {
		case segments[name] && (images[id] || !marked):
			of, l.layout = id, Slicer
		case !marked:
			l.cases = append(l.cases, Case{ID: id, Image: filepath.Join(folder.path, name)})
			continue
		case segments[name]:
			l.layout = Slicer
		case strings.HasSuffix(id, suffix):
			l.layout = Promise12
		default:
			l.layout = Beside
		}
		for _, end := range imageEndings {
			if !images[of] && images[of+end] {
				of += end
			}
		}
		if first, ok := masks[of]; ok {
			l.maskProblem(of, "it has two masks, %s and %s: the second is not used", filepath.Base(first), name)
			continue
		}
		masks[of] = filepath.Join(folder.path, name)
	}
	for i := range l.cases {
		l.cases[i].Label = masks[l.cases[i].ID]
	}
	return masks
}

// suffix ends the names of masks in the layout Promise12.
const suffix = "_segmentation"

// partners reports masks without an image and, where every image should have one, images without a mask.
func (l *listing) partners(masks map[string]string, want bool) {
	known := make(map[string]bool)
	for _, c := range l.cases {
		known[c.ID] = true
		if c.Label == "" && want {
			l.maskProblem(c.ID, "it has no mask: used as an unlabelled case")
		}
	}
	var lonely []string
	for id := range masks {
		if !known[id] {
			lonely = append(lonely, id)
		}
	}
	slices.Sort(lonely)
	for _, id := range lonely {
		l.problem(id, true, "the mask %s has no image", filepath.Base(masks[id]))
	}
}
