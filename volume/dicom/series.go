package dicom

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/volume"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// Series is a stack of parallel image planes, sorted along their normal.
type Series struct {
	UID, Description, Modality, Patient string
	volume.Grid
	Stored string // type of the pixels: "int16", "uint8" ...
	// Warnings say what is doubtful about the grid, one line each: missing slices, uneven spacing, no position.
	Warnings []string

	slices []slice
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

// String describes the series in one line.
func (s *Series) String() string {
	return fmt.Sprintf("%s %q, %d x %d x %d, series %s", s.Modality, printable(s.Description), s.Size[0], s.Size[1], s.Size[2], s.UID)
}

// Problem is a file that looks like DICOM and could not be used.
type Problem struct{ File, Text string }

// Scan reads the headers of all DICOM files in a folder and below, and returns its image series, largest first, and the files
// that should have been images and could not be read. Files that are not DICOM, or DICOM objects of another kind, are passed
// over. Images of one series UID become several series where their orientation or size differs, or where several lie at
// the same place (echoes, time points).
//
// Of copies of an image (one SOP instance UID) the first is used.
func Scan(dir string) ([]*Series, []Problem, error) { return scan(dir, "") }

// scan is Scan, but of copies the preferred file is used.
func scan(dir, preferred string) ([]*Series, []Problem, error) {
	var all []slice
	seen := map[string]string{} // files by SOP instance UID
	var problems []Problem
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
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
		if !IsFile(path) {
			return nil
		}
		f, err := openFile(path)
		var planes []slice
		if err == nil {
			planes, err = f.slices()
		}
		var other errNotImage
		switch {
		case errors.As(err, &other):
		case err != nil:
			problems = append(problems, Problem{path, err.Error()})
		default:
			uid := f.text(tag.SOPInstanceUID)
			if first := seen[uid]; first != "" && uid != "" {
				if path != preferred {
					problems = append(problems, Problem{path, "a copy of " + filepath.Base(first)})
					return nil
				}
				all = slices.DeleteFunc(all, func(s slice) bool { return s.name == first })
				problems = append(problems, Problem{first, "a copy of " + filepath.Base(path)})
			}
			seen[uid] = path
			all = append(all, planes...)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", dir, err)
	}
	series, faults := group(all)
	return series, append(problems, faults...), nil
}

// IsFile reports whether a file has the magic of DICOM, or a name of a DICOM file. A folder is none.
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
	magic := make([]byte, 4)
	_, err = f.ReadAt(magic, 128)
	return err == nil && string(magic) == "DICM"
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

// Find returns the one series of a folder, or the series in its folder that a file belongs to; of several, the one whose UID
// is uid. It fails where there is still none or more than one, and names them. The warnings are the series' own and one for
// every file left out.
func Find(path, uid string) (*Series, []string, error) {
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
	var chosen []*Series
	for _, s := range all {
		if (info.IsDir() || slices.Contains(s.Files(), path)) && (uid == "" || s.UID == uid) {
			chosen = append(chosen, s)
		}
	}
	switch {
	case len(chosen) == 0 && uid != "" && len(all) > 0:
		return nil, nil, fmt.Errorf("read %s: no series %s; there are %s", path, uid, listSeries(all))
	case len(chosen) == 0 && len(problems) > 0:
		return nil, nil, fmt.Errorf("read %s: no image series; %s: %s", path, filepath.Base(problems[0].File), problems[0].Text)
	case len(chosen) == 0:
		return nil, nil, fmt.Errorf("read %s: no DICOM image in it", path)
	case len(chosen) > 1:
		several := &volume.ChoiceError{Of: "series", Text: fmt.Sprintf("%d series, choose one: %s", len(chosen), listSeries(chosen))}
		for _, s := range chosen {
			several.Choices = append(several.Choices, s.UID)
		}
		return nil, nil, fmt.Errorf("read %s: %w", path, several)
	}
	warnings := slices.Clone(chosen[0].Warnings)
	for _, p := range problems {
		warnings = append(warnings, fmt.Sprintf("%s was left out: %s", filepath.Base(p.File), p.Text))
	}
	return chosen[0], warnings, nil
}

func listSeries(all []*Series) string {
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = s.String()
	}
	return strings.Join(names, "; ")
}

// Read reads the voxels, with the rescale slope and intercept of every slice applied.
func (s *Series) Read() (*volume.Volume, error) {
	v := &volume.Volume{Grid: s.Grid, Stored: s.Stored, Data: make([]float32, 0, s.Len())}
	var open *frameReader
	defer func() {
		if open != nil {
			open.close()
		}
	}()
	for _, x := range s.slices {
		if open == nil || open.file != x.file {
			if open != nil {
				open.close()
			}
			var err error
			if open, err = x.openFrames(x.rows, x.columns); err != nil {
				return nil, fmt.Errorf("read %s: %w", x.name, err)
			}
		}
		pixels, err := open.frame(x.frame)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", x.name, err)
		}
		for _, p := range pixels {
			v.Data = append(v.Data, float32(x.slope*float64(p)+x.intercept))
		}
	}
	return v, nil
}

// describe fills in what the series says of itself.
func (s *Series) describe() error {
	first := s.slices[0]
	s.UID = printable(first.text(tag.SeriesInstanceUID))
	s.Description = printable(first.text(tag.SeriesDescription))
	s.Modality = printable(first.text(tag.Modality))
	s.Patient = printable(first.text(tag.PatientID))
	p, err := first.pixelFormat()
	if err != nil {
		return err
	}
	s.Stored = p.name()
	return nil
}
