// Command build bundles the annotation page in the folder annotate/page into its folder dist.
// Run it from the repository's root, after `npm ci` in annotate/page.
package main

import (
	"fmt"
	"os"

	"github.com/nextslice/nextslice/annotate/page/bundle"
)

func main() {
	if err := bundle.Page("annotate/page", "annotate/page/dist"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
