// Package model keeps a trained network together with what it takes to segment a case of any origin: how slices are made,
// what the classes are called, and how the axes of the training cases ran.
//
//  1. Describe says what the cases of a data set have in common; Save writes it into the network's safetensors file.
//  2. Load reads such a file.
//  3. Model.Segment turns a case's axes to those of the training, cuts and normalises its slices, predicts, and brings
//     mask and uncertainty map back to the case's own grid.
package model
