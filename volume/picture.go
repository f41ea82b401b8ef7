package volume

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	img "image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"

	"golang.org/x/image/tiff"
)

// parsePicture makes a PNG, JPEG or TIFF file a volume of one slice: i counts columns to the right, j rows downward, the
// unit is Voxel, and the axes are those of a MetaImage without geometry. Grey pictures of 8 and 16 bits and pictures with
// a palette, whose values are the palette's indices, are read; colour pictures only where they are grey throughout (but see ReadColours). A JPEG is turned upright, as its EXIF
// orientation says and browsers show it.
func parsePicture(fsys fs.FS, name string, kind format) (image, error) {
	m := image{file: name}
	f, size, err := openRegular(fsys, name)
	if err != nil {
		return m, err
	}
	defer f.Close()
	if size > MaxVoxels {
		return m, fmt.Errorf("%d bytes are too many for a picture", size)
	}
	data, err := io.ReadAll(io.LimitReader(f, size))
	if err != nil {
		return m, err
	}
	if len(data) == 0 {
		return m, errors.New("the file is empty")
	}
	config, err := pictureConfig(data, kind)
	if err != nil {
		return m, fmt.Errorf("%s: %w", kind, err)
	}
	turn, width, height := orientation(data, kind), config.Width, config.Height
	if turn > 4 {
		width, height = height, width
	}
	m.grid = Grid{Size: [3]int{width, height, 1}, Unit: Voxel, Affine: [3][4]float64{{-1, 0, 0, 0}, {0, -1, 0, 0}, {0, 0, 1, 0}}}
	if err := m.grid.Check(); err != nil { // before the decoder asks for memory
		return m, err
	}
	if pixels := m.grid.Len(); pixels > 1<<20 && len(data) < pixels/deflateRatio {
		return m, fmt.Errorf("%s: %d bytes cannot hold the %d x %d pixels that it promises", kind, len(data), config.Width, config.Height)
	}
	m.stored = "uint8"
	if config.ColorModel == color.Gray16Model || config.ColorModel == color.RGBA64Model || config.ColorModel == color.NRGBA64Model {
		m.stored = "uint16"
	}
	m.picture = func(_ fs.FS, each func([]float64) error) error {
		p, err := decodePicture(data, kind)
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		if turn == 1 {
			return pictureRows(p, each)
		}
		var all []float64
		if err := pictureRows(p, func(row []float64) error { all = append(all, row...); return nil }); err != nil {
			return err
		}
		b := p.Bounds()
		upright(all, b.Dx(), b.Dy(), turn)
		for at := 0; at < len(all); at += width {
			if err := each(all[at : at+width]); err != nil {
				return err
			}
		}
		return nil
	}
	return m, nil
}

// pictureDecoders are the decoders of each kind of picture.
var pictureDecoders = map[format]struct {
	config func(io.Reader) (img.Config, error)
	pixels func(io.Reader) (img.Image, error)
}{picturePNG: {png.DecodeConfig, png.Decode}, pictureJPEG: {jpeg.DecodeConfig, jpeg.Decode}, pictureTIFF: {tiff.DecodeConfig, tiff.Decode}}

// pictureConfig returns size and colour model.
func pictureConfig(data []byte, kind format) (c img.Config, err error) {
	defer refuseOnPanic(&err)
	if kind == pictureTIFF && tiffPages(data) > 1 {
		return c, errors.New("several pages in one file: save them as one NIfTI volume")
	}
	return pictureDecoders[kind].config(bytes.NewReader(data))
}

func decodePicture(data []byte, kind format) (p img.Image, err error) {
	defer refuseOnPanic(&err)
	return pictureDecoders[kind].pixels(bytes.NewReader(data))
}

// refuseOnPanic turns a panic of a decoder that is not ours into an error.
func refuseOnPanic(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("damaged: %v", r)
	}
}

// pictureRows hands over the rows from the top.
func pictureRows(p img.Image, each func([]float64) error) error {
	b := p.Bounds()
	row := make([]float64, b.Dx())
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for i := range row {
			x := b.Min.X + i
			switch p := p.(type) {
			case *img.Gray:
				row[i] = float64(p.GrayAt(x, y).Y)
			case *img.Gray16:
				row[i] = float64(p.Gray16At(x, y).Y)
			case *img.Paletted:
				row[i] = float64(p.ColorIndexAt(x, y))
			case *img.YCbCr: // a JPEG that was saved in colour
				c := p.YCbCrAt(x, y)
				if max(c.Cb, c.Cr) > 130 || min(c.Cb, c.Cr) < 126 {
					return inColour(x, y)
				}
				row[i] = float64(c.Y)
			default:
				red, green, blue, alpha := p.At(x, y).RGBA()
				if red != green || green != blue || alpha != 0xffff {
					return inColour(x, y)
				}
				row[i] = float64(red >> 8)
				switch p.(type) {
				case *img.RGBA64, *img.NRGBA64:
					row[i] = float64(red)
				}
			}
		}
		if err := each(row); err != nil {
			return err
		}
	}
	return nil
}

func inColour(x, y int) error {
	return fmt.Errorf("pixel (%d, %d) has a colour or is transparent: save the picture in greyscale", x, y)
}

// tiffPages counts the pages of a TIFF file, up to 2. What it cannot follow is left to the decoder.
func tiffPages(data []byte) int {
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
	next := first + 2 + 12*int64(order.Uint16(data[first:]))
	if next+4 > int64(len(data)) || order.Uint32(data[next:]) == 0 {
		return 1
	}
	return 2
}
