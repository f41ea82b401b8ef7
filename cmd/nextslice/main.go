// Command nextslice tells a team which slices of their medical volumes to label next.
//
// See `nextslice --help`, and the tour of the packages at the root of the module.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Stdin, os.Stdout, os.Stderr, os.Args[1:]))
}
