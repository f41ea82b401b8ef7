package onnxruntime

import (
	"fmt"
	"strings"
)

// Value is an input or an output of a network.
type Value struct {
	Name  string
	Shape [4]int // [N C H W]; -1 is any size
}

// value returns a Value, or an error unless the tensor is one of images.
func value(what, name string, float bool, kind string, dimensions []int64) (Value, error) {
	v := Value{Name: name}
	if !float {
		return v, fmt.Errorf("its %s %q is of type %s: want float32; export the network in single precision", what, name, kind)
	}
	if len(dimensions) == 5 {
		return v, fmt.Errorf("its %s %q is [%s], of volumes: only networks of slices, [N C H W], are run", what, name, join(dimensions))
	}
	if len(dimensions) != 4 {
		return v, fmt.Errorf("its %s %q is [%s]: want [N C H W]", what, name, join(dimensions))
	}
	for i, n := range dimensions {
		if v.Shape[i] = int(n); n < 1 {
			v.Shape[i] = -1
		}
	}
	return v, nil
}

// join writes dimensions, "?" for any size.
func join(dimensions []int64) string {
	words := make([]string, len(dimensions))
	for i, n := range dimensions {
		if words[i] = fmt.Sprint(n); n < 1 {
			words[i] = "?"
		}
	}
	return strings.Join(words, " ")
}
