package dataset

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"slices"
	"testing"
)

// A colour is the same class in every mask, in whatever order it appears; a mask in grey among them has colours too.
func TestColourMasks(t *testing.T) {
	dir := t.TempDir()
	red, blue, white := color.NRGBA{255, 0, 0, 255}, color.NRGBA{0, 0, 255, 255}, color.NRGBA{255, 255, 255, 255}
	for id, pixels := range map[string][]color.NRGBA{"a": {red}, "b": {red, blue, blue}, "c": {white, white}, "d": {}} {
		for _, folder := range []string{"images", "labels"} {
			p := image.NewNRGBA(image.Rect(0, 0, 4, 4))
			for i := range p.Pix {
				p.Pix[i] = 255 * uint8(i%4/3)
			}
			if folder == "labels" {
				for x, c := range pixels {
					p.SetNRGBA(x, 0, c)
				}
			}
			f, err := os.Create(create(t, dir, folder, id+".png"))
			if err != nil {
				t.Fatal(err)
			}
			if err := png.Encode(f, p); err != nil {
				t.Fatal(err)
			}
			f.Close()
		}
	}
	d := open(t, dir)
	if !slices.Equal(d.Classes, []string{"background", "#ff0000", "#0000ff", "#ffffff"}) {
		t.Fatalf("classes %q, problems %v", d.Classes, d.Problems)
	}
	for id, want := range map[string][]int{"a": {1, 0, 0}, "b": {1, 2, 0}, "c": {0, 0, 2}, "d": {0, 0, 0}} {
		if got := voxels(t, d, id); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", id, got, want)
		}
	}
}
