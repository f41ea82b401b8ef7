package main

import (
	"context"
	"fmt"

	"github.com/nextslice/nextslice/pacs/demo"
)

type pacsDemoCommand struct {
	Port int `default:"8642" placeholder:"N" help:"Port of this machine to answer at, 8642 by default."`
}

func (pacsDemoCommand) Help() string {
	return `Starts an archive to try find, pull and push with: Orthanc, if it is installed (on Debian or Ubuntu: sudo apt-get install orthanc
orthanc-dicomweb), with the MR series of four synthetic patients. It answers to this machine only; Ctrl-C ends it, and all that it holds is gone.

Examples:
  nextslice pacs demo`
}

func (c pacsDemoCommand) Run(ctx context.Context, s streams) error {
	const patients = 4
	return demo.Serve(ctx, patients, c.Port, func(root string, images int) {
		fmt.Fprintf(s.out, "%d images of %d patients at %s; user %s, password %s; Ctrl-C ends it\n", images, patients, root, demo.User, demo.Password)
	})
}
