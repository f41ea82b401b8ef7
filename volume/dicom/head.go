package dicom

import (
	"fmt"
	"strings"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// Head says what a file is: the UIDs of its class, itself, its series and study, how its data are encoded (transfer syntax), and the PatientID.
type Head struct{ Class, Instance, Series, Study, Syntax, Patient string }

// ReadHead reads what a DICOM file is, also where its pixels are packed in a way that is not decoded here.
func ReadHead(path string) (Head, error) {
	f, err := openFile(path)
	if f == nil || err != nil && f.refused == nil {
		return Head{}, fmt.Errorf("read %s: %w", path, err)
	}
	return Head{
		Class: clean(f.text(tag.SOPClassUID)), Instance: clean(f.text(tag.SOPInstanceUID)), Series: clean(f.text(tag.SeriesInstanceUID)),
		Study: clean(f.text(tag.StudyInstanceUID)), Syntax: clean(f.syntax),
		Patient: clean(f.text(tag.PatientID)),
	}, nil
}

// Packing names what the pixels of a transfer syntax are packed with, "" where they are not.
func Packing(syntax string) string {
	switch syntax {
	case rle:
		return "RLE"
	case deflated:
		return "deflate"
	case jpegBaseline:
		return "lossy JPEG"
	case jpegExtended:
		return "lossy JPEG of 12 bits"
	case jpegLossless, jpegLosslessSV1:
		return "lossless JPEG"
	case jpegLS:
		return "JPEG-LS"
	case jpegLSNear:
		return "JPEG-LS (near lossless)"
	case jpeg2000Lossless, jpeg2000Parts + "2":
		return "JPEG 2000"
	case jpeg2000, jpeg2000Parts + "3":
		return "JPEG 2000 (may be lossy)"
	}
	switch {
	case strings.HasPrefix(syntax, "1.2.840.10008.1.2.4.20"):
		return "high-throughput JPEG 2000"
	case strings.HasPrefix(syntax, "1.2.840.10008.1.2.4.10"):
		return "video (MPEG)"
	case strings.HasPrefix(syntax, "1.2.840.10008.1.2.4."):
		return "JPEG"
	}
	return ""
}
