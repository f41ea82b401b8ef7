package dicom

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// slice is one image plane: a file, or a frame of a multi-frame file.
type slice struct {
	*file
	frame    int // from 0
	instance int
	groups   []item // where its attributes stand, the nearest first

	rows, columns int
	placed        bool       // position and orientation are given
	position      [3]float64 // of the centre of the first pixel, LPS mm
	right, down   [3]float64 // unit steps to the next column and to the next row, LPS
	spacing       [2]float64 // between rows, between columns; 0 where not given
	between       float64    // SpacingBetweenSlices; 0 where not given
	thickness     float64    // SpacingBetweenSlices, else SliceThickness: all that a single slice says of its extent; 0 where not given
	at            float64    // place along the normal of its stack, mm; set by separate

	slope, intercept float64
	turned           bool  // MONOCHROME1: the least value is white, and a value v becomes turn - v before it is rescaled
	turn             int64 // the least and the greatest value that can be stored together, as ITK has it

	preferred bool // among those at its place
	// traits tell apart images at the same place: echoes, time points, diffusion weights.
	traits []string
}

// traitTags are compared in this order; the first that separates the images at one place is used.
var traitTags = []tag.Tag{
	tag.AcquisitionNumber, tag.EchoTime, tag.TemporalPositionIdentifier, tag.DiffusionBValue, tag.ImageType, tag.TriggerTime,
	tag.InversionTime, tag.FlipAngle, tag.RepetitionTime, tag.NominalPercentageOfCardiacPhase, tag.ConvolutionKernel, tag.KVP,
	tag.AcquisitionTime, tag.ContentTime,
	// of multi-frame files
	tag.StackID, tag.TemporalPositionIndex, tag.EffectiveEchoTime,
	// of nuclear medicine: a value for every frame
	tag.EnergyWindowVector, tag.DetectorVector, tag.TimeSlotVector,
}

// slices returns the image planes of a file. It fails for what is no image, has a colour, or is packed.
func (f *file) slices() ([]slice, error) {
	if class := f.text(tag.SOPClassUID); notImage[class] != "" {
		return nil, errNotImage(notImage[class])
	}
	return f.planes()
}

// planes returns the planes of a file whatever its class.
func (f *file) planes() ([]slice, error) {
	if f.floats {
		return nil, errors.New("float pixel data are not supported: convert to integers with a rescale slope")
	}
	switch class := f.text(tag.SOPClassUID); {
	case f.voxels != 0:
	case slices.Contains(imageClasses, class):
		return nil, errors.New("cut short: an image without pixel data")
	default:
		return nil, errNotImage("no pixel data")
	}
	if packed := f.length == undefinedLength; packed != isPacked(f.syntax) {
		if packed {
			return nil, errors.New("the pixels are packed, but the transfer syntax does not say how")
		}
		return nil, fmt.Errorf("the transfer syntax %s says that the pixels are packed, but they are not", f.syntax)
	}
	if s := f.whole(tag.SamplesPerPixel, 1); s != 1 {
		return nil, errColour(fmt.Sprintf("%d samples per pixel (%s): only grey images can be read", s, printable(f.text(tag.PhotometricInterpretation))))
	}
	if p := f.text(tag.PhotometricInterpretation); p != "" && !strings.HasPrefix(p, "MONOCHROME") {
		return nil, errColour(fmt.Sprintf("photometric interpretation %q: only grey images can be read", printable(p)))
	}
	rows, columns, frames := f.whole(tag.Rows, 0), f.whole(tag.Columns, 0), f.whole(tag.NumberOfFrames, 1)
	if rows < 1 || columns < 1 || frames < 1 || rows > 1<<16 || columns > 1<<16 {
		return nil, fmt.Errorf("%d rows, %d columns, %d frames: want at least 1", rows, columns, frames)
	}
	p, err := f.pixelFormat()
	if err != nil {
		return nil, err
	}
	// In float64, so that no product of hostile numbers overflows.
	need := math.Ceil(float64(rows) * float64(columns) * float64(frames) * float64(p.allocated) / 8)
	switch {
	case isPacked(f.syntax):
		if err := f.checkPacked(rows, columns, frames); err != nil {
			return nil, err
		}
	case need > float64(f.length):
		return nil, fmt.Errorf("pixel data of %d bytes, want %.0f for %d x %d pixels of %d bits in %d frames", f.length, need, columns, rows, p.allocated, frames)
	case f.syntax == deflated:
		if need > f.expansion()*float64(f.size) {
			return nil, fmt.Errorf("cut short: pixel data of %.0f bytes in a deflated file of %d", need, f.size)
		}
	case f.voxels+int64(f.length) > f.size:
		return nil, fmt.Errorf("cut short: pixel data of %d bytes begin at byte %d of a file of %d", f.length, f.voxels, f.size)
	}
	if f.mosaic() {
		return nil, errors.New("a mosaic, many slices in one picture: convert it to NIfTI with dcm2niix, or have the scanner export it as enhanced DICOM")
	}
	if f.text(tag.SOPClassUID) == nuclearMedicine {
		return f.nuclear(rows, columns, frames)
	}
	perFrame := f.items(tag.PerFrameFunctionalGroupsSequence)
	if frames > 1 && len(perFrame) != frames {
		return nil, fmt.Errorf("%d frames with the geometry of %d: split the file or convert it to an enhanced multi-frame one", frames, len(perFrame))
	}
	shared := f.inner(tag.SharedFunctionalGroupsSequence)
	out := make([]slice, frames)
	for i := range out {
		s := slice{file: f, frame: i, rows: rows, columns: columns, instance: f.whole(tag.InstanceNumber, 0)}
		s.groups = []item{f.item}
		if i < len(perFrame) {
			s.groups = []item{perFrame[i], shared, f.item}
		}
		if err := s.fill(p); err != nil {
			return nil, err
		}
		out[i] = s
	}
	return out, nil
}

// fill reads the attributes of a plane out of its groups.
func (s *slice) fill(p pixelFormat) error {
	if err := s.checkNumbers(); err != nil {
		return err
	}
	s.place(s.groups)
	s.slope, s.intercept = 1, 0
	if v := inGroups(s.groups, tag.PixelValueTransformationSequence, tag.RescaleSlope); len(v) > 0 && v[0] != 0 {
		s.slope = v[0]
	}
	if v := inGroups(s.groups, tag.PixelValueTransformationSequence, tag.RescaleIntercept); len(v) > 0 {
		s.intercept = v[0]
	}
	if s.turned = s.text(tag.PhotometricInterpretation) == "MONOCHROME1"; s.turned {
		if s.turn = -1; !p.signed {
			s.turn = 1<<p.stored - 1
		}
	}
	s.setTraits(s.groups)
	return nil
}

// checkNumbers returns an error where an attribute of the geometry or of the grey values is there and is no number: without it the
// plane would look plausible and be wrong.
func (s *slice) checkNumbers() error {
	for _, t := range []tag.Tag{tag.ImagePositionPatient, tag.ImageOrientationPatient, tag.PixelSpacing, tag.ImagerPixelSpacing, tag.SpacingBetweenSlices,
		tag.SliceThickness, tag.RescaleSlope, tag.RescaleIntercept} {
		for _, g := range s.groups {
			for _, place := range []item{g, g.inner(tag.PlanePositionSequence), g.inner(tag.PlaneOrientationSequence), g.inner(tag.PixelMeasuresSequence),
				g.inner(tag.PixelValueTransformationSequence)} {
				if text := strings.Join(place.texts(t), "\\"); strings.Trim(text, "\\ ") != "" && place.reals(t) == nil {
					return fmt.Errorf("%s is %q: want numbers; correct the header", tagName(t), printable(text))
				}
			}
		}
	}
	return nil
}

func tagName(t tag.Tag) string {
	info, err := tag.Find(t)
	if err != nil {
		return t.String()
	}
	return info.Keyword
}

// mosaic reports whether a picture is one of Siemens' mosaics: slices as tiles of one frame.
func (f *file) mosaic() bool {
	if slices.Contains(f.texts(tag.ImageType), "MOSAIC") {
		return true
	}
	// The number of tiles in the scanner's private elements.
	creator := f.text(tag.Tag{Group: 0x0019, Element: 0x0010})
	return strings.HasPrefix(creator, "SIEMENS MR") && f.find(tag.Tag{Group: 0x0019, Element: 0x100a}) != nil
}

// localiser reports whether a plane is a scout image.
func (s *slice) localiser() bool {
	return slices.ContainsFunc(s.texts(tag.ImageType), func(v string) bool { return strings.HasPrefix(v, "LOCALI") })
}

// lossy reports whether the pixels have gone through a packing that changes them: by its nature, or as the header says.
func (s slice) lossy() bool {
	return s.syntax == jpegBaseline || s.syntax == jpegExtended || s.syntax == jpegLSNear || s.text(tag.LossyImageCompression) == "01"
}

// label names a plane in a message: its file, and its frame where there are several.
func (s slice) label() string {
	if s.whole(tag.NumberOfFrames, 1) > 1 {
		return fmt.Sprintf("frame %d of %s", s.frame+1, filepath.Base(s.name))
	}
	return filepath.Base(s.name)
}

// parallel reports whether two planes have the same directions to within a hundredth.
func (s slice) parallel(o slice) bool {
	for r := range 3 {
		if math.Abs(s.right[r]-o.right[r]) > 0.01 || math.Abs(s.down[r]-o.down[r]) > 0.01 {
			return false
		}
	}
	return true
}

// notImage names the classes of objects that come with images and are none.
var notImage = map[string]string{
	"1.2.840.10008.1.3.10":          "a DICOMDIR",
	segClass:                        "a segmentation (SEG)",
	labelMapClass:                   "a segmentation (label map)",
	structureSetClass:               "a structure set (RTSTRUCT)",
	"1.2.840.10008.5.1.4.1.1.481.2": "a dose (RTDOSE)",
	"1.2.840.10008.5.1.4.1.1.481.5": "a plan (RTPLAN)",
	"1.2.840.10008.5.1.4.1.1.11.1":  "a presentation state",
	"1.2.840.10008.5.1.4.1.1.88.59": "a key object selection",
}

// imageClasses are the classes of the images that come as slices: without pixels such a file is damaged.
var imageClasses = []string{
	"1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1", // CR, DX, CT
	"1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.20", // MR, secondary capture, NM
	"1.2.840.10008.5.1.4.1.1.128", "1.2.840.10008.5.1.4.1.1.130", "1.2.840.10008.5.1.4.1.1.2.2", "1.2.840.10008.5.1.4.1.1.4.4", // PET, converted CT and MR
}

// errColour says that a picture has colours. Those in the folder of a grey series are none of its slices.
type errColour string

func (e errColour) Error() string { return string(e) }

// errNotImage says what a file is that is no image; such files are passed over without a warning.
type errNotImage string

func (e errNotImage) Error() string { return string(e) + ", not an image" }

// inGroups returns the numbers of a tag: from the first item of a functional group's sequence, or directly from the data set,
// whichever comes first.
func inGroups(groups []item, sequence, t tag.Tag) []float64 {
	for _, g := range groups {
		if v := g.inner(sequence).reals(t); v != nil {
			return v
		}
		if v := g.reals(t); v != nil {
			return v
		}
	}
	return nil
}

// place reads where the plane lies.
func (s *slice) place(groups []item) {
	position := inGroups(groups, tag.PlanePositionSequence, tag.ImagePositionPatient)
	orientation := inGroups(groups, tag.PlaneOrientationSequence, tag.ImageOrientationPatient)
	if len(position) == 3 && len(orientation) == 6 {
		right, down := unit([3]float64(orientation[:3])), unit([3]float64(orientation[3:]))
		// A cosine of 0.02 is more than any rounding in the files and less than any real shear within a plane.
		if norm(right) > 0 && norm(down) > 0 && math.Abs(dot(right, down)) < 0.02 {
			s.placed, s.position, s.right, s.down = true, [3]float64(position), right, down
		}
	}
	for _, t := range []tag.Tag{tag.PixelSpacing, tag.ImagerPixelSpacing, tag.NominalScannedPixelSpacing} {
		if v := inGroups(groups, tag.PixelMeasuresSequence, t); len(v) == 2 && v[0] > 0 && v[1] > 0 {
			s.spacing = [2]float64(v)
			break
		}
	}
	for _, t := range []tag.Tag{tag.SpacingBetweenSlices, tag.SliceThickness} {
		if v := inGroups(groups, tag.PixelMeasuresSequence, t); len(v) > 0 && math.Abs(v[0]) > 1e-6 {
			s.thickness = math.Abs(v[0])
			if t == tag.SpacingBetweenSlices {
				s.between = s.thickness
			}
			break
		}
	}
}

func (s *slice) setTraits(groups []item) {
	for _, t := range traitTags {
		value := ""
		for _, g := range groups {
			places := []item{g, g.inner(tag.FrameContentSequence), g.inner(tag.MREchoSequence), g.inner(tag.MRDiffusionSequence)}
			for _, p := range places {
				if e := p.find(t); e != nil && value == "" {
					value = strings.Trim(fmt.Sprint(e.Value.GetValue()), "[]")
					if v, ok := e.Value.GetValue().([]int); ok && s.frame < len(v) && strings.HasSuffix(tagName(t), "Vector") {
						value = fmt.Sprint(v[s.frame])
					}
				}
			}
		}
		s.traits = append(s.traits, value)
	}
}

// normal is the direction across the plane, LPS.
func (s *slice) normal() [3]float64 { return cross(s.right, s.down) }

func dot(a, b [3]float64) float64 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }

func norm(a [3]float64) float64 { return math.Sqrt(dot(a, a)) }

func cross(a, b [3]float64) [3]float64 {
	return [3]float64{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
}

// unit returns a with length 1, or zeros where a is none to speak of.
func unit(a [3]float64) [3]float64 {
	n := norm(a)
	if !(n > 1e-3) {
		return [3]float64{}
	}
	return [3]float64{a[0] / n, a[1] / n, a[2] / n}
}
