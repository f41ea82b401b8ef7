package annotatetest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
	"golang.org/x/sync/errgroup"
)

// CT writes a CT series of square slices 1 mm apart as DICOM files to a new folder dir: a body of water with a bright organ that moves from slice to
// slice, noise of 16 HU, a window of soft tissue in the header, and padding of -2000 outside the scanner's circle.
func CT(t testing.TB, dir string, size, slices int) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	var work errgroup.Group
	work.SetLimit(4)
	for k := range slices {
		work.Go(func() error {
			file, err := ctSlice(filepath.Base(dir), size, k)
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, fmt.Sprintf("%04d.dcm", k)), file, 0o600)
		})
	}
	if err := work.Wait(); err != nil {
		t.Fatal(err)
	}
}

// CTValue is the value of a voxel of CT, in HU.
func CTValue(size, column, row, slice int) int {
	x, y := float64(column)/float64(size)-0.5, float64(row)/float64(size)-0.5
	if math.Hypot(x, y) > 0.5 {
		return -2000
	}
	noise := int(uint32((slice*size+row)*size+column)*2654435761>>27) - 16
	switch turn := float64(slice) / 40; {
	case math.Hypot(x-0.1*math.Cos(turn), y-0.1*math.Sin(turn)) < 0.12:
		return 120 + noise
	case x*x/0.16+y*y/0.09 < 1:
		return noise
	}
	return -1000 + noise
}

func ctSlice(name string, size, k int) ([]byte, error) {
	pixels := make([]byte, 0, 2*size*size)
	for row := range size {
		for column := range size {
			pixels = binary.LittleEndian.AppendUint16(pixels, uint16(int16(CTValue(size, column, row, k)+1024)))
		}
	}
	const class = "1.2.840.10008.5.1.4.1.1.2"
	series := "1.2.826.0.1.9"
	for _, r := range name {
		series += fmt.Sprintf(".%d", r)
	}
	instance := fmt.Sprintf("%s.%d", series, k+1)
	var elements []*lib.Element
	for _, e := range []struct {
		tag   tag.Tag
		value any
	}{
		{tag.MediaStorageSOPClassUID, []string{class}}, {tag.MediaStorageSOPInstanceUID, []string{instance}}, {tag.TransferSyntaxUID, []string{"1.2.840.10008.1.2.1"}},
		{tag.ImageType, []string{"ORIGINAL", "PRIMARY", "AXIAL"}}, {tag.SOPClassUID, []string{class}}, {tag.SOPInstanceUID, []string{instance}},
		{tag.Modality, []string{"CT"}}, {tag.PatientID, []string{name}}, {tag.SliceThickness, []string{"1"}},
		{tag.StudyInstanceUID, []string{series + ".0.1"}}, {tag.SeriesInstanceUID, []string{series}}, {tag.InstanceNumber, []string{fmt.Sprint(k + 1)}},
		{tag.ImagePositionPatient, []string{"-180", "-180", fmt.Sprint(k)}}, {tag.ImageOrientationPatient, []string{"1", "0", "0", "0", "1", "0"}},
		{tag.FrameOfReferenceUID, []string{series + ".0.2"}}, {tag.SamplesPerPixel, []int{1}}, {tag.PhotometricInterpretation, []string{"MONOCHROME2"}},
		{tag.Rows, []int{size}}, {tag.Columns, []int{size}}, {tag.PixelSpacing, []string{"0.7", "0.7"}},
		{tag.BitsAllocated, []int{16}}, {tag.BitsStored, []int{16}}, {tag.HighBit, []int{15}}, {tag.PixelRepresentation, []int{1}},
		{tag.WindowCenter, []string{"75"}}, {tag.WindowWidth, []string{"400"}},
		{tag.RescaleIntercept, []string{"-1024"}}, {tag.RescaleSlope, []string{"1"}}, {tag.WindowCenterWidthExplanation, []string{"MEDIASTINUM"}},
		{tag.PixelData, lib.PixelDataInfo{IntentionallyUnprocessed: true, UnprocessedValueData: pixels}},
	} {
		element, err := lib.NewElement(e.tag, e.value)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", e.tag, err)
		}
		elements = append(elements, element)
	}
	var b bytes.Buffer
	err := lib.Write(&b, lib.Dataset{Elements: elements}, lib.SkipVRVerification())
	return b.Bytes(), err
}
