package volume

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// BenchmarkReadNIfTI reads a compressed volume of int16, and decompresses the same file and does nothing more: the time of
// the one over that of the other is what reading costs beyond the compression.
func BenchmarkReadNIfTI(b *testing.B) {
	g := Grid{Size: [3]int{256, 256, 40}, Unit: Millimetre, Affine: [3][4]float64{{0.6, 0, 0, 0}, {0, 0.6, 0, 0}, {0, 0, 3.6, 0}}}
	v := &Volume{Grid: g, Data: make([]float32, g.Len()), Stored: "int16"}
	for i := range v.Data { // a smooth image with some noise, as compressible as an MR volume
		x, y := i%256, i/256%256
		v.Data[i] = float32((x*y)>>7 + (i*2654435761)>>28&7)
	}
	path := filepath.Join(b.TempDir(), "case.nii.gz")
	if err := WriteVolume(path, v); err != nil {
		b.Fatal(err)
	}
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			if _, err := Read(path); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decompress", func(b *testing.B) {
		for b.Loop() {
			f, err := os.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			z, err := gzip.NewReader(f)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, z); err != nil {
				b.Fatal(err)
			}
			f.Close()
		}
	})
}
