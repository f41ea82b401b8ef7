package main

import (
	"testing"

	"github.com/nextslice/nextslice/volume"
)

// Six slices of four pixels: the reference has foreground in slices 1 to 3, the prediction in 0 to 2.
func TestDivide(t *testing.T) {
	g := volume.Grid{Size: [3]int{2, 2, 6}}
	ref, pred := &volume.Mask{Grid: g, Data: make([]uint8, 24)}, &volume.Mask{Grid: g, Data: make([]uint8, 24)}
	for k, n := range []int{0, 2, 4, 1, 0, 0} {
		for i := range n {
			ref.Data[4*k+i] = 1
		}
	}
	for k, n := range []int{3, 1, 4, 0, 0, 0} {
		for i := range n {
			pred.Data[4*k+i] = 2 // another class is foreground too
		}
	}
	got := divide(pred, ref, 2)
	want := thirds{slices: 3, dice: [3]float64{2. / 3, 1, 0}, missed: 1, outside: 1}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := divide(pred, pred, 2); got.dice != [3]float64{1, 1, 1} || got.missed+got.outside != 0 {
		t.Errorf("with itself: %+v", got)
	}
}
