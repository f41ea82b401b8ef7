// Package volume holds medical images with their place in the patient, and reads and writes their file formats.
//
// Vocabulary:
//
//   - A [Grid] says how many voxels there are along the index axes i, j, k and where they lie: an affine takes an index
//     to world coordinates in millimetres, RAS+ (x to the patient's right, y to the front, z to the head).
//   - A [Volume] is a grid with one float32 per voxel, a [Mask] one with a class index per voxel. i is fastest in memory.
//   - The [Unit] of a grid is "voxel" where its header gives no spacing: distances are then no millimetres.
//
// Flow:
//
//  1. [Read], [ReadMask] and [ReadGrid] pick the parser by the file's extension. The parser turns the header into a
//     description of the voxels: grid, type, byte order, file, offset, packing.
//  2. One function reads voxels by that description, whatever the format. It never trusts the header: a size that the
//     file cannot hold is an error before memory is asked for, and reading stops at the declared size.
//  3. [WriteMask] and [WriteVolume] write the grid as it was read, so that a mask lies over its image in other programs.
//
// Errors name the file, the field, and the byte where that helps. Files may be hostile: no content makes a reader panic.
package volume
