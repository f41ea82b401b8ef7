package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/pacs"
	"github.com/nextslice/nextslice/volume"
)

type pacsPushCommand struct {
	Dir   string   `arg:"" placeholder:"DIR" help:"Folder that was pulled."`
	Masks string   `placeholder:"FOLDER" help:"Masks called by their cases, P001.nii.gz, as predict writes them; the default is labels/final of DIR, or of the project of serve --data DIR."`
	Names []string `placeholder:"LIST" help:"Names of the classes from 1 on, separated by commas, for masks of numbers; the labels of serve have their own. Names in .seg.nrrd and DICOM files stay, and must be among these."`
	segFlags
	To string `placeholder:"URL" help:"Another server, such as a research PACS: clinical ones rarely take files."`
	pacsFlags
	DryRun bool `help:"Say what would be sent."`
}

func (pacsPushCommand) Help() string {
	return `Writes each mask as DICOM segmentation on its series, DIR/seg/P001.dcm, reads it back, and sends it to its study. It counts as stored only when the
server says so. What was sent last and has not changed is not sent again; a mask that has changed becomes a new object, also where it is what it was
earlier. Nothing is removed from the server: of a mask that was erased a warning names the objects that are there. The series is called
"nextslice, not for diagnosis". Slices whose label a reviewer has rejected or sent back are left out. Organs and lesions get their SNOMED codes
by the names of the classes; other names are free text. What has no name is refused, and segments called ignore, unsure, void or not labelled are left out.
` + pacsAccessHelp + `

Examples:
  nextslice pacs push DIR --dry-run
  nextslice pacs push DIR
  nextslice pacs push DIR --masks masks --names prostate --to https://research.example/dicom-web`
}

func (c pacsPushCommand) Run(ctx context.Context, s streams) error {
	if err := c.checkNames(); err != nil {
		return usagef("--names: %w", err)
	}
	folder, err := pacs.Open(c.Dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	o := pacs.PushOptions{Masks: c.Masks, Names: c.Names, DryRun: c.DryRun}
	if o.SEG, err = c.seg(); err != nil {
		return err
	}
	if masks, err := os.Stat(o.Masks); err == nil {
		if seg, err := os.Stat(filepath.Join(c.Dir, "seg")); err == nil && os.SameFile(masks, seg) {
			return usagef("--masks %s: what is sent is written there: name another folder", o.Masks)
		}
	}
	if o.Masks == "" {
		if o.Masks, err = labelsOf(c.Dir); err != nil {
			return usageError{err}
		}
	}
	clients := map[string]*pacs.Client{}
	o.Server = func(address string) (*pacs.Client, error) {
		if c.To != "" {
			address = c.To
		}
		if clients[address] == nil {
			if clients[address], err = c.client(address); err != nil {
				return nil, err
			}
		}
		return clients[address], nil
	}
	if c.To != "" {
		if _, err := o.Server(c.To); err != nil {
			return err
		}
	}
	stored, before, none, faults := 0, 0, 0, 0
	err = folder.Push(ctx, o, func(one pacs.Sent) {
		for _, w := range one.Warnings {
			warn(s.err, []string{one.Case + ": " + w})
		}
		switch {
		case one.Err != nil:
			faults++
			fmt.Fprintln(s.err, one.Err)
		case one.NoMask:
			none++
		case one.Before:
			before++
		case c.DryRun:
			stored++
			fmt.Fprintf(s.out, "%s: would be sent to %s\n", one.Case, one.To)
		default:
			stored++
			fmt.Fprintf(s.out, "%s: stored at %s as %s\n", one.Case, one.To, one.Instance)
		}
	})
	if err != nil {
		return interruptedPacs(err)
	}
	verb := "stored"
	if c.DryRun {
		verb = "to be sent"
	}
	fmt.Fprintf(s.out, "%d segmentations %s, %d had been stored before, %d cases without a mask\n", stored, verb, before, none)
	if faults > 0 {
		return errors.New("some masks could not be sent: the same command tries again")
	}
	return nil
}

// checkNames refuses names that a reader of what is sent could not tell apart. Values between others may go without a name: masks with these are refused. So may values be called as what is
// not sent.
func (c pacsPushCommand) checkNames() error {
	_, err := volume.CheckClassNames(slices.DeleteFunc(trimmed(c.Names), func(name string) bool { return name == "" || volume.MeansIgnore(name) }))
	return err
}

// labelsOf returns the folder of the labels that people made of a data set.
func labelsOf(dir string) (string, error) {
	masks := filepath.Join(dir, "labels", "final")
	if exists(masks) {
		return masks, nil
	}
	project, err := annotate.DefaultDir(dir)
	if err != nil {
		return "", fmt.Errorf("%w; or name the folder of masks with --masks", err)
	}
	if masks = filepath.Join(project, "labels", "final"); exists(masks) {
		return masks, nil
	}
	return "", fmt.Errorf("%s has no labels/final, nor has %s: name the folder of masks with --masks", dir, project)
}
