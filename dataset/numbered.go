package dataset

import (
	"cmp"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/volume"
)

// channelsIn returns the names X of a folder's images X_0000, X_0001 … that have a first channel, and whether its images are named so: four
// digits at the end are a channel where all images have them, one is the first channel, and no mask has an image's whole name.
func channelsIn(folder *folder, labels string) (first map[string]bool, ok bool) {
	whole := map[string]bool{}
	if masks, err := readFolder(labels); err == nil {
		for _, name := range masks.images {
			whole[volume.TrimExt(name)] = true
		}
	}
	all := true
	first = map[string]bool{}
	for _, name := range folder.images {
		id := volume.TrimExt(name)
		all = all && numbered(id) && !whole[id]
		if of, ok := strings.CutSuffix(id, firstChannel); ok {
			first[of] = true
		}
	}
	return first, all && len(first) > 0
}

// numbered lists a folder of images X_0000, X_0001 ….
func (l *listing) numbered(folder *folder, labels string, first map[string]bool) error {
	for _, name := range folder.images {
		if id := volume.TrimExt(name); !first[id[:len(id)-len(firstChannel)]] {
			l.problem(id, true, "there is no first channel %s", id[:len(id)-len(firstChannel)]+firstChannel)
		}
	}
	l.layout = NNUNet
	more := 0
	err := l.pairFolders(folder.path, labels, len(firstChannel), func(name string) bool {
		first := strings.HasSuffix(volume.TrimExt(name), firstChannel)
		if !first {
			more++
		}
		return first
	})
	l.further(more)
	return err
}

// further tells that images of further channels are not read.
func (l *listing) further(images int) {
	if images > 0 {
		l.problem("", false, "%s of further channels (_0001 …): "+oneIsRead, count(images, "image"))
	}
}

// mostChannels is how many images X_0000, X_0001 … of one X are its channels where there are several X, and mostOfOne where there is one: more are frames, or cases that are counted.
const mostChannels, mostOfOne = 16, 4

// areChannels reports whether the images of a folder are channels, and not scans, slices or patients that are counted. This is the one place where that is decided for folders whose layout does not say so:
//
//   - All are called X_0000, X_0001 …, some X has the first of these and another one, and none has more than mostChannels.
//   - There are two different X at least, or no more than mostOfOne images of the one X, or as dataset.json names (channel_names).
//   - No X ends in a word that a scan's number follows, such as slice, frame or visit.
//   - They are no pictures.
//   - Folders of DICOM files of one X are not of several patients, as their PatientIDs say. Where they are, that is told.
//
// In nnU-Net's folders imagesTr and imagesTs only the first and the last of these count.
func (l *listing) areChannels() bool {
	if l.layout == NNUNet || l.layout == SequenceFolders || len(l.cases) == 0 {
		return false
	}
	of := map[string][]Case{}
	some, most, doubtful := false, 0, false
	for _, c := range l.cases {
		if !numbered(c.ID) {
			return false
		}
		x := c.ID[:len(c.ID)-len(firstChannel)]
		of[x] = append(of[x], c)
		most = max(most, len(of[x]))
		doubtful = doubtful || scanWord.MatchString(x) || volume.IsPicture(c.Image)
	}
	for x, images := range of {
		some = some || len(images) > 1 && slices.ContainsFunc(images, func(c Case) bool { return c.ID == x+firstChannel })
	}
	if !some || most > mostChannels {
		return false
	}
	in := filepath.Dir(l.cases[0].Image)
	if abs, err := filepath.Abs(in); err == nil {
		in = filepath.Base(abs)
	}
	if in != "imagesTr" && in != "imagesTs" && (doubtful || len(of) == 1 && most > max(mostOfOne, len(l.channels))) {
		return false
	}
	for _, x := range slices.Sorted(maps.Keys(of)) {
		if len(of[x]) > 1 && severalPatients(of[x]) {
			var names []string
			for _, c := range of[x] {
				names = append(names, c.ID)
			}
			l.problem("", false, "%s: called as channels of one case, but of several patients, as their PatientIDs say: each folder is a case", countNames("folder", names))
			return false
		}
	}
	return true
}

// severalPatients reports whether folders of DICOM files have different PatientIDs; files of other formats have none.
func severalPatients(cases []Case) bool {
	known := ""
	for _, c := range cases {
		if !isFolder(c.Image) {
			continue
		}
		patient := firstHead(c.Image).Patient
		if known != "" && patient != "" && patient != known {
			return true
		}
		known = cmp.Or(known, patient)
	}
	return false
}

// groupChannels makes one case X of the images X_0000, X_0001 … of a folder, in whichever layout they were found and however many channels are read in the end. They stay cases where an image has
// a mask of its whole name, with an ending of CaseOf or not, or another than the first has one.
func (l *listing) groupChannels(masks map[string]string) {
	first := map[string]bool{}
	for _, c := range l.cases {
		x, isFirst := strings.CutSuffix(c.ID, firstChannel)
		if c.Label != "" && (!isFirst || isMaskOf(c.Label, c.ID)) {
			return
		}
		first[x] = first[x] || isFirst
	}
	more := 0
	l.layout = NNUNet
	l.cases = slices.DeleteFunc(l.cases, func(c Case) bool {
		x := c.ID[:len(c.ID)-len(firstChannel)]
		switch {
		case !first[x]:
			l.problem(c.ID, true, "there is no first channel %s", x+firstChannel)
		case c.ID != x+firstChannel:
			more++
		}
		return c.ID != x+firstChannel
	})
	for i := range l.cases {
		c := &l.cases[i]
		x := strings.TrimSuffix(c.ID, firstChannel)
		if mask, ok := masks[c.ID]; ok {
			delete(masks, c.ID)
			masks[x] = mask
		}
		c.ID = x
	}
	l.further(more)
}

// isMaskOf reports whether a mask is called as an image: by its whole name, with an ending of CaseOf or not.
func isMaskOf(mask, id string) bool {
	name := volume.TrimExt(filepath.Base(mask))
	of, _ := CaseOf(name)
	return name == id || of == id
}
