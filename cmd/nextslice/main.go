// Command nextslice tells a team which slices of their medical volumes to label next.
//
// See `nextslice --help`, and the tour of the packages at the root of the module.
package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) == 1 && ownWindow() {
		os.Exit(doubleClick())
	}
	os.Exit(run(context.Background(), os.Stdin, os.Stdout, os.Stderr, os.Args[1:]))
}

// doubleClick opens the page on synthetic volumes, for a first look, in the person's home folder.
func doubleClick() int {
	fmt.Println("nextslice: the page opens in your browser, on synthetic volumes. Close this window to stop.\n" +
		"For your own volumes open a terminal: nextslice serve --data FOLDER. All commands: nextslice --help")
	home, err := os.UserHomeDir()
	if err == nil {
		err = os.Chdir(home)
	}
	if err != nil {
		fmt.Println("nextslice:", err)
	}
	code := run(context.Background(), os.Stdin, os.Stdout, os.Stderr, []string{"serve", "--demo"})
	if code != done {
		keepWindow()
	}
	return code
}
