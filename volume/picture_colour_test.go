package volume

import (
	img "image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The first pixel of a picture stored with each EXIF orientation goes to the corner that the standard (CIPA DC-008) names.
func TestOrientation(t *testing.T) {
	const w, h = 32, 16
	for o, corner := range [...][2]int{1: {0, 0}, 2: {1, 0}, 3: {1, 1}, 4: {0, 1}, 5: {0, 0}, 6: {1, 0}, 7: {1, 1}, 8: {0, 1}} {
		if o == 0 {
			continue
		}
		p := img.NewGray(img.Rect(0, 0, w, h))
		for y := range 8 {
			for x := range 8 {
				p.SetGray(x, y, color.Gray{200})
			}
		}
		var b strings.Builder
		if err := jpeg.Encode(&b, p, nil); err != nil {
			t.Fatal(err)
		}
		exif := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(rune(o)) + "\x00\x00\x00\x00\x00\x00"
		path := filepath.Join(t.TempDir(), "a.jpg")
		if err := os.WriteFile(path, []byte(b.String()[:2]+"\xff\xe1\x00"+string(rune(len(exif)+2))+exif+b.String()[2:]), 0o666); err != nil {
			t.Fatal(err)
		}
		v, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		want := Size{w, h, 1}
		if o > 4 {
			want = Size{h, w, 1}
		}
		x, y := corner[0]*(want[0]-1), corner[1]*(want[1]-1)
		if v.Size != want || v.Data[y*want[0]+x] < 150 {
			t.Errorf("orientation %d: %v, %v at corner %v", o, v.Size, v.Data[y*want[0]+x], corner)
		}
		if o > 4 { // a row of eight bright columns, not of sixteen
			if bright := slices.IndexFunc(v.Data, func(x float32) bool { return x > 150 }); bright < 0 {
				t.Errorf("orientation %d: nothing bright", o)
			}
		}
	}
}

// Every colour but black is a segment that is called by its code.
func TestReadColours(t *testing.T) {
	p := img.NewNRGBA(img.Rect(0, 0, 4, 1))
	p.SetNRGBA(0, 0, color.NRGBA{0, 0, 0, 255})
	p.SetNRGBA(1, 0, color.NRGBA{255, 0, 0, 255})
	p.SetNRGBA(2, 0, color.NRGBA{0, 255, 0, 255})
	p.SetNRGBA(3, 0, color.NRGBA{9, 9, 9, 0})
	path := filepath.Join(t.TempDir(), "a.png")
	write := func() {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := png.Encode(f, p); err != nil {
			t.Fatal(err)
		}
	}
	write()
	s, err := ReadColours(path)
	if err != nil || !InColour(path) {
		t.Fatal(err)
	}
	if len(s.Segments) != 2 || s.Segments[0].Name != "#00ff00" || s.Segments[1].Name != "#ff0000" || !slices.Equal(s.Layers[0], []uint8{0, 2, 1, 0}) {
		t.Errorf("%+v %v", s.Segments, s.Layers)
	}
	p.SetNRGBA(3, 0, color.NRGBA{9, 9, 9, 100})
	write()
	if _, err := ReadColours(path); err == nil || !strings.Contains(err.Error(), "(3, 0) is half transparent") {
		t.Errorf("half transparent: %v", err)
	}
}
