package volume

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// nrrdTypes maps the names of types to scalars, after "signed" and "int" have been taken away.
var nrrdTypes = map[string]scalar{
	"char": "int8", "int8_t": "int8", "int8": "int8",
	"uchar": "uint8", "unsigned char": "uint8", "uint8": "uint8", "uint8_t": "uint8",
	"short": "int16", "int16": "int16", "int16_t": "int16",
	"ushort": "uint16", "unsigned short": "uint16", "uint16": "uint16", "uint16_t": "uint16",
	"": "int32", "int32": "int32", "int32_t": "int32",
	"uint": "uint32", "unsigned": "uint32", "uint32": "uint32", "uint32_t": "uint32",
	"longlong": "int64", "long long": "int64", "int64": "int64", "int64_t": "int64",
	"ulonglong": "uint64", "unsigned long long": "uint64", "uint64": "uint64", "uint64_t": "uint64",
	"float": "float32", "double": "float64",
}

// nrrdAliases maps second spellings of fields to the first.
var nrrdAliases = map[string]string{
	"datafile": "data file", "byteskip": "byte skip", "lineskip": "line skip",
}

// maxPrefix bounds what may stand before the voxels of a compressed payload with "byte skip: -1".
const maxPrefix = 1 << 20

// nrrdAxis is one axis of a file.
type nrrdAxis struct {
	size  int
	space bool
	step  []float64 // world step of one voxel, nil where the header gives none
	kind  string
}

// parseNRRD parses the header of an NRRD file (https://teem.sourceforge.net/nrrd/format.html), attached or detached.
//
// An axis without a place in space (kind list, vector, time ...; direction none) holds the layers of a segmentation or the
// channels of an image; it is the first or the last one, and at most one such axis has more than one entry. Spaces are
// right- and left-anterior-superior and left-posterior-superior; any other, or none, counts as the last, as in ITK. Without space directions and spacings the unit is Voxel.
func parseNRRD(fsys fs.FS, name string) (image, error) {
	var m image
	data, packed, err := head(fsys, name, maxTextHeader)
	if err != nil {
		return m, err
	}
	if packed {
		return m, errors.New("a gzip file; an NRRD file compresses its voxels, not its header: decompress it")
	}
	fields, keys, length, err := nrrdFields(data)
	if err != nil {
		return m, err
	}
	axes, err := nrrdAxes(fields)
	if err != nil {
		return m, err
	}
	var values int
	if m.grid, values, m.interleaved, err = nrrdGrid(fields, axes); err != nil {
		return m, err
	}
	if !namesSegments(keys) && !WritesSegments(name) {
		m.channels = values
	} else if m.layers = values; values > 256 || values > 1 && !m.interleaved {
		return m, fmt.Errorf("a segmentation of %d layers: want at most 256, along the first axis", values)
	}
	m.keys = keys
	kind := strings.Join(strings.Fields(strings.ToLower(fields["type"])), " ")
	if kind == "" {
		return m, errors.New("no field \"type\"")
	}
	kind = strings.TrimPrefix(kind, "signed ")
	if kind != "int" && kind != "uint" {
		kind = strings.TrimSuffix(kind, " int")
	} else if kind == "int" {
		kind = ""
	}
	var ok bool
	if m.stored, ok = nrrdTypes[kind]; !ok {
		return m, fmt.Errorf("type %q is not supported", shorten(fields["type"]))
	}
	return m, m.nrrdVoxels(fsys, name, fields, int64(length))
}

// namesSegments reports whether the key/value pairs of a header name segments, as 3D Slicer writes them.
func namesSegments(keys map[string]string) bool { return keys["Segment0_ID"] != "" }

// nrrdKeys returns the key/value pairs of a header.
func nrrdKeys(fsys fs.FS, name string) (keys map[string]string, err error) {
	_, err = voxelFile(fsys, name, func(data []byte) (string, int, error) {
		_, found, length, err := nrrdFields(data)
		keys = found
		return "", length, err
	})
	return keys, err
}

// nrrdFields returns the fields with their names in lower case, the key/value pairs, and the header's length.
func nrrdFields(data []byte) (fields, keys map[string]string, length int, err error) {
	if !bytes.HasPrefix(data, []byte("NRRD")) {
		return nil, nil, 0, errors.New("not NRRD: the file does not begin with \"NRRD\"")
	}
	fields, keys = map[string]string{}, map[string]string{}
	_, length, _ = firstLine(data)
	for number := 2; ; number++ {
		line, n, ended := firstLine(data[length:])
		length += n
		if line == "" || n == 0 {
			return fields, keys, length, nil
		}
		if !ended && len(data) == maxTextHeader {
			return nil, nil, 0, fmt.Errorf("header longer than %d bytes", maxTextHeader)
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, nil, 0, fmt.Errorf("line %d of the header is %q, want \"field: value\"", number, shorten(line))
		}
		if pair, ok := strings.CutPrefix(value, "="); ok {
			keys[key] = nrrdUnescape.Replace(strings.TrimSpace(pair))
			continue
		}
		key = strings.ToLower(strings.TrimSpace(key))
		if first, ok := nrrdAliases[key]; ok {
			key = first
		}
		fields[key] = strings.TrimSpace(value)
		if key == "data file" && strings.HasPrefix(strings.ToUpper(fields[key]), "LIST") {
			return nil, nil, 0, errors.New("data file: LIST: voxels spread over many files are not supported; convert to one .nrrd")
		}
	}
}

var (
	nrrdUnescape = strings.NewReplacer(`\\`, `\`, `\n`, "\n")
	nrrdEscape   = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", " ")
)

// nrrdAxes returns the axes, fastest first.
func nrrdAxes(fields map[string]string) ([]nrrdAxis, error) {
	sizes, err := whole("sizes", fields["sizes"], 1)
	if err != nil {
		return nil, err
	}
	n := len(sizes)
	if d, err := whole("dimension", fields["dimension"], 1); err != nil || len(d) != 1 || d[0] != n || n > 16 {
		return nil, fmt.Errorf("dimension: %q and sizes: %q do not agree, or are above 16", shorten(fields["dimension"]), shorten(fields["sizes"]))
	}
	axes := make([]nrrdAxis, n)
	for a := range axes {
		axes[a] = nrrdAxis{size: sizes[a], space: true}
	}
	if kinds := strings.Fields(fields["kinds"]); len(kinds) == n {
		for a, kind := range kinds {
			switch axes[a].kind = strings.ToLower(kind); axes[a].kind {
			case "domain", "space", "???", "none":
			default:
				axes[a].space = false
			}
		}
	}
	if text, ok := fields["space directions"]; ok {
		steps, err := nrrdVectors("space directions", text)
		if err != nil {
			return nil, err
		}
		if len(steps) != n {
			return nil, fmt.Errorf("space directions: %d of them, want %d", len(steps), n)
		}
		for a, step := range steps {
			if len(step) == 4 { // ITK gives 4-D images a space of four dimensions, the last of them time
				if step[3] != 0 && (step[0] != 0 || step[1] != 0 || step[2] != 0) {
					return nil, fmt.Errorf("space directions: axis %d runs through space and time", a)
				}
				if step[3] != 0 {
					step = nil
				} else {
					step = step[:3]
				}
			}
			axes[a].step, axes[a].space = step, step != nil
		}
	} else if text, ok := fields["spacings"]; ok {
		words := strings.Fields(text)
		if len(words) != n {
			return nil, fmt.Errorf("spacings: %d of them, want %d", len(words), n)
		}
		at := 0 // place of the axis among those in space
		for a, word := range words {
			if !axes[a].space {
				continue
			}
			if strings.ToLower(word) != "nan" {
				v, err := numbers("spacings", word, 1)
				if err != nil {
					return nil, err
				}
				axes[a].step = make([]float64, max(3, at+1))
				axes[a].step[at] = v[0]
			}
			at++
		}
	}
	return axes, nil
}

// nrrdGrid returns the grid, and the number of values per voxel: fastest in the file (interleaved) or slowest.
func nrrdGrid(fields map[string]string, axes []nrrdAxis) (g Grid, values int, interleaved bool, err error) {
	g, values = Grid{Size: [3]int{1, 1, 1}, Unit: Voxel}, 1
	var inSpace []nrrdAxis
	for a, axis := range axes {
		switch {
		case axis.space && len(inSpace) < 3:
			inSpace = append(inSpace, axis)
		case axis.size == 1:
		case !axis.space && values == 1 && (a == 0 || a == len(axes)-1) && !strings.Contains(axis.kind, "color") && !strings.Contains(axis.kind, "complex"):
			values, interleaved = axis.size, a == 0
		default:
			what := axis.kind
			if axis.space {
				what = "a fourth axis in space"
			}
			return g, 0, false, fmt.Errorf("a %d-D image (axis %d has %d entries, %s): 3-D images can be read, and one channel of 4-D ones; split it first", len(axes), a, axis.size, strings.Trim(what, " "))
		}
	}
	if len(inSpace) < 2 {
		return g, 0, false, fmt.Errorf("a %d-D image: want 2 or 3 axes in space", len(axes))
	}
	var a [3][4]float64
	for c := range 3 {
		a[c][c] = 1
	}
	scale, err := nrrdUnits(fields)
	if err != nil {
		return g, 0, false, err
	}
	for c, axis := range inSpace {
		g.Size[c] = axis.size
		if axis.step == nil {
			continue
		}
		if g.Unit == Voxel && !strings.Contains(fields["space units"], `"voxel"`) {
			g.Unit = Millimetre
		}
		for r := range 3 {
			a[r][c] = 0
			if r < len(axis.step) {
				a[r][c] = axis.step[r] * scale
			}
		}
	}
	if len(inSpace) == 2 {
		a[0][2], a[1][2], a[2][2] = 0, 0, 0 // flatAxis gives it the normal
	}
	if text, ok := fields["space origin"]; ok {
		v, err := nrrdVectors("space origin", text)
		if err != nil || len(v) != 1 || v[0] == nil {
			return g, 0, false, fmt.Errorf("space origin: %q, want one vector (x,y,z)", shorten(text))
		}
		for r, x := range v[0] {
			if r < 3 {
				a[r][3] = x * scale
			}
		}
	}
	switch space := strings.ToLower(fields["space"]); space {
	case "right-anterior-superior", "ras":
		g.Affine = a
	case "left-anterior-superior", "las":
		g.Affine = fromLPS(a)
		for c := range 4 {
			g.Affine[1][c] = a[1][c]
		}
	default:
		if strings.HasSuffix(space, "-time") {
			return g, 0, false, fmt.Errorf("space %q: time is not supported; split it first", shorten(space))
		}
		g.Affine = fromLPS(a)
	}
	g.flatAxis()
	return g, values, interleaved, nil
}

// nrrdUnits returns the millimetres in a unit of space. All axes must have the same.
func nrrdUnits(fields map[string]string) (float64, error) {
	text, ok := fields["space units"]
	if !ok {
		return 1, nil
	}
	words := strings.Fields(strings.ToLower(strings.ReplaceAll(text, `"`, " ")))
	for _, w := range words {
		if w != words[0] {
			return 0, fmt.Errorf("space units: %q: want the same along every axis", shorten(text))
		}
	}
	if len(words) == 0 {
		return 1, nil
	}
	switch words[0] {
	case "m", "meter", "metre":
		return 1000, nil
	case "cm":
		return 10, nil
	case "um", "µm", "micron", "microns", "micrometer":
		return 0.001, nil
	}
	return 1, nil
}

// nrrdVectors parses "(1,0,0) none (0,1,0)"; none is nil.
func nrrdVectors(field, text string) ([][]float64, error) {
	var out [][]float64
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		if after, ok := strings.CutPrefix(rest, "none"); ok {
			out, rest = append(out, nil), after
			continue
		}
		inner, after, ok := strings.Cut(rest, ")")
		inner, opened := strings.CutPrefix(inner, "(")
		if !ok || !opened {
			return nil, fmt.Errorf("%s: %q, want vectors such as (1,0,0)", field, shorten(text))
		}
		v, err := numbers(field, strings.ReplaceAll(inner, ",", " "), 0)
		if err != nil {
			return nil, err
		}
		if len(v) < 1 || len(v) > 4 {
			return nil, fmt.Errorf("%s: a vector of %d numbers, want 2 to 4", field, len(v))
		}
		out, rest = append(out, v), after
	}
	return out, nil
}

// nrrdVoxels finds the file of the voxels, their packing, and where they begin.
func (m *image) nrrdVoxels(fsys fs.FS, name string, fields map[string]string, header int64) error {
	var err error
	if m.file, err = nrrdVoxelFile(name, fields); err != nil {
		return err
	}
	if _, detached := fields["data file"]; !detached {
		m.offset = header
	}
	switch encoding := strings.ToLower(fields["encoding"]); encoding {
	case "raw":
	case "gzip", "gz":
		m.codec, m.exact = gzipped, true
	case "bzip2", "bz2":
		m.codec, m.exact = bzipped, true
	case "ascii", "text", "txt":
		m.ascii = true
	case "hex":
		m.codec = hexed
	default:
		return fmt.Errorf("encoding %q is not supported", shorten(encoding))
	}
	if !m.ascii && m.stored.size() > 1 {
		switch endian := strings.ToLower(fields["endian"]); endian {
		case "little":
		case "big":
			m.bigEndian = true
		default:
			return fmt.Errorf("endian %q, want little or big", shorten(endian))
		}
	}
	if text, ok := fields["line skip"]; ok {
		lines, err := whole("line skip", text, 0)
		if err != nil || len(lines) != 1 {
			return fmt.Errorf("line skip: %q, want one whole number", shorten(text))
		}
		if err := m.skipLines(fsys, lines[0]); err != nil {
			return err
		}
	}
	text, ok := fields["byte skip"]
	if !ok {
		return nil
	}
	skip, err := whole("byte skip", text, -1)
	if err != nil || len(skip) != 1 {
		return fmt.Errorf("byte skip: %q, want a whole number from -1", shorten(text))
	}
	if m.skip = int64(skip[0]); m.skip >= 0 {
		return nil
	}
	if m.ascii || m.codec == hexed {
		return errors.New("byte skip: -1 does not go with voxels written as text")
	}
	if err := m.grid.Check(); err != nil { // else the length could overflow
		return err
	}
	return m.skipToEnd(fsys)
}

// nrrdVoxelFile returns the file of the voxels in the folder of a header, which is that of the header itself where they stand behind it.
func nrrdVoxelFile(name string, fields map[string]string) (string, error) {
	value, ok := fields["data file"]
	if !ok {
		return name, nil
	}
	if strings.Contains(value, "%") {
		return "", fmt.Errorf("data file: %q: voxels spread over many files are not supported; convert to one .nrrd", shorten(value))
	}
	file, err := beside(name, value)
	if err != nil {
		return "", fmt.Errorf("data file: %q: %w", shorten(value), err)
	}
	return file, nil
}

// skipLines moves the offset behind some lines of the file.
func (m *image) skipLines(fsys fs.FS, lines int) error {
	f, _, err := openRegular(fsys, m.file)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.CopyN(io.Discard, f, m.offset); err != nil {
		return m.cut(0, err)
	}
	buffer := make([]byte, 1<<12)
	for lines > 0 {
		n, err := f.Read(buffer)
		for _, b := range buffer[:n] {
			if lines > 0 {
				m.offset++
			}
			if b == '\n' && lines > 0 {
				lines--
			}
		}
		if err != nil && lines > 0 {
			return fmt.Errorf("line skip: %s ends %d lines before", m.file, lines)
		}
	}
	return nil
}

// skipToEnd sets the skip so that the voxels are the last bytes of the decompressed payload.
func (m *image) skipToEnd(fsys fs.FS) error {
	m.skip = 0
	want := int64(m.count()) * int64(m.stored.size())
	r, close, err := m.payload(fsys, want)
	if err != nil {
		return err
	}
	defer close()
	size, err := io.Copy(io.Discard, io.LimitReader(r, want+maxPrefix+1))
	if err != nil {
		return m.cut(0, err)
	}
	if size < want {
		return m.cut(int(size)/m.stored.size(), io.EOF)
	}
	if size > want+maxPrefix {
		return fmt.Errorf("byte skip: -1: more than %d bytes stand before the voxels", maxPrefix)
	}
	m.skip = size - want
	return nil
}
