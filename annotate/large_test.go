//go:build unix

package annotate_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/annotatetest"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/source"
)

// cpuSeconds are those of the process up to now, of all threads.
func cpuSeconds(t testing.TB) float64 {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// BenchmarkFirstSlice opens a slice of a CT of 512×512×300 for the first time, as the page does: its task, then its image. Read cpu-s/op: time
// on the clock says nothing on a busy machine.
//
//	go test -run '^$' -bench FirstSlice -benchtime 2x ./annotate
func BenchmarkFirstSlice(b *testing.B) {
	series := b.TempDir()
	annotatetest.CT(b, filepath.Join(series, "ct0"), 512, 300)
	annotatetest.CT(b, filepath.Join(series, "ct1"), 8, 3)
	packed := filepath.Join(b.TempDir(), "images")
	pack := func() error { // in a function, so that the voxels do not count as the server's
		ct, _, err := source.Read(filepath.Join(series, "ct0"), "", 0)
		if err != nil {
			return err
		}
		return errors.Join(os.Mkdir(packed, 0o700), volume.WriteVolume(filepath.Join(packed, "ct0.nii.gz"), ct))
	}
	if err := pack(); err != nil {
		b.Fatal(err)
	}
	for name, dir := range map[string]string{"DICOM": series, "NIfTI": packed} {
		b.Run(name, func(b *testing.B) {
			cpu := 0.0
			for b.Loop() {
				b.StopTimer()
				p, err := annotate.Open(b.Context(), annotate.Options{Data: dir, Dir: filepath.Join(b.TempDir(), "project"), Axis: 2, Classes: []string{"organ"}})
				if err != nil {
					b.Fatal(err)
				}
				begin := cpuSeconds(b)
				b.StartTimer()
				item := annotate.Item{Case: "ct0", Slice: 150}
				if _, err := p.Queue.Task(b.Context(), annotate.Person{Name: "ada"}, item); err != nil {
					b.Fatal(err)
				}
				if _, err := p.Cases.Image(item, 0); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				cpu += cpuSeconds(b) - begin
				p.Close()
				b.StartTimer()
			}
			b.ReportMetric(cpu/float64(b.N), "cpu-s/op")
		})
	}
}
