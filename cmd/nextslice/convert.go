package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nextslice/nextslice/internal/atomicfile"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
	"github.com/nextslice/nextslice/volume/source"
)

type convertCommand struct {
	In  string `arg:"" placeholder:"IN" help:"Image or mask: NIfTI, MetaImage, NRRD, .seg.nrrd, PNG, JPEG, TIFF, DICOM (folder or file), DICOM SEG or RTSTRUCT."`
	Out string `arg:"" placeholder:"OUT" help:"New file: .nii.gz, .nii, .mha, .nrrd, and for masks .seg.nrrd or .dcm (DICOM SEG)."`

	Mask      bool     `help:"The input is a mask. Segmentations (.seg.nrrd, SEG, RTSTRUCT) are masks without it."`
	Names     []string `placeholder:"LIST" help:"Names of the mask's classes from 1 on, separated by commas. Names that stand in the file stay, and must be among these."`
	Values    []int    `placeholder:"LIST" help:"Grey values of the mask that become the classes 1, 2 ...; 0 is the background."`
	Reference string   `placeholder:"PATH" help:"Image that the mask lies on: the mask gets its grid. DICOM SEG and RTSTRUCT need their DICOM series."`
	nanFlag
	Channel  *int   `placeholder:"N" help:"Channel to read of a 4-D image, from 0."`
	Series   string `placeholder:"UID" help:"DICOM series to take, where a folder holds several."`
	RTStruct bool   `name:"rtstruct" help:"Write contours (DICOM RTSTRUCT) to OUT.dcm, instead of a SEG."`
	segFlags
	Force bool `help:"Replace OUT if it exists. IN and the reference are never replaced."`
}

// segFlags say how DICOM segmentations are written.
type segFlags struct {
	LabelMap bool   `name:"labelmap" help:"Write DICOM SEG as label map, the class of 2023; older programs do not know it."`
	Codes    string `placeholder:"FILE" help:"Table of further codes for DICOM: lines of name, category scheme, value, meaning, type scheme, value, meaning."`
}

func (f segFlags) seg() (dicom.SEG, error) {
	o := dicom.SEG{LabelMap: f.LabelMap}
	if f.Codes == "" {
		return o, nil
	}
	var err error
	if o.Codes, err = dicom.ReadCodes(f.Codes); err != nil {
		err = fmt.Errorf("--codes: %w", err)
	}
	return o, err
}

func (convertCommand) Help() string {
	return `Writes an image or a mask in another format. Voxels and their place in the patient stay exactly as they are: nothing is
resampled. Images keep integers of up to 16 bits; everything else is written as float32.

A mask is put on the grid of --reference, whose axes may have another order or direction and which may be larger: this is
how a DICOM SEG of a few slices becomes a mask of its whole series. Segments that overlap fit in .seg.nrrd and DICOM SEG only.

Examples:
  nextslice convert scans/patient7 patient7.nii.gz
  nextslice convert liver.dcm liver.nii.gz --reference scans/patient7
  nextslice convert contours.dcm contours.seg.nrrd --reference scans/patient7
  nextslice convert mask.nii.gz mask.dcm --reference scans/patient7 --names liver,tumour
  nextslice convert mask.nii.gz contours.dcm --reference scans/patient7 --names liver,tumour --rtstruct
  nextslice convert Case07_segmentation.mhd Case07.seg.nrrd --names prostate
  nextslice convert prostate_00.nii.gz prostate_00_adc.nii.gz --channel 1
  nextslice convert drawn.png drawn.nii.gz --mask --values 128,255`
}

func (c convertCommand) Run(ctx context.Context, s streams) error {
	kind, err := source.KindOf(c.In)
	if err != nil {
		return err
	}
	mask := c.Mask || kind == source.Segments || kind == source.Contours || volume.WritesSegments(c.Out) || volume.IsDICOM(c.Out)
	if !mask && (c.Reference != "" || len(c.Names) > 0 || len(c.Values) > 0) {
		return usagef("--reference, --names and --values are for masks: add --mask if %s is one", c.In)
	}
	if (c.RTStruct || c.LabelMap || c.Codes != "") && !volume.IsDICOM(c.Out) || c.RTStruct && c.LabelMap {
		return usagef("--rtstruct, and --labelmap and --codes, are for masks that are written as OUT.dcm")
	}
	if err := checkInputs(filesOf(c.In, c.Reference), c.Out); err != nil {
		return err
	}
	if err := checkOutput(c.Out, mask, c.Force); err != nil {
		return err
	}
	convert := c.image
	if mask {
		convert = c.mask
	}
	write, err := convert(s.err)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return errors.New("interrupted: nothing was written")
	}
	text, err := write()
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s: %s\n", c.Out, text)
	return nil
}

// image reads an image and returns the function that writes it and says what was written.
func (c convertCommand) image(errs io.Writer) (write func() (string, error), err error) {
	v, warnings, err := readImage(c.In, c.Series, c.Channel)
	warn(errs, warnings)
	if err != nil {
		return nil, err
	}
	if bad := preprocess.NonFinite(v.Data); bad > 0 && c.NaN != nil {
		warn(errs, []string{fmt.Sprintf("%d voxels are NaN or infinite: %s", bad, preprocess.Config{NaN: c.NaN}.NonFiniteText())})
		v.Data = preprocess.Finite(v.Data, float32(*c.NaN))
	} else if bad > 0 {
		warn(errs, []string{fmt.Sprintf("%d voxels are NaN or infinite: they stay so; --nan VALUE writes another value", bad)})
	}
	if slices.Contains([]string{"int32", "uint32", "int64", "uint64", "float64"}, v.Stored) {
		warn(errs, []string{v.Stored + " is written as float32"})
	}
	return func() (string, error) { return describeGrid(v.Grid), volume.WriteVolume(c.Out, v) }, nil
}

// mask does the same for a mask.
func (c convertCommand) mask(errs io.Writer) (write func() (string, error), err error) {
	var on *volume.Grid
	var series *dicom.Series
	if c.Reference != "" {
		image, err := openImage(c.Reference, c.Series)
		if err != nil {
			return nil, fmt.Errorf("--reference: %w", err)
		}
		warn(errs, image.Warnings)
		if on, series = &image.Grid, image.Series; series != nil {
			if err := checkInputs(series.Files(), c.Out); err != nil {
				return nil, err
			}
		}
	}
	if volume.IsDICOM(c.Out) && series == nil {
		return nil, usagef("a DICOM SEG refers to the images that it lies on: give their DICOM series with --reference")
	}
	seg, warnings, err := readSegmentation(c.In, series)
	warn(errs, warnings)
	if err != nil {
		return nil, err
	}
	if len(c.Values) > 0 {
		if seg, err = renumber(seg, c.Values); err != nil {
			return nil, fmt.Errorf("%s: %w", c.In, err)
		}
	}
	if err := rename(seg, c.Names); err != nil {
		return nil, usageError{err}
	}
	if on != nil {
		if seg, err = place(seg, *on, errs); err != nil {
			return nil, fmt.Errorf("%s does not fit %s: %w", c.In, c.Reference, err)
		}
	}
	how, err := c.seg()
	if err != nil {
		return nil, err
	}
	return func() (string, error) {
		var names string
		if c.RTStruct {
			for i, s := range seg.Segments {
				names += fmt.Sprintf(", %d %s", i+1, s.Name)
			}
			err = dicom.WriteContours(c.Out, seg, series, time.Now(), how.Codes)
		} else {
			names, err = source.WriteSegmentation(c.Out, seg, series, how)
		}
		return describeGrid(seg.Grid) + names, err
	}, nil
}

// renumber turns grey values into the classes 1, 2 ...
func renumber(seg *volume.Segmentation, values []int) (*volume.Segmentation, error) {
	if len(seg.Layers) > 1 {
		return nil, errors.New("--values: the segments overlap and have no grey values")
	}
	var to [256]int
	for i, v := range values {
		if v < 1 || v > 255 || to[v] != 0 {
			return nil, usagef("--values: want different numbers from 1 to 255, got %d", v)
		}
		to[v] = i + 1
	}
	m := &volume.Mask{Grid: seg.Grid, Data: make([]uint8, seg.Len())}
	for i, v := range seg.Layers[0] {
		if v != 0 && to[v] == 0 {
			return nil, fmt.Errorf("the mask has the value %d, which is not among --values", v)
		}
		m.Data[i] = uint8(to[v])
	}
	return volume.NewSegmentation(m, nil), nil
}

// place puts segments on the grid of an image. A mask without geometry has the image's if it has its size.
func place(seg *volume.Segmentation, on volume.Grid, errs io.Writer) (*volume.Segmentation, error) {
	if seg.Size == on.Size && (seg.Unit != volume.Millimetre || on.Unit != volume.Millimetre) {
		if seg.Unit != on.Unit {
			warn(errs, []string{"the mask or its reference has no spacing: it is taken voxel by voxel"})
		}
		moved := *seg
		moved.Grid = on
		return &moved, nil
	}
	return seg.On(on)
}

// rename gives the segments their names, as volume.Segmentation.Name has it. In a file without names a class that has a name gets a segment also where it has no voxel.
func rename(seg *volume.Segmentation, names []string) error {
	folded := map[string]bool{}
	for i, name := range names {
		switch key := volume.FoldName(name); {
		case key == "":
			return fmt.Errorf("--names: name %d is empty", i+1)
		case folded[key]:
			return fmt.Errorf("--names: %q is there twice: letter case and blanks do not count", strings.TrimSpace(name))
		default:
			folded[key] = true
		}
	}
	if len(names) > 255 {
		return fmt.Errorf("--names: want at most 255, got %d", len(names))
	}
	named := seg.Named()
	if err := seg.Name(names); err != nil {
		return fmt.Errorf("--names: %w", err)
	}
	if len(names) == 0 {
		return nil
	}
	for _, segment := range seg.Segments {
		v, nameless := int(segment.Value), volume.Nameless(segment.Name)
		if nameless && (named || v <= len(names)) {
			return fmt.Errorf("--names: nobody knows what its segment %q of the value %d is: name it in the file", segment.Name, v)
		}
	}
	if named {
		return nil
	}
	beyond := slices.IndexFunc(seg.Segments, func(s volume.Segment) bool { return int(s.Value) > len(names) })
	for i, name := range names {
		if !slices.ContainsFunc(seg.Segments, func(s volume.Segment) bool { return int(s.Value) == i+1 }) {
			if beyond >= 0 {
				return fmt.Errorf("--names: %q would be the value %d, which no voxel has, and the value %d has no name: say with --values which values the names are of, in their order",
					strings.TrimSpace(name), i+1, seg.Segments[beyond].Value)
			}
			seg.Segments = append(seg.Segments, volume.Segment{Name: strings.TrimSpace(name), Color: volume.SegmentColor(i + 1), Value: uint8(i + 1)})
		}
	}
	slices.SortStableFunc(seg.Segments, func(a, b volume.Segment) int { return int(a.Value) - int(b.Value) })
	return nil
}

// checkOutput refuses an output that could not be written, before anything is read.
func checkOutput(path string, mask, force bool) error {
	switch name := strings.ToLower(path); {
	case volume.IsDICOM(name) && !mask:
		return usagef("%s: only masks are written as DICOM (SEG); add --mask if the input is one", path)
	case volume.IsDICOM(name):
	case !slices.ContainsFunc([]string{".nii.gz", ".nii", ".mha", ".nrrd"}, func(ext string) bool { return strings.HasSuffix(name, ext) }):
		return usagef("%s: cannot write this format: name the file .nii.gz, .nii, .mha, .nrrd or, for masks, .seg.nrrd or .dcm", path)
	}
	return checkFree(path, force)
}

// checkFree refuses a file that exists, unless forced, and one that cannot be made: what takes hours to compute must not fail at its end.
func checkFree(path string, force bool) error {
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return fmt.Errorf("%s: the folder %s does not exist", path, filepath.Dir(path))
	}
	switch info, err := os.Lstat(path); {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a folder", path)
	case !force:
		return fmt.Errorf("%s exists: choose another name, or replace it with --force", path)
	}
	trial, err := atomicfile.Create(path, 0o600)
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", path, err)
	}
	trial.Discard()
	return nil
}

func describeGrid(g volume.Grid) string {
	s := g.Spacing()
	return fmt.Sprintf("%v voxels of %.4g x %.4g x %.4g %s, %s", g.Size, s[0], s[1], s[2], g.Unit, g.Orientation())
}

func warn(errs io.Writer, warnings []string) {
	for _, w := range warnings {
		fmt.Fprintln(errs, "warning:", w)
	}
}
