package volume

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// maxTextHeader bounds the length of a text header: a file without line ends is not one.
const maxTextHeader = 1 << 20

// metaTypes maps ElementType to scalars. MET_LONG has four bytes on every system.
var metaTypes = map[string]scalar{
	"MET_CHAR": "int8", "MET_UCHAR": "uint8", "MET_SHORT": "int16", "MET_USHORT": "uint16",
	"MET_INT": "int32", "MET_UINT": "uint32", "MET_LONG": "int32", "MET_ULONG": "uint32",
	"MET_LONG_LONG": "int64", "MET_ULONG_LONG": "uint64", "MET_FLOAT": "float32", "MET_DOUBLE": "float64",
}

// metaAliases maps the older names of fields to the present ones.
var metaAliases = map[string]string{
	"orientation": "transformmatrix", "rotation": "transformmatrix",
	"origin": "offset", "position": "offset",
	"elementbyteordermsb": "binarydatabyteordermsb",
}

// parseMetaImage parses the header of a MetaImage file (https://itk.org/Wiki/MetaIO/Documentation): .mha with the
// voxels behind the header or .mhd that names their file.
//
// The world of the format is LPS. TransformMatrix lists the directions of the index axes one after the other, as ITK
// reads it. Without ElementSpacing (and ElementSize, its stand-in) the unit is Voxel.
func parseMetaImage(fsys fs.FS, name string) (image, error) {
	var m image
	data, packed, err := head(fsys, name, maxTextHeader)
	if err != nil {
		return m, err
	}
	if packed {
		return m, errors.New("a gzip file; a MetaImage compresses its voxels, not its header: decompress it")
	}
	fields, length, err := metaFields(data)
	if err != nil {
		return m, err
	}
	if m.grid, m.channels, err = metaGrid(fields); err != nil {
		return m, err
	}
	if text, ok := fields["elementnumberofchannels"]; ok {
		n, err := whole("ElementNumberOfChannels", text, 1)
		if err != nil || len(n) != 1 {
			return m, fmt.Errorf("ElementNumberOfChannels = %q, want a number from 1 on", shorten(text))
		}
		if n[0] > 1 && m.channels > 1 {
			return m, fmt.Errorf("a 4-D image (DimSize = %s) of %d channels: split it first", shorten(fields["dimsize"]), n[0])
		}
		if n[0] > 1 {
			m.channels, m.interleaved = n[0], true
		}
	}
	var ok bool
	if m.stored, ok = metaTypes[strings.ToUpper(fields["elementtype"])]; !ok {
		return m, fmt.Errorf("ElementType = %q is not supported", shorten(fields["elementtype"]))
	}
	if m.bigEndian, err = metaBool(fields, "BinaryDataByteOrderMSB", false); err != nil {
		return m, err
	}
	binary, err := metaBool(fields, "BinaryData", true)
	if err != nil {
		return m, err
	}
	m.ascii = !binary
	compressed, err := metaBool(fields, "CompressedData", false)
	if err != nil {
		return m, err
	}
	if compressed {
		m.codec, m.exact = deflate, true
	}
	return m, m.metaVoxels(fsys, name, fields, int64(length))
}

// metaFields returns the fields of a header up to ElementDataFile, which is always the last, with their names in
// lower case, and the header's length.
func metaFields(data []byte) (map[string]string, int, error) {
	if len(data) == 0 {
		return nil, 0, errors.New("the file is empty")
	}
	fields := map[string]string{}
	length := 0
	for number := 1; ; number++ {
		line, n, _ := firstLine(data[length:])
		if n == 0 {
			return nil, 0, fmt.Errorf("no MetaImage header: no ElementDataFile in its %d lines", number-1)
		}
		length += n
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			key, value, ok = strings.Cut(line, ":")
		}
		if !ok {
			if strings.TrimSpace(line) == "" {
				continue
			}
			return nil, 0, fmt.Errorf("no MetaImage header: line %d is %q, want \"Field = value\"", number, shorten(line))
		}
		key = strings.ToLower(strings.TrimSpace(key))
		if present, ok := metaAliases[key]; ok {
			key = present
		}
		fields[key] = strings.TrimSpace(value)
		if key == "elementdatafile" {
			return fields, length, nil
		}
	}
}

func metaBool(fields map[string]string, name string, without bool) (bool, error) {
	switch v := strings.ToLower(fields[strings.ToLower(name)]); v {
	case "":
		return without, nil
	case "true", "t", "1", "yes":
		return true, nil
	case "false", "f", "0", "no":
		return false, nil
	default:
		return false, fmt.Errorf("%s = %q, want True or False", name, shorten(v))
	}
}

// metaGrid returns the grid of a header and the number of channels, which are its fourth axis. 2-D images become one slice.
func metaGrid(fields map[string]string) (Grid, int, error) {
	g := Grid{Size: [3]int{1, 1, 1}, Unit: Voxel}
	size, err := whole("DimSize", fields["dimsize"], 1)
	if err != nil {
		return g, 0, err
	}
	n, channels := len(size), 1
	if dims, err := whole("NDims", fields["ndims"], 1); err != nil || len(dims) != 1 || dims[0] != n {
		return g, 0, fmt.Errorf("NDims = %q and DimSize = %q do not agree", shorten(fields["ndims"]), shorten(fields["dimsize"]))
	}
	if n < 2 {
		return g, 0, fmt.Errorf("NDims = %d: want an image of 2 or 3 axes", n)
	}
	for a, s := range size {
		switch {
		case a < 3:
			g.Size[a] = s
		case a == 3:
			channels = s
		case s > 1:
			return g, 0, fmt.Errorf("a %d-D image (DimSize = %s): 3-D images can be read, and one channel of 4-D ones; split it first", n, shorten(fields["dimsize"]))
		}
	}
	spacing := []float64{1, 1, 1}
	for _, name := range []string{"ElementSize", "ElementSpacing"} { // the second counts where both are given
		text, ok := fields[strings.ToLower(name)]
		if !ok {
			continue
		}
		if spacing, err = numbers(name, text, n); err != nil {
			return g, 0, err
		}
		for a, s := range spacing {
			if s <= 0 {
				return g, 0, fmt.Errorf("%s = %q: spacing %d is not above 0", name, shorten(text), a)
			}
		}
		g.Unit = Millimetre
	}
	origin := make([]float64, n)
	if text, ok := fields["offset"]; ok {
		if origin, err = numbers("Offset", text, n); err != nil {
			return g, 0, err
		}
	}
	var lps [3][4]float64
	for a := range 3 {
		lps[a][a] = 1
	}
	if text, ok := fields["transformmatrix"]; ok {
		t, err := numbers("TransformMatrix", text, n*n)
		if err != nil {
			return g, 0, err
		}
		for c := range min(n, 3) {
			for r := range min(n, 3) {
				lps[r][c] = t[c*n+r]
			}
		}
	}
	for a := range min(n, 3) {
		for r := range 3 {
			lps[r][a] *= spacing[a]
		}
		lps[a][3] = origin[a]
	}
	g.Affine = fromLPS(lps)
	return g, channels, nil
}

// metaVoxels finds the file of the voxels and where they begin in it.
func (m *image) metaVoxels(fsys fs.FS, name string, fields map[string]string, header int64) error {
	skip := []int{0}
	if text, ok := fields["headersize"]; ok {
		var err error
		if skip, err = whole("HeaderSize", text, -1); err != nil {
			return err
		}
		if len(skip) != 1 {
			return fmt.Errorf("HeaderSize = %q, want one number", shorten(text))
		}
	}
	var err error
	if m.file, err = metaVoxelFile(name, fields); err != nil {
		return err
	}
	if strings.EqualFold(fields["elementdatafile"], "LOCAL") {
		m.offset = header
	}
	switch {
	case skip[0] == -1: // the voxels are the end of the file
		if m.codec != plain || m.ascii {
			return errors.New("HeaderSize = -1 does not go with compressed voxels or with text")
		}
		info, err := fs.Stat(fsys, m.file)
		if err != nil {
			return bare(err)
		}
		if err := m.grid.Check(); err != nil { // else the length below could overflow
			return err
		}
		m.offset = max(m.offset, info.Size()-int64(m.grid.Len())*int64(m.stored.size()))
	case skip[0] > 0: // counts from the start of the file, LOCAL too
		m.offset = int64(skip[0])
	}
	return nil
}

// metaVoxelFile returns the file of the voxels in the folder of a header, which is that of the header itself where they stand behind it.
func metaVoxelFile(name string, fields map[string]string) (string, error) {
	value := fields["elementdatafile"]
	switch upper := strings.ToUpper(value); {
	case value == "":
		return "", errors.New("ElementDataFile is empty")
	case upper == "LOCAL":
		return name, nil
	case upper == "LIST" || strings.HasPrefix(upper, "LIST ") || strings.Contains(value, "%"):
		return "", fmt.Errorf("ElementDataFile = %q: voxels spread over many files are not supported; convert to one .mha", shorten(value))
	}
	file, err := beside(name, value)
	if err != nil {
		return "", fmt.Errorf("ElementDataFile = %q: %w", shorten(value), err)
	}
	return file, nil
}

// beside returns the name, in the folder of a header, of the file that the header points to. Names that lead out of the
// folder are refused: a header is not trusted to choose which files are opened. Symbolic links are followed: data stores
// such as git-annex consist of them, and only who owns the folder can make one.
func beside(header, name string) (string, error) {
	clean := path.Clean(path.Join(path.Dir(header), strings.ReplaceAll(name, `\`, "/")))
	drive := len(name) > 1 && name[1] == ':'
	if path.IsAbs(name) || drive || !fs.ValidPath(clean) || clean == "." {
		return "", errors.New("must lie in the header's folder")
	}
	return clean, nil
}
