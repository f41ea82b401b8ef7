package null

import (
	"encoding/json"
	"math"
	"testing"
)

func TestFloat(t *testing.T) {
	in := []Float{0.5, Float(math.NaN()), -1e-9, Float(math.Inf(-1)), 3}
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if want := "[0.5,null,-1e-9,null,3]"; string(text) != want {
		t.Errorf("%s, want %s", text, want)
	}
	var out []Float
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0.5, math.NaN(), -1e-9, math.NaN(), 3} {
		if got := float64(out[i]); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("number %d is read as %v, want %v", i, got, want)
		}
	}
	if err := json.Unmarshal([]byte(`["x"]`), &out); err == nil {
		t.Error("a text was read as a number")
	}
}
