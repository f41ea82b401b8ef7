package server_test

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/server"
	"github.com/nextslice/nextslice/volume"
)

// large writes a data set of so many cases of 12 slices of 96 x 96, ten of them with foreground: links to five files.
func large(t testing.TB, cases int) string {
	t.Helper()
	store, dir := t.TempDir(), t.TempDir()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	grid := volume.Grid{Size: [3]int{96, 96, 12}, Unit: volume.Millimetre, Affine: [3][4]float64{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 3, 0}}}
	for n := range 5 {
		v := &volume.Volume{Grid: grid, Data: make([]float32, grid.Len()), Stored: "int16"}
		m := &volume.Mask{Grid: grid, Data: make([]uint8, grid.Len())}
		for i := range v.Data {
			x, y, k := i%96-48, i/96%96-48, i/96/96
			v.Data[i] = float32((i*2654435761)>>7&63 + 100)
			if r := 10 + 5*n + k; k < 10 && x*x+y*y < r*r {
				v.Data[i] += 200
				m.Data[i] = 1
			}
		}
		check(volume.WriteVolume(filepath.Join(store, fmt.Sprintf("image%d.nii.gz", n)), v))
		check(volume.WriteMask(filepath.Join(store, fmt.Sprintf("mask%d.nii.gz", n)), m))
	}
	for _, sub := range []string{"imagesTr", "labelsTr"} {
		check(os.Mkdir(filepath.Join(dir, sub), 0o700))
	}
	for n := range cases {
		check(os.Symlink(filepath.Join(store, fmt.Sprintf("image%d.nii.gz", n%5)), filepath.Join(dir, "imagesTr", fmt.Sprintf("case%04d_0000.nii.gz", n))))
		check(os.Symlink(filepath.Join(store, fmt.Sprintf("mask%d.nii.gz", n%5)), filepath.Join(dir, "labelsTr", fmt.Sprintf("case%04d.nii.gz", n))))
	}
	check(os.WriteFile(filepath.Join(dir, "dataset.json"), []byte(`{"channel_names": {"0": "T2"}, "labels": {"background": 0, "organ": 1}, "file_ending": ".nii.gz", "numTraining": `+fmt.Sprint(cases)+`}`), 0o600))
	return dir
}

// machineLoad returns how many processes wanted to run in the last five minutes, 0 where the system does not tell.
func machineLoad() (load float64) {
	text, err := os.ReadFile("/proc/loadavg")
	if err == nil {
		fmt.Sscan(string(text), new(float64), &load)
	}
	return load
}

// A project of 1,000 cases and 10,000 labels (make torture-scale; a tenth of it otherwise) starts in seconds, saves in milliseconds, and does
// not grow over 50,000 requests.
func TestScale(t *testing.T) {
	cases := 100
	if n, err := strconv.Atoi(os.Getenv("NEXTSLICE_SCALE")); err == nil {
		cases = n
	}
	data, project := large(t, cases), filepath.Join(t.TempDir(), "project")
	foreground := func(c *annotate.Config) { c.InitialSize, c.QuerySize, c.Masks = 4, 50, annotate.MasksForeground }
	options := annotate.Options{Data: data, Dir: project, Axis: 2, Change: foreground, CacheBytes: 64 << 20}
	begin := time.Now()
	p, err := annotate.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("begun in %v", time.Since(begin))
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	begin = time.Now()
	s := startOn(t, data, server.Options{}, nil, foreground, project)
	started := time.Since(begin)
	ana := s.logIn("ana", "")
	task := read[annotate.Task](t, s.want(200, s.do("POST", "/api/v1/next", "", ana...)))
	until(t, "the work of the start is done", func() bool {
		summary := read[annotate.Summary](t, s.want(200, s.do("GET", "/api/v1/project", "", ana...)))
		_, err := os.Stat(filepath.Join(project, "labels", "project.json"))
		return err == nil && summary.Training == nil && summary.Model != nil
	})
	mask := make([]byte, 96*96)
	// save returns the answer and how long the server took for it.
	save := func(item string) (server.Saved, time.Duration) {
		r := httptest.NewRequest("PUT", path(item)+"/label?seconds=3", bytes.NewReader(mask))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set(ana[0], ana[1])
		w := httptest.NewRecorder()
		begin := time.Now()
		s.handler.ServeHTTP(w, r)
		took := time.Since(begin)
		return read[server.Saved](t, s.want(200, answer{status: w.Code, body: w.Body.Bytes()})), took
	}
	round := func(n int) []time.Duration {
		var times []time.Duration
		for i := range n {
			mask[i]++
			mask[i] %= 2
			saved, took := save(task.Item)
			times = append(times, took)
			time.Sleep(50 * time.Millisecond) // people are slower still
			if saved.Next != nil {
				task = *saved.Next
				continue
			}
			until(t, "the queue is filled", func() bool {
				a := s.do("POST", "/api/v1/next", "", ana...)
				if a.status == 200 {
					task = read[annotate.Task](t, a)
				}
				return a.status == 200
			})
		}
		slices.Sort(times)
		return times
	}
	const most = 50 * time.Millisecond
	saves, requests := 40, 200
	if cases >= 1000 {
		saves, requests = 200, 5000
	}
	p95 := func(times []time.Duration) time.Duration { return times[len(times)*95/100-1] }
	times := round(saves)
	timed := cases >= 1000                                 // a machine that runs other tests too has no time to speak of
	for n := 0; n < 3 && timed && p95(times) > most; n++ { // the machine may have had other work
		times = round(saves)
	}
	t.Logf("start %v; a save at the server: median %v, 95 of 100 within %v, longest %v", started, times[len(times)/2], p95(times), times[len(times)-1])
	memory := func() float64 {
		for n := range requests {
			item := fmt.Sprintf("case%04d%%2F%03d", n*7%cases, n%12)
			target := []string{"/api/v1/tasks/" + item, "/api/v1/items/" + item + "/label", fmt.Sprintf("/api/v1/cases/case%04d/slices/%d/image", n*7%cases, n%12),
				"/api/v1/items/" + item + "/versions"}[n%4]
			r := httptest.NewRequest("GET", target, nil)
			r.Header.Set(ana[0], ana[1])
			s.handler.ServeHTTP(httptest.NewRecorder(), r)
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc) / (1 << 20)
	}
	var curve []float64
	for n := range 10 {
		curve = append(curve, memory())
		t.Logf("heap after %6d requests %.0f MB", (n+1)*requests, curve[n])
	}
	if timed && started > 5*time.Second {
		t.Errorf("started in %v", started)
	}
	if timed && times[len(times)/2] > most {
		t.Errorf("half of the saves took more than %v", most)
	}
	if timed && p95(times) > most {
		if load := machineLoad(); load <= float64(runtime.NumCPU()) {
			t.Errorf("of 100 saves 5 took more than %v", most)
		} else {
			t.Logf("of 100 saves 5 took more than %v, at a load of %.0f on %d cores, which is not counted", most, load, runtime.NumCPU())
		}
	}
	if first, last := curve[1], curve[9]; last > first*1.05+8 {
		t.Errorf("memory grew from %.0f to %.0f MB", first, last)
	}
}
