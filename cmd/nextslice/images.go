package main

import (
	"errors"
	"fmt"

	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
	"github.com/nextslice/nextslice/volume/source"
)

// readImage reads an image of any format. series, which may be "", chooses among several in a folder; channel, which may
// be nil, among those of a file. The warnings say what is doubtful.
func readImage(path, series string, channel *int) (*volume.Volume, []string, error) {
	v, warnings, err := source.Read(path, series, chosen(channel))
	return v, warnings, nameFlag(err)
}

// chosen returns the value of a flag --channel, which is nil where it was not given.
func chosen(channel *int) int {
	if channel == nil {
		return volume.OnlyChannel
	}
	return *channel
}

// openImage reads the header of an image of any format, as readImage does the image.
func openImage(path, series string) (*source.Image, error) {
	image, err := source.Open(path, series)
	return image, nameFlag(err)
}

// nameFlag names the flag by which one of several images is chosen.
func nameFlag(err error) error {
	var several *volume.ChoiceError
	switch {
	case !errors.As(err, &several):
		return err
	case several.Of == "series":
		return fmt.Errorf("%w; name it with --series, as it is written here behind \"series\"", err)
	}
	return fmt.Errorf("%w with --channel", err)
}

// readSegmentation reads a mask of any format. on is the series that contours were drawn on, nil if none was given.
func readSegmentation(path string, on *dicom.Series) (*volume.Segmentation, []string, error) {
	if kind, err := source.KindOf(path); err == nil && kind == source.Contours && on == nil {
		return nil, nil, usagef("%s holds contours: give the DICOM series that they were drawn on with --reference", path)
	}
	return source.ReadSegmentation(path, on)
}
