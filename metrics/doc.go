// Package metrics compares predicted masks with reference masks.
//
// The measures are those of the stochastic batches paper, per class and as the mean over foreground classes, of masks
// on the case's own voxel grid:
//
//   - dice_2d: the Dice of each slice, mean over all slices of all cases;
//   - dice_3d: the Dice of each volume, mean over cases;
//   - hd95_3d: the 95th percentile of the distances between the surfaces, mean over cases;
//   - assd: the average symmetric surface distance, mean over cases.
//
// Others are taken on demand, see Further: the surface Dice at a tolerance, precision and recall, the difference in volume,
// and how many lesions were found, missed and invented.
//
// Distances are in mm where the header gives a spacing and in voxels where it does not; the unit is part of every
// result. What counts where a class is in neither mask, or in one of the two, is stated at Rules and at Surface, and
// every result says how many such slices and cases there were.
//
// An Accumulator takes the test cases one at a time and keeps numbers only, never voxels:
//
//  1. Add counts labels per slice and class: the overlaps;
//  2. per class it measures the distances between the two surfaces;
//  3. Summary returns means, counts and the values of each case.
//
// Calibration counts how often a model is right at each confidence: a reliability diagram, and ECE its error.
//
// # Words
//
//   - ref and pred are the reference mask and the predicted one.
//   - A value is undefined where a class is in neither mask, and flagged where it stands for a distance to an empty mask.
package metrics
