// Command build bundles the annotation page in the folder web into web/dist.
// Run it from the repository's root, after `npm ci` in web.
package main

import (
	"fmt"
	"os"

	"github.com/nextslice/nextslice/web/bundle"
)

func main() {
	if err := bundle.Page("web", "web/dist"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
