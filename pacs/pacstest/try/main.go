// Command try starts a PACS to try nextslice pacs with: Orthanc with the MR series of four synthetic patients, for this machine only. Ctrl-C ends it and
// removes all that it holds.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/nextslice/nextslice/internal/tempdir"
	"github.com/nextslice/nextslice/pacs"
	"github.com/nextslice/nextslice/pacs/pacstest"
	"github.com/nextslice/nextslice/volume/dicom"
)

const port = 8642

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := serve(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "try:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context) error {
	if missing := pacstest.Missing(); missing != "" {
		return errors.New(missing)
	}
	dir, remove, err := tempdir.Make("try")
	if err != nil {
		return err
	}
	defer remove()
	root, stop, err := pacstest.StartOrthanc(dir, port)
	if err != nil {
		return err
	}
	defer stop()
	client, err := pacs.New(root, pacs.Access{User: pacstest.OrthancUser, Password: pacstest.OrthancPassword})
	if err != nil {
		return err
	}
	files, err := pacstest.Patients(4)
	if err != nil {
		return err
	}
	for _, file := range files {
		path := filepath.Join(dir, "send.dcm")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			return err
		}
		head, err := dicom.ReadHead(path)
		if err != nil {
			return err
		}
		if err := client.Store(ctx, head.Study, head.Instance, path); err != nil {
			return err
		}
	}
	fmt.Printf("%d images of 4 patients at %s; user %s, password %s; Ctrl-C ends it\n", len(files), root, pacstest.OrthancUser, pacstest.OrthancPassword)
	<-ctx.Done()
	return nil
}
