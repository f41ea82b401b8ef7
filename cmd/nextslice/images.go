package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
)

// readImage reads an image of any format: a file, a folder with a DICOM series, or a DICOM file with the series that it
// belongs to. series, which may be "", chooses among several in a folder; channel, which may be nil, among those of a
// file. The warnings say what is doubtful.
func readImage(path, series string, channel *int) (*volume.Volume, []string, error) {
	if !isSeries(path) {
		v, err := readChannel(path, channel)
		return v, nil, err
	}
	if channel != nil && *channel != 0 {
		return nil, nil, usagef("--channel: a DICOM series has one channel")
	}
	s, warnings, err := findSeries(path, series)
	if err != nil {
		return nil, nil, err
	}
	v, err := s.Read()
	return v, warnings, err
}

// readChannel is volume.ReadChannel with errors that name the flag; nil is no choice.
func readChannel(path string, channel *int) (*volume.Volume, error) {
	choice := volume.OnlyChannel
	if channel != nil {
		choice = *channel
	}
	v, err := volume.ReadChannel(path, choice)
	if err != nil && strings.Contains(err.Error(), "choose one") {
		err = fmt.Errorf("%w with --channel", err)
	}
	return v, err
}

// findSeries is dicom.Find with an error that names the flag.
func findSeries(path, uid string) (*dicom.Series, []string, error) {
	s, warnings, err := dicom.Find(path, uid)
	if err != nil && strings.Contains(err.Error(), "choose one") {
		err = fmt.Errorf("%w; give its UID with --series", err)
	}
	return s, warnings, err
}

// isSeries reports whether path stands for a DICOM series: a folder, or a DICOM file.
func isSeries(path string) bool {
	info, err := os.Stat(path)
	return err == nil && (info.IsDir() || !volume.IsImage(path) && dicom.IsFile(path))
}

// readGrid returns the grid of an image of any format; a DICOM series is returned too.
func readGrid(path, series string) (volume.Grid, *dicom.Series, error) {
	if !isSeries(path) {
		h, err := volume.ReadHeader(path)
		return h.Grid, nil, err
	}
	s, _, err := findSeries(path, series)
	if err != nil {
		return volume.Grid{}, nil, err
	}
	return s.Grid, s, nil
}

// readSegments reads a mask of any format. contoursOn is the series that a structure set is drawn on, nil if there is
// none.
func readSegments(path string, contoursOn *dicom.Series) (*volume.Segmentation, []string, error) {
	if volume.IsImage(path) {
		s, err := volume.ReadSegmentation(path)
		return s, nil, err
	}
	kind, err := kindOf(path)
	if err != nil {
		return nil, nil, err
	}
	switch kind {
	case dicom.Segmentation:
		return dicom.ReadSegmentation(path)
	case dicom.Contours:
		if contoursOn == nil {
			return nil, nil, usagef("%s holds contours: give the DICOM series that they were drawn on with --reference", path)
		}
		return dicom.ReadContours(path, contoursOn)
	}
	v, warnings, err := readImage(path, "", nil)
	if err != nil {
		return nil, nil, err
	}
	m := &volume.Mask{Grid: v.Grid, Data: make([]uint8, len(v.Data))}
	for i, x := range v.Data {
		if m.Data[i] = uint8(max(0, min(255, x))); float32(m.Data[i]) != x {
			return nil, nil, fmt.Errorf("read %s: voxel %d is %g, want a whole number from 0 to 255: no mask", path, i, x)
		}
	}
	return volume.NewSegmentation(m, nil), warnings, nil
}

// readMask reads a mask of any format whose segments do not overlap.
func readMask(path string) (*volume.Mask, error) {
	if volume.IsImage(path) {
		return volume.ReadMask(path)
	}
	s, _, err := readSegments(path, nil)
	if err != nil {
		return nil, err
	}
	m, _, err := s.Mask()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return m, nil
}

// kindOf returns what a DICOM file holds; of a folder and of other files it is an image.
func kindOf(path string) (dicom.Kind, error) {
	if volume.IsImage(path) || !dicom.IsFile(path) {
		return dicom.Image, nil
	}
	return dicom.KindOf(path)
}
