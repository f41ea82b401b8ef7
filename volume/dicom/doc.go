// Package dicom reads DICOM image series as volumes, reads and writes DICOM segmentations and contours (SEG, RTSTRUCT).
//
// Vocabulary:
//
//   - A [Series] is a stack of parallel slices of one acquisition: the files of a folder with one series UID, orientation
//     and size, or the frames of an enhanced multi-frame file.
//   - A segmentation object (SEG) and a structure set (RTSTRUCT) refer to a series; both become a [volume.Segmentation].
//
// Flow:
//
//  1. [Scan] reads the headers of a folder and sorts slices into series; [Series.Read] reads the voxels of one. [Read]
//     does both where there is only one.
//  2. [ReadSegmentation] and [ReadContours] give segments; volume.Segmentation.On puts them on the grid of an image.
//  3. [SEG] writes a mask as segmentation object, [WriteContours] as structure set; both refer to the series that it was drawn on.
//
// World coordinates are RAS+ as everywhere in package volume; DICOM itself counts in LPS.
//
// Pixels packed with RLE, deflate, lossless JPEG (process 14), JPEG-LS and baseline JPEG of 8 bits are unpacked here; JPEG 2000 and JPEG of 12 bits by
// the program gdcmconv where it is installed. Others and video are refused by name. What makes a volume doubtful but not unreadable (missing slices, uneven
// spacing, no position, lossy packing) is a warning, as data.
//
// Headers are parsed by github.com/suyashkumar/dicom. Before that a walk over the lengths makes sure that every value lies in
// the file and that sequences are not nested beyond reason, because the parser trusts both.
package dicom
