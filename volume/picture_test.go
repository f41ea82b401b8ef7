package volume

import (
	"bytes"
	img "image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/image/tiff"
)

func pngFile(t testing.TB, p img.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tiffFile(t testing.TB, p img.Image, c tiff.CompressionType) []byte {
	var b bytes.Buffer
	if err := tiff.Encode(&b, p, &tiff.Options{Compression: c}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegFile(t testing.TB, p img.Image) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, p, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// paint sets the pixels of a 3 x 2 picture to 0, 20, 40, 60, 80, 100 times scale.
func paint(set func(x, y int, v int), scale int) {
	for i := range 6 {
		set(i%3, i/3, 20*i*scale)
	}
}

func TestPictures(t *testing.T) {
	r := img.Rect(0, 0, 3, 2)
	gray, gray16, rgba := img.NewGray(r), img.NewGray16(r), img.NewRGBA(r)
	palette := img.NewPaletted(r, color.Palette{color.Black, color.RGBA{255, 0, 0, 255}, color.White, color.White, color.Black, color.Black})
	paint(func(x, y, v int) {
		gray.SetGray(x, y, color.Gray{uint8(v)})
		rgba.SetRGBA(x, y, color.RGBA{uint8(v), uint8(v), uint8(v), 255})
	}, 1)
	paint(func(x, y, v int) { gray16.SetGray16(x, y, color.Gray16{uint16(v)}) }, 600)
	for i := range 6 {
		palette.SetColorIndex(i%3, i/3, uint8(i))
	}
	eight, sixteen := []float32{0, 20, 40, 60, 80, 100}, []float32{0, 12000, 24000, 36000, 48000, 60000}
	for _, c := range []struct {
		name   string
		data   []byte
		want   []float32
		stored string
	}{
		{"a.png", pngFile(t, gray), eight, "uint8"},
		{"16.png", pngFile(t, gray16), sixteen, "uint16"},
		{"rgb.png", pngFile(t, rgba), eight, "uint8"},
		{"palette.png", pngFile(t, palette), []float32{0, 1, 2, 3, 4, 5}, "uint8"},
		{"a.tif", tiffFile(t, gray, tiff.Uncompressed), eight, "uint8"},
		{"16.tiff", tiffFile(t, gray16, tiff.Deflate), sixteen, "uint16"},
		{"a.jpg", jpegFile(t, gray), nil, "uint8"},
		{"rgb.jpeg", jpegFile(t, rgba), nil, "uint8"},
	} {
		v, err := readFS(fstest.MapFS{c.name: {Data: c.data}}, c.name)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if v.Size != [3]int{3, 2, 1} || v.Stored != c.stored || v.Unit != Voxel {
			t.Errorf("%s: %v %s %s", c.name, v.Size, v.Stored, v.Unit)
		}
		if c.want != nil && !slices.Equal(v.Data, c.want) {
			t.Errorf("%s: %v, want %v", c.name, v.Data, c.want)
		}
		for i, x := range v.Data { // JPEG loses a little
			if c.want == nil && (x < eight[i]-4 || x > eight[i]+4) {
				t.Errorf("%s: %v, want about %v", c.name, v.Data, eight)
				break
			}
		}
	}
}

func TestHostilePictures(t *testing.T) {
	red := img.NewRGBA(img.Rect(0, 0, 40, 40))
	for i := range red.Pix {
		red.Pix[i] = []byte{200, 0, 0, 255}[i%4]
	}
	huge := pngFile(t, img.NewGray(img.Rect(0, 0, 8, 8)))
	copy(huge[16:], []byte{0, 0, 0x40, 0, 0, 0, 0x40, 0}) // 16384 x 16384 by the header
	huge = append(huge[:29], 0, 0, 0, 0)
	pages := tiffFile(t, img.NewGray(img.Rect(0, 0, 3, 2)), tiff.Uncompressed)
	entries := int(pages[pages[4]]) | int(pages[pages[4]+1])<<8
	pages[int(pages[4])+2+12*entries] = 8
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"a.png", pngFile(t, red), "pixel (0, 0) has a colour"},
		{"a.jpg", jpegFile(t, red), "pixel (0, 0) has a colour"},
		{"huge.png", huge, "PNG: "},
		{"pages.tif", pages, "TIFF: "},
		{"empty.png", nil, "empty"},
		{"cut.png", pngFile(t, red)[:60], "PNG: png: "},
		{"b.tif", pngFile(t, red), "its content is PNG"},
		{"c.jpg", niftiFile(nil), "its content is NIfTI"},
	} {
		_, err := readFS(fstest.MapFS{c.name: {Data: c.data}}, c.name)
		wantError(t, c.name, err, c.want)
	}
}

func FuzzPicture(f *testing.F) {
	gray := img.NewGray(img.Rect(0, 0, 3, 2))
	f.Add(pngFile(f, gray), 0)
	f.Add(jpegFile(f, gray), 1)
	f.Add(tiffFile(f, gray, tiff.Deflate), 2)
	files, index := openTIFFs(f)
	for _, one := range index.Read { // numbers, stacks, tiles, compressions, orientations
		data, err := fs.ReadFile(files, one.File)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, map[bool]int{true: 0, false: 2}[strings.HasSuffix(one.File, ".png")])
	}
	f.Fuzz(func(t *testing.T, data []byte, kind int) {
		name := []string{"a.png", "a.jpg", "a.tif"}[uint(kind)%3]
		fuzzRead(t, fstest.MapFS{name: {Data: data}}, name)
	})
}
