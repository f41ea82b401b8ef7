package demo

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/nextslice/nextslice/internal/tempdir"
	"github.com/nextslice/nextslice/pacs"
	"github.com/nextslice/nextslice/volume/dicom"
)

// Serve starts an Orthanc with synthetic patients on a port, calls ready with its root and the number of images, and ends it with ctx, which is no error.
func Serve(ctx context.Context, patients, port int, ready func(root string, images int)) error {
	if missing := Missing(); missing != "" {
		return errors.New(missing)
	}
	dir, remove, err := tempdir.Make("pacs-demo")
	if err != nil {
		return err
	}
	defer remove()
	root, stop, err := Start(dir, port)
	if err != nil {
		return err
	}
	defer stop()
	client, err := pacs.New(root, pacs.Access{User: User, Password: Password})
	if err != nil {
		return err
	}
	files, err := Patients(patients)
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
		if _, err := client.Store(ctx, head.Study, head.Instance, path); err != nil {
			return err
		}
	}
	ready(root, len(files))
	<-ctx.Done()
	return nil
}
