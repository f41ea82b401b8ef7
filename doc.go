// Package nextslice tells a team which slices of their medical volumes to label next.
//
// Its method is that of Gaillochet, Desrosiers and Lombaert (2023): a segmentation network scores the slices that have
// no labels yet, and stochastic batches turn the scores into a query that is both informative and diverse.
//
// # The loop
//
// A network is trained on the labelled slices, evaluated, and asked for the score of each unlabelled one; a query
// strategy picks some of these; an oracle labels them; and so on. Package active is that loop and nothing else. In a
// simulation the oracle is the data set's own masks.
//
// # The packages, in the order in which data flows
//
//	volume        images and masks with their geometry; readers and writers
//	preprocess    intensities and slices, and the way back to the case's own grid
//	phantom       synthetic prostate-like volumes: the data that comes with the program
//	dataset       cases and items, folder layouts, the split, the pool
//	tensor        activations and the operations on them (Engine); tensor/ref in plain Go, tensor/native fast
//	nn, unet      layers, optimisers, and the paper's network made of them
//	train         the recipe, presets and one training; nothing else
//	uncertainty   class probabilities → uncertainty map → one score per item
//	query         the names of strategies; scores or features → the items to label next
//	model         a trained network: its file, masks, measures, scores and features, its pool for a strategy
//	active        the loop
//	metrics       Dice, surface distances and other measures of masks
//	stats         summaries and tests of learning curves
//	experiment    strategies × initial sets in a run folder: the one place that wires all of it
//	report        tables, tests and figures of experiments that were run
//	cmd/nextslice the command line
//
// Packages further down import those further up, never the other way; the test beside this file holds that.
//
// # Where to start reading
//
// active/loop.go is the algorithm on one screen. query/stochastic_batches.go is the paper's contribution. unet/net.go is
// the network, train/run.go its training, experiment/run.go the simulation around it.
package nextslice
