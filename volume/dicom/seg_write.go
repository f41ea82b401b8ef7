package dicom

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/nextslice/nextslice/internal/atomicfile"
	"github.com/nextslice/nextslice/volume"
)

// SEG says how a segmentation object is written.
type SEG struct {
	// Made is the date and time that the object states. UIDs follow from series, content and time: what is written twice is the same object.
	Made time.Time
	// LabelMap writes the class of 2023, in which a voxel is the number of its segment. Older programs do not know it.
	LabelMap    bool
	Codes       Codes
	Description string // of its series; "" is "Segmentation"
}

// WriteSegmentation writes a segmentation as by SEG.Write, binary and with the codes of codes.csv.
func WriteSegmentation(path string, s *volume.Segmentation, on *Series, made time.Time) error {
	return SEG{Made: made}.Write(path, s, on)
}

// Write writes a segmentation as DICOM segmentation object (SEG, PS3.3 A.51; of the class of 2023, A.94) that refers to the images it was
// drawn on: same patient, study and frame of reference, all images of the series, and for every frame the image below it. The voxels of s must coincide
// with those of the series (see volume.Segmentation.On). Segments are numbered from 1 in their order, and slices without a
// voxel of a segment are left out, as the format has it. Two segments of one name, of which 64 characters count, are an error. The file is replaced in one step.
func (o SEG) Write(path string, s *volume.Segmentation, on *Series) error {
	if err := o.write(path, s, on); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

func (o SEG) write(path string, s *volume.Segmentation, on *Series) error {
	if len(s.Segments) == 0 {
		return fmt.Errorf("no segments")
	}
	if !on.slices[0].placed || on.Unit != volume.Millimetre {
		return fmt.Errorf("the series %s has no position or spacing to refer to: write NIfTI instead", on.UID)
	}
	if err := checkNames(s); err != nil {
		return err
	}
	s, err := s.On(on.Grid)
	if err != nil {
		return fmt.Errorf("segmentation and series: %w", err)
	}
	frames, pixels, err := packFrames(s, o.LabelMap)
	if err != nil {
		return err
	}
	b := &builder{SEG: o}
	b.from(on.slices[0].file, s)
	return b.write(path, b.segmentation(s, on, frames, pixels))
}

// nameLength is how many characters a name has at most.
const nameLength = 64

// checkNames returns an error if two segments would have one name.
func checkNames(s *volume.Segmentation) error {
	var names []string
	for _, segment := range s.Segments {
		names = append(names, truncate(segment.Name, nameLength))
	}
	return volume.CheckNames(names)
}

// write writes a file of these elements.
func (b *builder) write(path string, elements []*lib.Element) error {
	if b.err != nil {
		return b.err
	}
	f, err := atomicfile.Create(path, 0o644)
	if err != nil {
		return err
	}
	defer f.Discard()
	w := bufio.NewWriter(f)
	if err := lib.Write(w, lib.Dataset{Elements: elements}); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Commit()
}

// builder makes elements and keeps the first error.
type builder struct {
	SEG
	source  *file
	charset charset // of the whole object
	err     error
}

// asItStands is a text in the character set of the object.
type asItStands string

// from sets the image whose identity the object takes, and the object's character set by the names and codes of the segments, which are its other texts.
func (b *builder) from(source *file, s *volume.Segmentation) {
	own := []string{b.Description}
	for _, segment := range s.Segments {
		code := b.Codes.Of(segment.Name)
		own = append(own, segment.Name)
		for _, c := range []Code{code.Category, code.Type, code.Side} {
			own = append(own, c.Scheme, c.Value, c.Meaning)
		}
	}
	b.source, b.charset = source, source.takenAs(own)
}

// taken returns a text of the identity of the image as a value to write.
func (b *builder) taken(t tag.Tag) any {
	is := b.source.stands(t)
	switch {
	case slices.Equal(b.charset, b.source.charset()):
		return asItStands(is.bytes)
	case !is.certain && b.err == nil:
		b.err = fmt.Errorf("the character set of the images (%s) does not tell for certain what they say of the patient or the study, and names of classes that are not ASCII need another: give the classes names of ASCII letters",
			printable(cmp.Or(strings.Join(b.source.charset(), `\`), "none declared")))
	}
	return strings.Join(b.source.texts(t), `\`)
}

// optional is taken, but nil where the image has no such text.
func (b *builder) optional(t tag.Tag) any {
	if b.source.text(t) == "" {
		return nil
	}
	return b.taken(t)
}

// set returns the elements for tags and values in turn, sorted. A nil value is left out. A text that could not be read where it comes from is an error.
func (b *builder) set(pairs ...any) []*lib.Element {
	var out []*lib.Element
	for i := 0; i < len(pairs); i += 2 {
		value := pairs[i+1]
		switch v := value.(type) {
		case string:
			if !readable(v) && b.err == nil {
				b.err = fmt.Errorf("element %v: the text has characters that could not be read where it comes from", pairs[i])
			}
			value = []string{v}
		case charset:
			if value = []string(v); len(v) == 0 {
				continue
			}
		case asItStands:
			value = []string{string(v)}
		case int:
			value = []int{v}
		case nil:
			continue
		}
		e, err := lib.NewElement(pairs[i].(tag.Tag), value)
		if err != nil && b.err == nil {
			b.err = fmt.Errorf("element %v: %w", pairs[i], err)
		}
		out = append(out, e)
	}
	if b.err == nil {
		sortElements(out)
	}
	return out
}

// seq returns a sequence of one item.
func (b *builder) seq(pairs ...any) [][]*lib.Element { return [][]*lib.Element{b.set(pairs...)} }

// code returns a sequence of one code, nil for the zero value.
func (b *builder) code(c Code) any {
	if c == (Code{}) {
		return nil
	}
	return b.seq(tag.CodeValue, c.Value, tag.CodingSchemeDesignator, c.Scheme, tag.CodeMeaning, c.Meaning)
}

// segmentation returns the whole object.
func (b *builder) segmentation(s *volume.Segmentation, on *Series, frames []segFrame, pixels []byte) []*lib.Element {
	source := on.slices[0]
	named := fmt.Sprint(on.UID, b.Made.UnixNano(), b.LabelMap, s.Segments, frames) + string(pixels)
	instance, series, organisation := uid("instance", named), uid("series", named), uid("dimensions", named)
	date, clock := b.Made.Format("20060102"), b.Made.Format("150405")
	or := source.or
	class, kind, bits, overlap := segClass, "BINARY", 1, "NO"
	dimensions := [][]*lib.Element{
		b.dimension(organisation, tag.ReferencedSegmentNumber, tag.SegmentIdentificationSequence),
		b.dimension(organisation, tag.ImagePositionPatient, tag.PlanePositionSequence),
	}
	var padding any
	if b.LabelMap {
		class, kind, bits, dimensions, padding = labelMapClass, "LABELMAP", 8, dimensions[1:], 0
	}
	if len(s.Layers) > 1 {
		overlap = "YES"
	}
	var between any // slices at uneven distances have none
	if len(on.slices) < 3 || even(on.slices) {
		between = shortDecimals(s.Spacing()[2])
	}
	return b.set(
		tag.FileMetaInformationVersion, []byte{0, 1},
		tag.MediaStorageSOPClassUID, class,
		tag.MediaStorageSOPInstanceUID, instance,
		tag.TransferSyntaxUID, explicitLittle,
		tag.ImplementationClassUID, uid("implementation", "nextslice"),
		tag.SpecificCharacterSet, b.charset,
		tag.ImageType, []string{"DERIVED", "PRIMARY"},
		tag.SOPClassUID, class,
		tag.SOPInstanceUID, instance,
		tag.StudyDate, or(tag.StudyDate, ""),
		tag.SeriesDate, date,
		tag.ContentDate, date,
		tag.StudyTime, or(tag.StudyTime, ""),
		tag.SeriesTime, clock,
		tag.ContentTime, clock,
		tag.AccessionNumber, b.taken(tag.AccessionNumber),
		tag.Modality, "SEG",
		tag.Manufacturer, "nextslice",
		tag.ReferringPhysicianName, b.taken(tag.ReferringPhysicianName),
		tag.StudyDescription, b.optional(tag.StudyDescription),
		tag.SeriesDescription, cmp.Or(b.Description, "Segmentation"),
		tag.ManufacturerModelName, "nextslice",
		tag.ReferencedSeriesSequence, b.referencedSeries(on),
		tag.PatientName, b.taken(tag.PatientName),
		tag.PatientID, b.taken(tag.PatientID),
		tag.PatientBirthDate, or(tag.PatientBirthDate, ""),
		tag.PatientSex, or(tag.PatientSex, ""),
		tag.DeviceSerialNumber, "0",
		tag.SoftwareVersions, "0",
		tag.StudyInstanceUID, or(tag.StudyInstanceUID, uid("study", on.UID)),
		tag.SeriesInstanceUID, series,
		tag.StudyID, b.taken(tag.StudyID),
		tag.SeriesNumber, "300",
		tag.InstanceNumber, "1",
		tag.FrameOfReferenceUID, or(tag.FrameOfReferenceUID, uid("frame of reference", on.UID)),
		tag.PositionReferenceIndicator, b.taken(tag.PositionReferenceIndicator),
		tag.DimensionOrganizationSequence, b.seq(tag.DimensionOrganizationUID, organisation),
		tag.DimensionIndexSequence, dimensions,
		tag.SamplesPerPixel, 1,
		tag.PhotometricInterpretation, "MONOCHROME2",
		tag.NumberOfFrames, strconv.Itoa(len(frames)),
		tag.Rows, s.Size[1],
		tag.Columns, s.Size[0],
		tag.BitsAllocated, bits,
		tag.BitsStored, bits,
		tag.HighBit, bits-1,
		tag.PixelRepresentation, 0,
		tag.PixelPaddingValue, padding,
		tag.LossyImageCompression, "00",
		tag.SegmentationType, kind,
		tag.SegmentSequence, b.segments(s),
		tag.SegmentsOverlap, overlap,
		tag.ContentLabel, "SEGMENTATION",
		tag.ContentDescription, "",
		tag.ContentCreatorName, "",
		tag.SharedFunctionalGroupsSequence, b.seq(
			tag.PlaneOrientationSequence, b.seq(tag.ImageOrientationPatient, shortDecimals(append(source.right[:], source.down[:]...)...)),
			tag.PixelMeasuresSequence, b.seq(
				tag.SliceThickness, shortDecimals(s.Spacing()[2]),
				tag.SpacingBetweenSlices, between,
				tag.PixelSpacing, shortDecimals(source.spacing[:]...),
			),
		),
		tag.PerFrameFunctionalGroupsSequence, b.perFrame(s, on, frames),
		tag.PixelData, lib.PixelDataInfo{IntentionallyUnprocessed: true, UnprocessedValueData: pixels},
	)
}

func (b *builder) dimension(organisation string, t, group tag.Tag) []*lib.Element {
	return b.set(tag.DimensionOrganizationUID, organisation,
		tag.DimensionIndexPointer, []int{int(t.Group), int(t.Element)},
		tag.FunctionalGroupPointer, []int{int(group.Group), int(group.Element)})
}

// referencedSeries lists the images of the series, by series UID: of slices that were joined each has its own.
func (b *builder) referencedSeries(on *Series) [][]*lib.Element {
	var uids []string
	images := map[string][][]*lib.Element{}
	seen := map[string]bool{}
	for _, x := range on.slices {
		series := x.text(tag.SeriesInstanceUID)
		if !slices.Contains(uids, series) {
			uids = append(uids, series)
		}
		if instance := x.text(tag.SOPInstanceUID); !seen[instance] {
			seen[instance] = true
			images[series] = append(images[series], b.set(tag.ReferencedSOPClassUID, x.text(tag.SOPClassUID), tag.ReferencedSOPInstanceUID, instance))
		}
	}
	var out [][]*lib.Element
	for _, series := range uids {
		out = append(out, b.set(tag.ReferencedInstanceSequence, images[series], tag.SeriesInstanceUID, series))
	}
	return out
}

// segments describes the segments, numbered from 1, with the codes of their names.
func (b *builder) segments(s *volume.Segmentation) [][]*lib.Element {
	var out [][]*lib.Element
	if background := (Code{"DCM", "125040", "Background"}); b.LabelMap {
		out = append(out, b.set(
			tag.SegmentedPropertyCategoryCodeSequence, b.code(background), tag.SegmentNumber, 0, tag.SegmentLabel, background.Meaning,
			tag.SegmentAlgorithmType, "SEMIAUTOMATIC", tag.SegmentAlgorithmName, "nextslice",
			tag.SegmentedPropertyTypeCodeSequence, b.code(background)))
	}
	for i, segment := range s.Segments {
		lab := toLab(segment.Color)
		code := b.Codes.Of(segment.Name)
		kind := b.set(tag.CodeValue, code.Type.Value, tag.CodingSchemeDesignator, code.Type.Scheme, tag.CodeMeaning, code.Type.Meaning,
			tag.SegmentedPropertyTypeModifierCodeSequence, b.code(code.Side))
		out = append(out, b.set(
			tag.SegmentedPropertyCategoryCodeSequence, b.code(code.Category),
			tag.SegmentNumber, i+1,
			tag.SegmentLabel, truncate(segment.Name, nameLength),
			tag.SegmentAlgorithmType, "SEMIAUTOMATIC",
			tag.SegmentAlgorithmName, "nextslice",
			tag.RecommendedDisplayCIELabValue, lab[:],
			tag.SegmentedPropertyTypeCodeSequence, [][]*lib.Element{kind},
		))
	}
	return out
}

func (b *builder) perFrame(s *volume.Segmentation, on *Series, frames []segFrame) [][]*lib.Element {
	var out [][]*lib.Element
	for _, f := range frames {
		source := on.slices[f.slice]
		image := []any{
			tag.ReferencedSOPClassUID, source.text(tag.SOPClassUID),
			tag.ReferencedSOPInstanceUID, source.text(tag.SOPInstanceUID),
			tag.SpatialLocationsPreserved, "YES", // a voxel is where it is in the source image
			tag.PurposeOfReferenceCodeSequence, b.code(Code{"DCM", "121322", "Source image for image processing operation"}),
		}
		if source.whole(tag.NumberOfFrames, 1) > 1 {
			image = append(image, tag.ReferencedFrameNumber, strconv.Itoa(source.frame+1))
		}
		index, segment := []int{f.segment + 1, f.slice + 1}, any(b.seq(tag.ReferencedSegmentNumber, f.segment+1))
		if b.LabelMap {
			index, segment = index[1:], nil
		}
		out = append(out, b.set(
			tag.DerivationImageSequence, b.seq(
				tag.SourceImageSequence, b.seq(image...),
				tag.DerivationCodeSequence, b.code(Code{"DCM", "113076", "Segmentation"}),
			),
			tag.FrameContentSequence, b.seq(tag.DimensionIndexValues, index),
			tag.PlanePositionSequence, b.seq(tag.ImagePositionPatient, shortDecimals(source.position[:]...)),
			tag.SegmentIdentificationSequence, segment,
		))
	}
	return out
}

// shortDecimals formats numbers as DS, which allows 16 characters.
func shortDecimals(v ...float64) []string {
	var out []string
	for _, x := range v {
		s := strconv.FormatFloat(x, 'g', -1, 64)
		for digits := 15; len(s) > 16; digits-- {
			s = strconv.FormatFloat(x, 'g', digits, 64)
		}
		out = append(out, s)
	}
	return out
}

// truncate fits a name into an element of at most the given number of characters, in which a backslash would end the value.
func truncate(s string, characters int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\\':
			return '/'
		case r < ' ' || r == 0x7f:
			return '?'
		}
		return r
	}, s)
	if r := []rune(s); len(r) > characters {
		return string(r[:characters])
	}
	return s
}

// uid returns the UID of something by its name: 2.25 and a version-8 UUID (RFC 9562) made of the name's SHA-256 as a number
// (PS3.5, B.2).
func uid(kind, name string) string {
	h := sha256.New()
	var length [8]byte
	binary.LittleEndian.PutUint64(length[:], uint64(len(kind)))
	h.Write(length[:])
	_, _ = io.WriteString(h, kind+name)
	id := h.Sum(nil)[:16]
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return "2.25." + new(big.Int).SetBytes(id).String()
}
