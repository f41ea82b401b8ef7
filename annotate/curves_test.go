package annotate

import (
	"math"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/annotate/store"
)

// models have these validation Dice after 10, 20, 30 … labels.
func models(dice ...float64) []store.Model {
	var list []store.Model
	for i, d := range dice {
		list = append(list, store.Model{Version: i + 1, Cycle: i, Labelled: 10 * (i + 1), Dice: &d, Adopted: true})
	}
	return list
}

func TestForecastOfAKnownLaw(t *testing.T) {
	law := powerLaw{a: 0.9, b: 2, c: 0.8}
	var dice []float64
	for n := 10; n <= 60; n += 10 {
		dice = append(dice, law.at(float64(n)))
	}
	f := forecast(models(dice...), 20, stopLabels)
	if want := law.at(80) - law.at(60); f.Gain == nil || math.Abs(*f.Gain-want) > 1e-6 {
		t.Errorf("gain %v, want %v", f.Gain, want)
	}
	if f.NextLabels != 20 || !strings.Contains(f.Text, "20 labels") {
		t.Errorf("%+v", f)
	}
}

func TestForecastEdges(t *testing.T) {
	if f := forecast(models(0.5, 0.6), 10, stopLabels); f.Gain != nil || !strings.Contains(f.Text, "Too few") {
		t.Errorf("two models: %+v", f)
	}
	if f := forecast(models(0.8, 0.7, 0.6, 0.5), 10, stopLabels); f.Gain == nil || *f.Gain != 0 {
		t.Errorf("a falling curve: %+v", f)
	}
	if f := forecast(models(0.1, 0.5, 0.9, 0.99), 1000, stopLabels); f.Gain == nil || !(*f.Gain > 0 && *f.Gain < 0.3) {
		t.Errorf("a steep curve must not pass 1 by far: %v", *f.Gain)
	}
	same := models(0.5, 0.6, 0.7)
	for i := range same {
		same[i].Labelled = 10
	}
	if f := forecast(same, 10, stopLabels); f.Gain != nil {
		t.Errorf("models of the same labels: %v", *f.Gain)
	}
	if f := forecast(models(0.5, 0.6, 0.65, 0.7), 10, stopLabels-1); f.Gain != nil || !strings.Contains(f.Text, "it takes 10, there are 9") {
		t.Errorf("few validation slices: %+v", f)
	}
	without := models(0.5, 0.6, 0.7)
	without[1].Dice = nil
	if f := forecast(without, 10, stopLabels); f.Gain != nil {
		t.Errorf("a model without validation: %v", *f.Gain)
	}
}

func TestSuggestStop(t *testing.T) {
	for name, c := range map[string]struct {
		dice       []float64
		unlabelled int
		stop       bool
		reason     string
	}{
		"still rising":      {[]float64{0.3, 0.5, 0.6, 0.7, 0.75}, 100, false, "raised the best validation Dice by 0.250"},
		"flat":              {[]float64{0.5, 0.7, 0.8, 0.801, 0.8, 0.802}, 100, true, "hardly help"},
		"too few":           {[]float64{0.8, 0.8, 0.8}, 100, false, "takes 4 models"},
		"nothing left":      {[]float64{0.3}, 0, true, "Every slice"},
		"no validation":     {nil, 100, false, "there are 0"},
		"one lucky setback": {[]float64{0.5, 0.6, 0.7, 0.65, 0.75}, 100, false, "raised"},
	} {
		s := suggestStop(models(c.dice...), 10, c.unlabelled, stopLabels)
		if s.Suggested != c.stop || !strings.Contains(s.Reason, c.reason) {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if s := suggestStop(models(0.5, 0.7, 0.8, 0.801, 0.8, 0.802), 10, 100, stopLabels-1); s.Suggested || !strings.Contains(s.Reason, "there are 9") {
		t.Errorf("few validation slices: %+v", s)
	}
}
