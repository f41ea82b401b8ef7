package model

import (
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor/ref"
	"github.com/nextslice/nextslice/volume"
)

// A model of two channels reads both, in their order, through a file and back, and refuses another number.
func TestSegmentChannels(t *testing.T) {
	m := untrained(t)
	m.Net = unet.New(ref.New(1), unet.Config{Classes: 3, Width: 2, Channels: 2}, random.Stream(3, "init"))
	m.Channels = []dataset.Channel{{Number: 0, Name: "T2"}, {Number: 2, Name: "ADC"}}
	path := t.TempDir() + "/two.safetensors"
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	m, err := Load(ref.New(1), path)
	if err != nil {
		t.Fatal(err)
	}
	first, second := image(), image()
	slices.Reverse(second.Data)
	maps := map[string][]float32{}
	for name, images := range map[string][]*volume.Volume{"both": {first, second}, "same": {first, first}, "swapped": {second, first}} {
		p, err := m.Segment(t.Context(), images, true, nil)
		if err != nil {
			t.Fatal(err)
		}
		maps[name] = p.Uncertainty.Data
	}
	if slices.Equal(maps["both"], maps["same"]) || slices.Equal(maps["both"], maps["swapped"]) {
		t.Error("the second channel makes no difference")
	}

	if _, err := m.Segment(t.Context(), []*volume.Volume{first}, false, nil); err == nil || !strings.Contains(err.Error(), "2 channels (T2, ADC) of a case, got 1") {
		t.Errorf("one image: %v", err)
	}
	elsewhere := image()
	elsewhere.Affine[0][3]++
	if _, err := m.Segment(t.Context(), []*volume.Volume{first, elsewhere}, false, nil); err == nil || !strings.Contains(err.Error(), "another grid") {
		t.Errorf("another grid: %v", err)
	}

	m.Channels = m.Channels[:1]
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(ref.New(1), path); err == nil || !strings.Contains(err.Error(), "images of 1 channels for a network of 2") {
		t.Errorf("a file whose channels are not the network's: %v", err)
	}
}
