// Package dataset finds the cases of a folder, splits them and loads their slices.
//
// Vocabulary:
//
//   - A [Case] is a patient's scan: an image and, if it has been segmented, its mask.
//   - An [Item] is one slice of a case, what a person labels at once.
//   - A [Split] divides the cases, never the slices of one case, into pool, validation and test.
//   - A [Pool] knows which of its items are labelled.
//   - A [Problem] is something wrong with a case, in words. A bad file never keeps the others from being
//     used, and nothing is left out or changed silently: it is in [Dataset.Problems].
//
// Flow:
//
//  1. [Open] recognises the layout of a folder, pairs images with masks and reads their headers.
//  2. [Inspect] reads every voxel, one case at a time, and reports what is there; optional.
//  3. [Dataset.Split] divides the cases at random.
//  4. [Load] puts the slices of some cases in memory, normalised and on the canvas of a preprocess.Config;
//     [Dataset.Reference] reads the mask of a case on its own grid, to evaluate against.
package dataset
