package dicom

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom/outline"
)

// studyClass is what a structure set calls a study that it refers to (PS3.3 C.8.8.5; retired as an object, kept as a reference).
const studyClass = "1.2.840.10008.3.1.2.3.1"

// maxContours bounds the contours of a structure set.
const maxContours = 1 << 20

// WriteContours writes a segmentation as structure set (RTSTRUCT, PS3.3 A.19) of closed planar contours on the slices of a series. Contours run along
// the edges of the voxels, so that ReadContours gives the same voxels again; holes are keyholes, as the standard has it. The voxels of s must coincide with those
// of the series. Regions are numbered from 1 in their order, and two of one name are an error; made is the date and time that the set states, as in SEG. The file is replaced in one step.
func WriteContours(path string, s *volume.Segmentation, on *Series, made time.Time, codes Codes) error {
	if err := writeContours(path, s, on, made, codes); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

func writeContours(path string, s *volume.Segmentation, on *Series, made time.Time, codes Codes) error {
	if len(s.Segments) == 0 {
		return fmt.Errorf("no segments")
	}
	if !on.slices[0].placed || on.Unit != volume.Millimetre {
		return fmt.Errorf("the series %s has no position or spacing to draw on: write NIfTI instead", on.UID)
	}
	if err := checkNames(s); err != nil {
		return err
	}
	s, err := s.On(on.Grid)
	if err != nil {
		return fmt.Errorf("segmentation and series: %w", err)
	}
	b := &builder{SEG: SEG{Made: made, Codes: codes}}
	b.from(on.slices[0].file, s)
	set, err := b.structureSet(s, on)
	if err != nil {
		return err
	}
	return b.write(path, set)
}

// structureSet returns the whole object. It is written in Implicit VR, since a long contour does not fit into the 64 kB that other forms have for it.
func (b *builder) structureSet(s *volume.Segmentation, on *Series) ([]*lib.Element, error) {
	source := on.slices[0]
	or := source.or
	frame := or(tag.FrameOfReferenceUID, uid("frame of reference", on.UID))
	named := fmt.Sprint(on.UID, b.Made.UnixNano(), s.Segments)
	var regions, contours, observations [][]*lib.Element
	all := 0
	for i, segment := range s.Segments {
		items, err := b.contoursOf(s, segment, on)
		if err != nil {
			return nil, err
		}
		if all += len(items); all > maxContours {
			return nil, fmt.Errorf("more than %d contours: write a segmentation object (SEG) instead", maxContours)
		}
		number := strconv.Itoa(i + 1)
		regions = append(regions, b.set(
			tag.ROINumber, number, tag.ReferencedFrameOfReferenceUID, frame, tag.ROIName, truncate(segment.Name, nameLength), tag.ROIGenerationAlgorithm, "SEMIAUTOMATIC"))
		color := []string{strconv.Itoa(int(segment.Color[0])), strconv.Itoa(int(segment.Color[1])), strconv.Itoa(int(segment.Color[2]))}
		drawn := []any{tag.ROIDisplayColor, color, tag.ReferencedROINumber, number}
		if len(items) > 0 {
			drawn = append(drawn, tag.ContourSequence, items)
		}
		contours = append(contours, b.set(drawn...))
		observations = append(observations, b.set(tag.ObservationNumber, number, tag.ReferencedROINumber, number,
			tag.RTROIIdentificationCodeSequence, b.code(b.Codes.Of(segment.Name).Type), tag.RTROIInterpretedType, "", tag.ROIInterpreter, ""))
		named += fmt.Sprint(items)
	}
	instance, series := uid("instance", named), uid("series", named)
	date, clock := b.Made.Format("20060102"), b.Made.Format("150405")
	study := or(tag.StudyInstanceUID, uid("study", on.UID))
	return b.set(
		tag.FileMetaInformationVersion, []byte{0, 1},
		tag.MediaStorageSOPClassUID, structureSetClass,
		tag.MediaStorageSOPInstanceUID, instance,
		tag.TransferSyntaxUID, implicitLittle,
		tag.ImplementationClassUID, uid("implementation", "nextslice"),
		tag.SpecificCharacterSet, b.charset,
		tag.InstanceCreationDate, date,
		tag.InstanceCreationTime, clock,
		tag.SOPClassUID, structureSetClass,
		tag.SOPInstanceUID, instance,
		tag.StudyDate, or(tag.StudyDate, ""),
		tag.StudyTime, or(tag.StudyTime, ""),
		tag.AccessionNumber, b.taken(tag.AccessionNumber),
		tag.Modality, "RTSTRUCT",
		tag.Manufacturer, "nextslice",
		tag.ReferringPhysicianName, b.taken(tag.ReferringPhysicianName),
		tag.StudyDescription, b.optional(tag.StudyDescription),
		tag.SeriesDescription, "Contours",
		tag.OperatorsName, "",
		tag.ManufacturerModelName, "nextslice",
		tag.PatientName, b.taken(tag.PatientName),
		tag.PatientID, b.taken(tag.PatientID),
		tag.PatientBirthDate, or(tag.PatientBirthDate, ""),
		tag.PatientSex, or(tag.PatientSex, ""),
		tag.SoftwareVersions, "0",
		tag.StudyInstanceUID, study,
		tag.SeriesInstanceUID, series,
		tag.StudyID, b.taken(tag.StudyID),
		tag.SeriesNumber, "301",
		tag.InstanceNumber, "1",
		tag.FrameOfReferenceUID, frame,
		tag.PositionReferenceIndicator, b.taken(tag.PositionReferenceIndicator),
		tag.StructureSetLabel, "nextslice",
		tag.StructureSetDate, date,
		tag.StructureSetTime, clock,
		tag.ReferencedFrameOfReferenceSequence, b.seq(
			tag.FrameOfReferenceUID, frame,
			tag.RTReferencedStudySequence, b.seq(
				tag.ReferencedSOPClassUID, studyClass,
				tag.ReferencedSOPInstanceUID, study,
				tag.RTReferencedSeriesSequence, b.drawnSeries(on),
			),
		),
		tag.StructureSetROISequence, regions,
		tag.ROIContourSequence, contours,
		tag.RTROIObservationsSequence, observations,
	), b.err
}

// drawnSeries lists the images of the series, by series UID, as structure sets do.
func (b *builder) drawnSeries(on *Series) [][]*lib.Element {
	var uids []string
	images := map[string][][]*lib.Element{}
	seen := map[string]bool{}
	for _, x := range on.slices {
		series, instance := x.text(tag.SeriesInstanceUID), x.text(tag.SOPInstanceUID)
		if !slices.Contains(uids, series) {
			uids = append(uids, series)
		}
		if !seen[instance] {
			seen[instance] = true
			images[series] = append(images[series], b.set(tag.ReferencedSOPClassUID, x.text(tag.SOPClassUID), tag.ReferencedSOPInstanceUID, instance))
		}
	}
	var out [][]*lib.Element
	for _, series := range uids {
		out = append(out, b.set(tag.SeriesInstanceUID, series, tag.ContourImageSequence, images[series]))
	}
	return out
}

// contoursOf returns the contours of a segment, slice by slice.
func (b *builder) contoursOf(s *volume.Segmentation, segment volume.Segment, on *Series) ([][]*lib.Element, error) {
	width, height := s.Size[0], s.Size[1]
	layer := s.Layers[segment.Layer]
	plane := make([]bool, width*height)
	var out [][]*lib.Element
	for k, source := range on.slices {
		some := false
		for v := range plane {
			plane[v] = layer[k*len(plane)+v] == segment.Value
			some = some || plane[v]
		}
		if !some {
			continue
		}
		image := []any{tag.ReferencedSOPClassUID, source.text(tag.SOPClassUID), tag.ReferencedSOPInstanceUID, source.text(tag.SOPInstanceUID)}
		if source.whole(tag.NumberOfFrames, 1) > 1 {
			image = append(image, tag.ReferencedFrameNumber, strconv.Itoa(source.frame+1))
		}
		for _, points := range outline.Of(plane, width, height) {
			data := make([]string, 0, 3*len(points))
			for _, p := range points {
				for r := range 3 {
					at := source.position[r] + p[0]*source.spacing[1]*source.right[r] + p[1]*source.spacing[0]*source.down[r]
					data = append(data, strconv.FormatFloat(at+0, 'f', 5, 64)) // 10 nm
				}
			}
			out = append(out, b.set(
				tag.ContourNumber, strconv.Itoa(len(out)+1),
				tag.ContourImageSequence, b.seq(image...),
				tag.ContourGeometricType, "CLOSED_PLANAR",
				tag.NumberOfContourPoints, strconv.Itoa(len(points)),
				tag.ContourData, strings.Join(data, `\`), // the library joins values in quadratic time
			))
		}
	}
	return out, b.err
}
