package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/nextslice/nextslice/cmd/nextslice/internal/progress"
	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/volume/dicom"
	"github.com/nextslice/nextslice/volume/source"
)

type inspectCommand struct {
	Path string `arg:"" placeholder:"PATH" help:"Folder of the data set; or an image, a segmentation, or the folder of DICOM series."`
	channelsFlags
	Channel int        `default:"0" placeholder:"N" help:"Channel to read of images that hold several, from 0."`
	Ignore  labelValue `default:"0" placeholder:"VALUE" help:"Label value that stands for no class; else the label ignore of dataset.json."`
	nanFlag
	Reference string `placeholder:"PATH" help:"DICOM series that the contours of an RTSTRUCT file lie on."`
	JSON      bool   `help:"Write JSON."`
}

func (inspectCommand) Help() string {
	return `Recognises the folder's layout (Medical Segmentation Decathlon, PROMISE12, nnU-Net, MONAI Label, or images and labels), reads
every case and says what is there: sizes, spacings, intensities, label values, and what is wrong with which case. The exit
code is 1 if something is: what cannot be read is listed, and the rest goes on. Notes, such as a picture beside the cases, do not count.
No more than two cases are in memory.

Of a single file, and of a folder with DICOM files, it says what each image or segmentation holds.

Examples:
  nextslice inspect DIR
  nextslice inspect liver.seg.nrrd
  nextslice inspect scans/patient7
  nextslice inspect DIR --json > report.json`
}

func (c inspectCommand) Run(ctx context.Context, s streams) error {
	kind, err := source.KindOf(c.Path)
	if err != nil {
		return err
	}
	if kind != source.Cases {
		return c.one(ctx, s, kind)
	}
	if c.Reference != "" {
		return usagef("--reference: it is for an RTSTRUCT file, and %s is a folder", c.Path)
	}
	p := progress.New(s.err)
	defer p.End()
	set, err := dataset.OpenWith(ctx, c.Path, dataset.OpenOptions{Ignore: int(c.Ignore), Progress: func(what string, done, total int) {
		p.Show(0, fmt.Sprintf("%s %d/%d", what, done, total))
	}})
	if err != nil {
		return err
	}
	if err := set.Choose(c.Channel, splitChannels(c.Channels), c.Resample); err != nil {
		return usagef("--%v", err)
	}
	report, err := dataset.Inspect(ctx, set, c.NaN, func(done, total int) {
		p.Show(float64(done)/float64(total), fmt.Sprintf("case %d/%d", done, total))
	}, nil)
	p.End()
	if err != nil {
		return err
	}
	if c.JSON {
		err = writeJSON(s.out, report)
	} else {
		err = report.WriteText(s.out)
	}
	if n := report.Faults(); err == nil && n > 0 {
		err = fmt.Errorf("problems found: %d", n)
	}
	return err
}

// one inspects a file, or every series of a folder.
func (c inspectCommand) one(ctx context.Context, s streams, kind source.Kind) error {
	found, problems, err := c.inspectPath(ctx, kind)
	if err != nil {
		return err
	}
	if c.JSON {
		err = writeJSON(s.out, found)
	} else {
		for _, f := range found {
			fmt.Fprint(s.out, f)
		}
	}
	warn(s.err, problems)
	for _, f := range found {
		problems = append(problems, f.Warnings...)
	}
	if err == nil && len(problems) > 0 {
		err = fmt.Errorf("problems found: %d", len(problems))
	}
	return err
}

func (c inspectCommand) inspectPath(ctx context.Context, kind source.Kind) (found []source.Description, problems []string, err error) {
	switch kind {
	case source.Segments, source.Contours:
		one, err := c.inspectSegments()
		return []source.Description{one}, nil, err
	case source.Volume, source.Picture:
		one, err := source.DescribeImage(c.Path, c.Channel)
		return []source.Description{one}, nil, err
	}
	all, faults, err := dicom.Scan(c.Path)
	if info, statErr := os.Stat(c.Path); statErr == nil && !info.IsDir() {
		var image *source.Image
		if image, err = openImage(c.Path, ""); err == nil {
			all, faults = []*dicom.Series{image.Series}, nil
		}
	}
	if err != nil {
		return nil, nil, err
	}
	for _, f := range faults {
		problems = append(problems, fmt.Sprintf("%s is not used: %s", f.File, f.Text))
	}
	for _, series := range all {
		if err := ctx.Err(); err != nil {
			return nil, nil, errors.New("interrupted")
		}
		one, err := source.DescribeSeries(c.Path, series)
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		found = append(found, one)
	}
	if len(found) == 0 && len(problems) == 0 {
		return nil, nil, fmt.Errorf("read %s: no DICOM image in it", c.Path)
	}
	return found, problems, nil
}

func (c inspectCommand) inspectSegments() (source.Description, error) {
	var on *dicom.Series
	var doubts []string
	if c.Reference != "" {
		image, err := openImage(c.Reference, "")
		if err != nil {
			return source.Description{}, fmt.Errorf("--reference: %w", err)
		}
		on, doubts = image.Series, image.Warnings
	}
	seg, warnings, err := readSegmentation(c.Path, on)
	if err != nil {
		return source.Description{}, err
	}
	return source.DescribeSegmentation(c.Path, seg, append(doubts, warnings...)), nil
}
