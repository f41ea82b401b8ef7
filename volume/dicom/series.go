package dicom

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/internal/parallel"
	"github.com/nextslice/nextslice/volume"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// Series is a stack of parallel image planes, sorted along their normal.
type Series struct {
	UID, Description, Modality, Patient string
	Frame                               string // UID of the frame of reference: positions of series with another one cannot be compared with its own
	// ID chooses the series in Find: its UID, followed by #1, #2 ... where several series of a folder have the same.
	ID string
	// Part says what tells the series apart from others with its UID: "echo time 30", "localiser". It may be "".
	Part string
	volume.Grid
	Stored string // type of the pixels: "int16", "uint8" ...
	// Windows are those of the first slice, in the order in which the header has them.
	Windows []Window
	// Warnings say what is doubtful about the grid, one line each: missing slices, uneven spacing, no position.
	Warnings []string

	// Damaged is not nil where a file of the series cannot be read. Such a series is not whole, and reading it fails.
	Damaged error

	slices []slice
}

// Window is a range of values to show, with the header's word for it, which may be "".
type Window struct {
	Name      string
	Low, High float64
}

// Files returns the files of the series in the order of its slices. A multi-frame file is named once.
func (s *Series) Files() []string {
	var out []string
	for _, x := range s.slices {
		if !slices.Contains(out, x.name) {
			out = append(out, x.name)
		}
	}
	return out
}

// Packings counts the files of the series by what their pixels are packed with. Those that are not packed do not count.
func (s *Series) Packings() map[string]int {
	out := map[string]int{}
	seen := map[*file]bool{}
	for _, x := range s.slices {
		if packing := Packing(x.syntax); packing != "" && !seen[x.file] {
			out[packing]++
		}
		seen[x.file] = true
	}
	return out
}

// String describes the series in one line, with its ID at the end.
func (s *Series) String() string {
	part := s.Part
	if part != "" {
		part = printable(part) + ", "
	}
	return fmt.Sprintf("%s %q, %d x %d x %d, %sseries %s", printable(s.Modality), printable(s.Description), s.Size[0], s.Size[1], s.Size[2], part, s.ID)
}

// has reports whether a UID is the series' own, or that of one of the slices that were joined to it.
func (s *Series) has(uid string) bool {
	return slices.ContainsFunc(s.slices, func(x slice) bool { return clean(x.text(tag.SeriesInstanceUID)) == uid })
}

// Problem is a file that looks like DICOM and could not be used.
type Problem struct{ File, Text string }

// Scan reads the headers of all DICOM files in a folder and below, and returns its image series, largest first, and the files
// that should have been images and could not be read. Files that are not DICOM, or DICOM objects of another kind, are passed
// over. Images of one series UID become several series where their orientation or size differs, where some are localisers, or where
// several lie at the same place (echoes, time points). Slices with a series UID each are joined to one where all else agrees.
//
// Of copies of an image (one SOP instance UID, one place, the same pixels) the first is used, and of slices acquired again the one of the
// lowest instance number.
//
// A file that is cut short or damaged makes the series that it belongs to damaged, and where it does not tell which, all series in its folder.
func Scan(dir string) ([]*Series, []Problem, error) { return scan(dir, "") }

// damage is a file that cannot be read, and what is known of it, which may be nil.
type damage struct {
	path   string
	header *file
	err    error
}

// hurts reports whether a series may lack the image of a damaged file: where the series UID says so, or where that could not be read and
// files of the series lie in the same folder; but not where the series has another copy of the image.
func (d damage) hurts(s *Series) bool {
	uid := ""
	if d.header != nil {
		uid = clean(d.header.text(tag.SeriesInstanceUID))
	}
	if uid == "" {
		return slices.ContainsFunc(s.Files(), func(name string) bool { return filepath.Dir(name) == filepath.Dir(d.path) })
	}
	copied := slices.ContainsFunc(s.slices, func(x slice) bool {
		for _, t := range []tag.Tag{tag.SOPInstanceUID, tag.InstanceNumber, tag.ImagePositionPatient} {
			if !slices.Equal(x.texts(t), d.header.texts(t)) {
				return false
			}
		}
		return true
	})
	return s.has(uid) && !copied
}

// scan is Scan, but of copies and of slices acquired again the preferred file is used.
func scan(dir, preferred string) ([]*Series, []Problem, error) {
	var paths []string
	root := dir + string(filepath.Separator) // so that a linked folder is walked like others
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.Type().IsRegular() {
			if d.Type()&fs.ModeSymlink == 0 {
				return nil
			}
			if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() { // linked folders are not followed: they may form a ring
				return nil
			}
		}
		paths = append(paths, path)
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", dir, err)
	}
	heads := make([]head, len(paths))
	parallel.For(len(paths), parallel.All, func(i int) { heads[i] = readHead(paths[i]) })
	var all []slice
	seen := map[string][][]slice{} // files by SOP instance UID
	var problems []Problem
	var damaged []damage
	for i, path := range paths {
		f, planes, err := heads[i].file, heads[i].planes, heads[i].err
		var other errNotImage
		var colour errColour
		switch {
		case errors.As(err, &other):
			continue
		case errors.Is(err, errNotDICOM), errors.As(err, &colour):
			problems = append(problems, Problem{path, err.Error()})
			continue
		case err != nil:
			problems = append(problems, Problem{path, err.Error()})
			damaged = append(damaged, damage{path, f, err})
			continue
		case f == nil: // not DICOM at all
			continue
		}
		uid := f.text(tag.SOPInstanceUID)
		at := slices.IndexFunc(seen[uid], func(old []slice) bool { return uid != "" && sameImages(old, planes) })
		if at < 0 {
			for i := range planes {
				planes[i].preferred = path == preferred
			}
			seen[uid] = append(seen[uid], planes)
			all = append(all, planes...)
			continue
		}
		first := seen[uid][at][0].name
		if path != preferred {
			problems = append(problems, Problem{path, "a copy of " + filepath.Base(first)})
			continue
		}
		all = slices.DeleteFunc(all, func(s slice) bool { return s.name == first })
		problems = append(problems, Problem{first, "a copy of " + filepath.Base(path)})
		seen[uid][at] = planes
		all = append(all, planes...)
	}
	series, faults := group(all)
	for _, s := range series {
		if at := slices.IndexFunc(damaged, func(d damage) bool { return d.hurts(s) }); at >= 0 {
			s.Damaged = fmt.Errorf("%s cannot be read (%w), so the series may lack slices: get the file again, or move it away to do without",
				filepath.Base(damaged[at].path), damaged[at].err)
		}
	}
	return series, append(problems, faults...), nil
}

// sameImages reports whether two files hold the same planes at the same places, pixel by pixel.
func sameImages(a, b []slice) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].rows != b[i].rows || a[i].columns != b[i].columns || a[i].placed != b[i].placed || a[i].position != b[i].position ||
			a[i].right != b[i].right || a[i].down != b[i].down || a[i].slope != b[i].slope || a[i].intercept != b[i].intercept {
			return false
		}
	}
	p, err := a[0].openFrames(a[0].rows, a[0].columns)
	if err != nil {
		return false
	}
	defer p.close()
	q, err := b[0].openFrames(b[0].rows, b[0].columns)
	if err != nil {
		return false
	}
	defer q.close()
	for i := range a {
		x, err := p.frame(a[i].frame)
		if err != nil {
			return false
		}
		y, err := q.frame(b[i].frame)
		if err != nil || !slices.Equal(x, y) {
			return false
		}
	}
	return true
}

// head is what the header of a file says: nothing where the file is not DICOM.
type head struct {
	file   *file
	planes []slice
	err    error
}

func readHead(path string) (h head) {
	if !IsFile(path) {
		return h
	}
	if h.file, h.err = openFile(path); h.err == nil {
		h.planes, h.err = h.file.slices()
	}
	return h
}

// IsFile reports whether a file has the magic of DICOM, a name of a DICOM file, or begins with an element as data sets without
// meta information do. A folder is none.
func IsFile(path string) bool {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return false
	}
	if volume.IsDICOM(path) {
		return true
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 132)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.ErrUnexpectedEOF {
		return false
	}
	head = head[:n]
	return n == len(head) && n == 132 && string(head[128:]) == "DICM" || bareSyntax(head) != "" || bytes.HasPrefix(head, []byte(bareMeta))
}

// Read reads the one series of a folder, or the series in its folder that a file belongs to; see Find. The warnings are the
// series' own and one for every file left out.
func Read(path string) (*volume.Volume, []string, error) {
	s, warnings, err := Find(path, "")
	if err != nil {
		return nil, nil, err
	}
	v, err := s.Read()
	return v, warnings, err
}

// Find returns the one series of a folder, or the series in its folder that a file belongs to; of several, the one whose ID or UID
// is id, else the only one that is no localiser. It fails where there is still none or more than one, and names them, and where a file of the
// series is damaged. The warnings are the series' own and one for every file left out.
func Find(path, id string) (*Series, []string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", path, err)
	}
	path = filepath.Clean(path)
	dir := path
	if !info.IsDir() {
		dir = filepath.Dir(path)
		f, err := openFile(path)
		if err == nil {
			_, err = f.slices()
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read %s: %w", path, err)
		}
	}
	all, problems, err := scan(dir, path)
	if err != nil {
		return nil, nil, err
	}
	var warnings []string
	chosen := slices.DeleteFunc(slices.Clone(all), func(s *Series) bool {
		return !info.IsDir() && !slices.Contains(s.Files(), path) || id != "" && s.ID != id && !s.has(id)
	})
	if exact := slices.IndexFunc(chosen, func(s *Series) bool { return s.ID == id }); exact >= 0 {
		chosen = chosen[exact : exact+1]
	}
	if images := slices.DeleteFunc(slices.Clone(chosen), (*Series).Localiser); len(images) == 1 && len(chosen) > 1 {
		for _, s := range chosen {
			if s.Localiser() {
				warnings = append(warnings, "a localiser was left out: "+s.String())
			}
		}
		chosen = images
	}
	switch {
	case len(chosen) == 0 && id != "" && len(all) > 0:
		return nil, nil, fmt.Errorf("read %s: no series %s; there are %s", path, id, listSeries(all))
	case len(chosen) == 0 && len(problems) > 0:
		return nil, nil, fmt.Errorf("read %s: no image series; %s: %s", path, filepath.Base(problems[0].File), problems[0].Text)
	case len(chosen) == 0:
		return nil, nil, fmt.Errorf("read %s: no DICOM image in it", path)
	case len(chosen) > 1:
		several := &volume.ChoiceError{Of: "series", Text: fmt.Sprintf("%d series, choose one: %s", len(chosen), listSeries(chosen))}
		for _, s := range chosen {
			several.Choices = append(several.Choices, s.ID)
		}
		return nil, nil, fmt.Errorf("read %s: %w", path, several)
	case chosen[0].Damaged != nil:
		return nil, nil, fmt.Errorf("read %s: %w", path, chosen[0].Damaged)
	}
	warnings = slices.Concat(chosen[0].Warnings, warnings)
	for _, p := range problems {
		warnings = append(warnings, fmt.Sprintf("%s was left out: %s", filepath.Base(p.File), p.Text))
	}
	return chosen[0], warnings, nil
}

// Localiser reports whether the series is pictures that others are planned on, as its image type says.
func (s *Series) Localiser() bool { return s.slices[0].localiser() }

func listSeries(all []*Series) string {
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = s.String()
	}
	return strings.Join(names, "; ")
}

// describe fills in what the series says of itself.
func (s *Series) describe() error {
	first := s.slices[0]
	s.UID = clean(first.text(tag.SeriesInstanceUID))
	s.Description = clean(first.text(tag.SeriesDescription))
	s.Modality = clean(first.text(tag.Modality))
	s.Patient = clean(first.text(tag.PatientID))
	s.Frame = clean(first.text(tag.FrameOfReferenceUID))
	s.Windows = first.windows()
	p, err := first.pixelFormat()
	if err != nil {
		return err
	}
	s.Stored = p.name()
	return nil
}
