package volume

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// One channel of every way in which files hold several: the fourth axis, or several values at each voxel.
func TestReadChannel(t *testing.T) {
	slow := func(channel int) (want []float32) { // the last axis
		for i := range 12 {
			want = append(want, float32(12*channel+i))
		}
		return want
	}
	fast := func(channel int) (want []float32) { // the first one
		for i := range 12 {
			want = append(want, float32(2*i+channel))
		}
		return want
	}
	for name, c := range map[string]struct {
		data []byte
		want func(channel int) []float32
	}{
		"a.nii":  {niftiFile(put16(40, 4, 2, 3, 2, 2)), slow},
		"a.mha":  {metaFile("NDims = 4", "DimSize = 2 3 2 2"), slow},
		"b.mha":  {metaFile("DimSize = 2 3 2", "ElementNumberOfChannels = 2"), fast},
		"a.nrrd": {nrrdSmall("dimension: 4", "sizes: 2 3 2 2", "kinds: domain domain domain list"), slow},
		"c.nrrd": {nrrdSmall("dimension: 4", "sizes: 2 3 2 2", "kinds: domain domain domain domain", "space dimension: 4",
			"space directions: (1,0,0,0) (0,1,0,0) (0,0,1,0) (0,0,0,1)", "space origin: (0,0,0,0)"), slow}, // as ITK writes it
		"b.nrrd": {nrrdSmall("dimension: 4", "sizes: 2 2 3 2", "kinds: vector domain domain domain"), fast},
	} {
		fsys := fstest.MapFS{name: {Data: c.data}}
		m, err := parse(fsys, name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if m.channels != 2 || m.grid.Size != [3]int{2, 3, 2} {
			t.Errorf("%s: %d channels of %v", name, m.channels, m.grid.Size)
		}
		for channel := range 2 {
			if got, err := m.read(fsys, channel); err != nil || !slices.Equal(got, c.want(channel)) {
				t.Errorf("%s, channel %d: %v, %v, want %v", name, channel, got, err, c.want(channel))
			}
		}
		for choice, want := range map[int]string{OnlyChannel: "choose one, 0 to 1", 2: "no channel 2"} {
			if _, err := m.read(fsys, choice); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s, channel %d: %v, want %q", name, choice, err, want)
			}
		}
		if _, err := m.readMask(fsys); err == nil || !strings.Contains(err.Error(), "2 channels") {
			t.Errorf("%s as a mask: %v", name, err)
		}
	}
	oblique := nrrdSmall("dimension: 4", "sizes: 2 3 2 2", "space directions: (1,0,0,0) (0,1,0,0) (0,0,1,0) (1,0,0,1)")
	if _, err := readFS(fstest.MapFS{"a.nrrd": {Data: oblique}}, "a.nrrd"); err == nil || !strings.Contains(err.Error(), "axis 3 runs through space and time") {
		t.Errorf("an axis in space and time: %v", err)
	}
	five := niftiFile(put16(40, 5, 2, 3, 1, 1, 4))
	if _, err := readFS(fstest.MapFS{"a.nii": {Data: five}}, "a.nii"); err == nil || !strings.Contains(err.Error(), "5-D image (dim[5] is 4)") {
		t.Errorf("five axes: %v", err)
	}
	single := fstest.MapFS{"a.nii": {Data: niftiFile(nil)}}
	m, err := parse(single, "a.nii")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := m.read(single, 0); err != nil || len(got) != 24 {
		t.Errorf("channel 0 of an image without others: %v, %v", got, err)
	}
}
