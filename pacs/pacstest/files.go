package pacstest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/nextslice/nextslice/dataset/phantom"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/volume"
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
	file, err := encode(values)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func encode(values map[tag.Tag]any) ([]byte, error) {
	var elements []*lib.Element
	for at, v := range values {
		switch x := v.(type) {
		case nil:
			continue
		case string:
			v = []string{x}
		case int:
			v = []int{x}
		}
		e, err := lib.NewElement(at, v)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", at, err)
		}
		elements = append(elements, e)
	}
	slices.SortFunc(elements, func(a, b *lib.Element) int { return a.Tag.Compare(b.Tag) })
	var b bytes.Buffer
	err := lib.Write(&b, lib.Dataset{Elements: elements}, lib.SkipVRVerification())
	return b.Bytes(), err
}

// Patients returns the files of MR series, one for each synthetic patient: the volumes of package phantom, with invented names.
func Patients(n int) (files [][]byte, err error) {
	names := []string{"Ash^Nora", "Birch^Emil", "Cedar^Ida", "Elm^Oskar", "Fir^Lene", "Hazel^Jon"}
	for p := range n {
		v, _ := phantom.Generate(random.Stream(1, "phantom", p))
		one, err := series(v, p+1, names[p%len(names)])
		if err != nil {
			return nil, err
		}
		files = append(files, one...)
	}
	return files, nil
}

// series writes a volume as MR images of a patient.
func series(v *volume.Volume, patient int, name string) (files [][]byte, err error) {
	lps := func(p [3]float64) []string { // of RAS
		return []string{fmt.Sprintf("%.6f", -p[0]), fmt.Sprintf("%.6f", -p[1]), fmt.Sprintf("%.6f", p[2])}
	}
	spacing := v.Spacing()
	direction := func(axis int) []string {
		c := v.Column(axis)
		for r := range c {
			c[r] /= spacing[axis]
		}
		return lps(c)
	}
	const class = "1.2.840.10008.5.1.4.1.1.4"
	study := fmt.Sprintf("1.2.826.0.1.8.%d", patient)
	for k := range v.Size[2] {
		var pixels []byte
		for _, x := range v.Data[k*v.Size[0]*v.Size[1] : (k+1)*v.Size[0]*v.Size[1]] {
			pixels = binary.LittleEndian.AppendUint16(pixels, uint16(max(0, min(65535, x+0.5))))
		}
		instance := fmt.Sprintf("%s.1.%d", study, k+1)
		file, err := encode(map[tag.Tag]any{
			tag.FileMetaInformationVersion: []byte{0, 1}, tag.MediaStorageSOPClassUID: class, tag.MediaStorageSOPInstanceUID: instance,
			tag.TransferSyntaxUID: "1.2.840.10008.1.2.1", tag.ImplementationClassUID: "1.2.826.0.1.8", tag.SpecificCharacterSet: "ISO_IR 192",
			tag.ImageType: []string{"ORIGINAL", "PRIMARY", "OTHER"}, tag.SOPClassUID: class, tag.SOPInstanceUID: instance, tag.StudyDate: fmt.Sprintf("202503%02d", patient),
			tag.StudyTime: "101500", tag.AccessionNumber: fmt.Sprint(7000 + patient), tag.Modality: "MR", tag.Manufacturer: "none", tag.StudyDescription: "MRI prostate",
			tag.SeriesDescription: "t2 tse tra", tag.ReferringPhysicianName: "", tag.PatientName: name, tag.PatientID: fmt.Sprint(4710 + patient),
			tag.PatientBirthDate: "19500101", tag.PatientSex: "M", tag.SliceThickness: fmt.Sprintf("%.4f", spacing[2]), tag.ScanningSequence: "SE",
			tag.SequenceVariant: "NONE", tag.ScanOptions: "", tag.MRAcquisitionType: "2D", tag.EchoTime: "100", tag.EchoTrainLength: "20",
			tag.StudyInstanceUID: study, tag.SeriesInstanceUID: study + ".1", tag.StudyID: "1", tag.SeriesNumber: "1", tag.InstanceNumber: fmt.Sprint(k + 1),
			tag.ImagePositionPatient: lps(v.World(0, 0, float64(k))), tag.ImageOrientationPatient: append(direction(0), direction(1)...),
			tag.FrameOfReferenceUID: study + ".0", tag.PositionReferenceIndicator: "", tag.SamplesPerPixel: 1, tag.PhotometricInterpretation: "MONOCHROME2",
			tag.Rows: v.Size[1], tag.Columns: v.Size[0], tag.PixelSpacing: []string{fmt.Sprintf("%.6f", spacing[1]), fmt.Sprintf("%.6f", spacing[0])},
			tag.BitsAllocated: 16, tag.BitsStored: 16, tag.HighBit: 15, tag.PixelRepresentation: 0,
			tag.PixelData: lib.PixelDataInfo{IntentionallyUnprocessed: true, UnprocessedValueData: pixels},
		})
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}
