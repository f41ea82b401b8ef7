package record

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/volume"
)

const calibrationFile = "calibration.json"

func (f *Folder) lastFolder(u Unit) string { return f.path("units", u.Name(), "last") }

// LastModel is the file of a unit's last model, which is there if models were saved; see package model.
func (f *Folder) LastModel(u Unit) string {
	return filepath.Join(f.lastFolder(u), "model.safetensors")
}

// prediction is the file of a case's predicted mask.
func (f *Folder) prediction(u Unit, id string) string {
	name := strings.Map(func(c rune) rune {
		if strings.ContainsRune(`/\:`, c) {
			return '_'
		}
		return c
	}, id)
	return filepath.Join(f.lastFolder(u), name+".nii.gz")
}

// Prediction returns the mask that the last model of a unit predicted for a test case, on the case's own grid. The error
// is os.ErrNotExist for a unit that is not finished, or was taken from a record.
func (f *Folder) Prediction(u Unit, id string) (*volume.Mask, error) {
	return volume.ReadMask(f.prediction(u, id))
}

// RecordPrediction writes what Prediction returns.
func (f *Folder) RecordPrediction(u Unit, id string, pred *volume.Mask) error {
	if err := os.MkdirAll(f.lastFolder(u), 0o700); err != nil {
		return err
	}
	if err := volume.WriteMask(f.prediction(u, id), pred); err != nil {
		return err
	}
	return os.Chmod(f.prediction(u, id), 0o600)
}

// Calibration returns the reliability diagram of a unit's last model, nil where there is none.
func (f *Folder) Calibration(u Unit) (bins []metrics.Bin, err error) {
	err = readJSON(filepath.Join(f.lastFolder(u), calibrationFile), &bins)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return bins, err
}

// RecordCalibration writes what Calibration returns.
func (f *Folder) RecordCalibration(u Unit, bins []metrics.Bin) error {
	if err := os.MkdirAll(f.lastFolder(u), 0o700); err != nil {
		return err
	}
	return writeJSON(filepath.Join(f.lastFolder(u), calibrationFile), bins)
}
