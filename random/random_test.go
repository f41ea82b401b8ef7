package random

import "testing"

func TestStream(t *testing.T) {
	first := Stream(1, "query", 3).Uint64()
	if again := Stream(1, "query", 3).Uint64(); again != first {
		t.Errorf("same name, other stream: %d and %d", first, again)
	}
	for name, other := range map[string]uint64{
		"other seed":    Stream(2, "query", 3).Uint64(),
		"other element": Stream(1, "query", 4).Uint64(),
		"other cut":     Stream(1, "quer", "y3").Uint64(),
		"shorter path":  Stream(1, "query").Uint64(),
	} {
		if other == first {
			t.Errorf("%s: the same stream", name)
		}
	}
}

// The streams of a published seed must never change: records of old runs rest on them.
func TestStreamIsFixed(t *testing.T) {
	if got, want := Stream(1, "query", 3).Uint64(), uint64(13919344868411765835); got != want {
		t.Errorf("got %d, want %d", got, want)
	}
}
