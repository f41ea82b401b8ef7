package pacstest

import (
	"encoding/binary"
	"fmt"
	"testing"

	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/nextslice/nextslice/pacs/demo"
)

// Patient is the name in the files of Slices: no message may show a word of it.
const Patient = "Abendroth^Jasmine"

// Slices returns the files of a CT series of n slices of 24 x 20 pixels, 2 mm apart. The UIDs begin with those of the study and series, which are numbers.
func Slices(t testing.TB, study, series, n int, over map[tag.Tag]any) [][]byte {
	t.Helper()
	var out [][]byte
	for k := range n {
		var pixels []byte
		for i := range 24 * 20 {
			v := int16(40*k + i%24 - 30)
			if x, y := i%24-12, i/24-10; x*x+y*y < 30 {
				v += 400
			}
			pixels = binary.LittleEndian.AppendUint16(pixels, uint16(v))
		}
		instance := fmt.Sprintf("1.2.826.0.1.9.%d.%d.%d", study, series, k+1)
		values := map[tag.Tag]any{
			tag.FileMetaInformationVersion: []byte{0, 1}, tag.MediaStorageSOPClassUID: "1.2.840.10008.5.1.4.1.1.2", tag.MediaStorageSOPInstanceUID: instance,
			tag.TransferSyntaxUID: "1.2.840.10008.1.2.1", tag.ImplementationClassUID: "1.2.826.0.1.9.1", tag.SpecificCharacterSet: "ISO_IR 192",
			tag.ImageType: []string{"ORIGINAL", "PRIMARY", "AXIAL"}, tag.SOPClassUID: "1.2.840.10008.5.1.4.1.1.2", tag.SOPInstanceUID: instance,
			tag.StudyDate: "20250312", tag.StudyTime: "101500", tag.AccessionNumber: fmt.Sprintf("A%d", study), tag.Modality: "CT", tag.Manufacturer: "none",
			tag.StudyDescription: "Abdomen of " + Patient, tag.SeriesDescription: fmt.Sprintf("thin %d, abendroth", series), tag.ReferringPhysicianName: "",
			tag.PatientName: Patient, tag.PatientID: fmt.Sprintf("ct-j (%d)", study), tag.PatientBirthDate: "19700101", tag.PatientSex: "F",
			tag.SliceThickness: "2", tag.KVP: "120", tag.StudyInstanceUID: fmt.Sprintf("1.2.826.0.1.9.%d", study),
			tag.SeriesInstanceUID: fmt.Sprintf("1.2.826.0.1.9.%d.%d", study, series), tag.StudyID: "1", tag.SeriesNumber: fmt.Sprint(series), tag.InstanceNumber: fmt.Sprint(k + 1),
			tag.ImagePositionPatient: []string{"-12.5", "-10.25", fmt.Sprint(2 * k)}, tag.ImageOrientationPatient: []string{"1", "0", "0", "0", "1", "0"},
			tag.FrameOfReferenceUID: fmt.Sprintf("1.2.826.0.1.9.%d.0", study), tag.PositionReferenceIndicator: "", tag.SamplesPerPixel: 1,
			tag.PhotometricInterpretation: "MONOCHROME2", tag.Rows: 20, tag.Columns: 24, tag.PixelSpacing: []string{"0.8", "0.7"}, tag.BitsAllocated: 16,
			tag.BitsStored: 16, tag.HighBit: 15, tag.PixelRepresentation: 1, tag.RescaleIntercept: "0", tag.RescaleSlope: "1",
			tag.PixelData: lib.PixelDataInfo{IntentionallyUnprocessed: true, UnprocessedValueData: pixels},
		}
		for at, v := range over {
			values[at] = v
		}
		out = append(out, Encode(t, values))
	}
	return out
}

// Encode returns a file of these elements: strings, numbers, lists of them, bytes. What is nil is left out.
func Encode(t testing.TB, values map[tag.Tag]any) []byte {
	t.Helper()
	file, err := demo.Encode(values)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
