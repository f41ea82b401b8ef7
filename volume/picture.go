package volume

import (
	"bytes"
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

// parsePicture makes a PNG, JPEG or TIFF file a volume of one slice, or of one for each page of a TIFF file: i counts columns to the right, j rows downward, the
// unit is Voxel, and the axes are those of a MetaImage without geometry. Grey pictures of 8 and 16 bits and pictures with
// a palette, whose values are the palette's indices, are read; colour pictures only where they are grey throughout (but see ReadColours).
// TIFF files may hold signed, 32-bit and floating-point numbers. A picture is turned upright, as its EXIF orientation says (JPEG, PNG, TIFF)
// and browsers show it.
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
	pages, stored := []func(each func([]float64) error) error{func(each func([]float64) error) error {
		p, err := decodePicture(data, kind)
		if err != nil {
			return err
		}
		return pictureRows(p, each)
	}}, ""
	if kind == pictureTIFF {
		if pages, stored, err = tiffPages(data); err != nil {
			return m, fmt.Errorf("%s: %w", kind, err)
		}
	}
	turn, width, height := orientation(data, kind), config.Width, config.Height
	if turn > 4 {
		width, height = height, width
	}
	m.grid = Grid{Size: [3]int{width, height, len(pages)}, Unit: Voxel, Affine: [3][4]float64{{-1, 0, 0, 0}, {0, -1, 0, 0}, {0, 0, 1, 0}}}
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
	if stored != "" {
		m.stored = scalar(stored)
	}
	m.picture = func(_ fs.FS, each func([]float64) error) error {
		for _, page := range pages {
			if err := turned(page, config.Width, turn, each); err != nil {
				return fmt.Errorf("%s: %w", kind, err)
			}
		}
		return nil
	}
	return m, nil
}

// turned hands over the rows of a page upright.
func turned(page func(each func([]float64) error) error, width, turn int, each func([]float64) error) error {
	if turn == 1 {
		return page(each)
	}
	var all []float64
	if err := page(func(row []float64) error { all = append(all, row...); return nil }); err != nil {
		return err
	}
	height := len(all) / width
	upright(all, width, height, turn)
	if turn > 4 {
		width = height
	}
	for at := 0; at < len(all); at += width {
		if err := each(all[at : at+width]); err != nil {
			return err
		}
	}
	return nil
}

// tiffPages returns the pages of a TIFF file and the type of their numbers, "" where it is that of the decoder.
func tiffPages(data []byte) (pages []func(each func([]float64) error) error, stored string, err error) {
	f, err := readTIFF(data)
	if err != nil {
		return nil, "", err
	}
	if err := f.readable(f.pages[0]); err != nil { // the others are alike
		return nil, "", err
	}
	for _, p := range f.pages {
		if stored = p.numbers(); stored != "" {
			pages = append(pages, func(each func([]float64) error) error { return f.rows(p, each) })
			continue
		}
		pages = append(pages, func(each func([]float64) error) (err error) {
			defer refuseOnPanic(&err)
			picture, err := f.decode(p)
			if err != nil {
				return err
			}
			if b, first := picture.Bounds(), f.pages[0]; uint64(b.Dx()) != first.tag(tagWidth, 0) || uint64(b.Dy()) != first.tag(tagHeight, 0) {
				return errors.New("a page has another size than the first")
			}
			return pictureRows(picture, each)
		})
	}
	return pages, stored, nil
}

// pictureDecoders are the decoders of each kind of picture.
var pictureDecoders = map[format]struct {
	config func(io.Reader) (img.Config, error)
	pixels func(io.Reader) (img.Image, error)
}{picturePNG: {png.DecodeConfig, png.Decode}, pictureJPEG: {jpeg.DecodeConfig, jpeg.Decode}, pictureTIFF: {tiff.DecodeConfig, tiff.Decode}}

// pictureConfig returns size and colour model.
func pictureConfig(data []byte, kind format) (c img.Config, err error) {
	defer refuseOnPanic(&err)
	if kind == pictureTIFF {
		f, err := readTIFF(data)
		if err != nil {
			return c, err
		}
		if f.pages[0].numbers() != "" {
			c.Width, c.Height = f.pages[0].size()
			c.ColorModel = color.GrayModel
			return c, nil
		}
		r := &patched{data: data}
		copy(r.head[:], data[:8])
		f.order.PutUint32(r.head[4:], f.pages[0].at)
		return tiff.DecodeConfig(r)
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
