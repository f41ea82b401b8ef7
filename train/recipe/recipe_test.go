package recipe

import (
	"strings"
	"testing"
)

func TestPresetsAreValid(t *testing.T) {
	var names []string
	for _, p := range Presets() {
		names = append(names, p.Name)
		if err := p.Train.Validate(); err != nil {
			t.Errorf("preset %s: %v", p.Name, err)
		}
		if p.Canvas[0] <= 0 || p.Canvas[1] <= 0 {
			t.Errorf("preset %s: canvas %v", p.Name, p.Canvas)
		}
	}
	if got := strings.Join(names, " "); got != "paper workstation quick demo" {
		t.Errorf("presets %s", got)
	}
}

// The paper's recipe is fixed: method and published code agree on these numbers.
func TestPaperPreset(t *testing.T) {
	p, err := FindPreset("paper")
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Width: 64, Dropout: 0.5, Steps: 75 * 250, Batch: 4, WeightDecay: 1e-4,
		LearningRate: Schedule{First: 1e-6, Peak: 1e-4, Last: 1e-7, WarmUp: p.Train.LearningRate.WarmUp, Epochs: 75},
		Loss:         Loss{Kind: Softmax, CrossEntropy: 0.5, Dice: 0.5, Smooth: 1e-9},
		Augment:      Augment{Noise: 0.01, NoiseProbability: 0.5, Rotate: 10},
	}
	if got := p.Train; got.Loss.Kind != want.Loss.Kind || got.Augment != want.Augment || got.LearningRate != want.LearningRate ||
		got.Width != want.Width || got.Dropout != want.Dropout || got.Steps != want.Steps || got.Batch != want.Batch ||
		got.WeightDecay != want.WeightDecay || got.SameInit {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if p.Canvas != [2]int{128, 128} {
		t.Errorf("canvas %v", p.Canvas)
	}
}

func TestFindPresetUnknown(t *testing.T) {
	_, err := FindPreset("fast")
	if err == nil || !strings.Contains(err.Error(), "quick") {
		t.Errorf("got %v, want an error that names the presets", err)
	}
}

func TestValidateReportsAllFaults(t *testing.T) {
	p, err := FindPreset("quick")
	if err != nil {
		t.Fatal(err)
	}
	c := p.Train
	c.Dropout, c.Steps, c.Loss.Kind, c.Augment.Rotate = 1, 0, "hinge", 270
	err = c.Validate()
	if err == nil {
		t.Fatal("no error")
	}
	for _, name := range []string{"dropout", "steps", "loss.kind", "augment.rotate"} {
		if !strings.Contains(err.Error(), name+":") {
			t.Errorf("%q is not in the report:\n%v", name, err)
		}
	}
}
