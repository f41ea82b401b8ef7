package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nextslice/nextslice/cmd/nextslice/internal/progress"
	"github.com/nextslice/nextslice/pacs"
	"github.com/nextslice/nextslice/volume/dicom"
)

// askAbove is the number of series from which on pull asks first.
const askAbove = 50

type pacsPullCommand struct {
	Address string `arg:"" name:"url" placeholder:"URL" help:"Root address of the server's DICOMweb."`
	Dir     string `arg:"" placeholder:"DIR" help:"New folder, or one that was pulled before."`
	pacsQuery
	MinSlices int `default:"5" placeholder:"N" help:"Leave out series of fewer slices: localisers, single pictures."`
	pacsFlags
	Yes    bool `help:"Do not ask before more than 50 series."`
	DryRun bool `help:"Say what would be pulled."`
}

func (pacsPullCommand) Help() string {
	return `Fetches series of images, each into a folder of its own: DIR/P001, DIR/P002 ... What is there is passed over, so the same command goes on
where it was interrupted, and fetches series that are new later. A case is not pulled again: where the server has another number of its files by
now a warning names it, and where it has more the command ends with code 1. DIR is a data set: serve --data DIR, inspect DIR and predict MODEL DIR OUT
take it. Pixels are asked for unpacked; what cannot be unpacked by the server comes as it is stored.

The files are the hospital's own, with names in them: DIR is for your account alone, and so is DIR/pacs.json, which says which series
a case is. Pages, logs, records and models see P001 only. Segmentations, reports and the like are left out.
` + pacsAccessHelp + `

Examples:
  nextslice pacs pull https://pacs.example/dicom-web DIR --modality MR --series-description 't2*tra*' --dry-run
  nextslice pacs pull https://pacs.example/dicom-web DIR --modality MR --series-description 't2*tra*'
  nextslice pacs pull https://pacs.example/dicom-web DIR --series 1.2.840.99.1.2`
}

func (c pacsPullCommand) Run(ctx context.Context, s streams) error {
	if c.MinSlices < 1 {
		return usagef("--min-slices %d: want 1 or more", c.MinSlices)
	}
	client, err := c.client(c.Address)
	if err != nil {
		return err
	}
	found, err := c.find(ctx, client, s.err)
	if err != nil {
		return err
	}
	folder := &pacs.Folder{} // in a dry run nothing is made
	if !c.DryRun || exists(c.Dir) {
		if folder, err = pacs.Create(c.Dir); err != nil {
			return err
		}
		defer folder.Close()
	}
	chosen, err := folder.Select(ctx, client, found, c.MinSlices)
	if err != nil {
		return interruptedPacs(err)
	}
	short := 0
	for _, one := range chosen.Changed {
		warn(s.err, []string{one.String()})
		if one.Short() {
			short++
		}
	}
	if c.DryRun {
		if err := listSeries(s.out, chosen.Series); err != nil {
			return err
		}
		if text := strings.TrimPrefix(leftOut(chosen), ", "); text != "" {
			fmt.Fprintln(s.out, "left out:", text)
		}
		return nil
	}
	if len(chosen.Series) > askAbove && !c.Yes {
		fmt.Fprintf(s.err, "%d series of %d slices, some %.1f GB: pull them? [y/N] ", len(chosen.Series), chosen.Slices, float64(chosen.Slices)*0.5/1024)
		answer, _ := bufio.NewReader(s.in).ReadString('\n')
		if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
			return errors.New("nothing was pulled: narrow the query, or say --yes")
		}
	}
	if err := c.pull(ctx, s, client, folder, chosen); err != nil || short == 0 {
		return err
	}
	return fmt.Errorf("cases that lack files which the server has by now: %d; there may be labels on them, so they were not pulled again", short)
}

func (c pacsPullCommand) pull(ctx context.Context, s streams, client *pacs.Client, folder *pacs.Folder, chosen pacs.Selection) error {
	p := progress.New(s.err)
	defer p.End()
	whole, faults, of := 0, 0, len(chosen.Series)
	err := folder.Pull(ctx, client, chosen.Series, func(series, files int) {
		p.Show(float64(series)/float64(of), fmt.Sprintf("series %d/%d, file %d", series+1, of, files))
	}, func(one pacs.Pulled) {
		if one.Err != nil {
			faults++
			p.Line("%v", one.Err)
			return
		}
		whole++
		p.End()
		text := fmt.Sprintf("%s: %d files, %.1f MB", one.Name, one.Instances, float64(one.Bytes)/(1<<20))
		for syntax, n := range one.Syntaxes {
			if packing := dicom.Packing(syntax); packing != "" {
				text += fmt.Sprintf(", %d packed with %s", n, packing)
			}
		}
		fmt.Fprintln(s.out, text)
	})
	p.End()
	if err != nil {
		return interruptedPacs(err)
	}
	fmt.Fprintf(s.out, "%s: %d series pulled%s\n", c.Dir, whole, leftOut(chosen))
	if faults > 0 {
		return fmt.Errorf("series that could not be pulled: %d; the same command tries again", faults)
	}
	return nil
}

// leftOut says what was not chosen, and why.
func leftOut(s pacs.Selection) string {
	text := ""
	for _, part := range []struct {
		n    int
		what string
	}{{s.Known, "%d were there"}, {s.NoImages, "%d are no images"}, {s.Few, "%d have too few slices"}} {
		if part.n > 0 {
			text += ", " + fmt.Sprintf(part.what, part.n)
		}
	}
	return text
}
