// Package phantom makes synthetic T2-weighted MR volumes of the male pelvis with exact masks of the prostate: data to
// try the program on, and to test it with, that may be given to anybody.
//
// Words: the anatomy of a case is a set of shapes in millimetres, in coordinates that grow to the patient's left (x),
// back (y) and head (z) from the middle of the gland. A tissue is its proton density and T2. A scanner has an echo time,
// voxels, sharpness, noise and coils.
//
// Flow:
//
//  1. A random stream draws the anatomy: size and shape of the gland, filling of bladder and rectum, and so on.
//  2. Each voxel gets the signal of the tissues at its place; the mask is where the voxel's centre lies in the gland.
//  3. The scanner blurs the image, multiplies it with the sensitivity of its coil, adds noise and rounds.
//  4. [Write] writes such cases as a data set in the Decathlon layout.
//
// The gland shares its intensities with muscles, bowel, seminal vesicles and veins, the contrast changes from scanner to
// scanner, and the coil's hot spot is stronger than any contrast: no threshold finds the gland. Real images are harder
// still, and a method that works here has only shown that it runs.
package phantom
