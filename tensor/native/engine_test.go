//go:build cgo

package native

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/tensortest"
)

// kernels are those that this build has on this processor's best instruction set.
var kernels = map[string]Options{"winograd": {}, "direct": {Kernels: Direct}, "amx": {ISA: AMX}}

// Every kernel and instruction set that this processor has passes the suite that defines an engine.
func TestConformance(t *testing.T) {
	all := maps.Clone(kernels)
	delete(all, "amx") // see TestMatrixUnit
	all["baseline"] = Options{ISA: Baseline}
	all["avx2"] = Options{ISA: AVX2}
	all["direct, baseline"] = Options{ISA: Baseline, Kernels: Direct}
	for name, o := range all {
		t.Run(name, func(t *testing.T) {
			e, err := NewWith(1, o)
			if err != nil {
				t.Skipf("%s: %v", name, err)
			}
			e.Close()
			tensortest.Run(t, func(threads int) tensor.Engine {
				e, err := NewWith(threads, o)
				if err != nil {
					t.Fatal(err)
				}
				return e
			})
		})
	}
}

// The matrix unit computes what the suite defines of numbers that bfloat16 holds; others it rounds to the nearest.
func TestMatrixUnit(t *testing.T) {
	e, err := NewWith(1, Options{ISA: AMX})
	if err != nil {
		t.Skip(err)
	}
	defer e.Close()
	if e.ISA() != "AMX" {
		t.Errorf("the instruction set is %s", e.ISA())
	}
	tensortest.RunRounded(t, func(threads int) tensor.Engine {
		e, err := NewWith(threads, Options{ISA: AMX})
		if err != nil {
			t.Fatal(err)
		}
		return e
	})
	x, y := tensor.New(tensor.Shape{N: 1, H: 1, W: 1, C: 8}), tensor.New(tensor.Shape{N: 1, H: 1, W: 1, C: 8})
	w := make([]float32, 9*8*8)
	w[4*64] = 1 // the middle tap, of the first channel to the first
	for v, want := range map[float32]float32{1 + 1./256: 1, 1 + 3./256: 1 + 1./64, 1 + 1./256 + 1./65536: 1 + 1./128, -3.14159: -3.140625} {
		x.Data[0] = v
		if e.Conv(tensor.Conv{K: 3}, y, x, w, make([]float32, 8)); y.Data[0] != want {
			t.Errorf("%v is rounded to %v, want %v", v, y.Data[0], want)
		}
	}
}

// The layers of a U-Net of width 16 at 128×128, batch 4, and the ceiling they are measured against.
func BenchmarkConv(b *testing.B) {
	for name, o := range kernels {
		for _, l := range []struct{ size, in, out int }{{128, 1, 8}, {128, 8, 16}, {128, 16, 16}, {128, 48, 16}, {64, 32, 32}, {64, 96, 32}, {32, 64, 64}, {16, 64, 128}, {128, 64, 64}, {128, 192, 64}, {32, 256, 256}, {32, 768, 256}, {16, 256, 512}} {
			x, y := tensor.New(tensor.Shape{N: 4, H: l.size, W: l.size, C: l.in}), tensor.New(tensor.Shape{N: 4, H: l.size, W: l.size, C: l.out})
			w, bias := make([]float32, 9*l.in*l.out), make([]float32, l.out)
			for i := range x.Data {
				x.Data[i] = float32(i%17) - 8
			}
			e, err := NewWith(0, o)
			if err != nil {
				b.Fatal(err)
			}
			op := tensor.Conv{K: 3}
			flop := 2 * float64(len(w)) * float64(x.Pixels())
			for pass, run := range map[string]func(){
				"forward": func() { e.Conv(op, y, x, w, bias) },
				"data":    func() { e.ConvBackwardData(op, x, y, w) },
				"weights": func() { e.ConvBackwardWeights(op, w, bias, y, x) },
			} {
				b.Run(fmt.Sprintf("%s/%dx%d-%d-%d/%s", name, l.size, l.size, l.in, l.out, pass), func(b *testing.B) {
					for b.Loop() {
						run()
					}
					b.ReportMetric(flop*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
			e.Close()
		}
	}
}

func BenchmarkUp(b *testing.B) {
	for _, l := range []struct{ size, in, width int }{{64, 32, 48}, {32, 64, 96}, {16, 128, 192}, {64, 64, 96}, {32, 128, 192}} {
		e, err := NewWith(0, Options{})
		if err != nil {
			b.Fatal(err)
		}
		x, wide := tensor.New(tensor.Shape{N: 4, H: l.size, W: l.size, C: l.in}), tensor.New(tensor.Shape{N: 4, H: 2 * l.size, W: 2 * l.size, C: l.width})
		y := wide.Channels(l.width-l.in, l.width)
		w, bias := make([]float32, 4*l.in*l.in), make([]float32, l.in)
		for i := range x.Data {
			x.Data[i] = float32(i%17) - 8
		}
		flop := 2 * float64(len(w)) * float64(x.Pixels())
		for pass, run := range map[string]func(){
			"forward": func() { e.Up(y, x, w, bias) },
			"data":    func() { e.UpBackwardData(x, y, w) },
			"weights": func() { e.UpBackwardWeights(w, bias, y, x) },
		} {
			b.Run(fmt.Sprintf("%dx%d-%d/%s", l.size, l.size, l.in, pass), func(b *testing.B) {
				for b.Loop() {
					run()
				}
				b.ReportMetric(flop*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
		e.Close()
	}
}

func TestWithoutTheLibrary(t *testing.T) {
	if _, ok := kernels["library"]; ok {
		t.Skip("this build has oneDNN")
	}
	_, err := NewWith(1, Options{Kernels: Library})
	if err == nil || !strings.Contains(err.Error(), "-tags onednn") || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v, want a line that says how to build it", err)
	}
}
