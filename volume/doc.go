// Package volume holds medical images with their place in the patient, and reads and writes their file formats.
//
// Vocabulary:
//
//   - A [Grid] says how many voxels there are along the index axes i, j, k and where they lie: an affine takes an index
//     to world coordinates in millimetres, RAS+ (x to the patient's right, y to the front, z to the head).
//   - A [Volume] is a grid with one float32 per voxel, a [Mask] one with a class index per voxel. i is fastest in memory.
//   - The [Unit] of a grid is "voxel" where its header gives no spacing: distances are then not in millimetres.
//   - [Slices] are the planes across one index axis: their rows and columns, size, and place; [Volume.Slice] cuts one out
//     and [Volume.SetSlice] puts it back. A [View] turns a slice the way radiologists look at it.
//   - A [Segmentation] holds named segments that may overlap, as 3D Slicer and DICOM store them.
//   - A channel is one of several images on the same grid in one file, the fourth axis of a 4-D image: see [ReadChannel].
//
// Flow:
//
//  1. [Read], [ReadMask] and [ReadHeader] pick the parser by the file's extension. The parser turns the header into a
//     description of the voxels: grid, type, byte order, file, offset, packing.
//  2. One function reads voxels by that description, whatever the format. It never trusts the header: a size that the
//     file cannot hold is an error before memory is asked for, and reading stops at the declared size.
//  3. [Mask.On] puts a mask on its image's grid where axes or extent differ; [Volume.Turned] reorders axes.
//  4. [WriteMask] and [WriteVolume] write the grid as it was read, so that a mask lies over its image in other programs.
//
// Formats, by extension:
//
//	.nii .nii.gz .hdr/.img[.gz]  NIfTI-1 and -2      written as NIfTI-1 (.nii, .nii.gz)
//	.mha .mhd                    MetaImage           written as .mha, compressed
//	.nrrd .nhdr .seg.nrrd        NRRD, segments      written as .nrrd and .seg.nrrd, compressed
//	.png .jpg .tif               one slice           not written
//
// DICOM series, segmentation objects and structure sets are read by package volume/dicom; package volume/source reads any
// of these formats and says what a path is. A mask for a NIfTI image is best written as NIfTI: only there can it keep both
// positions that a NIfTI header may hold.
//
// Errors name the file, the field, and the byte where that helps. Files may be hostile: no content makes a reader panic.
package volume
