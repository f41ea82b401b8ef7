package dataset

import (
	"cmp"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
)

// What people call the folders of sequences: anatomical ones, of which one is read first, and others. T1, T2 … may be time points or cases as well.
var (
	anatomical = sequenceName(`t1|t1w|t2|t2w|t2star|t1[-_ ]?(?:c|ce|gd|n)|t2[-_ ]?f|pd|pdw|flair|stir|ct|mprage|space`)
	functional = sequenceName(`adc|dwi|dti|trace|hbv|b[-_ ]?\d+|dce|dsc|swi|sub|perf|cbf|cbv|pet|pt|spect|fdg|psma`)
	numberOnly = regexp.MustCompile(`(?i)^t\d$`)
)

func sequenceName(words string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)^(?:` + words + `)(?:[-_ ]?(?:w|tra|ax|axial|sag|sagittal|cor|coronal|tse|fs|map))*$`)
}

// sequenceFolders recognises a folder whose folders are sequences, such as T2 and ADC, and no cases. This is the one place where that is decided:
//
//   - Where dataset.json names the channels, and the folders are called so, that holds. A list of cases (training) always goes before it.
//   - Else all folders that hold images must be called as sequences are. DICOM headers decide whether they are of one case: folders of different
//     patients (PatientID) or studies are cases, and so are copies of one series. Where headers do not say so names alone decide, but for T1, T2 … which
//     time points are called too: these are cases unless the headers name one patient and one study.
//   - Folders of DICOM files are those of one case, which is called as the folder above them. In folders of image files those of one name, without the
//     sequence's at its end (see withoutSequence), are a case, and single ones are the one case. Behind a letter or digit that end is the sequence's only where all
//     of several names in the folder have it and none of them is in the folder of another sequence.
//
// What is decided by names is told. The first channel is that of dataset.json; else the series that the one DICOM mask says it was drawn on, else an
// anatomical sequence, in the order of the names.
func (l *listing) sequenceFolders(dir string, folder *folder) bool {
	var names, others []string
	told := &listing{noMasks: l.noMasks}
	series := 0
	for _, name := range folder.folders {
		if slices.Contains([]string{"labels", "masks", "seg"}, strings.ToLower(name)) {
			continue
		}
		path := filepath.Join(dir, name)
		if inner, err := readFolder(path); err == nil && len(inner.images) > 0 {
			names = append(names, name)
			continue
		}
		switch found, err := holdsDICOM(path); {
		case found:
			names = append(names, name)
			series++
		case err != nil:
			told.problem("", false, "the folder %s cannot be read, and is not used: %v", name, err)
		default:
			others = append(others, name)
		}
	}
	isNamed := func(name string) bool {
		return slices.ContainsFunc(l.channels, func(c string) bool { return strings.EqualFold(c, name) })
	}
	all := func(is func(string) bool) bool {
		return !slices.ContainsFunc(names, func(name string) bool { return !is(name) })
	}
	named := all(isNamed)
	if len(names) < 2 || series != 0 && series != len(names) ||
		!named && !all(func(name string) bool { return anatomical.MatchString(name) || functional.MatchString(name) }) {
		return false
	}
	order := slices.Clone(l.channels)
	if !named {
		order = names
		slices.SortStableFunc(order, func(a, b string) int {
			rank := func(name string) int {
				if anatomical.MatchString(name) {
					return 0
				}
				return 1
			}
			return cmp.Compare(rank(a), rank(b))
		})
	}
	id := filepath.Base(dir)
	if root, err := filepath.Abs(dir); err == nil {
		id = filepath.Base(root)
	}
	if series > 0 {
		if !named && !l.oneExamination(dir, names, all(numberOnly.MatchString)) {
			return false
		}
		l.cases = []Case{{ID: id, Image: dir}}
	} else if l.cases = l.sequenceFiles(dir, id, order, all(numberOnly.MatchString) && !named); l.cases == nil {
		return false
	}
	l.layout, l.channels = SequenceFolders, order
	l.problems = append(l.problems, told.problems...)
	if series > 0 {
		l.noCases(dir, others)
	}
	if !named {
		l.problem("", false, "the folders %s are taken as sequences of %s, by their names: dataset.json says otherwise, with channel_names or a list of cases (training)",
			strings.Join(order, ", "), count(len(l.cases), "case"))
	}
	return true
}

// oneExamination reports whether headers do not contradict that the series in folders are of one patient and one study, and notes why where they do.
// doubtful says that names alone do not tell.
func (l *listing) oneExamination(dir string, names []string, doubtful bool) bool {
	var known, first dicom.Head
	silent := false
	for n, name := range names {
		h := firstHead(filepath.Join(dir, name))
		what := ""
		switch {
		case known.Patient != "" && h.Patient != "" && h.Patient != known.Patient:
			what = "patients, as their PatientIDs say"
		case known.Study != "" && h.Study != "" && h.Study != known.Study:
			what = "studies, as their UIDs say"
		case n > 0 && h.Series != "" && h.Series == first.Series:
			l.problem("", false, "the folders %s and %s are called as sequences, but hold one series: each folder is a case", names[0], name)
			return false
		}
		if what != "" {
			l.problem("", false, "the folders %s are called as sequences, but are of several %s: each folder is a case", strings.Join(names, ", "), what)
			return false
		}
		silent = silent || h.Patient == "" || h.Study == ""
		known.Patient, known.Study = cmp.Or(known.Patient, h.Patient), cmp.Or(known.Study, h.Study)
		if n == 0 {
			first = h
		}
	}
	if silent && doubtful {
		l.problem("", false, "the folders %s may be sequences of one patient, time points or cases: each is taken as a case; channel_names in dataset.json says that they are sequences", strings.Join(names, ", "))
		return false
	}
	return true
}

// maskFirst makes the sequence the first channel that the mask of the one DICOM case says it was drawn on, unless dataset.json gives the order.
func (l *listing) maskFirst(j *jsonFile) {
	if l.layout != SequenceFolders || len(l.cases) == 0 || j != nil && len(j.channels()) > 0 || l.cases[0].files != nil || l.cases[0].Label == "" || volume.IsImage(l.cases[0].Label) {
		return
	}
	uids := dicom.RefersTo(l.cases[0].Label)
	at := slices.IndexFunc(l.channels, func(name string) bool {
		series := firstHead(filepath.Join(l.cases[0].Image, name)).Series
		return series != "" && slices.Contains(uids, series)
	})
	if at > 0 {
		first := l.channels[at]
		l.channels = append([]string{first}, slices.Delete(l.channels, at, at+1)...)
	}
}

// firstHead reads the header of the first image in a folder and below.
func firstHead(dir string) (head dicom.Head) {
	_ = filepath.WalkDir(dir+string(filepath.Separator), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !dicom.IsFile(path) {
			return nil
		}
		if kind, err := dicom.KindOf(path); err != nil || kind != dicom.Image {
			return nil
		}
		if head, err = dicom.ReadHead(path); err != nil {
			return nil
		}
		return fs.SkipAll
	})
	return head
}

// sequenceFiles makes cases of the image files in the folders of sequences; nil where their names do not tell which belong together. Masks beside
// the images of the first sequence, on whose grid the others are read, are the cases'; what else is not used is told.
func (l *listing) sequenceFiles(dir, id string, order []string, doubtful bool) (cases []Case) {
	files := make([]map[string]string, len(order)) // by case
	masks, told := map[string]string{}, &listing{noMasks: l.noMasks}
	single, shared := true, false
	folders := make([]*folder, len(order))
	in := map[string]int{} // of each name, without a mask's ending, the number of folders that have it
	for n, name := range order {
		folder, err := readFolder(filepath.Join(dir, name))
		if err != nil {
			continue // a channel of dataset.json without a folder
		}
		folders[n] = folder
		for of := range folder.names() {
			in[of]++
		}
	}
	for n, name := range order {
		files[n] = map[string]string{}
		folder := folders[n]
		if folder == nil {
			continue
		}
		names := folder.names()
		bare := len(names) > 1 // whether names end in the sequence's without a separator
		for of := range names {
			bare = bare && in[of] == 1 && withoutSequence(of, name, true) != of
		}
		images := 0
		for _, file := range folder.images {
			of, isMask := CaseOf(volume.TrimExt(file))
			isMask = isMask || volume.IsSegmentation(filepath.Join(folder.path, file))
			of = cmp.Or(withoutSequence(of, name, bare), id)
			kind, to := "images of "+name, files[n]
			switch {
			case isMask && n > 0:
				told.maskProblem(of, "the mask %s in the folder %s is not used: one of the case lies on its image in the folder %s, or in labels", file, name, order[0])
				continue
			case isMask:
				kind, to = "masks", masks
			default:
				images++
				shared = shared || n > 0 && files[0][of] != ""
			}
			if first := to[of]; first != "" {
				if !isMask || !l.noMasks {
					told.problem(of, false, "it has two %s, %s and %s: the second is not used", kind, filepath.Base(first), file)
				}
				continue
			}
			to[of] = filepath.Join(dir, name, file)
		}
		single = single && images == 1
	}
	if !shared && (!single || doubtful) {
		return nil
	}
	seen := map[string]bool{}
	for n := range order {
		for of := range files[n] {
			if seen[of] {
				continue
			}
			seen[of] = true
			c := Case{ID: of, files: make([]string, len(order))}
			for m := range order {
				c.files[m] = files[m][of]
			}
			cases = append(cases, c)
		}
	}
	if !shared { // one file in each folder, whatever they are called
		c := Case{ID: id, files: make([]string, len(order))}
		for n := range order {
			for of, path := range files[n] {
				c.files[n] = path
				if mask := masks[of]; n == 0 && mask != "" {
					delete(masks, of)
					masks[id] = mask
				}
			}
		}
		cases = []Case{c}
	}
	for i := range cases {
		c := &cases[i]
		if c.Image = c.files[0]; c.Image != "" {
			c.Label = masks[c.ID]
			delete(masks, c.ID)
		}
	}
	told.partners(masks, false)
	l.problems = append(l.problems, told.problems...)
	return cases
}

// names returns what the images and masks of a folder are called, without the endings of masks.
func (f *folder) names() map[string]bool {
	names := map[string]bool{}
	for _, file := range f.images {
		of, _ := CaseOf(volume.TrimExt(file))
		names[of] = true
	}
	return names
}

// withoutSequence returns the case of a file in the folder of a sequence: its name without that of the sequence at the end, letter case aside, "" where there is nothing
// else. It is cut behind a separator; without one, as in p1T2 but also in subject2, only where bare says that the folder's files are called so.
func withoutSequence(file, sequence string, bare bool) string {
	at := len(file) - len(sequence)
	if at < 0 || !strings.EqualFold(file[at:], sequence) {
		return file
	}
	if of := strings.TrimRight(file[:at], "-_. "); of == "" || len(of) < at || bare {
		return of
	}
	return file
}

// withoutFirst leaves out cases that lack the first sequence, on whose grid the others are read.
func (l *listing) withoutFirst() {
	l.cases = slices.DeleteFunc(l.cases, func(c Case) bool {
		if c.files != nil && c.Image == "" {
			l.problem(c.ID, true, "it has no channel %s, on which the others lie: there is no image of it in the folder %s", l.channels[0], l.channels[0])
			return true
		}
		return false
	})
}

// missing says which sequence a case lacks.
func (c *Case) missing(channel Channel) error {
	return fmt.Errorf("it has no channel %s: there is no image of %s in the folder of that name", channel, c.ID)
}
