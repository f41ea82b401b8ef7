package volume

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Volume is a 3-D image of one value per voxel. A 2-D image is a volume of one slice.
type Volume struct {
	Grid
	// Data holds the values in the order of Grid, after the scaling that the header asks for. NaN and infinities are
	// kept as the file has them.
	Data []float32
	// Stored is the type of the voxels in the file, before scaling: "int8" ... "uint64", "float32", "float64".
	Stored string
}

// Mask is a 3-D image of class indices; 0 is the background.
type Mask struct {
	Grid
	Data []uint8
	// Rounded counts the voxels whose value in the file was not a whole number; see ReadMask. Only what ReadMask returns has it.
	Rounded int
}

// Ignored is the class of voxels that nobody has labelled or is sure of: they carry no loss and count in no measure. It is so only
// where a data set or a project says so, and where there are fewer than 256 classes.
const Ignored = 255

// Read reads an image. The format follows from the name's extension (see IsImage); the content must agree, a file that
// carries another format's extension is refused. Whole numbers beyond 2^24 are rounded to float32. Colour images and complex
// numbers are refused, and so are files of more than one channel: see ReadChannel.
func Read(path string) (*Volume, error) { return ReadChannel(path, OnlyChannel) }

// OnlyChannel is the choice of whoever expects one channel: the only one of an image, an error where there are more.
const OnlyChannel = -1

// ReadChannel is Read for 4-D files: of the images along the fourth axis (channels of an MR examination, points in time)
// or of several values per voxel it reads one, counted from 0. An image of one channel has the channel 0.
func ReadChannel(path string, channel int) (*Volume, error) {
	m, fsys, err := open(path)
	if err != nil {
		return nil, err
	}
	data, err := m.read(fsys, channel)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return &Volume{Grid: m.grid, Data: data, Stored: string(m.stored)}, nil
}

// ReadMask reads a mask from a file of any type of number. A value that is not a whole number from 0 to 255 is an error
// that names the voxel. One that is off by no more than 0.01, as labels are that were stored as scaled integers, is read as the
// whole number; where it is more than the 1e-4 that rounding alone explains, Mask.Rounded counts it. The layers of a
// .seg.nrrd are put together as by Segmentation.Mask.
func ReadMask(path string) (*Mask, error) {
	m, fsys, err := open(path)
	if err != nil {
		return nil, err
	}
	mask, err := m.readMask(fsys)
	return mask, named("read", path, err)
}

// named says what was done to which file when an error came; nil stays nil.
func named(what, path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", what, path, err)
}

// readMask reads the voxels of a mask; layers of a segmentation are put together.
func (m image) readMask(fsys fs.FS) (*Mask, error) {
	data, rounded, err := m.readClasses(fsys)
	if err != nil {
		return nil, err
	}
	if m.layers < 2 {
		return &Mask{Grid: m.grid, Data: data, Rounded: rounded}, nil
	}
	s, err := m.segmentation(data)
	if err != nil {
		return nil, err
	}
	mask, _, err := s.Mask()
	return mask, err
}

// Header is what a file says before its voxels are read.
type Header struct {
	Grid
	Stored   string // type of the voxels, as in Volume
	Channels int    // at least 1
}

// ReadHeader reads only the header of an image.
func ReadHeader(path string) (Header, error) {
	m, _, err := open(path)
	if err != nil {
		return Header{}, err
	}
	return Header{m.grid, string(m.stored), max(1, m.channels)}, nil
}

// format is the name of a file format.
type format string

const (
	nifti       format = "NIfTI"
	metaImage   format = "MetaImage"
	nrrd        format = "NRRD"
	picturePNG  format = "PNG"
	pictureJPEG format = "JPEG"
	pictureTIFF format = "TIFF"
)

// extensions lists the known names, longer ones before those they end in.
var extensions = []struct {
	ext    string
	format format
}{
	{".nii.gz", nifti}, {".nii", nifti},
	{".hdr.gz", nifti}, {".hdr", nifti}, {".img.gz", nifti}, {".img", nifti},
	{".mha", metaImage}, {".mhd", metaImage},
	{".seg.nrrd", nrrd}, {".nrrd", nrrd}, {".nhdr", nrrd},
	{".png", picturePNG}, {".jpg", pictureJPEG}, {".jpeg", pictureJPEG}, {".tif", pictureTIFF}, {".tiff", pictureTIFF},
}

// extension returns the known extension of a file's name in lower case, and the format it stands for.
func extension(name string) (string, format) {
	lower := strings.ToLower(name)
	for _, e := range extensions {
		if strings.HasSuffix(lower, e.ext) && len(lower) > len(e.ext) {
			return e.ext, e.format
		}
	}
	return "", ""
}

// IsImage reports whether a file's name has the extension of a format that Read knows. Of a pair of files only the
// header counts: .hdr, not .img; .mhd, not .raw.
func IsImage(name string) bool {
	ext, format := extension(name)
	return format != "" && !strings.HasPrefix(ext, ".img") && !strings.HasPrefix(filepath.Base(name), ".")
}

// IsPicture reports whether a file's name is that of a PNG, JPEG or TIFF file.
func IsPicture(name string) bool {
	_, format := extension(name)
	return format == picturePNG || format == pictureJPEG || format == pictureTIFF
}

// IsSegmentation reports whether a file is one of named segments: it is called .seg.nrrd, or is an NRRD file of another name whose header names segments, which is read. Where it cannot be
// read the name decides.
func IsSegmentation(path string) bool {
	ext, format := extension(path)
	if format != nrrd || ext == ".seg.nrrd" {
		return ext == ".seg.nrrd"
	}
	fsys, name := folderOf(path)
	keys, err := nrrdKeys(fsys, name)
	return err == nil && namesSegments(keys)
}

// WritesSegments reports whether a file of this name is written with the names of its segments: .seg.nrrd.
func WritesSegments(name string) bool {
	ext, _ := extension(name)
	return ext == ".seg.nrrd"
}

// IsDICOM reports whether a file's name is that of a DICOM file. Many DICOM files have other names.
func IsDICOM(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".dcm", ".dicom", ".ima":
		return true
	}
	return false
}

// TrimExt returns a file's name without the extension of an image or of a DICOM file: "a" for "a.nii.gz". Other names are
// returned as they are.
func TrimExt(name string) string {
	if IsDICOM(name) {
		return strings.TrimSuffix(name, filepath.Ext(name))
	}
	ext, _ := extension(name)
	return name[:len(name)-len(ext)]
}

// ChoiceError says that a path holds several images of which none was chosen.
type ChoiceError struct {
	Of      string   // what there are several of: "channels" or "series"
	Choices []string // the numbers of the channels, or the UIDs of the series
	Text    string   // the same for people
}

func (e *ChoiceError) Error() string { return e.Text }

// open parses the header of the image at p and returns the folder that the file names in the header are relative to. Its
// error names p.
func open(p string) (image, fs.FS, error) {
	fsys, name := folderOf(p)
	m, err := parse(fsys, name)
	return m, fsys, named("read", p, err)
}

// folderOf returns the folder of a file, and its name there.
func folderOf(p string) (fsys fs.FS, name string) {
	dir, name := filepath.Split(p)
	if dir == "" {
		dir = "."
	}
	return os.DirFS(dir), name
}

// parse finds the format of a file and parses its header. The grid it returns has passed Check.
func parse(fsys fs.FS, name string) (image, error) {
	ext, format := extension(name)
	var m image
	var err error
	switch format {
	case nifti:
		m, err = parseNIfTI(fsys, name, ext)
	case metaImage:
		m, err = parseMetaImage(fsys, name)
	case nrrd:
		m, err = parseNRRD(fsys, name)
	case picturePNG, pictureJPEG, pictureTIFF:
		m, err = parsePicture(fsys, name, format)
	default:
		switch other := sniff(fsys, name); other {
		case "":
			return m, fmt.Errorf("unknown extension %q: known are %s", path.Ext(name), known())
		case "DICOM":
			return m, errors.New("a DICOM file, which belongs to a series: name the folder of the series")
		default:
			return m, fmt.Errorf("unknown extension %q of a file whose content is %s: rename it", path.Ext(name), other)
		}
	}
	if err != nil {
		if other := sniff(fsys, name); other != "" && other != format {
			return m, fmt.Errorf("the file has the name of a %s file, but its content is %s: rename or convert it", format, other)
		}
		return m, err
	}
	m.grid.flatAxis()
	if err := m.grid.Check(); err != nil {
		return m, fmt.Errorf("%s header: %w", format, err)
	}
	for what, n := range map[string]int{"layers": m.layers, "channels": m.channels} {
		if n > MaxVoxels/m.grid.Len() {
			return m, fmt.Errorf("%s header: %d %s of %d voxels are more than the %d that fit", format, n, what, m.grid.Len(), MaxVoxels)
		}
	}
	return m, nil
}

func known() string {
	var names []string
	for _, e := range extensions {
		names = append(names, e.ext)
	}
	return strings.Join(names, ", ")
}

// sniff names the format of a file's content by its first bytes, "" if it is not known: the reason to give when a file
// cannot be read under its name.
func sniff(fsys fs.FS, name string) format {
	data, _, err := head(fsys, name, 352)
	if err != nil {
		return ""
	}
	at := func(offset int, magic string) bool {
		return len(data) >= offset && bytes.HasPrefix(data[offset:], []byte(magic))
	}
	switch {
	case at(344, "n+1\x00"), at(344, "ni1\x00"), at(4, "n+2\x00"), at(4, "ni2\x00"):
		return nifti
	case at(0, "ObjectType"), at(0, "NDims"):
		return metaImage
	case at(0, "NRRD"):
		return nrrd
	case at(128, "DICM"):
		return "DICOM"
	case at(0, "\x89PNG"):
		return picturePNG
	case at(0, "\xff\xd8\xff"):
		return pictureJPEG
	case at(0, "II*\x00"), at(0, "MM\x00*"):
		return pictureTIFF
	case at(0, "\x89HDF"):
		return "HDF5"
	case at(0, "PK\x03\x04"):
		return "a zip archive"
	}
	return ""
}
