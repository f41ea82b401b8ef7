package volume

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"image/color"
	"os"
	"slices"
)

// mostColours is how many colours a mask may have: more are no mask, or one that was smoothed or compressed with losses.
const mostColours = 64

// ReadColours reads a picture as a mask of one segment for each colour but black, which is called by its code, "#ff0000" for red, in the
// order of the codes. Transparent pixels are background, half transparent ones an error. A picture in grey has grey colours.
func ReadColours(path string) (*Segmentation, error) {
	m, _, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	_, kind := extension(path)
	if m.grid.Size[2] > 1 {
		return nil, fmt.Errorf("read %s: a mask in colour of %d pages: save it as numbers", path, m.grid.Size[2])
	}
	p, err := decodePicture(data, kind)
	if err != nil {
		return nil, fmt.Errorf("read %s: %s: %w", path, kind, err)
	}
	b := p.Bounds()
	pixels := make([]uint32, 0, b.Dx()*b.Dy())
	seen := map[uint32]bool{}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := color.NRGBAModel.Convert(p.At(x, y)).(color.NRGBA)
			code := uint32(c.R)<<16 | uint32(c.G)<<8 | uint32(c.B)
			switch c.A {
			case 0:
				code = 0
			case 255:
			default:
				return nil, fmt.Errorf("read %s: pixel (%d, %d) is half transparent: save the mask without", path, x, y)
			}
			seen[code] = true
			if len(seen) > mostColours {
				return nil, fmt.Errorf("read %s: more than %d colours, too many for a mask: save it as PNG, without smooth edges", path, mostColours)
			}
			pixels = append(pixels, code)
		}
	}
	delete(seen, 0)
	var codes []uint32
	for code := range seen {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	s := &Segmentation{Grid: m.grid, Layers: [][]uint8{make([]uint8, len(pixels))}}
	for n, code := range codes {
		s.Segments = append(s.Segments, Segment{Name: fmt.Sprintf("#%06x", code), Color: [3]uint8{uint8(code >> 16), uint8(code >> 8), uint8(code)}, Value: uint8(n + 1)})
	}
	upright(pixels, b.Dx(), b.Dy(), orientation(data, kind))
	for v, code := range pixels {
		if n, ok := slices.BinarySearch(codes, code); ok {
			s.Layers[0][v] = uint8(n + 1)
		}
	}
	return s, nil
}

// InColour reports whether a picture has a pixel that is not grey. A palette is no colour: its indices are values.
func InColour(path string) bool {
	_, kind := extension(path)
	data, err := os.ReadFile(path)
	if err != nil || !IsPicture(path) {
		return false
	}
	config, err := pictureConfig(data, kind)
	if _, palette := config.ColorModel.(color.Palette); err != nil || palette || config.ColorModel == color.GrayModel || config.ColorModel == color.Gray16Model ||
		config.Width <= 0 || config.Height <= 0 || config.Width > MaxVoxels/config.Height {
		return false
	}
	p, err := decodePicture(data, kind)
	return err == nil && pictureRows(p, func([]float64) error { return nil }) != nil
}

// upright reorders the pixels of a picture of w x h, rows first, as an EXIF orientation (1 to 8) says they are to be shown.
func upright[T any](pixels []T, w, h, orientation int) {
	if orientation < 2 || orientation > 8 {
		return
	}
	stored := slices.Clone(pixels)
	outW, outH := w, h
	if orientation > 4 {
		outW, outH = h, w
	}
	for y := range outH {
		for x := range outW {
			sx, sy := x, y
			switch orientation {
			case 2:
				sx = w - 1 - x
			case 3:
				sx, sy = w-1-x, h-1-y
			case 4:
				sy = h - 1 - y
			case 5:
				sx, sy = y, x
			case 6:
				sx, sy = y, h-1-x
			case 7:
				sx, sy = w-1-y, h-1-x
			case 8:
				sx, sy = w-1-y, x
			}
			pixels[y*outW+x] = stored[sy*w+sx]
		}
	}
}

// orientation returns the EXIF orientation of a picture, 1 where it has none: that of a JPEG file's segment Exif, of a PNG file's chunk eXIf, or a
// TIFF file's own tag.
func orientation(data []byte, kind format) int {
	switch kind {
	case pictureTIFF:
		return cmp.Or(tiffOrientation(data), 1)
	case picturePNG:
		for at := 8; at+12 <= len(data); {
			length := int(binary.BigEndian.Uint32(data[at:]))
			if length < 0 || length > len(data)-at-12 {
				break
			}
			if string(data[at+4:at+8]) == "eXIf" {
				return cmp.Or(tiffOrientation(data[at+8:at+8+length]), 1)
			}
			at += 12 + length
		}
		return 1
	}
	for at := 2; at+4 <= len(data) && data[at] == 0xff; {
		marker, length := data[at+1], int(binary.BigEndian.Uint16(data[at+2:]))
		if marker == 0xda || length < 2 || at+2+length > len(data) {
			break
		}
		if segment := data[at+4 : at+2+length]; marker == 0xe1 && bytes.HasPrefix(segment, []byte("Exif\x00\x00")) {
			return cmp.Or(tiffOrientation(segment[6:]), 1)
		}
		at += 2 + length
	}
	return 1
}

// tiffOrientation returns the value of the tag Orientation in the first directory of a TIFF structure, 0 if there is none.
func tiffOrientation(data []byte) int {
	if len(data) < 8 {
		return 0
	}
	var order binary.ByteOrder = binary.LittleEndian
	if data[0] == 'M' {
		order = binary.BigEndian
	}
	first := int64(order.Uint32(data[4:]))
	if first+2 > int64(len(data)) {
		return 0
	}
	for n := range int64(order.Uint16(data[first:])) {
		at := first + 2 + 12*n
		if at+12 > int64(len(data)) {
			return 0
		}
		if order.Uint16(data[at:]) == 0x112 {
			if v := int(order.Uint16(data[at+8:])); v >= 1 && v <= 8 {
				return v
			}
		}
	}
	return 0
}
