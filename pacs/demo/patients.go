package demo

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/nextslice/nextslice/dataset/phantom"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/volume"
)

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
		file, err := Encode(map[tag.Tag]any{
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

// Encode returns a DICOM file of these elements: strings, numbers, lists of them, bytes. What is nil is left out.
func Encode(values map[tag.Tag]any) ([]byte, error) {
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
