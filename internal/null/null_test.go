package null

import (
	"encoding/json"
	"math"
	"testing"
	"time"
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

// Clean leaves no number that JSON lacks, wherever it stands, and changes no other.
func TestClean(t *testing.T) {
	type inner struct{ A, B float64 }
	nan, five := math.NaN(), 5.0
	v := struct {
		Inner inner
		List  []inner
		Gone  *float64
		Kept  *float64
		Deep  *inner
		Any   any
		When  time.Time
	}{inner{nan, 1}, []inner{{math.Inf(1), 2}}, &nan, &five, &inner{math.Inf(-1), 3}, &inner{nan, 4}, time.Unix(5, 0).UTC()}
	Clean(&v)
	text, err := json.Marshal(v)
	want := `{"Inner":{"A":0,"B":1},"List":[{"A":0,"B":2}],"Gone":null,"Kept":5,"Deep":{"A":0,"B":3},"Any":{"A":0,"B":4},"When":"1970-01-01T00:00:05Z"}`
	if err != nil || string(text) != want {
		t.Errorf("got %s, %v", text, err)
	}
}
