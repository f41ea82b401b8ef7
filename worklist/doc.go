// Package worklist says which slices of a data set on disk to label next, for people who label elsewhere: in 3D Slicer, in ITK-SNAP, by a script.
//
// # The flow
//
//  1. The data set is opened. A slice is labelled if its case has a mask, unless all of the slice is ignored there, or if it stands in one of
//     the lists of labelled slices; a case of which a list names slices is labelled in these alone. All others are candidates, as far as
//     [Config].Only, Exclude and Shard let them.
//  2. A model is read, or trained on the labelled slices.
//  3. The strategy asks for what it needs, and case after case goes through the network: the images of at most two cases are in memory, however many there are.
//     What is known of each item is a few numbers, or features, written to the work folder as each case is done. Critics, autoencoders, pseudo-labels and
//     mutual information take images of some candidates at once, of 4,000 at most.
//  4. The picks come back with their place in the file and in the patient.
//
// Run again with the same configuration and labels, an interrupted query goes on where it was, and a finished one gives the same picks. Networks that were trained are kept; a
// training that was interrupted begins again, and so do critics and autoencoders, which are not kept.
package worklist
