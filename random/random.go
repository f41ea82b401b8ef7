// Package random derives named random streams from one seed.
//
// A program that draws everything from one generator gives other results as soon as one draw is added or two
// goroutines swap places. Here every purpose has a stream of its own, named by a path such as ("query", cycle 3):
// the draws of one stream do not depend on any other.
package random

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// Stream returns the ChaCha8 generator named by path under seed. Its key is the SHA-256 of the seed and the path's
// elements, each written with its length, so ("a", "bc") and ("ab", "c") differ. Elements are formatted with %v:
// use strings and integers.
func Stream(seed uint64, path ...any) *rand.Rand {
	h := sha256.New()
	var word [8]byte
	binary.LittleEndian.PutUint64(word[:], seed)
	h.Write(word[:])
	for _, element := range path {
		s := fmt.Sprint(element)
		binary.LittleEndian.PutUint64(word[:], uint64(len(s)))
		h.Write(word[:])
		h.Write([]byte(s))
	}
	return rand.New(rand.NewChaCha8([32]byte(h.Sum(nil))))
}
